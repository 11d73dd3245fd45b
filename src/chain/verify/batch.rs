//! Checking one batch of blocks on one thread.
//!
//! A batch is checked without knowing the batch before it, so the link of its
//! first block is left open: the [`Ledger`] closes it when the batches come
//! together in order.

use super::fault::{Fault, FaultKind};
use super::inspect::{Inspected, Tip, inspect};
use super::known::{Known, recognize};
use super::{ReadError, VerifyOptions};
use crate::chain::file::Batch;
use crate::chain::json::{StreamError, Transcoder, View};
use crate::pow::{Control, Rule};
use crate::sha256::Digest;

/// What [`Worker::shrink`] leaves: more than a block needs.
const KEPT_BYTES: usize = 64 << 10;

/// A batch, and the buffers to check it with.
#[derive(Debug, Default)]
pub(super) struct Worker {
    pub(super) batch: Batch,
    transcoder: Transcoder,
    /// The canonical text of the block at hand.
    text: Vec<u8>,
}

/// What was found in one batch.
#[derive(Debug, Default)]
pub(super) struct BatchSummary {
    blocks: u64,
    transactions: u64,
    /// The first block, if it is sound in itself.
    head: Option<Head>,
    /// The last block, if nothing was wrong up to it.
    tip: Option<Tip>,
    findings: Findings,
}

/// What the link of a batch's first block is checked with.
#[derive(Debug)]
struct Head {
    index: u64,
    proof: Vec<u8>,
    previous_hash: Vec<u8>,
}

/// The faults that were found so far, in the order of the chain.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// The first that does not depend on the rule.
    first: Option<Fault>,
    /// For each rule, the first block whose proof does not satisfy it.
    proofs: [Option<ProofFailure>; Rule::ALL.len()],
    /// Proofs that were hashed, once for each rule they were checked under.
    hashes: u64,
}

#[derive(Clone, Debug)]
struct ProofFailure {
    block: u64,
    proof: String,
    digest: Digest,
}

impl Worker {
    /// Gives back the memory that a huge block took.
    pub(super) fn shrink(&mut self) {
        self.text.clear();
        self.text.shrink_to(KEPT_BYTES);
        self.transcoder.shrink();
    }

    /// Checks the batch, and counts it.
    pub(super) fn check(
        &mut self,
        options: &VerifyOptions,
        control: &Control,
    ) -> Result<BatchSummary, ReadError> {
        let mut summary = BatchSummary::default();
        let mut tip = Tip::default();
        let first_index = self.batch.first_index;
        for (index, (raw, position)) in (first_index..).zip(self.batch.blocks()) {
            summary.blocks += 1;
            let (inspected, text) = match recognize(raw, index, &mut self.text) {
                Some(Known { block, text }) => (Ok(block), text),
                None => {
                    self.text.clear();
                    self.transcoder
                        .transcode(raw, &mut self.text)
                        .map_err(|error| StreamError::inside(raw, position, error))?;
                    let inspected = inspect(View::of(&self.text), index, options.strictness);
                    (inspected, self.text.as_slice())
                }
            };
            summary.transactions += inspected.as_ref().map_or(0, |block| block.transactions);
            // Once the verdict is settled, blocks are only counted.
            if summary.findings.is_settled(options) {
                continue;
            }
            let block = match inspected {
                Ok(block) => block,
                Err(kind) => {
                    summary.findings.first = Some(Fault { block: index, kind });
                    continue;
                }
            };
            if index == first_index {
                summary.head = Some(Head::of(index, &block));
            } else {
                let Inspected {
                    proof,
                    previous_hash,
                    ..
                } = block;
                summary.findings.check_link(
                    &tip,
                    index,
                    proof.text(),
                    previous_hash.text(),
                    options,
                );
            }
            tip.set(&block, Digest::of(text));
        }
        summary.tip = Some(tip);
        control.add_blocks(summary.blocks);
        control.add_hashes(summary.findings.hashes);
        Ok(summary)
    }
}

impl Head {
    fn of(index: u64, block: &Inspected<'_>) -> Self {
        Self {
            index,
            proof: block.proof.text().to_vec(),
            previous_hash: block.previous_hash.text().to_vec(),
        }
    }
}

impl Findings {
    /// Whether the verdict on the chain stands: nothing that follows can
    /// change what is wrong with it first.
    fn is_settled(&self, options: &VerifyOptions) -> bool {
        self.first.is_some()
            || options
                .candidates()
                .iter()
                .all(|rule| self.proofs[*rule as usize].is_some())
    }

