//! Verification of chain files, in parallel and in bounded memory.
//!
//! The threads of a rayon pool share one [`Desk`]. Each reads a batch of blocks
//! there, checks it beside the others, brings back what it found, and reads the
//! next: so it checks what its own core has just read, and none hands work to
//! another. One at a time is at the desk. What is brought back comes together
//! in the order of the file, in a [`Ledger`](ledger::Ledger). The buffers of a
//! batch go round, and there is a fixed number of them.
//!
//! Where a block ends is known only to who reads all that comes before it, so
//! one thread would have to look at every byte. Instead, a thread guesses
//! where its batch ends, and finds out when it checks it whether that was
//! right. A wrong guess is taken back and read again with certainty, and so is
//! every batch in which something is wrong: whatever is reported comes from
//! there, and guesses change nothing but the time it takes.
//!
//! A stream has to be read at the desk. Of a file, a thread only looks there for
//! a block's start near the end of its guess, and reads the rest of it while
//! others are at the desk: one thread alone is there for 2 % of its time in
//! place of 11 (AMD EPYC, Zen 4, 1,200 bytes a block), so some fifty threads
//! can work before they wait for each other, in place of nine.

mod desk;
mod fault;
mod findings;
pub(super) mod inspect;
mod ledger;
mod line;
mod worker;

use std::fs::File;
use std::io::{self, Read};
use std::num::NonZeroUsize;

use thiserror::Error;

pub use self::fault::{Fault, FaultKind, Lookalike};

use self::desk::Desk;
use self::line::Line;
use super::file::{Input, ReadError, Shape};
use super::transaction::Strictness;
use crate::pow::{Control, Rule, Target, thread_pool};

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
    /// Starts `threads` threads that read and check; the thread that calls
    /// [`Self::verify`] waits for them.
    ///
    /// # Errors
    /// If the system refuses the threads.
    pub fn new(threads: NonZeroUsize) -> io::Result<Self> {
        let builder = rayon::ThreadPoolBuilder::new()
            .num_threads(threads.get())
            .thread_name(|index| format!("verify-{index}"));
        Ok(Self {
            pool: thread_pool::build(builder)?,
        })
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
        source: impl Read + Send,
        options: &VerifyOptions,
        control: &Control,
    ) -> Result<Report, VerifyError> {
        self.verify_input(Input::Stream(Box::new(source)), options, control)
    }

    /// As [`Self::verify`], for all of `file` if it is a regular file, and the
    /// rest of it if not. Many threads are faster at this than at a source that
    /// one of them after the other has to read.
    ///
    /// # Errors
    /// As [`Self::verify`].
    pub fn verify_file(
        &self,
        file: &File,
        options: &VerifyOptions,
        control: &Control,
    ) -> Result<Report, VerifyError> {
        self.verify_input(Input::of_file(file), options, control)
    }

    fn verify_input(
        &self,
        input: Input<'_>,
        options: &VerifyOptions,
        control: &Control,
    ) -> Result<Report, VerifyError> {
        // A batch a thread is at, and one that waits for others before it.
        let line = Line::new(input, 2 * self.pool.current_num_threads(), options, control);
        let desk = Desk::new(line);
        self.pool.broadcast(|_| desk.work());
        desk.into_line().into_report()
    }
}
