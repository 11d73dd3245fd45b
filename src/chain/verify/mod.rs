//! Verification of chain files, in parallel and in bounded memory.
//!
//! The calling thread cuts the file into batches of blocks; a rayon pool
//! checks each batch; and a [`Ledger`](batch::Ledger) brings the results
//! together in the order of the file. There is a fixed number of batches,
//! which go round: the reader waits for one to come back before it reads on.

mod batch;
mod fault;
mod inspect;
mod known;

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::num::NonZeroUsize;

use crossbeam_channel::{bounded, unbounded};
use thiserror::Error;

pub use self::fault::{Fault, FaultKind};

use self::batch::{Ledger, Worker};
use super::file::{ChainReader, ReadError};
use super::transaction::Strictness;
use crate::pow::{Control, Rule, Target};

/// What a chain is checked against.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct VerifyOptions {
    /// The rule of its proofs; `None` finds it.
    pub rule: Option<Rule>,
    /// The difficulty of its proofs.
    pub target: Target,
    /// How much is asked of its transactions.
    pub strictness: Strictness,
}

impl VerifyOptions {
    /// The rules that may hold.
    fn candidates(&self) -> &[Rule] {
        match &self.rule {
            Some(rule) => std::slice::from_ref(rule),
            None => &Rule::ALL,
        }
    }
}

/// The verdict on a chain that could be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// The rule it follows: the one asked for, or the first that holds
    /// throughout; for a chain with a fault, the one that holds the longest.
    /// `None` if there is no proof to tell by, or none holds at all.
    pub rule: Option<Rule>,
    /// Blocks in the file, the genesis block included.
    pub blocks: u64,
    /// Transactions in all blocks that are sound in themselves, rewards
    /// included.
    pub transactions: u64,
    /// The first fault, or `None` if the chain is valid.
    pub fault: Option<Fault>,
}

impl Report {
    /// Whether nothing is wrong with the chain.
    pub const fn is_valid(&self) -> bool {
        self.fault.is_none()
    }
}

/// Why there is no verdict.
#[derive(Debug, Error)]
pub enum VerifyError {
    /// The file cannot be read as a chain.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The [`Control`] was cancelled.
    #[error("the verification was cancelled")]
    Cancelled,
}

/// Verifies chain files on a pool of threads.
///
/// ```
/// use std::num::NonZeroUsize;
/// use fourzero::chain::{Verifier, VerifyOptions};
/// use fourzero::pow::Control;
///
/// let chain = br#"[{"index": 1, "previous_hash": 1, "proof": 100,
///     "timestamp": 0.0, "transactions": []}]"#;
/// let verifier = Verifier::new(NonZeroUsize::MIN)?;
/// let report = verifier.verify(&chain[..], &VerifyOptions::default(), &Control::new())?;
/// assert!(report.is_valid());
/// assert_eq!(report.blocks, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Verifier {
    pool: rayon::ThreadPool,
}

impl Verifier {
    /// Starts `threads` threads that check; the thread that calls
    /// [`Self::verify`] reads beside them.
    ///
    /// # Errors
    /// If the system refuses the threads.
    pub fn new(threads: NonZeroUsize) -> Result<Self, rayon::ThreadPoolBuildError> {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads.get())
            .thread_name(|index| format!("verify-{index}"))
            .build()?;
        Ok(Self { pool })
    }

    /// Reads `source` to its end and says whether it is a valid chain.
    ///
    /// The verdict does not depend on the number of threads. `control` counts
    /// blocks, bytes and the hashes of proofs, and cancels between batches.
    ///
    /// # Errors
    /// [`VerifyError::Read`] if the source cannot be read as a chain, which
    /// is told apart from a chain that is wrong; [`VerifyError::Cancelled`].
    pub fn verify(
        &self,
        source: impl Read,
        options: &VerifyOptions,
        control: &Control,
    ) -> Result<Report, VerifyError> {
        let mut reader = ChainReader::new(Counted { source, control });
        let mut ledger = Ledger::default();

        // One batch a thread at work, one ready for it, and one being read.
        let batches = 2 * self.pool.current_num_threads() + 1;
        let (idle_sender, idle) = bounded(batches);
        for _ in 0..batches {
            idle_sender
                .send(Worker::default())
                .expect("the receiver is at hand");
        }
        // At most `batches` results wait: a batch goes round only after its
        // result was sent.
        let (done_sender, done) = unbounded();

        self.pool
            .in_place_scope(|scope| -> Result<(), VerifyError> {
                let mut early = BTreeMap::new();
                let mut next = 0u64;
                let mut fold = |ledger: &mut Ledger, number: u64, summary| {
                    early.insert(number, summary);
                    while let Some(summary) = early.remove(&next) {
                        ledger.add(summary?, options);
                        next += 1;
                    }
                    Ok::<(), ReadError>(())
                };
                let mut sent = 0u64;
                loop {
                    if control.is_cancelled() {
                        return Err(VerifyError::Cancelled);
                    }
                    let mut worker: Worker = idle.recv().expect("this thread holds a sender");
                    while let Ok((number, summary)) = done.try_recv() {
                        fold(&mut ledger, number, summary)?;
                    }
                    let filled = reader.fill(&mut worker.batch);
                    if let Ok(true) = filled
                        && worker.batch.is_large()
                    {
                        // Large blocks are checked here, one after another, and
                        // so bound what all batches together take.
                        let summary = worker.check(options, control);
                        worker.shrink();
                        done_sender
                            .send((sent, summary))
                            .expect("the receiver is at hand");
                        idle_sender.send(worker).expect("the receiver is at hand");
                        sent += 1;
                        continue;
                    }
                    if let Ok(true) = filled {
                        let (number, idle_sender, done_sender) =
                            (sent, idle_sender.clone(), done_sender.clone());
                        sent += 1;
                        scope.spawn(move |_| {
                            let summary = worker.check(options, control);
                            // The receivers are gone only if the verdict is out.
                            let _ = done_sender.send((number, summary));
                            let _ = idle_sender.send(worker);
                        });
                        continue;
                    }
                    // What stands before the end, or before an error of the
                    // reader, comes first.
                    drop(done_sender);
                    for (number, summary) in done {
                        fold(&mut ledger, number, summary)?;
                    }
                    filled?;
                    return Ok(());
                }
            })?;

        Ok(Report {
            rule: ledger.rule(options),
            blocks: ledger.blocks,
            transactions: ledger.transactions,
            fault: ledger.fault(options, reader.stated_length()),
        })
    }
}

/// Counts the bytes that are read.
struct Counted<'a, R> {
    source: R,
    control: &'a Control,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.control.add_bytes(count as u64);
        Ok(count)
    }
}