    /// Checks how a block follows `tip`: the hash it quotes, then its proof
    /// under every rule that still holds.
    fn check_link(
        &mut self,
        tip: &Tip,
        index: u64,
        proof: &[u8],
        previous_hash: &[u8],
        options: &VerifyOptions,
    ) {
        let last = tip.last_block();
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
            let digest = rule.digest(&last, proof);
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

/// Brings the batches of a chain together, in order.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) blocks: u64,
    pub(super) transactions: u64,
    tip: Option<Tip>,
    findings: Findings,
}

impl Ledger {
    pub(super) fn add(&mut self, batch: BatchSummary, options: &VerifyOptions) {
        self.blocks += batch.blocks;
        self.transactions += batch.transactions;
        if let (Some(tip), Some(head)) = (&self.tip, &batch.head)
            && !self.findings.is_settled(options)
        {
            let Head {
                index,
                proof,
                previous_hash,
            } = head;
            self.findings
                .check_link(tip, *index, proof, previous_hash, options);
        }
        self.tip = batch.tip;
        if self.findings.is_settled(options) {
            return;
        }
        let Findings {
            first,
            proofs,
            hashes,
        } = batch.findings;
        self.findings.first = first;
        for (known, new) in self.findings.proofs.iter_mut().zip(proofs) {
            if known.is_none() {
                *known = new;
            }
        }
        self.findings.hashes += hashes;
    }

    /// The rule the chain follows, as far as it goes: the one that was asked
    /// for, or the first of those that hold the longest. `None` if no proof
    /// tells, or all rules fail alike.
    pub(super) fn rule(&self, options: &VerifyOptions) -> Option<Rule> {
        if options.rule.is_some() {
            return options.rule;
        }
        if self.findings.hashes == 0 {
            return None;
        }
        // No failure counts as the latest of all.
        let failed_at = |rule: Rule| {
            self.findings.proofs[rule as usize]
                .as_ref()
                .map_or(u64::MAX, |failure| failure.block)
        };
        let latest = Rule::ALL.into_iter().map(failed_at).max()?;
        if latest != u64::MAX && Rule::ALL.into_iter().all(|rule| failed_at(rule) == latest) {
            return None;
        }
        Rule::ALL
            .into_iter()
            .find(|rule| failed_at(*rule) == latest)
    }

    /// The first fault of the chain. `stated_length` is the canonical text of
    /// the file's `"length"`.
    pub(super) fn fault(
        &self,
        options: &VerifyOptions,
        stated_length: Option<&[u8]>,
    ) -> Option<Fault> {
        if self.blocks == 0 {
            return Some(Fault {
                block: 1,
                kind: FaultKind::Empty,
            });
        }
        [self.findings.first.clone(), self.proof_fault(options)]
            .into_iter()
            .flatten()
            .min_by_key(|fault| fault.block)
            .or_else(|| self.length_fault(stated_length?))
    }

    /// The fault there is once every rule that could hold has failed.
    fn proof_fault(&self, options: &VerifyOptions) -> Option<Fault> {
        let failures: Option<Vec<_>> = options
            .candidates()
            .iter()
            .map(|rule| Some((*rule, self.findings.proofs[*rule as usize].clone()?)))
            .collect();
        let failures = failures?;
        let block = failures.iter().map(|(_, failure)| failure.block).max()?;
        let last: Vec<_> = failures
            .into_iter()
            .filter(|(_, failure)| failure.block == block)
            .collect();
        let found = last.first()?.1.proof.clone();
        let digests = last
            .into_iter()
            .map(|(rule, failure)| (rule, failure.digest))
            .collect();
        let kind = FaultKind::Proof {
            found,
            digests,
            target: options.target,
        };
        Some(Fault { block, kind })
    }

    fn length_fault(&self, stated: &[u8]) -> Option<Fault> {
        let text = std::str::from_utf8(stated).expect("canonical text is ASCII");
        let number: Option<u64> = text.parse().ok();
        if number == Some(self.blocks) {
            return None;
        }
        let kind = FaultKind::Length {
            found: View::of(stated).excerpt(),
            expected: self.blocks,
        };
        // A length that is no count points past the end.
        let block = number.unwrap_or(u64::MAX).min(self.blocks) + 1;
        Some(Fault { block, kind })
    }
}
