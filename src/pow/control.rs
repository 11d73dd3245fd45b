//! Cancels running work and counts its progress.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// Cancels work and counts its progress. Clones share one state: pass one to
/// the work and keep another.
///
/// Searches count hashes, mining and verifying count blocks, and reading a file
/// counts bytes.
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
    /// Cancels this part of the work only.
    abandoned: Arc<AtomicBool>,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    hashes: AtomicU64,
    blocks: AtomicU64,
    given_blocks: AtomicU64,
    bytes: AtomicU64,
    text_read: AtomicU64,
    text_done: AtomicU64,
    next_step: OnceLock<Arc<Counts>>,
}

impl Control {
    /// Not cancelled, nothing counted.
    pub fn new() -> Self {
        Self::default()
    }

    /// A control that is cancelled together with this one, but counts from
    /// zero.
    #[must_use]
    pub fn with_fresh_counts(&self) -> Self {
        Self {
            counts: Arc::default(),
            ..self.clone()
        }
    }

    /// As [`Self::with_fresh_counts`], and [`Self::next_step`] returns it. If
    /// called again, as in work on several chains, the first step stays visible.
    pub(crate) fn begin_next_step(&self) -> Self {
        let step = self.with_fresh_counts();
        let _ = self.counts.next_step.set(Arc::clone(&step.counts));
        step
    }

    /// The step after the counted one, once it has begun. After mining a chain
    /// into a file, this is syncing and reading it back.
    pub fn next_step(&self) -> Option<Self> {
        Some(Self {
            counts: Arc::clone(self.counts.next_step.get()?),
            ..self.clone()
        })
    }

    /// Asks the work to finish what it has begun, such as the current block,
    /// and then to stop.
    pub fn wind_down(&self) {
        self.winding_down.store(true, Ordering::Relaxed);
    }

    /// Whether the work was asked to wind down or to stop.
    pub fn is_winding_down(&self) -> bool {
        self.winding_down.load(Ordering::Relaxed) || self.is_cancelled()
    }

    /// Asks the work to stop. A search stops within milliseconds.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether the work was asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed) || self.abandoned.load(Ordering::Relaxed)
    }

    /// A control for a part of the work. It adds to the same counts and is
    /// cancelled with the whole, or alone by [`Self::abandon`].
    pub(crate) fn part(&self) -> Self {
        Self {
            abandoned: Arc::default(),
            ..self.clone()
        }
    }

    /// Cancels this [part](Self::part) only.
    pub(crate) fn abandon(&self) {
        self.abandoned.store(true, Ordering::Relaxed);
    }

    /// Nonces tried so far.
    pub fn hashes(&self) -> u64 {
        self.counts.hashes.load(Ordering::Relaxed)
    }

    /// Blocks mined or verified so far.
    pub fn blocks(&self) -> u64 {
        self.counts.blocks.load(Ordering::Relaxed)
    }

    /// How many of the blocks did not have to be mined: genesis blocks, and
    /// those that an interrupted run left.
    pub fn given_blocks(&self) -> u64 {
        self.counts.given_blocks.load(Ordering::Relaxed)
    }

    /// Bytes of input read so far.
    pub fn bytes(&self) -> u64 {
        self.counts.bytes.load(Ordering::Relaxed)
    }

    /// About how many bytes of the queues are in mined blocks. Reading runs
    /// ahead, so the bytes read are scaled by the share of their canonical
    /// text that was mined.
    pub fn bytes_mined(&self) -> u64 {
        // In this order `done` is never more than `read`.
        let done = self.counts.text_done.load(Ordering::Acquire);
        let read = self.counts.text_read.load(Ordering::Relaxed);
        if read == 0 {
            return 0;
        }
        (self.bytes() as f64 * (done as f64 / read as f64)) as u64
    }

    pub(crate) fn add_hashes(&self, tried: u64) {
        self.counts.hashes.fetch_add(tried, Ordering::Relaxed);
    }

    pub(crate) fn add_blocks(&self, done: u64) {
        self.counts.blocks.fetch_add(done, Ordering::Relaxed);
    }

    pub(crate) fn add_given_blocks(&self, given: u64) {
        self.counts.given_blocks.fetch_add(given, Ordering::Relaxed);
        self.add_blocks(given);
    }

    pub(crate) fn add_text_read(&self, bytes: u64) {
        self.counts.text_read.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn add_text_done(&self, bytes: u64) {
        self.counts.text_done.fetch_add(bytes, Ordering::Release);
    }

    pub(crate) fn add_bytes(&self, read: u64) {
        self.counts.bytes.fetch_add(read, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_waits_does_not_count_as_mined() {
        let control = Control::new();
        assert_eq!(control.bytes_mined(), 0);
        control.add_bytes(1000);
        control.add_text_read(4000);
        assert_eq!(control.bytes_mined(), 0);
        control.add_text_done(1000);
        assert_eq!(control.bytes_mined(), 250);
        control.add_text_done(3000);
        assert_eq!(control.bytes_mined(), 1000);
    }

    #[test]
    fn a_part_adds_to_the_same_counts_and_can_be_cancelled_alone() {
        let control = Control::new();
        let (part, other) = (control.part(), control.part());
        part.add_blocks(2);
        assert_eq!(control.blocks(), 2);
        part.clone().abandon();
        assert!(part.is_cancelled() && part.is_winding_down());
        assert!(!control.is_cancelled() && !other.is_cancelled());
        control.cancel();
        assert!(other.is_cancelled());
    }

    #[test]
    fn the_next_step_is_cancelled_with_the_first_but_has_its_own_counts() {
        let control = Control::new();
        control.add_blocks(2);
        assert!(control.next_step().is_none());
        let step = control.begin_next_step();
        step.add_blocks(5);
        let seen = control.clone().next_step().unwrap();
        assert_eq!((seen.blocks(), control.blocks()), (5, 2));
        assert!(seen.next_step().is_none());
        control.cancel();
        assert!(seen.is_cancelled() && step.is_cancelled());
    }
}
