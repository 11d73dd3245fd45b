//! The wire between running work and whoever watches it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

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
    /// Whether this part of the work came to nothing.
    abandoned: Option<Arc<AtomicBool>>,
    /// The counts of the work's next step, once it has begun.
    next: Arc<OnceLock<Arc<Counts>>>,
}

#[derive(Debug, Default)]
struct Counts {
    hashes: AtomicU64,
    blocks: AtomicU64,
    given_blocks: AtomicU64,
    bytes: AtomicU64,
    text_read: AtomicU64,
    text_done: AtomicU64,
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
            abandoned: self.abandoned.clone(),
            counts: Arc::default(),
            next: Arc::default(),
        }
    }

    /// As [`Self::with_fresh_counts`], for a step that whoever watches this
    /// control should see: [`Self::next_step`] gives it. Of several, the first
    /// is shown.
    pub(crate) fn begin_next_step(&self) -> Self {
        let step = self.with_fresh_counts();
        // Work that is many chains has many of them.
        let _ = self.next.set(Arc::clone(&step.counts));
        step
    }

    /// The step after what this control counts, once it has begun: of a chain
    /// that is mined into a file, the syncing and reading back.
    pub fn next_step(&self) -> Option<Self> {
        let counts = Arc::clone(self.next.get()?);
        Some(Self {
            counts,
            ..self.with_fresh_counts()
        })
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
        let is_abandoned = |flag: &Arc<AtomicBool>| flag.load(Ordering::Relaxed);
        self.cancelled.load(Ordering::Relaxed) || self.abandoned.as_ref().is_some_and(is_abandoned)
    }

    /// A control for a part of the work. It counts for the whole and is
    /// cancelled with it, and may be alone: see [`Self::abandon`].
    pub(crate) fn part(&self) -> Self {
        Self {
            abandoned: Some(Arc::default()),
            ..self.clone()
        }
    }

    /// Cancels a part alone.
    pub(crate) fn abandon(&self) {
        if let Some(abandoned) = &self.abandoned {
            abandoned.store(true, Ordering::Relaxed);
        }
    }

    /// Nonces tried so far, by every search under this control.
    pub fn hashes(&self) -> u64 {
        self.counts.hashes.load(Ordering::Relaxed)
    }

    /// Blocks mined or verified so far.
    pub fn blocks(&self) -> u64 {
        self.counts.blocks.load(Ordering::Relaxed)
    }

    /// Those of them that nobody had to mine: genesis blocks, and what
    /// interrupted work had left.
    pub fn given_blocks(&self) -> u64 {
        self.counts.given_blocks.load(Ordering::Relaxed)
    }

    /// Bytes of input read so far.
    pub fn bytes(&self) -> u64 {
        self.counts.bytes.load(Ordering::Relaxed)
    }

    /// Bytes of the queues that the blocks mined so far were made of, as near
    /// as can be told: reading runs ahead, so the share that still waits is
    /// taken off, by its canonical text.
    pub fn bytes_mined(&self) -> u64 {
        // The part first: it is never ahead of the whole.
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
    fn what_waits_is_not_mined() {
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
    fn a_part_counts_for_the_whole_and_is_cancelled_with_it_or_alone() {
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
    fn the_next_step_is_seen_and_cancelled_but_counted_apart() {
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
