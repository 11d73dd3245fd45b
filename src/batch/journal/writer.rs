//! Writing the journal, and syncing it beside the writing.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, TrySendError, bounded};

use crate::batch::pipeline::Sink;

/// Syncing begins so long after a block was written,
const SYNC_TIME: Duration = Duration::from_secs(1);
/// or after so many blocks.
const SYNC_BLOCKS: u64 = 10_000;
/// A larger write goes to the system directly.
const DIRECT_BYTES: usize = 32 << 10;
/// Smaller ones are gathered until they are this many bytes,
const BUFFER_BYTES: usize = 128 << 10;
/// or for this long after a block, if a thread looks after the journal,
const STORE_TIME: Duration = Duration::from_millis(30);
/// or for this long, if none does. The thread that writes blocks also searches
/// for the next proof, and storing takes longer than the rest of its work
/// between two searches.
const LATE_STORE_TIME: Duration = Duration::from_millis(100);

/// Where a journal's bytes go: a file, but in tests.
pub(in crate::batch) trait Store: Send + Sync + 'static {
    /// Appends the start of `bytes`, of which there is one, and says how many:
    /// at least one.
    fn append(&self, bytes: &[u8]) -> io::Result<usize>;
    /// Waits until all that was appended is on the disk.
    fn sync(&self) -> io::Result<()>;
}

/// How many whole blocks a journal holds, for whoever does not write it.
#[derive(Clone, Debug, Default)]
pub(in crate::batch) struct Kept(Arc<AtomicU64>);

