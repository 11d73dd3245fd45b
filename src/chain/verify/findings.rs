//! What is wrong with a chain, as far as it was looked at.

use super::VerifyOptions;
use super::fault::{Fault, FaultKind};
use crate::chain::json::View;
use crate::pow::{LastBlock, Rule};
use crate::sha256::Digest;

/// The faults that were found so far, in the order of the chain.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// The first that does not depend on the rule.
    pub(super) first: Option<Fault>,
    /// For each rule, the first block whose proof does not satisfy it.
    pub(super) proofs: [Option<ProofFailure>; Rule::ALL.len()],
    /// Proofs that were hashed, once for each rule they were checked under.
    pub(super) hashes: u64,
}

/// A proof that does not satisfy a rule.
#[derive(Clone, Debug)]
pub(super) struct ProofFailure {
    pub(super) block: u64,
    pub(super) proof: String,
    pub(super) digest: Digest,
}

impl Findings {
    /// Whether the verdict on the chain stands: nothing that follows can
    /// change what is wrong with it first.
    pub(super) fn is_settled(&self, options: &VerifyOptions) -> bool {
        self.first.is_some()
            || options
                .candidates()
                .iter()
                .all(|rule| self.proofs[*rule as usize].is_some())
    }

    /// Checks how a block follows `last`: the hash it quotes, then its proof
    /// under every rule that still holds.
    pub(super) fn check_link(
        &mut self,
        last: &LastBlock<'_>,
        index: u64,
        proof: &[u8],
        previous_hash: &[u8],
        options: &VerifyOptions,
    ) {
        let quoted = previous_hash
            .strip_prefix(b"\"")
            .and_then(|text| text.strip_suffix(b"\""));
        if quoted != Some(&last.hash.to_hex()) {
            let found = View::of(quoted.unwrap_or(previous_hash)).excerpt();
            let kind = FaultKind::PreviousHash {
                found,
                expected: last.hash,
            };
            self.first = Some(Fault { block: index, kind });
            return;
        }
        for rule in options.candidates() {
            let failure = &mut self.proofs[*rule as usize];
            if failure.is_some() {
                continue;
            }
            let digest = rule.digest(last, proof);
            self.hashes += 1;
            if !options.target.is_met_by(&digest) {
                *failure = Some(ProofFailure {
                    block: index,
                    proof: View::of(proof).excerpt(),
                    digest,
                });
            }
        }
    }
}
