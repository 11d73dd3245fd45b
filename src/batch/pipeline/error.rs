//! Why mining failed.

use std::io;

use thiserror::Error;

use crate::batch::queue::QueueError;
use crate::pow::{Nonce, Rule, SearchError, Target};

/// Why mining failed.
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
    /// The operating system refused to start a thread.
    #[error("cannot start a thread that mines")]
    Threads(#[source] io::Error),
    /// None of the 2^64 nonces is a proof.
    #[error("block {block} has no proof: none of the 2^64 nonces gives {target} in front")]
    NoProof {
        /// The block's index in the chain.
        block: u64,
        /// The target that was asked for.
        target: Target,
    },
    /// The `sha2` crate rejects a proof that the search returned.
    #[error("block {block}: the proof {proof} was found, but does not satisfy {rule}")]
    ProofRejected {
        /// The block's index in the chain.
        block: u64,
        /// The proof.
        proof: Nonce,
        /// The rule.
        rule: Rule,
    },
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
