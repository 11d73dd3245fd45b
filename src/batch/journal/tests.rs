//! Mining into a journal on a disk that fails, and resuming from what is there.

use std::io::{self, Cursor};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, unbounded};

use super::replay::replay;
use super::writer::{JournalWriter, Storage};
use crate::batch::pipeline::{ChainSink as _, QueueBlocks, mine_from};
use crate::batch::thread_shares::SearchThreads;
use crate::batch::{Clock, MineError, MineOptions, NamedQueue, mine};
use crate::chain::Format;
use crate::pow::{Control, Searcher, Target};
use crate::sha256::KernelChoice;

/// A disk that takes part of each write, and fails at some point.
struct Disk {
    bytes: Mutex<Vec<u8>>,
    /// It is full with this many bytes.
    most: usize,
    random: AtomicU64,
    syncs: AtomicUsize,
    /// The sync that fails, counted from 1.
    failing_sync: usize,
    /// The most bytes that it takes before its first sync has begun.
    most_unsynced: usize,
}

impl Disk {
    fn new(bytes: &[u8], most: usize, failing_sync: usize) -> Arc<Self> {
        Self::with_most_unsynced(bytes, most, failing_sync, usize::MAX)
    }

    fn with_most_unsynced(
        bytes: &[u8],
        most: usize,
        failing_sync: usize,
        most_unsynced: usize,
    ) -> Arc<Self> {
        Arc::new(Self {
            bytes: Mutex::new(bytes.to_vec()),
            most,
            random: AtomicU64::new(most as u64 | 1),
            syncs: AtomicUsize::new(0),
            failing_sync,
            most_unsynced,
        })
    }

    fn bytes(&self) -> Vec<u8> {
        self.bytes.lock().unwrap().clone()
    }
}

impl Storage for Disk {
    fn append(&self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.lock().unwrap().len() > self.most_unsynced {
            wait_for_syncs(self, 1);
        }
        let step = |random: u64| Some(random.wrapping_mul(6_364_136_223_846_793_005) + 1);
        let random = self
            .random
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, step)
            .unwrap()
            >> 33;
        if random.is_multiple_of(5) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let mut disk = self.bytes.lock().unwrap();
        let room = self.most - disk.len();
        if room == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let count = (1 + random as usize % bytes.len()).min(room);
        disk.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn sync(&self) -> io::Result<()> {
        if self.syncs.fetch_add(1, Ordering::Relaxed) + 1 == self.failing_sync {
            return Err(io::Error::other("the disk is broken"));
        }
        Ok(())
    }
}

const NO_SYNC: usize = 0;

fn queue(transactions: usize) -> Vec<NamedQueue> {
    let text: String = (0..transactions)
        .map(|amount| format!("{{\"sender\":\"a\",\"recipient\":\"b\",\"amount\":{amount}}}\n"))
        .collect();
    vec![NamedQueue::new("queue", Cursor::new(text))]
}

fn options() -> MineOptions {
    MineOptions {
        target: Target::from_hex_zeros(1).unwrap(),
        block_size: NonZeroUsize::MIN,
        clock: Clock::From(0.0),
        recipient: "me".to_owned(),
        ..MineOptions::default()
    }
}

/// Mines `transactions` blocks of one transaction each onto `disk`, after what
/// it already holds. Returns the blocks on the disk.
fn mine_onto(disk: &Arc<Disk>, transactions: usize) -> (u64, Result<(), MineError>) {
    let (options, control) = (options(), Control::new());
    let searcher = Searcher::new(NonZeroUsize::MIN, KernelChoice::Measured).unwrap();
    let mut blocks = QueueBlocks::new(queue(transactions), &options, &control);
    let source = Cursor::new(disk.bytes());
    let point = replay(source, Format::Json, &options, Some("me"), &mut blocks).unwrap();
    disk.bytes.lock().unwrap().truncate(point.bytes as usize);
    let resumed = point.chain.as_ref().map_or(0, |chain| chain.tip.index);
    let mut writer = JournalWriter::new(Arc::clone(disk), resumed);
    let threads = &mut SearchThreads::Fixed(&searcher);
    let format = Format::Json;
    let mined = mine_from(point.chain, blocks, &mut writer, format, &options, threads)
        .and_then(|_| writer.finish_sync().map_err(MineError::Write));
    (writer.stored_blocks(), mined)
}

fn whole(transactions: usize) -> Vec<u8> {
    let searcher = Searcher::new(NonZeroUsize::MIN, KernelChoice::Measured).unwrap();
    let queue = queue(transactions);
    let (chain, _) = mine(
        queue,
        Vec::new(),
        Format::Json,
        &options(),
        &searcher,
        &Control::new(),
    )
    .unwrap();
    chain
}

#[test]
fn short_and_interrupted_writes_lose_nothing() {
    let disk = Disk::new(b"", usize::MAX, NO_SYNC);
    mine_onto(&disk, 3_000).1.unwrap();
    assert!(disk.bytes() == whole(3_000));
}

