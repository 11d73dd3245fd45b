//! Pinning threads to cores (on Linux).

use std::collections::HashSet;

/// Logical cores in the order in which threads should take them: one of each
/// physical core first. The default has none, and pins nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Cores(Vec<usize>);

impl Cores {
    /// The cores that the calling thread may run on; none where the system
    /// does not say.
    pub fn allowed() -> Self {
        Self(physical_first(&system::allowed(), system::siblings))
    }

    /// How many there are; 0 where the system does not say.
    pub(super) const fn count(&self) -> usize {
        self.0.len()
    }

    /// How many physical cores they are part of, if the system says so.
    pub(super) fn count_physical(&self) -> Option<usize> {
        count_physical(&self.0, system::siblings)
    }

    /// Pins the calling thread to the core of thread number `index`. If there
    /// are more threads than cores, several share a core. A thread that cannot
    /// be pinned stays where it is.
    pub fn pin_current_thread(&self, index: usize) {
        if !self.0.is_empty() {
            system::pin(self.0[index % self.0.len()]);
        }
    }
}

/// Sorts logical cores so that the first thread of every physical core comes
/// before any second one. `siblings` names the physical core of a logical one,
/// if it is known.
fn physical_first(logical: &[usize], siblings: impl Fn(usize) -> Option<String>) -> Vec<usize> {
    let names: Vec<_> = logical.iter().map(|core| siblings(*core)).collect();
    let is_sibling = |a: usize, b: usize| names[a].is_some() && names[a] == names[b];
    let rank = |index| (0..index).filter(|other| is_sibling(*other, index)).count();
    let mut ranked: Vec<_> = (0..logical.len())
        .map(|index| (rank(index), logical[index]))
        .collect();
    ranked.sort_unstable();
    ranked.into_iter().map(|(_, core)| core).collect()
}

/// The number of physical cores that some logical ones are part of.
fn count_physical(logical: &[usize], siblings: impl Fn(usize) -> Option<String>) -> Option<usize> {
    let names: Option<HashSet<_>> = logical.iter().map(|core| siblings(*core)).collect();
    names.map(|names| names.len()).filter(|count| *count > 0)
}

#[cfg(target_os = "linux")]
mod system {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    pub(super) fn allowed() -> Vec<usize> {
        let Ok(set) = sched_getaffinity(None) else {
            return Vec::new();
        };
        let cores = 0..CpuSet::MAX_CPU;
        cores.filter(|core| set.is_set(*core)).collect()
    }

    pub(super) fn siblings(core: usize) -> Option<String> {
        let path = format!("/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list");
        std::fs::read_to_string(path).ok()
    }

    pub(super) fn pin(core: usize) {
        let mut set = CpuSet::new();
        set.set(core);
        let _ = sched_setaffinity(None, &set);
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    pub(super) fn allowed() -> Vec<usize> {
        Vec::new()
    }

    pub(super) fn siblings(_core: usize) -> Option<String> {
        None
    }

    pub(super) fn pin(_core: usize) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_physical_core_is_used_before_any_is_used_twice() {
        // Two ways in which machines number the threads of four cores.
        let pairs = |core: usize| Some((core / 2).to_string());
        let halves = |core: usize| Some((core % 4).to_string());
        let all: Vec<_> = (0..8).collect();
        assert_eq!(physical_first(&all, pairs), [0, 2, 4, 6, 1, 3, 5, 7]);
        assert_eq!(physical_first(&all, halves), all);
        // This process may use only some of the cores.
        assert_eq!(physical_first(&[2, 3, 7], pairs), [2, 7, 3]);
        assert_eq!(physical_first(&[5, 4], |_| None), [4, 5]);
    }

    #[test]
    fn only_physical_cores_that_may_be_used_are_counted() {
        let pairs = |core: usize| Some((core / 2).to_string());
        assert_eq!(count_physical(&[0, 1, 2, 3], pairs), Some(2));
        assert_eq!(count_physical(&[0], pairs), Some(1));
        assert_eq!(count_physical(&[1, 2], pairs), Some(2));
        assert_eq!(count_physical(&[0, 1], |_| None), None);
        assert_eq!(count_physical(&[], pairs), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_pinned_thread_stays_on_its_core() {
        let cores = Cores::allowed();
        assert!(!cores.0.is_empty());
        for index in 0..cores.0.len() + 1 {
            let cores = cores.clone();
            std::thread::spawn(move || {
                cores.pin_current_thread(index);
                assert_eq!(Cores::allowed().0, [cores.0[index % cores.0.len()]]);
            })
            .join()
            .unwrap();
        }
    }
}
