//! The pipeline that turns queues into a chain.
//!
//! Four stages, each in a thread of its own, over bounded channels:
//!
//! ```text
//! read ──pending──▶ mine ──forged──▶ hash ──sealed──▶ write
//! ```
//!
//! * **read** parses the queues and gathers transactions into blocks,
//! * **mine** finds each block's proof on the search threads and checks it
//!   again, by the rule's own text and the `sha2` crate,
//! * **hash** completes the canonical text and hashes it,
//! * **write** appends the text to the file.
//!
//! Under the rules whose next search needs the last block's hash, the miner
//! seals the block itself: handing it over and back would put two hand-overs
//! between threads into every search, to save the hashing of a kilobyte.
//!
//! A stage ends when the channel before it closes, and closes the one behind
//! it by dropping its sender; an error therefore drains forwards, and a stage
//! that fails makes the sends of those before it fail, which ends them too.
//! Only the reader can be stuck, in a read that never returns (a terminal, a
//! pipe): it owns all it uses and is left behind when the work is cancelled.

mod error;
mod hasher;
mod miner;
mod reader;
mod tip;
mod writer;

use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::bounded;

pub use self::error::MineError;

use self::hasher::hash;
use self::miner::Miner;
use self::reader::read;
use self::tip::Tip;
use self::writer::write;
use super::budget::Permit;
use super::named::NamedQueue;
use super::options::MineOptions;
use super::share::Hands;
use crate::chain::{Block, ChainWriter, Format, PreviousHash, SealedBlock, Transactions};
use crate::pow::{Control, Nonce, Searcher};
use crate::sha256::Digest;

/// Bundles of blocks that wait between two stages: enough to ride out an
/// uneven stage, and memory is bounded by the [`Budget`].
const CHANNEL_BUNDLES: usize = 16;

/// What mining made, and what it took.
#[derive(Clone, PartialEq, Debug)]
pub struct MineSummary {
    /// Blocks in the chain, the genesis block included.
    pub blocks: u64,
    /// Transactions from the queues; rewards are not counted.
    pub transactions: u64,
    /// Nonces really tried.
    pub hashes: u64,
    /// Nonces that had to be tried: all from 0 to each proof that was
    /// searched, and none past it.
    pub hashes_needed: u64,
    /// From the first byte read to the last byte written.
    pub elapsed: Duration,
    /// The hash of the last block.
    pub last_hash: Digest,
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
    mine_with(
        queues,
        out,
        format,
        options,
        &mut Hands::Fixed(searcher),
        control,
    )
}

/// As [`mine()`], with hands that may change from proof to proof.
pub(super) fn mine_with<W: Write + Send>(
    queues: Vec<NamedQueue>,
    out: W,
    format: Format,
    options: &MineOptions,
    hands: &mut Hands<'_>,
    control: &Control,
) -> Result<(W, MineSummary), MineError> {
    let started = Instant::now();
    let (pending_sender, pending) = bounded(CHANNEL_BUNDLES);
    let (forged_sender, forged) = bounded(CHANNEL_BUNDLES);
    let (sealed_sender, sealed) = bounded(CHANNEL_BUNDLES);

    let genesis = Block::genesis(options.clock.timestamp(1)).seal();
    let tip = Tip {
        index: 1,
        proof: Nonce(100),
        previous_hash: PreviousHash::Genesis,
        hash: genesis.hash(),
    };

    // Detached: see the module's text on a reader that is stuck.
    thread::Builder::new()
        .name("mine-read".into())
        .spawn({
            let (block_size, strictness) = (options.block_size, options.strictness);
            let control = control.clone();
            move || read(queues, block_size, strictness, &control, &pending_sender)
        })
        .map_err(|source| MineError::Queue {
            name: "reader thread".into(),
            source: source.into(),
        })?;

    let (mined, last, written) = thread::scope(|scope| {
        let miner = Miner::new(options, hands, control, tip);
        let miner = scope.spawn(move || miner.run(&pending, forged_sender));
        let hasher = scope.spawn(move || hash(forged, sealed_sender, tip));
        let writer = ChainWriter::new(out, format);
        let writer = scope.spawn(move || write(writer, &genesis, sealed, control));
        (join(miner), join(hasher), join(writer))
    });
    // A stage that fails ends those before it early but without an error, so
    // at most one of these is one.
    let mined = mined?;
    let out = written.map_err(MineError::Write)?;
    let summary = MineSummary {
        blocks: last.index,
        transactions: mined.transactions,
        hashes: mined.hashes,
        hashes_needed: mined.hashes_needed,
        elapsed: started.elapsed(),
        last_hash: last.hash,
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

/// From the miner to the hasher: blocks with their proofs.
struct Forged {
    blocks: Vec<(Nonce, Body)>,
    /// Given with the last blocks that it was for.
    permit: Option<Permit>,
}

/// What of a block was made when its proof was found.
enum Body {
    /// Its parts, still without the hash of the block before.
    Open {
        timestamp: f64,
        transactions: Transactions,
    },
    /// All of it.
    Sealed(SealedBlock),
}

/// From the hasher to the writer.
struct Sealed {
    blocks: Vec<SealedBlock>,
    /// Held until the blocks are written.
    _permit: Option<Permit>,
}