impl Kept {
    pub(in crate::batch) fn blocks(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// Appends to a journal.
pub(in crate::batch) struct JournalWriter<S: Store> {
    store: Arc<S>,
    buffer: Vec<u8>,
    /// Bytes that the store has, and those and the buffer's.
    stored: u64,
    written: u64,
    /// Ends of blocks that the store has not, and how many blocks end there.
    ends: VecDeque<(u64, u64)>,
    /// Blocks that were written, and those at the last sync.
    blocks: u64,
    blocks_synced: u64,
    /// When the first block came that is not in the store,
    unstored_since: Option<Instant>,
    /// or that no sync was asked for.
    unsynced_since: Option<Instant>,
    sync_time: Duration,
    kept: Kept,
    syncer: Syncer<S>,
}

impl<S: Store> JournalWriter<S> {
    /// A writer to `store`, which is empty.
    pub(in crate::batch) fn new(store: Arc<S>, kept: Kept) -> Self {
        Self::with_sync_time(store, kept, SYNC_TIME)
    }

    /// The same, syncing so long after a block was written.
    pub(super) fn with_sync_time(store: Arc<S>, kept: Kept, sync_time: Duration) -> Self {
        Self {
            syncer: Syncer::new(Arc::clone(&store), sync_time),
            sync_time,
            store,
            buffer: Vec::with_capacity(BUFFER_BYTES),
            stored: 0,
            written: 0,
            ends: VecDeque::new(),
            blocks: 0,
            blocks_synced: 0,
            unstored_since: None,
            unsynced_since: None,
            kept,
        }
    }

    /// Goes on after `blocks` blocks that the store holds.
    pub(in crate::batch) fn go_on_after(&mut self, blocks: u64) {
        self.blocks = blocks;
        self.blocks_synced = blocks;
        self.kept.0.store(blocks, Ordering::Release);
    }

    /// Waits for the sync under way, which may have failed.
    pub(in crate::batch) fn close(mut self) -> io::Result<()> {
        self.syncer.wait();
        self.syncer.check()
    }

    fn store_buffer(&mut self) -> io::Result<()> {
        self.unstored_since = None;
        let mut start = 0;
        let stored = loop {
            if start == self.buffer.len() {
                break Ok(());
            }
            match self.append(&self.buffer[start..]) {
                Ok(count) => start += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        self.buffer.drain(..start);
        self.count_stored(start);
        stored
    }

    fn append(&self, bytes: &[u8]) -> io::Result<usize> {
        match self.store.append(bytes)? {
            0 => Err(io::ErrorKind::WriteZero.into()),
            count => Ok(count),
        }
    }

    fn count_stored(&mut self, bytes: usize) {
        self.stored += bytes as u64;
        while let Some(&(end, blocks)) = self.ends.front()
            && end <= self.stored
        {
            self.kept.0.store(blocks, Ordering::Release);
            self.ends.pop_front();
        }
    }

    fn begin_sync(&mut self) -> io::Result<()> {
        self.store_buffer()?;
        self.blocks_synced = self.blocks;
        self.unsynced_since = None;
        self.syncer.begin()
    }
}

impl<S: Store> Write for JournalWriter<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let is_direct = bytes.len() > DIRECT_BYTES;
        if is_direct || self.buffer.len() + bytes.len() > BUFFER_BYTES {
            self.store_buffer()?;
        }
        let count = if is_direct {
            let count = self.append(bytes)?;
            self.count_stored(count);
            count
        } else {
            self.buffer.extend_from_slice(bytes);
            bytes.len()
        };
        self.written += count as u64;
        Ok(count)
    }

    /// Hands all to the system, without a sync.
    fn flush(&mut self) -> io::Result<()> {
        self.store_buffer()
    }
}

impl<S: Store> Sink for JournalWriter<S> {
    fn blocks_come(&mut self, blocks: u64, ends: &[usize]) {
        let ends = ends.iter().map(|end| self.written + *end as u64);
        self.ends.extend(ends.zip(blocks + 1..));
    }

    fn blocks_end(&mut self, blocks: u64) -> io::Result<()> {
        self.blocks = blocks;
        self.ends.push_back((self.written, blocks));
        self.count_stored(0);
        let now = Instant::now();
        if !self.buffer.is_empty() {
            self.unstored_since.get_or_insert(now);
        }
        self.unsynced_since.get_or_insert(now);
        self.put_away(LATE_STORE_TIME)
    }

    fn keep_up(&mut self) -> io::Result<()> {
        self.put_away(STORE_TIME)
    }
}

impl<S: Store> JournalWriter<S> {
    /// Syncs when a sync is due, and stores what has waited for `store_time`.
    fn put_away(&mut self, store_time: Duration) -> io::Result<()> {
        self.syncer.check()?;
        let is_over = |since: Option<Instant>, time| since.is_some_and(|at| at.elapsed() >= time);
        if self.blocks - self.blocks_synced >= SYNC_BLOCKS
            || is_over(self.unsynced_since, self.sync_time)
        {
            self.begin_sync()
        } else if is_over(self.unstored_since, store_time) {
            self.store_buffer()
        } else {
            Ok(())
        }
    }
}

/// Syncs on a thread of its own, one sync after another. Ends with the sync
/// under way when it is dropped.
struct Syncer<S: Store> {
    store: Arc<S>,
    /// `None` until the first sync.
    thread: Option<(Sender<()>, JoinHandle<()>)>,
    /// When the last sync was asked for.
    asked: Instant,
    /// The longest that the writer goes on while that one waits for the one
    /// before it.
    most_behind: Duration,
    failure: Arc<Failure>,
}

#[derive(Default)]
struct Failure {
    is_there: AtomicBool,
    error: Mutex<Option<io::Error>>,
}

impl<S: Store> Syncer<S> {
    fn new(store: Arc<S>, most_behind: Duration) -> Self {
        Self {
            store,
            thread: None,
            asked: Instant::now(),
            most_behind,
            failure: Arc::default(),
        }
    }

    /// Begins a sync of all that was stored, or has one begin when that under
    /// way is done. Waits for that if the disk has fallen too far behind.
    fn begin(&mut self) -> io::Result<()> {
        self.check()?;
        if self.thread.is_none() {
            match self.start() {
                Ok(thread) => self.thread = Some(thread),
                // Without a thread, the writer waits.
                Err(_) => return self.store.sync(),
            }
        }
        let Some((requests, _)) = &self.thread else {
            return Ok(());
        };
        let asked = match requests.try_send(()) {
            // One that is still to begin will do,
            Err(TrySendError::Full(())) if self.asked.elapsed() < self.most_behind => return Ok(()),
            // but not for ever.
            Err(TrySendError::Full(())) => requests.send(()).is_ok(),
            sent => sent.is_ok(),
        };
        self.asked = Instant::now();
        if asked { Ok(()) } else { self.check() }
    }

    fn start(&self) -> io::Result<(Sender<()>, JoinHandle<()>)> {
        let (sender, requests) = bounded::<()>(1);
        let (store, failure) = (Arc::clone(&self.store), Arc::clone(&self.failure));
        let thread = thread::Builder::new()
            .name("mine-sync".into())
            .spawn(move || {
                for () in requests {
                    if let Err(error) = store.sync() {
                        *failure.error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                        failure.is_there.store(true, Ordering::Release);
                        break;
                    }
                }
            })?;
        Ok((sender, thread))
    }

    fn wait(&mut self) {
        if let Some((requests, thread)) = self.thread.take() {
            drop(requests);
            // A panic there was reported, and it holds nothing of ours.
            let _ = thread.join();
        }
    }

    /// The error of a sync, the first time it is asked for.
    fn check(&self) -> io::Result<()> {
        if !self.failure.is_there.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut error = self
            .failure
            .error
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // After a failed sync nothing is certain any more.
        Err(error
            .take()
            .unwrap_or_else(|| io::Error::other("an earlier sync failed")))
    }
}

impl<S: Store> Drop for Syncer<S> {
    fn drop(&mut self) {
        self.wait();
    }
}
