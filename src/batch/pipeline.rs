//! The pipeline that turns queues into a chain.
//!
//! Four stages, each in a thread of its own, over bounded channels:
//!
//! ```text
//! read ──pending──▶ mine ──forged──▶ hash ──sealed──▶ write
//! ```
//!
//! * **read** parses the queues and gathers transactions into blocks,
//! * **mine** finds each block's proof on the search threads,
//! * **hash** writes the canonical text, hashes it, and checks the proof again
//!   with the `sha2` crate,
//! * **write** appends the text to the file.
//!
//! Under the rules whose next search needs the last block's hash, the miner
//! seals the block itself: handing it over and back would cost two thread
//! wake-ups a block, some percent of a search at four zeros, to save a
//! microsecond of hashing.
//!
//! A stage ends when the channel before it closes, and closes the one behind
//! it by dropping its sender; an error therefore drains forwards, and a stage
//! that fails makes the sends of those before it fail, which ends them too.
//! Only the reader can be stuck, in a read that never returns (a terminal, a
//! pipe): it owns all it uses and is left behind when the work is cancelled.

use std::io::{self, Read, Write};
use std::num::NonZeroUsize;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use thiserror::Error;

use super::budget::{Budget, Permit};
use super::queue::{Queue, QueueError};
use crate::chain::{
    Block, ChainWriter, Format, PreviousHash, SealedBlock, Strictness, Transactions,
};
use crate::pow::{Control, LastBlock, Nonce, NonceRange, Rule, SearchError, Searcher, Target};
use crate::sha256::Digest;

/// Blocks that wait between two stages: enough to ride out an uneven stage,
/// and memory is bounded by the [`Budget`].
const CHANNEL_BLOCKS: usize = 64;

/// How often a stage that waits for input looks whether it was cancelled.
const CANCEL_POLL: Duration = Duration::from_millis(20);

/// Where block timestamps come from.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub enum Clock {
    /// The system's clock at the moment the block is made.
    #[default]
    System,
    /// The first block gets this time, and each further one a second more,
    /// so that two runs give the same bytes. Must be finite.
    From(f64),
}

impl Clock {
    fn timestamp(self, index: u64) -> f64 {
        match self {
            Self::System => SystemTime::now()
                .duration_since(SystemTime::UNIX_EPOCH)
                .map_or(0.0, |time| time.as_secs_f64()),
            Self::From(first) => first + (index - 1) as f64,
        }
    }
}

/// How queues are mined.
#[derive(Clone, PartialEq, Debug)]
pub struct MineOptions {
    /// The rule of the proofs.
    pub rule: Rule,
    /// Their difficulty.
    pub target: Target,
    /// Transactions a block, the reward not counted.
    pub block_size: NonZeroUsize,
    /// Who gets the reward of each block.
    pub recipient: String,
    /// Where timestamps come from.
    pub clock: Clock,
    /// How much is asked of the transactions.
    pub strictness: Strictness,
}

impl Default for MineOptions {
    /// The tutorial's rule, ten transactions a block, and a fresh node id.
    fn default() -> Self {
        Self {
            rule: Rule::default(),
            target: Target::default(),
            block_size: NonZeroUsize::new(10).expect("ten is not zero"),
            recipient: fresh_node_id(),
            clock: Clock::default(),
            strictness: Strictness::default(),
        }
    }
}

/// A node id as the tutorial makes one: a random UUID in hex, no dashes.
pub fn fresh_node_id() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// A queue and what to call it in messages.
pub struct NamedQueue {
    name: String,
    source: Box<dyn Read + Send>,
}

impl NamedQueue {
    /// A queue that is read from `source`, which need not be buffered.
    pub fn new(name: impl Into<String>, source: impl Read + Send + 'static) -> Self {
        Self {
            name: name.into(),
            source: Box::new(source),
        }
    }
}

