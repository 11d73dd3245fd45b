//! Why a journal cannot be gone on from.

use std::io;

use thiserror::Error;

use crate::chain::Format;
use crate::pow::{Rule, Target};

/// Why a journal cannot be gone on from. Nothing was changed then.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ResumeError {
    /// It cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is in another format.
    #[error("it is written as {found}, but {expected} is asked for (--format)")]
    Format {
        /// The format it is in.
        found: Format,
        /// The one that is to be written.
        expected: Format,
    },
    /// It does not start as a journal does.
    #[error(
        "it is no journal of a chain: it starts with {found:?}, and the first block was expected"
    )]
    NotAJournal {
        /// Its first bytes.
        found: String,
    },
    /// What is at some place is neither the block that belongs there nor the
    /// rest of work that broke off.
    #[error("it is damaged at byte {byte}, in block {block}: {problem}")]
    Damaged {
        /// Where the block starts, in bytes from the start of the file.
        byte: u64,
        /// The block that belongs there.
        block: u64,
        /// What is wrong.
        problem: String,
    },
    /// A proof does not satisfy the rule.
    #[error(
        "the proof of its block {block}, {proof}, does not satisfy {rule} with {target} in front; \
         were --rule and --difficulty the same?"
    )]
    Proof {
        /// The block.
        block: u64,
        /// Its proof.
        proof: String,
        /// The rule that is asked for.
        rule: Rule,
        /// The difficulty that is asked for.
        target: Target,
    },
    /// Every proof satisfies more than is asked for, which is no chance.
    #[error(
        "the proofs of its first {blocks} blocks all satisfy {found} in front, but only {expected} \
         are asked for; was --difficulty the same?"
    )]
    Difficulty {
        /// Blocks that were looked at.
        blocks: u64,
        /// What they satisfy.
        found: Target,
        /// What is asked for.
        expected: Target,
    },
    /// A block has another time than the options give it.
    #[error("its block {block} has the timestamp {found}, but --timestamp gives it {expected}")]
    Timestamp {
        /// The block.
        block: u64,
        /// The timestamp it has.
        found: String,
        /// The one it should have.
        expected: String,
    },
    /// The times of all blocks are exactly a second apart, which no clock
    /// gives.
    #[error(
        "the times of its first {blocks} blocks are exactly a second apart, from {first} on; was \
         it mined with --timestamp {first}?"
    )]
    EvenTimes {
        /// Blocks that were looked at.
        blocks: u64,
        /// The first block's time.
        first: String,
    },
    /// The rewards go to someone else.
    #[error("the reward of its block {block} goes to {found}, but --recipient is {expected}")]
    Recipient {
        /// The block.
        block: u64,
        /// Who got it.
        found: String,
        /// Who should.
        expected: String,
    },
    /// A queue has another transaction than the one that was mined.
    #[error(
        "the queues were changed: {queue}: line {line} holds {found}, but {mined} was mined in its \
         place, in block {block}"
    )]
    Transaction {
        /// The queue.
        queue: String,
        /// The line in which the transaction starts.
        line: u64,
        /// The transaction in the queue, shortened if it is long.
        found: String,
        /// The one in the journal.
        mined: String,
        /// The block it is in.
        block: u64,
    },
    /// A block holds more transactions than it should, or fewer.
    #[error(
        "its block {block} holds {mined} of the queue's transactions, but would now hold {found}, \
         from {queue}, line {line}; was the queue or --block-size changed?"
    )]
    BlockSize {
        /// The block.
        block: u64,
        /// Transactions that are in it, the reward not counted.
        mined: usize,
        /// Transactions that should be in it.
        found: usize,
        /// The queue they are from.
        queue: String,
        /// The line in which the first of them starts.
        line: u64,
    },
    /// The queues end before the journal does.
    #[error(
        "the queues were changed: they end with {queue} after {transactions} transactions, but \
         block {block} was mined from {mined} and more"
    )]
    QueueEnds {
        /// The last queue.
        queue: String,
        /// Transactions in all queues.
        transactions: u64,
        /// The first block that has nothing in the queues.
        block: u64,
        /// Its first transaction, shortened if it is long.
        mined: String,
    },
}
