//! The pipeline that turns queues into a chain.
//!
//! Three stages, each in a thread of its own, over bounded channels:
//!
//! ```text
//! read ──pending──▶ mine ──sealed──▶ write
//! ```
//!
//! * **read** parses the queues and gathers transactions into blocks,
//! * **mine** finds each block's proof on the search threads and checks it
//!   again, by the rule's own text and the `sha2` crate; then it completes the
//!   canonical text and hashes it,
//! * **write** appends the text to the file.
//!
//! A stage hands on some hundred kilobytes at once, for waking a thread costs
//! as much as hashing some kilobytes; and few of those may wait, so that they
//! are still in the cache. Buffers go back the other way, to be used again.
//!
//! A stage ends when the channel before it closes, and closes the one behind
//! it by dropping its sender; an error therefore drains forwards, and a stage
//! that fails makes the sends of those before it fail, which ends them too.
//! Only the reader can be stuck, in a read that never returns (a terminal, a
//! pipe): it owns all it uses and is left behind when the work is cancelled.

mod error;
mod miner;
mod reader;
mod text_amounts;
mod tip;
mod writer;

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

pub use self::error::MineError;
use self::text_amounts::FoundTexts;
pub use self::text_amounts::TextAmounts;

use self::miner::{Miner, Spent};
use self::reader::{Blocks, read, replay};
use self::tip::Tip;
pub(super) use self::writer::Sink;
use self::writer::{Plain, write};
use super::budget::Permit;
use super::journal::replay::{Replay, ResumePoint};
use super::named::NamedQueue;
use super::options::MineOptions;
use super::share::Hands;
use crate::chain::{Block, ChainWriter, Format, PreviousHash, Transactions};
use crate::pow::{Control, Nonce, Searcher};
use crate::sha256::Digest;

/// How often a stage that waits looks whether it was cancelled.
const CANCEL_POLL: Duration = Duration::from_millis(20);

/// Bundles of blocks that wait between two stages: enough to ride out an
/// uneven stage. With more, what a stage gets has left the cache.
const CHANNEL_BUNDLES: usize = 4;

/// What mining made, and what it took.
#[derive(Clone, PartialEq, Debug)]
pub struct MineSummary {
    /// Blocks in the chain, the genesis block included.
    pub blocks: u64,
    /// Blocks that were there already, from interrupted work.
    pub resumed_blocks: u64,
    /// Transactions from the queues; rewards are not counted.
    pub transactions: u64,
    /// Proofs that were searched; under the rule that remembers them, the
    /// others were known.
    pub proofs_searched: u64,
    /// Nonces really tried.
    pub hashes: u64,
    /// Nonces that had to be tried: all from 0 to each proof that was
    /// searched, and none past it.
    pub hashes_needed: u64,
    /// From the first byte read to the last byte written.
    pub elapsed: Duration,
    /// The hash of the last block.
    pub last_hash: Digest,
    /// Amounts that are no numbers where such were to be expected.
    pub text_amounts: Option<TextAmounts>,
}

impl MineSummary {
    /// Hashes a second, 0 if no time passed.
    pub fn hashrate(&self) -> f64 {
        let seconds = self.elapsed.as_secs_f64();
        if seconds > 0.0 {
            self.hashes as f64 / seconds
        } else {
            0.0
        }
    }
}

/// Mines `queues` one after another into one chain, and writes it to `out`,
/// which should be buffered. `control` counts hashes, blocks and the queues'
/// bytes.
///
/// ```
/// use std::num::NonZeroUsize;
/// use fourzero::batch::{Clock, MineOptions, NamedQueue, mine};
/// use fourzero::chain::Format;
/// use fourzero::pow::{Control, Searcher};
/// use fourzero::sha256::Kernel;
///
/// let queue = r#"{"sender": "alice", "recipient": "bob", "amount": 5}"#;
/// let searcher = Searcher::new(NonZeroUsize::MIN, Kernel::best())?;
/// let options = MineOptions { clock: Clock::From(1700000000.0), ..MineOptions::default() };
/// let (chain, summary) = mine(
///     vec![NamedQueue::new("example", queue.as_bytes())],
///     Vec::new(),
///     Format::JsonLines,
///     &options,
///     &searcher,
///     &Control::new(),
/// )?;
/// assert_eq!(summary.blocks, 2);
/// assert_eq!(chain.iter().filter(|byte| **byte == b'\n').count(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If a queue cannot be read, holds no transaction, or `out` fails; if a
/// block has no proof; or once `control` is cancelled. `out` then holds the
/// start of a chain that is good for nothing.
pub fn mine<W: Write + Send>(
    queues: Vec<NamedQueue>,
    out: W,
    format: Format,
    options: &MineOptions,
    searcher: &Searcher,
    control: &Control,
) -> Result<(W, MineSummary), MineError> {
    let feed = Feed::start(queues, options, control)?;
    let hands = &mut Hands::Fixed(searcher);
    let (Plain(out), summary) = mine_from(None, feed, Plain(out), format, options, hands, control)?;
    Ok((out, summary))
}

/// Queues that are being read.
pub(super) struct Feed {
    pending: Receiver<Result<Pending, MineError>>,
    started: Instant,
    texts: FoundTexts,
    spent: Sender<Vec<Transactions>>,
}

impl Feed {
    /// Starts to read `queues` for a new chain.
    pub(super) fn start(
        queues: Vec<NamedQueue>,
        options: &MineOptions,
        control: &Control,
    ) -> Result<Self, MineError> {
        let (sender, pending) = bounded(CHANNEL_BUNDLES);
        let started = Instant::now();
        let texts = FoundTexts::default();
        let (spent_sender, spent) = bounded(CHANNEL_BUNDLES);
        let blocks = Blocks::new(queues, options, control, texts.clone(), spent);
        spawn_reader(move || read(blocks, &sender))?;
        Ok(Self {
            pending,
            started,
            texts,
            spent: spent_sender,
        })
    }