#[test]
fn small_and_large_writes_stay_in_order() {
    // Single bytes, writes below and above the size of the buffer, and writes to
    // a buffer that is not empty.
    let sizes = [
        1, 40_000, 20_000, 20_000, 5, 100_000, 32_768, 32_769, 1, 70_000,
    ];
    let blocks: Vec<Vec<u8>> = (b'a'..)
        .zip(sizes)
        .map(|(byte, size)| vec![byte; size])
        .collect();
    let whole = blocks.concat();
    for most in (0..whole.len()).step_by(9_973).chain([usize::MAX]) {
        let disk = Disk::new(b"", most, NO_SYNC);
        let mut writer = JournalWriter::new(Arc::clone(&disk), 0);
        let written = blocks
            .iter()
            .try_for_each(|block| writer.write_blocks(block, &[block.len()]))
            .and_then(|()| writer.flush_blocks());
        assert_eq!(written.is_ok(), most > whole.len());
        let left = disk.bytes();
        assert!(left == whole[..most.min(whole.len())], "full at {most}");
        let mut end = 0;
        let there = blocks.iter().take_while(|block| {
            end += block.len();
            end <= left.len()
        });
        assert_eq!(writer.stored_blocks(), there.count() as u64, "{most}");
    }
}

#[test]
fn mining_resumes_wherever_the_disk_was_full() {
    let whole = whole(40);
    for most in (0..whole.len()).step_by(37) {
        let disk = Disk::new(b"", most, NO_SYNC);
        let (stored, mined) = mine_onto(&disk, 40);
        let error = mined.unwrap_err();
        assert!(
            matches!(&error, MineError::Write(error) if error.kind() == io::ErrorKind::StorageFull),
            "{error}"
        );
        let left = disk.bytes();
        assert!(whole.starts_with(&left));
        let text = String::from_utf8(left.clone()).unwrap();
        let there = text.matches("]}").count() as u64;
        assert_eq!(stored, there, "full at {most}");

        let disk = Disk::new(&left, usize::MAX, NO_SYNC);
        let (stored, mined) = mine_onto(&disk, 40);
        mined.unwrap();
        assert!(disk.bytes() == whole, "cut at {most}");
        assert_eq!(stored, 41);
    }
}

#[test]
fn a_failed_sync_ends_the_mining() {
    // The first sync is requested after 10,000 blocks, which are smaller than
    // this. Once it has begun, a later request is a second sync.
    const MOST_UNSYNCED: usize = 4 << 20;
    for failing_sync in [1, 2] {
        let disk = Disk::with_most_unsynced(b"", usize::MAX, failing_sync, MOST_UNSYNCED);
        let error = mine_onto(&disk, 40_000).1.unwrap_err();
        assert!(
            matches!(&error, MineError::Write(error) if error.to_string() == "the disk is broken"),
            "{error:?}"
        );
        assert_eq!(disk.syncs.load(Ordering::Relaxed), failing_sync);
    }
}

/// Waits until `count` syncs have begun.
fn wait_for_syncs(disk: &Disk, count: usize) {
    let started = Instant::now();
    while disk.syncs.load(Ordering::Relaxed) < count {
        assert!(started.elapsed() < Duration::from_secs(60));
        std::thread::yield_now();
    }
}

/// A disk whose syncs wait for a message.
struct SlowDisk {
    disk: Arc<Disk>,
    may: Receiver<()>,
}

impl Storage for SlowDisk {
    fn append(&self, bytes: &[u8]) -> io::Result<usize> {
        self.disk.append(bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.sync()?;
        self.may.recv().map_err(io::Error::other)
    }
}

#[test]
fn writing_waits_for_a_disk_that_is_far_behind() {
    let disk = Disk::new(b"", usize::MAX, NO_SYNC);
    let (let_one, may) = unbounded();
    let slow = Arc::new(SlowDisk {
        disk: Arc::clone(&disk),
        may,
    });
    let (progress, written) = unbounded();
    let writing = std::thread::spawn(move || {
        let mut writer = JournalWriter::with_sync_time(slow, 0, Duration::ZERO);
        for count in 1..5 {
            writer.write_blocks(b"block", &[5]).unwrap();
            progress.send(count).unwrap();
        }
        writer.finish_sync()
    });
    // One sync is under way and one is requested. A third cannot be requested.
    wait_for_syncs(&disk, 1);
    assert_eq!((written.recv(), written.recv()), (Ok(1), Ok(2)));
    let early = written.recv_timeout(Duration::from_millis(200));
    assert_eq!(early, Err(RecvTimeoutError::Timeout));
    let_one.send(()).unwrap();
    assert_eq!(written.recv(), Ok(3));
    for _ in 0..3 {
        let_one.send(()).unwrap();
    }
    writing.join().unwrap().unwrap();
    assert_eq!(disk.syncs.load(Ordering::Relaxed), 4);
}

#[test]
fn syncs_are_requested_by_blocks_and_by_time() {
    let disk = Disk::new(b"", usize::MAX, NO_SYNC);
    let mut writer = JournalWriter::new(Arc::clone(&disk), 0);
    writer.keep_up().unwrap();
    for count in 1..5 {
        writer.write_blocks(b"blocks", &[6; 10_000]).unwrap();
        wait_for_syncs(&disk, count as usize);
        assert_eq!(writer.stored_blocks(), count * 10_000);
        writer.keep_up().unwrap();
    }
    // A single block is stored soon, and then synced.
    writer.write_blocks(b"block", &[5]).unwrap();
    let mut keep_up = || {
        std::thread::sleep(Duration::from_millis(10));
        writer.keep_up().unwrap();
    };
    while !disk.bytes().ends_with(b"block") {
        keep_up();
    }
    while disk.syncs.load(Ordering::Relaxed) == 4 {
        keep_up();
    }
    wait_for_syncs(&disk, 5);
    assert_eq!(writer.stored_blocks(), 40_001);
    writer.finish_sync().unwrap();
    assert_eq!(disk.syncs.load(Ordering::Relaxed), 5);
}
