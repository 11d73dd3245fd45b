//! What a sweep says, in the shape in which it is kept.

use serde::{Deserialize, Serialize};

use super::machine::Machine;
use super::turns;
use crate::pow::{Measurement, measurements};

/// A sweep and the machine it was made on: what `fourzero bench --json`
/// prints, and what `--baseline` reads.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Report {
    /// The machine.
    #[serde(flatten)]
    pub machine: Machine,
    /// A point each.
    pub runs: Vec<Run>,
    /// Which kernels were chosen by measurement.
    #[serde(default)]
    pub chosen: Vec<Chosen>,
}

/// A kernel that was chosen by measurement, and the next fastest. Rates are
/// hashes a second on one thread, in the best of a few turns of microseconds.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Chosen {
    /// The shape of the messages it was measured for.
    pub messages: String,
    /// The variant's name.
    pub kernel: String,
    /// Its rate.
    pub hashrate: f64,
    /// The name of the next fastest.
    pub runner_up: String,
    /// Its rate.
    pub runner_up_hashrate: f64,
}

impl Chosen {
    /// What this process has chosen so far.
    pub fn so_far() -> Vec<Self> {
        let chosen = |measured: Measurement| match measured.rates[..] {
            [(first, hashrate), (second, runner_up_hashrate), ..] => Some(Self {
                messages: measured.shape.to_string(),
                kernel: first.to_string(),
                hashrate,
                runner_up: second.to_string(),
                runner_up_hashrate,
            }),
            _ => None,
        };
        measurements().into_iter().filter_map(chosen).collect()
    }
}

/// One point: a kernel under a rule on a number of threads.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Run {
    /// The kernel's name.
    pub kernel: String,
    /// The rule's name.
    pub rule: String,
    /// Threads that hashed.
    pub threads: usize,
    /// Hashes of all turns.
    pub hashes: u64,
    /// What they took.
    pub seconds: f64,
    /// Hashes a second over all turns.
    pub hashrate: f64,
    /// Hashes a second of the best turn.
    pub best: f64,
    /// Hashes a second of the median turn.
    pub median: f64,
    /// The best turn in terms of the best on one thread.
    pub speedup: f64,
    /// `speedup / threads`.
    pub efficiency: f64,
    /// Blocks a second at the difficulty, of an average block; `None` where a
    /// proof takes too long to be searched in a turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocks_per_second: Option<f64>,
    /// The difficulty, in zero bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zero_bits: Option<u16>,
}

impl Run {
    /// By what share of the best turn the median lies below it.
    pub fn scatter(&self) -> f64 {
        turns::scatter(self.best, self.median)
    }

    /// Whether both measured the same thing.
    pub fn is_same_point(&self, other: &Self) -> bool {
        (&self.kernel, &self.rule, self.threads) == (&other.kernel, &other.rule, other.threads)
    }
}