    /// The amounts that were taken as text, once the queues were read.
    pub(super) fn text_amounts(&self) -> Option<TextAmounts> {
        self.texts.get()
    }

    /// Starts to read `queues`, whose first blocks are in a journal, and waits
    /// until those are read. Says where the journal ends, too.
    pub(super) fn resume<R: Read + Send + 'static>(
        queues: Vec<NamedQueue>,
        options: &MineOptions,
        control: &Control,
        journal: Replay<R>,
    ) -> Result<(Self, ResumePoint), MineError> {
        let (sender, pending) = bounded(CHANNEL_BUNDLES);
        let (point_sender, point) = bounded(1);
        let started = Instant::now();
        let texts = FoundTexts::default();
        let (spent_sender, spent) = bounded(CHANNEL_BUNDLES);
        let mut blocks = Blocks::new(queues, options, control, texts.clone(), spent);
        let reader_control = control.clone();
        spawn_reader(move || {
            let point = replay(journal, &mut blocks, &reader_control);
            let is_matched = point.is_ok();
            if point_sender.send(point).is_ok() && is_matched {
                read(blocks, &sender);
            }
        })?;
        match receive(&point, control)? {
            Some(point) => {
                let feed = Self {
                    pending,
                    started,
                    texts,
                    spent: spent_sender,
                };
                Ok((feed, point?))
            }
            // The thread sends before it ends, unless it panics.
            None => Err(MineError::Queue {
                name: "reader thread".into(),
                source: io::Error::other("it ended too early").into(),
            }),
        }
    }
}

/// Detached: see the module's text on a reader that is stuck.
fn spawn_reader(read: impl FnOnce() + Send + 'static) -> Result<(), MineError> {
    thread::Builder::new()
        .name("mine-read".into())
        .spawn(read)
        .map(|_| ())
        .map_err(|source| MineError::Queue {
            name: "reader thread".into(),
            source: source.into(),
        })
}

/// The next message, or `None` once there will be no more.
fn receive<T>(channel: &Receiver<T>, control: &Control) -> Result<Option<T>, MineError> {
    loop {
        if control.is_winding_down() {
            return Err(MineError::Cancelled);
        }
        match channel.recv_timeout(CANCEL_POLL) {
            Ok(message) => return Ok(Some(message)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(None),
        }
    }
}

/// As [`mine()`], with hands that may change from proof to proof, of what
/// `feed` reads; after the blocks up to `point`, if there is one, which stand
/// where `out` goes on.
pub(super) fn mine_from<S: Sink>(
    point: Option<ResumePoint>,
    feed: Feed,
    out: S,
    format: Format,
    options: &MineOptions,
    hands: &mut Hands<'_>,
    control: &Control,
) -> Result<(S, MineSummary), MineError> {
    let Feed {
        pending,
        started,
        texts,
        spent,
    } = feed;
    let (sealed_sender, sealed) = bounded(CHANNEL_BUNDLES);
    let (written_sender, written) = bounded(CHANNEL_BUNDLES);

    let genesis = Block::genesis(options.clock.timestamp(1)).seal();
    let resumed_blocks = point.as_ref().map_or(0, |point| point.blocks);
    let earlier_transactions = point.as_ref().map_or(0, |point| point.transactions);
    let (tip, known_proofs, genesis) = match point {
        Some(point) => (
            Tip {
                index: point.blocks,
                proof: point.proof,
                previous_hash: point.previous_hash,
                hash: point.hash,
            },
            point.known_proofs,
            None,
        ),
        None => (
            Tip {
                index: 1,
                proof: Nonce(100),
                previous_hash: PreviousHash::Genesis,
                hash: genesis.hash(),
            },
            HashMap::new(),
            Some(genesis),
        ),
    };

    let (mined, out) = thread::scope(|scope| {
        let spent = Spent {
            transactions: spent,
            texts: written,
        };
        let miner = Miner::new(options, format, hands, control, tip, known_proofs, spent);
        let miner = scope.spawn(move || miner.run(&pending, sealed_sender));
        let writer = ChainWriter::go_on(out, format, resumed_blocks);
        let writer =
            scope.spawn(move || write(writer, genesis.as_ref(), sealed, &written_sender, control));
        (join(miner), join(writer))
    });
    // A stage that fails ends those before it early but without an error, so
    // at most one of these is one.
    let (mined, last) = mined?;
    let out = out
        .and_then(ChainWriter::finish)
        .map_err(MineError::Write)?;
    let summary = MineSummary {
        blocks: last.index,
        resumed_blocks,
        transactions: earlier_transactions + mined.transactions,
        proofs_searched: mined.proofs_searched,
        hashes: mined.hashes,
        hashes_needed: mined.hashes_needed,
        elapsed: started.elapsed(),
        last_hash: last.hash,
        text_amounts: texts.get(),
    };
    Ok((out, summary))
}

fn join<T>(stage: thread::ScopedJoinHandle<'_, T>) -> T {
    stage
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// From the reader to the miner: the transactions of some blocks.
struct Pending {
    blocks: Vec<Transactions>,
    permit: Permit,
}

/// From the miner to the writer: blocks as they stand in the file.
struct Sealed {
    text: Vec<u8>,
    blocks: u64,
    /// Comes with the last blocks that it is for, and is held until those are
    /// written.
    _permit: Option<Permit>,
}
