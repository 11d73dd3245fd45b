//! Mining into a journal whose disk fails, and going on from what is there.

use std::io::{self, Cursor};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, unbounded};

use super::replay::{Replay, Rewards};
use super::writer::{JournalWriter, Kept, Store};
use crate::batch::pipeline::{Feed, MineError, Sink as _, mine_from};
use crate::batch::share::Hands;
use crate::batch::{Clock, MineOptions, NamedQueue, mine};
use crate::chain::Format;
use crate::pow::{Control, Searcher, Target};
use crate::sha256::KernelChoice;

/// A disk that takes less than it is given, and fails.
struct Disk {
    bytes: Mutex<Vec<u8>>,
    /// It is full then.
    most: usize,
    random: AtomicU64,
    syncs: AtomicUsize,
    /// The sync that fails, counted from 1.
    failing_sync: usize,
    /// It takes no more before its first sync has begun.
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

impl Store for Disk {
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

/// Mines `transactions` blocks of one transaction each onto `disk`, after
/// what `earlier` holds, which is on it already.
fn mine_onto(
    disk: &Arc<Disk>,
    kept: &Kept,
    transactions: usize,
    earlier: Option<Vec<u8>>,
) -> Result<(), MineError> {
    let (options, control) = (options(), Control::new());
    let searcher = Searcher::new(NonZeroUsize::MIN, KernelChoice::Measured).unwrap();
    let mut writer = JournalWriter::new(Arc::clone(disk), kept.clone());
    let (feed, point) = match earlier {
        None => (Feed::start(queue(transactions), &options, &control), None),
        Some(earlier) => {
            let source = Cursor::new(earlier);
            let replay = Replay::new(source, Format::Json, &options, Rewards::AsOptions);
            let (feed, point) = Feed::resume(queue(transactions), &options, &control, replay)?;
            disk.bytes.lock().unwrap().truncate(point.bytes as usize);
            writer.go_on_after(point.blocks);
            (feed, Some(point).filter(|point| point.blocks > 0))
        }
    };
    let hands = &mut Hands::Fixed(&searcher);
    let (writer, _) = mine_from(point, feed, writer, Format::Json, &options, hands)?;
    writer.close().map_err(MineError::Write)
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
    mine_onto(&disk, &Kept::default(), 3_000, None).unwrap();
    assert!(disk.bytes() == whole(3_000));
}

#[test]
fn what_is_gathered_and_what_is_not_stays_in_order() {
    use std::io::Write as _;

    // One byte each, runs below and above what goes to the disk as it lies,
    // and such that come after something gathered.
    let sizes = [
        1, 40_000, 20_000, 20_000, 5, 100_000, 32_768, 32_769, 1, 70_000,
    ];
    let blocks: Vec<Vec<u8>> = (b'a'..)
        .zip(sizes)
        .map(|(byte, size)| vec![byte; size])
        .collect();
    let whole = blocks.concat();
    for most in (0..whole.len()).step_by(9_973).chain([usize::MAX]) {
        let (disk, kept) = (Disk::new(b"", most, NO_SYNC), Kept::default());
        let mut writer = JournalWriter::new(Arc::clone(&disk), kept.clone());
        let mut write = || -> io::Result<()> {
            for (count, block) in (1..).zip(&blocks) {
                writer.write_all(block)?;
                writer.blocks_end(count)?;
                let there = disk.bytes().len();
                if there == blocks[..count as usize].concat().len() {
                    assert_eq!(kept.blocks(), count, "nothing is gathered");
                }
            }
            writer.flush()
        };
        let written = write();
        assert_eq!(written.is_ok(), most > whole.len());
        let left = disk.bytes();
        assert!(left == whole[..most.min(whole.len())], "full at {most}");
        // No block counts that is not there; all that can have been told of
        // are counted.
        let mut end = 0;
        let there = blocks.iter().take_while(|block| {
            end += block.len();
            end <= left.len()
        });
        let there = there.count() as u64;
        assert!(
            (there.saturating_sub(1)..=there).contains(&kept.blocks()),
            "{most}"
        );
    }
}

#[test]
fn a_disk_that_is_full_anywhere_is_gone_on_with() {
    let whole = whole(40);
    for most in (0..whole.len()).step_by(37) {
        let (disk, kept) = (Disk::new(b"", most, NO_SYNC), Kept::default());
        let error = mine_onto(&disk, &kept, 40, None).unwrap_err();
        assert!(
            matches!(&error, MineError::Write(error) if error.kind() == io::ErrorKind::StorageFull),
            "{error}"
        );
        let left = disk.bytes();
        assert!(whole.starts_with(&left));
        let there = String::from_utf8(left.clone())
            .unwrap()
            .matches("]}")
            .count();
        assert_eq!(kept.blocks(), there as u64, "full at {most}");

        let (disk, kept) = (Disk::new(&left, usize::MAX, NO_SYNC), Kept::default());
        mine_onto(&disk, &kept, 40, Some(left)).unwrap();
        assert!(disk.bytes() == whole, "cut at {most}");
        assert_eq!(kept.blocks(), 41);
    }
}

#[test]
fn a_sync_that_fails_ends_the_mining() {
    // The first sync is asked for after 10,000 blocks, which take less. With
    // it begun, another comes of those that are asked for later; else they
    // might all be done as one.
    const MOST_UNSYNCED: usize = 4 << 20;
    for failing_sync in [1, 2] {
        let disk = Disk::with_most_unsynced(b"", usize::MAX, failing_sync, MOST_UNSYNCED);
        let error = mine_onto(&disk, &Kept::default(), 40_000, None).unwrap_err();
        assert!(
            matches!(&error, MineError::Write(error) if error.to_string() == "the disk is broken"),
            "{error:?}"
        );
        assert_eq!(disk.syncs.load(Ordering::Relaxed), failing_sync);
    }
}

/// Waits until so many syncs were begun.
fn wait_for_syncs(disk: &Disk, count: usize) {
    let started = Instant::now();
    while disk.syncs.load(Ordering::Relaxed) < count {
        assert!(started.elapsed() < Duration::from_secs(60));
        std::thread::yield_now();
    }
}

/// A disk whose syncs wait until they may go on.
struct Slow {
    disk: Arc<Disk>,
    may: Receiver<()>,
}

impl Store for Slow {
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
    use std::io::Write as _;

