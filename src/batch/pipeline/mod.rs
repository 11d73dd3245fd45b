//! The pipeline that turns queues into a chain.
//!
//! It has three stages, each for one thread at a time:
//!
//! * **read** parses the queues and groups transactions into blocks,
//! * **mine** finds each block's proof on the search threads and checks it
//!   again with the `sha2` crate; then it completes the canonical text and
//!   hashes it,
//! * **write** appends the text to the file.
//!
//! Two threads take turns: each carries a bundle of blocks through all three
//! stages, then takes the next bundle. So a bundle stays in the cache of one
//! core, and both cores are busy unless one stage takes longer than the others
//! together. A bundle has about a hundred kilobytes, because passing on a stage
//! costs as much as hashing a few kilobytes.
//!
//! A thread waits for a stage while it still holds the one before, so bundles
//! keep their order, and at most two are under way. Finished blocks are handed
//! to the system before the next proof is searched, which may take long. So a
//! slow disk delays the searches.
//!
//! A thread that fails notes the error before it releases its stage, and
//! cancels the rest, so that nothing is written after a gap. An error in a
//! queue is reported after the blocks before it are written. Reads that may
//! never return (from a terminal or a pipe) happen on another thread, which is
//! abandoned if the work ends early; see
//! [`background_reader`](super::background_reader).

mod chain_sink;
mod error;
mod miner;
mod queue_blocks;
mod stages;

use std::io::Write;
use std::time::Duration;

pub(super) use self::chain_sink::ChainSink;
pub use self::error::MineError;
use self::miner::BlockMiner;
pub(super) use self::miner::{ChainTip, MinedChain};
pub(super) use self::queue_blocks::QueueBlocks;
use self::stages::Stages;
use super::named_queue::NamedQueue;
use super::options::MineOptions;
use super::queue::CsvDoubts;
use super::thread_shares::SearchThreads;
use crate::chain::{Block, Format, Transactions};
use crate::pow::{Control, Searcher};
use crate::sha256::Digest;

/// Larger buffers are freed after use: one huge block would otherwise keep a
/// lot of memory.
const MAX_KEPT_TEXT_BYTES: usize = 512 << 10;

/// What was mined, and how much work it took.
#[derive(Clone, PartialEq, Debug)]
pub struct MineSummary {
    /// Blocks in the chain, including the genesis block.
    pub blocks: u64,
    /// Blocks that were already there, from an interrupted run.
    pub resumed_blocks: u64,
    /// Transactions from the queues, without the rewards.
    pub transactions: u64,
    /// Proofs that were searched. Under the rule that remembers proofs, the
    /// others were looked up.
    pub proofs_searched: u64,
    /// Nonces that were tried.
    pub hashes: u64,
    /// Nonces that had to be tried: all from 0 to the proof, for each searched
    /// proof.
    pub hashes_needed: u64,
    /// From the first byte read to the last byte written.
    pub elapsed: Duration,
    /// The hash of the last block.
    pub last_hash: Digest,
    /// Cells of CSV queues that are rarely intended.
    pub doubts: CsvDoubts,
}

impl MineSummary {
    /// Hashes per second, 0 if no time passed.
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
/// If a queue cannot be read or holds no transaction, if `out` fails, if a
/// block has no proof, or once `control` is cancelled. `out` then holds the
/// start of a chain.
pub fn mine<W: Write + Send>(
    queues: Vec<NamedQueue>,
    mut out: W,
    format: Format,
    options: &MineOptions,
    searcher: &Searcher,
    control: &Control,
) -> Result<(W, MineSummary), MineError> {
    let blocks = QueueBlocks::new(queues, options, control);
    let threads = &mut SearchThreads::Fixed(searcher);
    let summary = mine_from(None, blocks, &mut out, format, options, threads)?;
    Ok((out, summary))
}

/// As [`mine()`], with a number of threads that may change from proof to proof.
/// If there is a `start`, `sink` already holds its blocks.
pub(super) fn mine_from(
    start: Option<MinedChain>,
    blocks: QueueBlocks,
    sink: &mut dyn ChainSink,
    format: Format,
    options: &MineOptions,
    threads: &mut SearchThreads<'_>,
) -> Result<MineSummary, MineError> {
    let control = &blocks.control.clone();
    let resumed_blocks = start.as_ref().map_or(0, |start| start.tip.index);
    let chain = match start {
        Some(chain) => chain,
        None => {
            let genesis = Block::genesis(options.clock.timestamp(1));
            let mut first = ChainText::default();
            let hash = first.push(&genesis, format);
            sink.write_blocks(&first.text, &first.ends)
                .map_err(MineError::Write)?;
            control.add_given_blocks(1);
            MinedChain::new(ChainTip::new(&genesis, hash))
        }
    };
    let miner = BlockMiner {
        options,
        format,
        threads,
        control,
        chain,
        proofs_searched: 0,
        hashes: 0,
        hashes_needed: 0,
    };
    let (queues, miner) = Stages::new(blocks, miner, sink, control).run()?;
    let BlockMiner {
        chain,
        proofs_searched,
        hashes,
        hashes_needed,
        ..
    } = miner;
    let end = format.end(chain.tip.index);
    sink.write_blocks(end.as_bytes(), &[])
        .and_then(|()| sink.flush_blocks())
        .map_err(MineError::Write)?;
    Ok(MineSummary {
        blocks: chain.tip.index,
        resumed_blocks,
        transactions: chain.transactions,
        proofs_searched,
        hashes,
        hashes_needed,
        elapsed: queues.started.elapsed(),
        last_hash: chain.tip.hash,
        doubts: queues.doubts,
    })
}

/// Blocks on their way from the queues to the sink.
#[derive(Default)]
struct Bundle {
    /// Their transactions.
    blocks: Vec<Transactions>,
    /// The error that comes after them.
    error: Option<MineError>,
    mined: ChainText,
}

/// Mined blocks as they are written.
#[derive(Default)]
struct ChainText {
    text: Vec<u8>,
    /// Where each block ends in it.
    ends: Vec<usize>,
}

impl ChainText {
    /// Appends `block`, and returns its hash.
    fn push(&mut self, block: &Block, format: Format) -> Digest {
        let before = format.before_block(block.index - 1);
        self.text.extend_from_slice(before.as_bytes());
        let hash = block.append_to(&mut self.text);
        let after = format.after_block();
        self.text.extend_from_slice(after.as_bytes());
        self.ends.push(self.text.len());
        hash
    }

    fn clear(&mut self) {
        self.ends.clear();
        self.text.clear();
        self.text.shrink_to(MAX_KEPT_TEXT_BYTES);
    }
}
