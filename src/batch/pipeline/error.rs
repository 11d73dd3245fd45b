//! Why mining made no chain.

use std::io;

use thiserror::Error;

use crate::batch::journal::error::ResumeError;
use crate::batch::queue::QueueError;
use crate::pow::{Nonce, Rule, SearchError, Target};

/// Why mining made no chain.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MineError {
    /// A queue cannot be read.
    #[error("cannot read the queue {name}")]
    Queue {
        /// The queue.
        name: String,
        /// What is wrong with it.
        source: QueueError,
    },
    /// The search failed.
    #[error(transparent)]
    Search(SearchError),
    /// The operating system refused to start a thread that mines.
    #[error("cannot start a thread that mines")]
    Threads(#[source] io::Error),
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
    /// The journal of interrupted work cannot be gone on from.
    #[error(transparent)]
    Resume(#[from] ResumeError),
    /// The chain cannot be written.
    #[error("cannot write the chain")]
    Write(#[source] io::Error),
    /// The [`Control`](crate::pow::Control) was cancelled.
    #[error("the mining was cancelled")]
    Cancelled,
}

impl From<SearchError> for MineError {
    fn from(error: SearchError) -> Self {
        match error {
            SearchError::Cancelled { .. } => Self::Cancelled,
            other => Self::Search(other),
        }
    }
}
