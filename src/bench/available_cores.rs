//! The cores that this process may use.

use std::num::NonZeroUsize;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::affinity::Cores;
use super::cpu_quota::lowest_quota;

/// The cores that this process may use: those that it may run on, and the
/// quota of CPU time that its container has.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct AvailableCores {
    /// Physical cores.
    #[serde(rename = "physical_cores")]
    pub physical: usize,
    /// Logical cores, which are hardware threads.
    #[serde(rename = "logical_cores")]
    pub logical: usize,
    /// The CPU time, in cores, that control groups leave to this process;
    /// `None` without a limit.
    #[serde(rename = "cpu_quota", default)]
    pub quota: Option<f64>,
}

impl AvailableCores {
    /// Those of this process.
    pub fn here() -> Self {
        let cores = Cores::allowed();
        let logical = match cores.count() {
            0 => num_cpus::get(),
            logical => logical,
        };
        let physical = cores.count_physical();
        Self {
            physical: physical.unwrap_or_else(num_cpus::get_physical).min(logical),
            logical,
            quota: lowest_quota(Path::new("/")),
        }
    }

    /// As many threads as can run at the same time: one on each logical core,
    /// or as many as use up the quota.
    ///
    /// ```
    /// use fourzero::bench::AvailableCores;
    ///
    /// let mut cores = AvailableCores { physical: 32, logical: 64, quota: None };
    /// assert_eq!(cores.threads().get(), 64);
    /// cores.quota = Some(1.5);
    /// assert_eq!(cores.threads().get(), 2);
    /// ```
    pub fn threads(&self) -> NonZeroUsize {
        let quota = self.quota.map_or(usize::MAX, |cores| cores.ceil() as usize);
        NonZeroUsize::new(self.logical.min(quota)).unwrap_or(NonZeroUsize::MIN)
    }

    /// Whether the quota allows fewer threads than there are logical cores.
    pub fn is_limited_by_quota(&self) -> bool {
        self.threads().get() < self.logical
    }
}
