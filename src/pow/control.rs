//! The wire between running work and whoever watches it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Stops work from outside and tells how far it is. Clones share one state,
/// so one clone goes to the work and one stays with the watcher.
///
/// Every layer counts what it owns: searches count hashes; whoever mines or
/// verifies a chain counts blocks; whoever reads a file counts bytes.
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
pub struct Control {
    winding_down: Arc<AtomicBool>,
    cancelled: Arc<AtomicBool>,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    hashes: AtomicU64,
    blocks: AtomicU64,
    bytes: AtomicU64,
}

impl Control {
    /// Not cancelled, nothing counted.
    pub fn new() -> Self {
        Self::default()
    }

    /// A control that is cancelled together with this one, but counts from
    /// zero: for the next step of the same work.
    #[must_use]
    pub fn with_fresh_counts(&self) -> Self {
        Self {
            winding_down: Arc::clone(&self.winding_down),
            cancelled: Arc::clone(&self.cancelled),
            counts: Arc::default(),
        }
    }

    /// Asks the work to begin nothing new, such as the search of a further
    /// block. What is under way may still come to its end.
    pub fn wind_down(&self) {
        self.winding_down.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked the work to begin nothing new, or to stop.
    pub fn is_winding_down(&self) -> bool {
        self.winding_down.load(Ordering::Relaxed) || self.is_cancelled()
    }

    /// Asks the work to stop. A search obeys within one piece of its range,
    /// which takes milliseconds.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked the work to stop.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Nonces tried so far, by every search under this control.
    pub fn hashes(&self) -> u64 {
        self.counts.hashes.load(Ordering::Relaxed)
    }

    /// Blocks mined or verified so far.
    pub fn blocks(&self) -> u64 {
        self.counts.blocks.load(Ordering::Relaxed)
    }

    /// Bytes of input read so far.
    pub fn bytes(&self) -> u64 {
        self.counts.bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn add_hashes(&self, tried: u64) {
        self.counts.hashes.fetch_add(tried, Ordering::Relaxed);
    }

    pub(crate) fn add_blocks(&self, done: u64) {
        self.counts.blocks.fetch_add(done, Ordering::Relaxed);
    }

    pub(crate) fn add_bytes(&self, read: u64) {
        self.counts.bytes.fetch_add(read, Ordering::Relaxed);
    }
}
