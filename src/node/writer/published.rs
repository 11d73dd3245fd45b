//! What the writer thread shows to everybody: the end of the chain, counters,
//! and why a change was not made.

use std::sync::atomic::{AtomicBool, AtomicU64};

use thiserror::Error;

use crate::chain::TransactionProblem;
use crate::node::database_problem::DatabaseProblem;
use crate::node::tip::TipBlock;

/// More nodes than anybody runs.
pub(super) const MOST_NODES: usize = 1000;

/// Why a change was not made.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub(in crate::node) enum WriteError {
    #[error("{pending} transactions are pending, and no more are taken until a block is mined")]
    Full { pending: u64 },
    #[error("the chain has another last block by now")]
    Stale,
    /// The transaction sends more than its sender has.
    #[error(transparent)]
    Refused(TransactionProblem),
    #[error("nodes: at most {MOST_NODES} nodes can be registered")]
    TooManyNodes,
    #[error("the database failed: {0}")]
    Storage(DatabaseProblem),
    #[error("the node is shutting down")]
    Closed,
}

/// The committed end of the chain.
#[derive(Clone, Debug)]
pub(in crate::node) struct ChainHead {
    pub(in crate::node) tip: TipBlock,
    /// How often the chain was replaced.
    pub(in crate::node) generation: u64,
    /// Whether a replacement is under way and has appended only a part of the
    /// new chain. Nothing is mined on it.
    pub(in crate::node) is_partial: bool,
}

/// Numbers that can be read without asking the thread.
#[derive(Debug, Default)]
pub(in crate::node) struct Gauges {
    pub(in crate::node) pending: AtomicU64,
    pub(in crate::node) commits: AtomicU64,
    /// Blocks made by this process.
    pub(in crate::node) blocks_forged: AtomicU64,
    /// Whether the last commit failed.
    pub(super) is_failing: AtomicBool,
}