    let disk = Disk::new(b"", usize::MAX, NO_SYNC);
    let (let_one, may) = unbounded();
    let slow = Arc::new(Slow {
        disk: Arc::clone(&disk),
        may,
    });
    let (progress, written) = unbounded();
    let writing = std::thread::spawn(move || {
        let mut writer = JournalWriter::with_sync_time(slow, Kept::default(), Duration::ZERO);
        for count in 1..5 {
            writer.write_all(b"blocks").unwrap();
            writer.blocks_end(count).unwrap();
            progress.send(count).unwrap();
        }
        writer.close()
    });
    // One sync is under way and one waits: the third block's can not.
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
fn syncs_come_by_blocks_and_by_time() {
    use std::io::Write as _;

    let (disk, kept) = (Disk::new(b"", usize::MAX, NO_SYNC), Kept::default());
    let mut writer = JournalWriter::new(Arc::clone(&disk), kept.clone());
    writer.keep_up().unwrap();
    for count in 1..5 {
        writer.write_all(b"blocks").unwrap();
        writer.blocks_end(count * 10_000).unwrap();
        wait_for_syncs(&disk, count as usize);
        assert_eq!(kept.blocks(), count * 10_000);
        writer.keep_up().unwrap();
    }
    // One more block alone is stored soon, and then synced.
    writer.write_all(b"block").unwrap();
    writer.blocks_end(40_001).unwrap();
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
    assert_eq!(kept.blocks(), 40_001);
    writer.close().unwrap();
    assert_eq!(disk.syncs.load(Ordering::Relaxed), 5);
}
