//! A bound on the bytes that are under way in the pipeline.
//!
//! Channels bound the number of messages; blocks differ in size by a factor
//! of a million, so memory needs a bound of its own.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Bytes that may be under way at once. One larger block is let through
/// alone.
const MOST_BYTES: usize = 16 << 20;

/// Hands out [`Permit`]s.
#[derive(Clone, Debug, Default)]
pub(super) struct Budget(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    under_way: Mutex<usize>,
    released: Condvar,
}

/// The right to keep some bytes under way, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Permit {
    budget: Budget,
    bytes: usize,
}

impl Budget {
    /// Waits until `bytes` more fit.
    pub(super) fn acquire(&self, bytes: usize) -> Permit {
        // The counter is sound even if another thread panicked beside it.
        let guard = self
            .0
            .under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut under_way = self
            .0
            .released
            .wait_while(guard, |under_way| {
                *under_way > 0 && *under_way + bytes > MOST_BYTES
            })
            .unwrap_or_else(PoisonError::into_inner);
        *under_way += bytes;
        Permit {
            budget: self.clone(),
            bytes,
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let shared = &self.budget.0;
        *shared
            .under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner) -= self.bytes;
        shared.released.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_budget_waits_for_a_permit_to_be_dropped() {
        let budget = Budget::default();
        let held = budget.acquire(MOST_BYTES);
        let waiting = std::thread::spawn({
            let budget = budget.clone();
            move || drop(budget.acquire(1))
        });
        assert!(!waiting.is_finished());
        drop(held);
        waiting.join().unwrap();
        assert_eq!(*budget.0.under_way.lock().unwrap(), 0);
    }

    #[test]
    fn more_than_the_whole_budget_passes_alone() {
        let budget = Budget::default();
        drop(budget.acquire(2 * MOST_BYTES));
        drop(budget.acquire(2 * MOST_BYTES));
    }
}
