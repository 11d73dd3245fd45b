//! Writes journal blocks to disk in order, and syncs them on another thread.

use std::collections::VecDeque;
use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, TrySendError, bounded};

use crate::batch::pipeline::ChainSink;

/// A sync begins when the last one is this old and there are new blocks, ...
const SYNC_TIME: Duration = Duration::from_secs(1);
/// ... or when there are this many.
const SYNC_BLOCKS: u64 = 10_000;
/// Text is handed to the system in writes of at least this many bytes, ...
const BUFFER_BYTES: usize = 32 << 10;
/// ... or after this time. With a short search per block, a write per block
/// would take a large part of the time.
const FLUSH_TIME: Duration = Duration::from_millis(30);

/// Where a journal's bytes go: a file, or a faulty disk in tests.
pub(in crate::batch) trait Storage: Send + Sync + 'static {
    /// Appends at least one of `bytes`, and returns how many.
    fn append(&self, bytes: &[u8]) -> io::Result<usize>;
    /// Waits until everything that was appended is on the disk.
    fn sync(&self) -> io::Result<()>;
}

/// Appends blocks to a journal.
pub(in crate::batch) struct JournalWriter<S: Storage> {
    out: BufWriter<CountingStorage<S>>,
    /// Bytes that were given to `out`.
    written: u64,
    /// Blocks in the journal, including those in `unstored_ends`.
    blocks: u64,
    /// Where the blocks end that may not be in the storage yet.
    unstored_ends: VecDeque<u64>,
    blocks_synced: u64,
    flushed_at: Instant,
    sync_time: Duration,
    syncer: Syncer<S>,
}

impl<S: Storage> JournalWriter<S> {
    /// A writer to `storage`, which ends with the last of `blocks` blocks.
    pub(in crate::batch) fn new(storage: Arc<S>, blocks: u64) -> Self {
        Self::with_sync_time(storage, blocks, SYNC_TIME)
    }

    pub(super) fn with_sync_time(storage: Arc<S>, blocks: u64, sync_time: Duration) -> Self {
        let syncer = Syncer::new(Arc::clone(&storage), sync_time);
        let storage = CountingStorage { storage, stored: 0 };
        Self {
            out: BufWriter::with_capacity(BUFFER_BYTES, storage),
            written: 0,
            blocks,
            unstored_ends: VecDeque::new(),
            blocks_synced: blocks,
            flushed_at: Instant::now(),
            sync_time,
            syncer,
        }
    }

    /// Whole blocks in the storage.
    pub(in crate::batch) fn stored_blocks(&mut self) -> u64 {
        let stored = self.out.get_ref().stored;
        while self.unstored_ends.front().is_some_and(|end| *end <= stored) {
            self.unstored_ends.pop_front();
        }
        self.blocks - self.unstored_ends.len() as u64
    }

    /// Waits for the sync that is under way, and returns its error.
    pub(in crate::batch) fn finish_sync(&mut self) -> io::Result<()> {
        self.syncer.finish()
    }
}

impl<S: Storage> ChainSink for JournalWriter<S> {
    fn write_blocks(&mut self, text: &[u8], ends: &[usize]) -> io::Result<()> {
        // Forgets the ends that are stored.
        self.stored_blocks();
        let ends = ends.iter().map(|end| self.written + *end as u64);
        self.blocks += ends.len() as u64;
        self.unstored_ends.extend(ends);
        self.written += text.len() as u64;
        self.out.write_all(text)?;
        self.keep_up()
    }

    fn flush_blocks(&mut self) -> io::Result<()> {
        self.flushed_at = Instant::now();
        self.out.flush()
    }

    fn keep_up(&mut self) -> io::Result<()> {
        self.syncer.check()?;
        let unsynced = self.blocks - self.blocks_synced;
        let is_old = self.syncer.requested_at.elapsed() >= self.sync_time;
        if unsynced >= SYNC_BLOCKS || (unsynced > 0 && is_old) {
            self.flush_blocks()?;
            self.blocks_synced = self.blocks;
            self.syncer.request()
        } else if !self.out.buffer().is_empty() && self.flushed_at.elapsed() >= FLUSH_TIME {
            self.flush_blocks()
        } else {
            Ok(())
        }
    }
}

/// Counts the bytes that a storage took.
struct CountingStorage<S> {
    storage: Arc<S>,
    stored: u64,
}

impl<S: Storage> Write for CountingStorage<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.storage.append(bytes)?;
        self.stored += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Syncs a storage on another thread, one sync after another.
struct Syncer<S: Storage> {
    storage: Arc<S>,
    /// `None` until the first sync, and after a failed one.
    thread: Option<SyncThread>,
    /// When the last sync was requested.
    requested_at: Instant,
    /// How late a requested sync may begin before the writer waits for it.
    max_delay: Duration,
}

impl<S: Storage> Syncer<S> {
    fn new(storage: Arc<S>, max_delay: Duration) -> Self {
        Self {
            storage,
            thread: None,
            requested_at: Instant::now(),
            max_delay,
        }
    }

    /// Requests a sync of everything that is stored now. Waits if the disk is
    /// too far behind.
    fn request(&mut self) -> io::Result<()> {
        if self.thread.is_none() {
            self.thread = start(Arc::clone(&self.storage)).ok();
        }
        let Some((requests, _)) = &self.thread else {
            // No thread can be had.
            return self.storage.sync();
        };
        match requests.try_send(()) {
            // The sync that was requested before has not begun. It covers this one.
            Err(TrySendError::Full(())) if self.requested_at.elapsed() < self.max_delay => {
                return Ok(());
            }
            // If sending fails, the thread has ended with an error.
            Err(TrySendError::Full(())) => drop(requests.send(())),
            Err(TrySendError::Disconnected(())) | Ok(()) => {}
        }
        self.requested_at = Instant::now();
        self.check()
    }

    /// The error of a failed sync, if there is one.
    fn check(&mut self) -> io::Result<()> {
        match &self.thread {
            Some((_, thread)) if thread.is_finished() => self.finish(),
            _ => Ok(()),
        }
    }

    /// Waits for all requested syncs.
    fn finish(&mut self) -> io::Result<()> {
        let Some((requests, thread)) = self.thread.take() else {
            return Ok(());
        };
        drop(requests);
        let panicked = |_| Err(io::Error::other("the thread that syncs it panicked"));
        thread.join().unwrap_or_else(panicked)
    }
}

impl<S: Storage> Drop for Syncer<S> {
    fn drop(&mut self) {
        let _ = self.finish();
    }
}

type SyncThread = (Sender<()>, JoinHandle<io::Result<()>>);

/// Starts a thread that syncs `storage` on each request, until a sync fails.
fn start<S: Storage>(storage: Arc<S>) -> io::Result<SyncThread> {
    let (sender, requests) = bounded(1);
    let sync = move || requests.into_iter().try_for_each(|()| storage.sync());
    let thread = thread::Builder::new().name("mine-sync".into());
    Ok((sender, thread.spawn(sync)?))
}
