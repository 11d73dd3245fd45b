//! What can be wrong with a chain that reads well.

use std::fmt;

use crate::chain::TransactionProblem;
use crate::pow::{Rule, Target};
use crate::sha256::Digest;

/// The first thing that is wrong with a chain, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The block's place in the chain, counted from 1.
    pub block: u64,
    /// What is wrong with it.
    pub kind: FaultKind,
}

/// What can be wrong with a block or a chain. Values are quoted as they
/// stand in the chain, shortened where they are long.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum FaultKind {
    /// The block is no JSON object.
    Malformed {
        /// What stands in its place.
        found: String,
    },
    /// A block lacks one of its five keys.
    MissingField {
        /// The first that is missing.
        field: &'static str,
        /// What the object seems to be, if it has none of the five.
        lookalike: Option<Lookalike>,
    },
    /// A value has the wrong type.
    Type {
        /// The key.
        field: &'static str,
        /// The value.
        found: String,
        /// The type it should have.
        expected: &'static str,
    },
    /// The block's index is not its place in the chain.
    Index {
        /// The index.
        found: String,
        /// Its place.
        expected: u64,
    },
    /// The block does not quote the hash of the block before it.
    PreviousHash {
        /// What it quotes.
        found: String,
        /// The hash of the block before.
        expected: Digest,
    },
    /// The proof does not satisfy the rule; or, where the rule was to be
    /// found, satisfies none that held so far.
    Proof {
        /// The proof.
        found: String,
        /// The digest of its message under each rule that failed here.
        digests: Vec<(Rule, Digest)>,
        /// What a digest should look like.
        target: Target,
    },
    /// The file's `"length"` is not the number of its blocks. The fault's
    /// block is the first that is missing or too many.
    Length {
        /// The stated length.
        found: String,
        /// The number of blocks.
        expected: u64,
    },
    /// A transaction is not one.
    Transaction {
        /// Its place in the block, counted from 1.
        place: u64,
        /// What is wrong with it.
        problem: TransactionProblem,
    },
    /// The chain has no block at all.
    Empty,
}

/// What an object that is no block at all seems to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lookalike {
    /// A transaction, so that the file may be a queue.
    Transaction,
    /// Anything.
    Other,
}

impl FaultKind {
    /// The kind in one word, as `verify --json` prints it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "malformed",
            Self::MissingField { .. } => "missing-field",
            Self::Type { .. } => "type",
            Self::Index { .. } => "index",
            Self::PreviousHash { .. } => "previous-hash",
            Self::Proof { .. } => "proof",
            Self::Length { .. } => "length",
            Self::Transaction { .. } => "transaction",
            Self::Empty => "empty",
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { found } => write!(f, "the block is {found}, expected an object"),
            Self::MissingField { field, .. } => write!(f, "the field \"{field}\" is missing"),
            Self::Type {
                field,
                found,
                expected,
            } => {
                write!(f, "the field \"{field}\" is {found}, expected {expected}")
            }
            Self::Index { found, expected } => {
                write!(f, "the index is {found}, expected {expected}")
            }
            Self::PreviousHash { found, expected } => {
                write!(
                    f,
                    "previous_hash is {found}, but the block before hashes to {expected}"
                )
            }
            Self::Proof {
                found,
                digests,
                target,
            } => {
                match digests.as_slice() {
                    [(rule, digest)] => {
                        write!(f, "the proof {found} hashes to {digest} under {rule}")?;
                    }
                    several => {
                        write!(f, "the proof {found} fits no rule: it hashes to ")?;
                        for (place, (rule, digest)) in several.iter().enumerate() {
                            let comma = if place == 0 { "" } else { ", " };
                            write!(f, "{comma}{digest} under {rule}")?;
                        }
                    }
                }
                write!(f, ", expected {target} in front")
            }
            Self::Length { found, expected } => {
                let s = if *expected == 1 { "" } else { "s" };
                write!(
                    f,
                    "\"length\" is {found}, but the chain has {expected} block{s}"
                )
            }
            Self::Transaction { place, problem } => write!(f, "transaction {place}: {problem}"),
            Self::Empty => f.write_str("the chain has no block"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // There is no block of which these could be told.
        if !matches!(self.kind, FaultKind::Length { .. } | FaultKind::Empty) {
            write!(f, "block {}: ", self.block)?;
        }
        write!(f, "{}: {}", self.kind.name(), self.kind)?;
        match (self.block, &self.kind) {
            (1, FaultKind::MissingField { lookalike, .. }) => f.write_str(match lookalike {
                Some(Lookalike::Transaction) => "; is this a chain? it looks like a queue",
                Some(Lookalike::Other) => "; is this a chain?",
                None => "",
            }),
            _ => Ok(()),
        }
    }
}
