//! The pipeline that turns queues into a chain.
//!
//! Three stages, for one thread at a time each:
//!
//! * **read** parses the queues and gathers transactions into blocks,
//! * **mine** finds each block's proof on the search threads and checks it
//!   again, by the rule's own text and the `sha2` crate; then it completes the
//!   canonical text and hashes it,
//! * **write** appends the text to the file.
//!
//! Two threads take turns: each goes with a bundle of blocks through all three
//! stages, and then takes the next. So a bundle stays in the cache of one core,
//! and both cores are busy unless one stage takes longer than the others
//! together. A bundle has some hundred kilobytes, for to pass on a turn costs as
//! much as hashing some kilobytes.
//!
//! A thread waits for a stage while it still holds the one before, so bundles
//! keep their order, and no more than two are ever under way. What is sealed is
//! written before the next proof is searched, which may take long.
//!
//! What fails is noted before the thread gives up its turn, and cancels the
//! rest of the work, so that nothing is written after a gap; an error of a
//! queue fails the work when all that came before it is written. A read that
//! may never return (a terminal, a pipe) is made by a thread of its own, which
//! is left behind when the work ends early; see [`detached`](super::detached).
//!
//! A slow disk holds the searches up: the text of a block is handed to the
//! system before the next is searched.

mod error;
mod miner;
mod reader;
mod text_amounts;
mod tip;
mod turns;
mod writer;

use std::collections::HashMap;
use std::io::{Read, Write};
use std::time::{Duration, Instant};

pub use self::error::MineError;
pub use self::text_amounts::TextAmounts;

use self::miner::Miner;
use self::reader::{Blocks, Reader, replay};
use self::tip::Tip;
use self::turns::Turns;
pub(super) use self::writer::Sink;
use self::writer::{Plain, Writer};
use super::journal::replay::{Replay, ResumePoint};
use super::named::NamedQueue;
use super::options::MineOptions;
use super::share::Hands;
use crate::chain::{Block, ChainWriter, Format, PreviousHash, Transactions};
use crate::pow::{Control, Nonce, Searcher};
use crate::sha256::Digest;

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
/// use fourzero::sha256::KernelChoice;
///
/// let queue = r#"{"sender": "alice", "recipient": "bob", "amount": 5}"#;
/// let searcher = Searcher::new(NonZeroUsize::MIN, KernelChoice::Measured)?;
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
    let feed = Feed::start(queues, options, control);
    let hands = &mut Hands::Fixed(searcher);
    let (Plain(out), summary) = mine_from(None, feed, Plain(out), format, options, hands)?;
    Ok((out, summary))
}

/// Queues that are to be read.
pub(super) struct Feed {
    started: Instant,
    blocks: Blocks,
    /// Of this work alone.
    control: Control,
}

impl Feed {
    /// `queues` for a new chain.
    pub(super) fn start(queues: Vec<NamedQueue>, options: &MineOptions, control: &Control) -> Self {
        let control = control.part();
        Self {
            started: Instant::now(),
            blocks: Blocks::new(queues, options, &control),
            control,
        }
    }

    /// The amounts that were taken as text, once the queues were read.
    pub(super) fn into_text_amounts(self) -> Option<TextAmounts> {
        self.blocks.into_text_amounts()
    }

    /// `queues`, whose first blocks are in a journal: reads those. Says where
    /// the journal ends, too.
    pub(super) fn resume<R: Read>(
        queues: Vec<NamedQueue>,
        options: &MineOptions,
        control: &Control,
        journal: Replay<R>,
    ) -> Result<(Self, ResumePoint), MineError> {
        let mut feed = Self::start(queues, options, control);
        let point = replay(journal, &mut feed.blocks, &feed.control)?;
        Ok((feed, point))
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
) -> Result<(S, MineSummary), MineError> {
    let Feed {
        started,
        blocks,
        ref control,
    } = feed;
    let resumed_blocks = point.as_ref().map_or(0, |point| point.blocks);
    let earlier_transactions = point.as_ref().map_or(0, |point| point.transactions);
    let mut writer = Writer::new(ChainWriter::go_on(out, format, resumed_blocks), control);
    let (tip, known_proofs) = match point {
        Some(point) => (
            Tip {
                index: point.blocks,
                proof: point.proof,
                previous_hash: point.previous_hash,
                hash: point.hash,
            },
            point.known_proofs,
        ),
        None => {
            let genesis = Block::genesis(options.clock.timestamp(1)).seal();
            writer.write_genesis(&genesis)?;
            (
                Tip {
                    index: 1,
                    proof: Nonce(100),
                    previous_hash: PreviousHash::Genesis,
                    hash: genesis.hash(),
                },
                HashMap::new(),
            )
        }
    };
    let miner = Miner::new(options, format, hands, control, tip, known_proofs);
    let turns = Turns::new(Reader::new(blocks), miner, writer, control);
    let (reader, miner, writer) = turns.run()?;
    let (mined, last) = miner.into_parts();
    let out = writer.finish()?;
    let summary = MineSummary {
        blocks: last.index,
        resumed_blocks,
        transactions: earlier_transactions + mined.transactions,
        proofs_searched: mined.proofs_searched,
        hashes: mined.hashes,
        hashes_needed: mined.hashes_needed,
        elapsed: started.elapsed(),
        last_hash: last.hash,
        text_amounts: reader.into_blocks().into_text_amounts(),
    };
    Ok((out, summary))
}

/// Blocks on their way from the queues to the file.
#[derive(Default)]
struct Bundle {
    /// Their transactions, once they are read.
    blocks: Vec<Transactions>,
    /// What came after them.
    error: Option<MineError>,
    sealed: Sealed,
}

/// Blocks as they stand in the file.
#[derive(Default)]
struct Sealed {
    text: Vec<u8>,
    /// Where each block ends in it.
    ends: Vec<usize>,
}
