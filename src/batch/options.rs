//! The options that decide what a chain looks like and how it is mined.

use std::num::NonZeroUsize;
use std::time::SystemTime;

use super::queue::DecimalSeparator;
use crate::chain::Strictness;
use crate::pow::{Rule, Target};

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
    pub(super) fn timestamp(self, index: u64) -> f64 {
        match self {
            Self::System => unix_time(),
            Self::From(first) => first + (index - 1) as f64,
        }
    }
}

/// The system's clock in seconds since 1970, as Python's `time.time()` returns
/// them: negative before that.
pub(crate) fn unix_time() -> f64 {
    let now = SystemTime::now();
    match now.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => since.as_secs_f64(),
        Err(error) => -error.duration().as_secs_f64(),
    }
}

/// Whether proofs that were already found for the chain are reused.
///
/// Under [`Rule::LastProof`] a proof depends only on the proof before it, so
/// it can be looked up; under the other rules each proof has to be searched.
/// From the genesis proof 100 at four zeros the proofs run into a cycle, and a
/// chain of any length takes 108 searches.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ProofMemory {
    /// Reused.
    #[default]
    On,
    /// Not reused: each proof is searched.
    Off,
}

/// How queues are mined.
#[derive(Clone, PartialEq, Debug)]
pub struct MineOptions {
    /// The rule of the proofs.
    pub rule: Rule,
    /// Their difficulty.
    pub target: Target,
    /// Transactions per block, without the reward.
    pub block_size: NonZeroUsize,
    /// Who gets the reward of each block.
    pub recipient: String,
    /// Where timestamps come from.
    pub clock: Clock,
    /// What the values of transactions must be.
    pub strictness: Strictness,
    /// How amounts in CSV queues are written.
    pub decimal: DecimalSeparator,
    /// Whether proofs are remembered.
    pub proof_memory: ProofMemory,
}

impl MineOptions {
    /// Whether a proof is looked up before it is searched.
    pub(super) fn remembers_proofs(&self) -> bool {
        self.proof_memory == ProofMemory::On && self.rule == Rule::LastProof
    }
}

impl Default for MineOptions {
    /// The tutorial's rule, ten transactions per block, and a new node id.
    fn default() -> Self {
        Self {
            rule: Rule::default(),
            target: Target::default(),
            block_size: NonZeroUsize::new(10).expect("ten is not zero"),
            recipient: fresh_node_id(),
            clock: Clock::default(),
            strictness: Strictness::default(),
            decimal: DecimalSeparator::default(),
            proof_memory: ProofMemory::default(),
        }
    }
}

/// A node id as the tutorial makes one: a random UUID in hex, no dashes.
pub fn fresh_node_id() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}
