//! What can be wrong with a chain that can be read.

use std::fmt;

use thiserror::Error;

use crate::chain::TransactionProblem;
use crate::chain::dialect::Difference;
use crate::pow::{Rule, Target};
use crate::sha256::Digest;

/// The first fault of a chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The block's place in the chain, counted from 1.
    pub block: u64,
    /// What is wrong with the block.
    pub kind: FaultKind,
}

/// What can be wrong with a block or a chain. Values are quoted as canonical
/// text, shortened if they are long.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum FaultKind {
    /// The block is not a JSON object.
    #[error("the block is {found}, expected an object")]
    Malformed {
        /// The JSON value.
        found: String,
    },
    /// A block lacks one of its five keys.
    #[error("{}", or_differences(&format_args!("the field \"{field}\" is missing"), differences))]
    MissingField {
        /// The first missing key.
        field: &'static str,
        /// How the block differs from the tutorial's, if it has the names of a
        /// fork.
        differences: Vec<Difference>,
    },
    /// A value has the wrong type.
    #[error("the field \"{field}\" is {found}, expected {expected}")]
    Type {
        /// The key.
        field: &'static str,
        /// The value.
        found: String,
        /// The type it should have.
        expected: &'static str,
    },
    /// The block's index is not its place in the chain.
    #[error(
        "the index is {found}, expected {expected}{}",
        if *expected == 1 && found == "0" { "; this chain counts from 0" } else { "" }
    )]
    Index {
        /// The index.
        found: String,
        /// Its place.
        expected: u64,
    },
    /// `previous_hash` is not the hash of the block before.
    #[error("previous_hash is {found}, but the block before hashes to {expected}")]
    PreviousHash {
        /// The value.
        found: String,
        /// The hash of the block before.
        expected: Digest,
    },
    /// The proof does not satisfy the rule. If any rule is accepted, it satisfies
    /// none of those that held so far.
    #[error("{}, expected {target} in front", proof_digests(found, digests))]
    Proof {
        /// The proof.
        found: String,
        /// The digest of its message under each rule that failed here.
        digests: Vec<(Rule, Digest)>,
        /// The required difficulty.
        target: Target,
    },
    /// The file's `"length"` is not the number of its blocks. The fault's
    /// block is the first missing or surplus one.
    #[error(
        "\"length\" is {found}, but the chain has {expected} block{}",
        if *expected == 1 { "" } else { "s" }
    )]
    Length {
        /// The stated length.
        found: String,
        /// The number of blocks.
        expected: u64,
    },
    /// A transaction is malformed.
    #[error("transaction {place}: {}", or_differences(problem, differences))]
    Transaction {
        /// Its place in the block, counted from 1.
        place: u64,
        /// How it differs from the tutorial's, if it has the names of a fork.
        differences: Vec<Difference>,
        /// What is wrong with the transaction.
        problem: TransactionProblem,
    },
    /// The chain has no blocks.
    #[error("the chain has no blocks")]
    Empty,
}

impl FaultKind {
    /// The kind in one word.
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

/// All differences, which say more than one problem does.
fn or_differences(problem: &dyn fmt::Display, differences: &[Difference]) -> String {
    if differences.is_empty() {
        return problem.to_string();
    }
    let differences: Vec<_> = differences.iter().map(Difference::to_string).collect();
    differences.join("; ")
}

/// The digests of a proof under each rule that failed, or under the only one.
fn proof_digests(found: &str, digests: &[(Rule, Digest)]) -> String {
    let under: Vec<_> = (digests.iter())
        .map(|(rule, digest)| format!("{digest} under {rule}"))
        .collect();
    match under.as_slice() {
        [only] => format!("the proof {found} hashes to {only}"),
        several => {
            let several = several.join(", ");
            format!("the proof {found} fits no rule: it hashes to {several}")
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // These are not about a block that exists.
        if !matches!(self.kind, FaultKind::Length { .. } | FaultKind::Empty) {
            write!(f, "block {}: ", self.block)?;
        }
        write!(f, "{}: {}", self.kind.name(), self.kind)
    }
}
