//! Verification of chain files, in parallel and in bounded memory.
//!
//! The calling thread cuts the file into batches of blocks; a rayon pool
//! checks each batch; and a [`Ledger`](ledger::Ledger) brings the results
//! together in the order of the file. There is a fixed number of batches,
//! which go round: the reader waits for one to come back before it reads on.
//!
//! Where a block ends is known only to who reads all that comes before it, so
//! one thread would have to look at every byte. Instead, the reader guesses
//! where blocks start, and each thread finds out whether the guess of its
//! batch is right. A wrong one is taken back and read again with certainty,
//! and so is every batch in which something is wrong: whatever is reported
//! comes from there, and guesses change nothing but the time it takes.

mod fault;
mod findings;
pub(super) mod inspect;
pub(super) mod known;
mod ledger;
mod line;
mod worker;

use std::io::Read;
use std::num::NonZeroUsize;

use thiserror::Error;

pub use self::fault::{Fault, FaultKind, Lookalike};

use self::ledger::Ledger;
use self::line::{Line, Work};
use super::file::{ChainReader, ReadError, Shape};
use super::transaction::Strictness;
use crate::pow::{Control, Rule, Target};

/// Batches that are read with certainty where a guess failed, before the next
/// is tried.
const CERTAIN_BATCHES: u32 = 16;

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
    /// The file's shape.
    pub shape: Shape,
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
        let mut reader = ChainReader::new(source);
        let mut counted = 0;
        let mut ledger = Ledger::default();
        // One batch a thread at work, one ready for it, and one being read.
        let mut line = Line::new(2 * self.pool.current_num_threads() + 1);

        self.pool.in_place_scope(|scope| {
            // Batches to read with certainty before the next guess; the first
            // is a single block.
            let mut certain = 1;
            loop {
                if control.is_cancelled() {
                    return Err(VerifyError::Cancelled);
                }
                let Some(mut worker) =
                    line.idle_worker(&mut ledger, &mut reader, options, control)?
                else {
                    line.take_back(&mut reader);
                    certain = CERTAIN_BATCHES;
                    continue;
                };
                if certain == 0 {
                    let guess = reader.guess(&mut worker.batch);
                    control.add_bytes(reader.bytes_read() - counted);
                    counted = reader.bytes_read();
                    match guess {
                        Ok(Some(separator)) => {
                            line.start(worker, Work::Guess(separator), scope, options);
                            continue;
                        }
                        Ok(None) => certain = CERTAIN_BATCHES,
                        Err(error) => {
                            // As below.
                            line.wait_for_all(&mut ledger, &mut reader, options, control)?;
                            return Err(error.into());
                        }
                    }
                }
                if line.has_guesses()
                    && !line.wait_for_all(&mut ledger, &mut reader, options, control)?
                {
                    line.put_idle(worker);
                    continue;
                }
                certain -= 1;
                let filled = reader.fill(&mut worker.batch);
                control.add_bytes(reader.bytes_read() - counted);
                counted = reader.bytes_read();
                match filled {
                    // Checked here, large blocks come one after another, which
                    // bounds what all batches together take.
                    Ok(true) if line.is_full_for(&worker.batch) => {
                        line.run(worker, Work::Certain, options);
                    }
                    Ok(true) => line.start(worker, Work::Certain, scope, options),
                    end => {
                        // What stands before the end, or before an error of
                        // the reader, comes first.
                        line.wait_for_all(&mut ledger, &mut reader, options, control)?;
                        end?;
                        return Ok(());
                    }
                }
            }
        })?;

        Ok(Report {
            rule: ledger.rule(options),
            shape: reader.shape().expect("without a shape there is an error"),
            blocks: ledger.blocks,
            transactions: ledger.transactions,
            fault: ledger.fault(options, reader.stated_length()),
        })
    }
}
