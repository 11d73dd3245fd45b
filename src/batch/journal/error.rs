//! Why mining cannot resume from a journal.

use std::io;

use thiserror::Error;

use crate::batch::pipeline::MineError;
use crate::chain::Format;
use crate::pow::{Rule, Target};

/// Why mining cannot resume from a journal. Nothing was changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ResumeError {
    /// The journal cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A queue cannot be read, or the work was cancelled.
    #[error(transparent)]
    Mine(#[from] MineError),
    /// The journal is in another format.
    #[error("it is written as {found}, but {expected} is asked for")]
    Format {
        /// The journal's format.
        found: Format,
        /// The format of the chain to write.
        expected: Format,
    },
    /// The file does not start like a journal.
    #[error(
        "it is not the journal of a chain: it starts with {found:?}, but the first block was \
         expected"
    )]
    NotAJournal {
        /// Its first bytes.
        found: String,
    },
    /// The journal holds something else where a block was expected.
    #[error("it is damaged at byte {byte}, in block {block}: {problem}")]
    Damaged {
        /// Where the block starts, in bytes from the start of the file.
        byte: u64,
        /// The block's index.
        block: u64,
        /// What is wrong.
        problem: String,
    },
    /// A proof does not satisfy the rule.
    #[error(
        "the proof of its block {block}, {proof}, does not satisfy {rule} with {target} in front"
    )]
    Proof {
        /// The block's index.
        block: u64,
        /// Its proof.
        proof: String,
        /// The rule.
        rule: Rule,
        /// The target.
        target: Target,
    },
    /// All proofs satisfy a higher difficulty.
    #[error(
        "the proofs of its first {blocks} blocks all have {found} in front, but only {expected} \
         {} asked for", if expected.bits() == 4 { "is" } else { "are" }
    )]
    Difficulty {
        /// Blocks in the journal.
        blocks: u64,
        /// What the proofs satisfy.
        found: Target,
        /// The target.
        expected: Target,
    },
    /// A block's time is not the one that the options give it.
    #[error("its block {block} has the timestamp {found}, but would now get {expected}")]
    Timestamp {
        /// The block's index.
        block: u64,
        /// Its timestamp.
        found: String,
        /// The timestamp that the options give.
        expected: String,
    },
    /// The times are exactly a second apart, so the system clock did not give
    /// them.
    #[error(
        "the times of its first {blocks} blocks are exactly a second apart, starting with {first:?}"
    )]
    EvenTimes {
        /// Blocks in the journal.
        blocks: u64,
        /// The first block's time.
        first: f64,
    },
    /// The rewards go to another recipient.
    #[error("the reward of its block {block} goes to {found}, not to {expected}")]
    Recipient {
        /// The block's index.
        block: u64,
        /// The recipient in the journal.
        found: String,
        /// The recipient that the options name.
        expected: String,
    },
    /// A queue now holds another transaction.
    #[error(
        "the queues have changed: {queue}: line {line} holds {found}, but block {block} was mined \
         with {mined} in its place"
    )]
    Transaction {
        /// The queue.
        queue: String,
        /// The line in which the transaction starts.
        line: u64,
        /// The transaction in the queue, shortened if it is long.
        found: String,
        /// The transaction in the journal, shortened if it is long.
        mined: String,
        /// The index of its block.
        block: u64,
    },
    /// A block holds more or fewer transactions than it would now.
    #[error(
        "its block {block} holds {mined} transactions of the queues, but would now hold {found}, \
         from {queue}, line {line}"
    )]
    BlockSize {
        /// The block's index.
        block: u64,
        /// Its transactions, without the reward.
        mined: usize,
        /// The transactions that it would hold now.
        found: usize,
        /// The queue they are from.
        queue: String,
        /// The line in which the first of them starts.
        line: u64,
    },
    /// The queues end before the journal does.
    #[error(
        "the queues have changed: they end with {queue} after {transactions} transactions, but \
         block {block} was mined from {mined} and more"
    )]
    QueueEnds {
        /// The last queue.
        queue: String,
        /// Transactions in all queues.
        transactions: u64,
        /// The index of the first block that is not in the queues.
        block: u64,
        /// Its first transaction, shortened if it is long.
        mined: String,
    },
}
