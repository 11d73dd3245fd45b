//! The wire between a running search and whoever watches it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Stops a search from outside and tells how far it is. Clones share one
/// state, so one clone goes to the search and one stays with the watcher.
///
/// ```
/// use fourzero::pow::Control;
///
/// let control = Control::new();
/// let watcher = control.clone();
/// watcher.cancel();
/// assert!(control.is_cancelled());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Control(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    cancelled: AtomicBool,
    hashes: AtomicU64,
}

impl Control {
    /// Not cancelled, no hash tried.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the work to stop. A search obeys within one piece of its range,
    /// which takes milliseconds.
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked the work to stop.
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::Relaxed)
    }

    /// Nonces tried so far, by every search under this control.
    pub fn hashes(&self) -> u64 {
        self.0.hashes.load(Ordering::Relaxed)
    }

    pub(crate) fn add_hashes(&self, tried: u64) {
        self.0.hashes.fetch_add(tried, Ordering::Relaxed);
    }
}