/// What mining made, and what it took.
#[derive(Clone, PartialEq, Debug)]
pub struct MineSummary {
    /// Blocks in the chain, the genesis block included.
    pub blocks: u64,
    /// Transactions from the queues; rewards are not counted.
    pub transactions: u64,
    /// Nonces really tried.
    pub hashes: u64,
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

/// Why mining made no chain.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MineError {
    /// A queue cannot be read.
    #[error("{name}: {source}")]
    Queue {
        /// The queue.
        name: String,
        /// What is wrong with it.
        source: QueueError,
    },
    /// The search failed.
    #[error(transparent)]
    Search(SearchError),
    /// Not one of the 2^64 nonces is a proof.
    #[error("block {block} has no proof: none of the 2^64 nonces gives {target} in front")]
    NoProof {
        /// The block's place in the chain.
        block: u64,
        /// What was asked for.
        target: Target,
    },
    /// The `sha2` crate does not accept a proof that the search gave.
    #[error("block {block}: the proof {proof} was found, but does not satisfy {rule}")]
    ProofRejected {
        /// The block's place in the chain.
        block: u64,
        /// The proof.
        proof: Nonce,
        /// The rule.
        rule: Rule,
    },
    /// The chain cannot be written.
    #[error("cannot write the chain: {0}")]
    Write(#[source] io::Error),
    /// The [`Control`] was cancelled.
    #[error("the mining was cancelled")]
    Cancelled,
}

impl From<SearchError> for MineError {
    fn from(error: SearchError) -> Self {
        match error {
            SearchError::Cancelled => Self::Cancelled,
            other => Self::Search(other),
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
    let started = Instant::now();
    let (pending_sender, pending) = bounded(CHANNEL_BLOCKS);
    let (forged_sender, forged) = bounded(CHANNEL_BLOCKS);
    let (sealed_sender, sealed) = bounded(CHANNEL_BLOCKS);

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

    let (mined, hashed, written) = thread::scope(|scope| {
        let miner = Miner {
            options,
            searcher,
            control,
            tip,
        };
        let miner = scope.spawn(move || miner.run(&pending, forged_sender));
        let hasher = scope.spawn(move || hash(forged, sealed_sender, tip, options));
        let writer = ChainWriter::new(out, format);
        let writer = scope.spawn(move || write(writer, &genesis, sealed, control));
        (join(miner), join(hasher), join(writer))
    });
    // A stage that fails ends those before it early but without an error, so
    // at most one of these is one.
    let mined = mined?;
    let last = hashed?;
    let out = written.map_err(MineError::Write)?;
    let summary = MineSummary {
        blocks: last.index,
        transactions: mined.transactions,
        hashes: mined.hashes,
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

/// The end of the chain, as far as a stage knows it.
#[derive(Clone, Copy, Debug)]
struct Tip {
    index: u64,
    proof: Nonce,
    previous_hash: PreviousHash,
    hash: Digest,
}

impl Tip {
    /// Calls `f` with what the proof rules read.
    fn with_last_block<T>(&self, f: impl FnOnce(&LastBlock<'_>) -> T) -> T {
        f(&LastBlock {
            proof: self.proof.to_string().as_bytes(),
            previous_hash: self.previous_hash.to_string().as_bytes(),
            hash: self.hash,
        })
    }

    /// Appends a block: quotes the tip's hash in it, hashes it, and makes it
    /// the tip.
    fn append(&mut self, timestamp: f64, transactions: Transactions, proof: Nonce) -> SealedBlock {
        let block = Block {
            index: self.index + 1,
            timestamp,
            transactions,
            proof,
            previous_hash: PreviousHash::Block(self.hash),
        };
        let sealed = block.seal();
        self.advance(proof, sealed.hash());
        sealed
    }

    fn advance(&mut self, proof: Nonce, hash: Digest) {
        *self = Self {
            index: self.index + 1,
            proof,
            previous_hash: PreviousHash::Block(self.hash),
            hash,
        };
    }
}

/// From the reader to the miner: the transactions of one block.
struct Pending {
    transactions: Transactions,
    permit: Permit,
}

/// From the miner to the hasher: a block with its proof.
struct Forged {
    proof: Nonce,
    body: Body,
    permit: Permit,
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
    block: SealedBlock,
    /// Held until the block is written.
    _permit: Permit,
}

/// Reads every queue, in order, until the miner is gone.
fn read(
    queues: Vec<NamedQueue>,
    block_size: NonZeroUsize,
    strictness: Strictness,
    control: &Control,
    pending: &Sender<Result<Pending, MineError>>,
) {
    let budget = Budget::default();
    for NamedQueue { name, source } in queues {
        let counted = Counted {
            source,
            control: control.clone(),
        };
        for block in Queue::new(counted, block_size, strictness) {
            let message = match block {
                Ok(transactions) => {
                    let permit = budget.acquire(transactions.text_bytes());
                    Ok(Pending {
                        transactions,
                        permit,
                    })
                }
                Err(source) => Err(MineError::Queue {
                    name: name.clone(),
                    source,
                }),
            };
            let is_last = message.is_err();
            if pending.send(message).is_err() || is_last {
                return;
            }
        }
    }
}

/// The mining stage.
struct Miner<'a> {
    options: &'a MineOptions,
    searcher: &'a Searcher,
    control: &'a Control,
    tip: Tip,
}

/// What the mining stage counted.
#[derive(Default)]
struct Mined {
    transactions: u64,
    hashes: u64,
}

impl Miner<'_> {
    fn run(
        mut self,
        pending: &Receiver<Result<Pending, MineError>>,
        forged: Sender<Forged>,
    ) -> Result<Mined, MineError> {
        let mut mined = Mined::default();
        while let Some(next) = self.receive(pending)? {
            let Pending {
                mut transactions,
                permit,
            } = next?;
            let index = self.tip.index + 1;
            let target = self.options.target;
            let template = self
                .tip
                .with_last_block(|last| self.options.rule.template(last));
            let outcome = self
                .searcher
                .find(&template, target, NonceRange::ALL, self.control)?;
            let proof = outcome
                .hit
                .ok_or(MineError::NoProof {
                    block: index,
                    target,
                })?
                .nonce;
            mined.hashes += outcome.hashes;
            mined.transactions += transactions.count() as u64;

            transactions.push_reward(&self.options.recipient);
            let timestamp = self.options.clock.timestamp(index);
            let body = match self.options.rule {
                Rule::LastProof => {
                    // This rule's searches read the proof alone; the hash
                    // stage knows the hash.
                    self.tip.advance(proof, self.tip.hash);
                    Body::Open {
                        timestamp,
                        transactions,
                    }
                }
                Rule::PreviousHash | Rule::LastHash => {
                    Body::Sealed(self.tip.append(timestamp, transactions, proof))
                }
            };
            if forged
                .send(Forged {
                    proof,
                    body,
                    permit,
                })
                .is_err()
            {
                break;
            }
        }
        Ok(mined)
    }

    /// The next message, or `None` once the reader is done.
    fn receive<T>(&self, channel: &Receiver<T>) -> Result<Option<T>, MineError> {
        loop {
            if self.control.is_cancelled() {
                return Err(MineError::Cancelled);
            }
            match channel.recv_timeout(CANCEL_POLL) {
                Ok(message) => return Ok(Some(message)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
            }
        }
    }
}

/// The hashing stage: checks every proof with the `sha2` crate, seals what
/// the miner left open, and returns the end of the chain.
fn hash(
    forged: Receiver<Forged>,
    sealed: Sender<Sealed>,
    mut tip: Tip,
    options: &MineOptions,
) -> Result<Tip, MineError> {
    for Forged {
        proof,
        body,
        permit,
    } in forged
    {
        let (rule, target) = (options.rule, options.target);
        if !tip.with_last_block(|last| rule.is_satisfied(last, proof, target)) {
            return Err(MineError::ProofRejected {
                block: tip.index + 1,
                proof,
                rule,
            });
        }
        let block = match body {
            Body::Open {
                timestamp,
                transactions,
            } => tip.append(timestamp, transactions, proof),
            Body::Sealed(block) => {
                tip.advance(proof, block.hash());
                block
            }
        };
        if sealed
            .send(Sealed {
                block,
                _permit: permit,
            })
            .is_err()
        {
            break;
        }
    }
    Ok(tip)
}

/// The writing stage.
fn write<W: Write>(
    mut writer: ChainWriter<W>,
    genesis: &SealedBlock,
    sealed: Receiver<Sealed>,
    control: &Control,
) -> io::Result<W> {
    writer.push(genesis)?;
    control.add_blocks(1);
    for Sealed { block, .. } in sealed {
        writer.push(&block)?;
        control.add_blocks(1);
    }
    writer.finish()
}

/// Counts the bytes that are read.
struct Counted {
    source: Box<dyn Read + Send>,
    control: Control,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.control.add_bytes(count as u64);
        Ok(count)
    }
}
