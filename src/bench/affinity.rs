//! Threads pinned to cores, where the system has a call for it (Linux).

use std::collections::HashMap;

/// The logical cores that this process may use, in the order in which threads
/// should take them: one of each physical core first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cores(Vec<usize>);

impl Cores {
    /// The cores that the calling thread may run on, or `None` where the
    /// system does not say.
    pub fn allowed() -> Option<Self> {
        let allowed = system::allowed()?;
        (!allowed.is_empty()).then(|| Self(physical_first(&allowed, system::siblings)))
    }

    /// Pins the calling thread to the core of thread number `index`; more
    /// threads than cores share them in turn. Whether the system did it.
    pub fn pin_current_thread(&self, index: usize) -> bool {
        system::pin(self.0[index % self.0.len()])
    }
}

/// Sorts logical cores so that the first thread of every physical core comes
/// before any second one. `siblings` names the physical core of a logical one;
/// one without a name is a core of its own.
fn physical_first(logical: &[usize], siblings: impl Fn(usize) -> Option<String>) -> Vec<usize> {
    let mut taken: HashMap<String, usize> = HashMap::new();
    let mut ranked: Vec<_> = logical
        .iter()
        .map(|&core| {
            let rank = siblings(core).map_or(0, |name| {
                let count = taken.entry(name).or_default();
                *count += 1;
                *count - 1
            });
            (rank, core)
        })
        .collect();
    ranked.sort_unstable();
    ranked.into_iter().map(|(_, core)| core).collect()
}

#[cfg(target_os = "linux")]
mod system {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    pub(super) fn allowed() -> Option<Vec<usize>> {
        let set = sched_getaffinity(None).ok()?;
        Some(
            (0..CpuSet::MAX_CPU)
                .filter(|core| set.is_set(*core))
                .collect(),
        )
    }

    pub(super) fn siblings(core: usize) -> Option<String> {
        let path = format!("/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list");
        std::fs::read_to_string(path).ok()
    }

    pub(super) fn pin(core: usize) -> bool {
        let mut set = CpuSet::new();
        set.set(core);
        sched_setaffinity(None, &set).is_ok()
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    pub(super) fn allowed() -> Option<Vec<usize>> {
        None
    }

    pub(super) fn siblings(_core: usize) -> Option<String> {
        None
    }

    pub(super) fn pin(_core: usize) -> bool {
        false
    }
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
        // Only some of the cores are ours.
        assert_eq!(physical_first(&[2, 3, 7], pairs), [2, 7, 3]);
        assert_eq!(physical_first(&[5, 4], |_| None), [4, 5]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_pinned_thread_stays_on_its_core() {
        let cores = Cores::allowed().unwrap();
        for index in 0..cores.0.len() + 1 {
            let cores = cores.clone();
            std::thread::spawn(move || {
                assert!(cores.pin_current_thread(index));
                let now = Cores::allowed().unwrap();
                assert_eq!(now.0, [cores.0[index % cores.0.len()]]);
            })
            .join()
            .unwrap();
        }
    }
}
