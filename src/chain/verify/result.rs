//! What is known about consecutive blocks of a chain: those of one batch, or of
//! all batches so far.

use super::fault::{Fault, FaultKind};
use super::link::{Link, PreviousBlock};
use super::{Report, VerifyOptions};
use crate::chain::file::Format;
use crate::chain::json::{Advance, View};
use crate::pow::{Rule, Target};
use crate::sha256::{Digest, digest_texts};

/// Messages up to this length are collected and hashed side by side.
const MAX_COLLECTED_BYTES: usize = 1 << 10;

#[derive(Debug, Default)]
pub(super) struct BatchResult {
    pub(super) first_index: u64,
    pub(super) blocks: u64,
    pub(super) transactions: u64,
    pub(super) rewards: u64,
    /// The text's extent, if the batch was a guess.
    pub(super) advance: Option<Advance>,
    /// The first block, if it is well formed. Its link is checked by
    /// [`Self::append`].
    pub(super) first: Option<OpenLink>,
    /// The last block, if nothing is wrong up to it.
    pub(super) last: Option<PreviousBlock<'static>>,
    /// The first fault that does not depend on the rule.
    pub(super) fault: Option<Fault>,
    /// For each rule, the first proof that does not satisfy it.
    pub(super) failures: [Option<ProofFailure>; Rule::ALL.len()],
    pub(super) hashes: u64,
}

#[derive(Debug)]
pub(super) struct OpenLink {
    /// `None` if the block is also the batch's last, which holds the proof: it
    /// may be 32 MiB of digits.
    pub(super) proof: Option<Vec<u8>>,
    /// Shortened if it is too long for a hash.
    pub(super) previous_hash: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct ProofFailure {
    block: u64,
    proof: String,
    digest: Digest,
}

impl BatchResult {
    pub(super) fn append(&mut self, next: Self, options: &VerifyOptions) {
        self.blocks += next.blocks;
        self.transactions += next.transactions;
        self.rewards += next.rewards;
        let last = self.last.take();
        if self.is_settled(options) {
            return;
        }
        if let (Some(last), Some(first)) = (&last, &next.first) {
            let own = next.last.as_ref().map(PreviousBlock::proof);
            let link = Link {
                last: last.as_last(),
                index: next.first_index,
                proof: first
                    .proof
                    .as_deref()
                    .or(own)
                    .expect("one of the two has it"),
                previous_hash: &first.previous_hash,
            };
            self.check_links(&[link], options);
            if self.is_settled(options) {
                return;
            }
        }
        self.last = next.last;
        self.fault = next.fault;
        for (failure, next) in self.failures.iter_mut().zip(next.failures) {
            *failure = failure.take().or(next);
        }
        self.hashes += next.hashes;
    }

    /// Whether no later block can change the first fault.
    pub(super) fn is_settled(&self, options: &VerifyOptions) -> bool {
        let has_failed = |rule: &Rule| self.failures[*rule as usize].is_some();
        self.fault.is_some() || options.candidates().iter().all(has_failed)
    }

    /// Checks consecutive links: the hash each block quotes, then its proof
    /// under every rule that has not failed yet.
    pub(super) fn check_links(&mut self, links: &[Link<'_>], options: &VerifyOptions) {
        // The first link alone often rules out all rules but one.
        let (first, others) = links.split_at(links.len().min(1));
        for links in [first, others] {
            if self.is_settled(options) {
                return;
            }
            let right = links.iter().take_while(|link| link.has_right_hash());
            let right = right.count();
            for rule in options.candidates() {
                self.check_proofs(&links[..right], *rule, options.target);
            }
            if let Some(link) = links.get(right)
                && !self.is_settled(options)
            {
                let found = View::of(link.quoted().unwrap_or(link.previous_hash)).excerpt();
                let kind = FaultKind::PreviousHash {
                    found,
                    expected: link.last.hash,
                };
                let block = link.index;
                self.fault = Some(Fault { block, kind });
            }
        }
    }

    fn check_proofs(&mut self, links: &[Link<'_>], rule: Rule, target: Target) {
        if self.failures[rule as usize].is_some() {
            return;
        }
        let is_short = |link: &&Link<'_>| link.message_length() <= MAX_COLLECTED_BYTES;
        let mut messages = Vec::new();
        let ranges: Vec<_> = (links.iter().filter(is_short))
            .map(|link| {
                let start = messages.len();
                rule.write_message(&link.last, link.proof, &mut messages);
                start..messages.len()
            })
            .collect();
        let texts: Vec<_> = ranges.into_iter().map(|range| &messages[range]).collect();
        let mut digests = Vec::with_capacity(texts.len());
        digest_texts(&texts, &mut digests);

        let mut digests = digests.into_iter();
        for link in links {
            let digest = (Some(link).filter(is_short))
                .and_then(|_| digests.next())
                .unwrap_or_else(|| rule.digest(&link.last, link.proof));
            self.hashes += 1;
            if !target.is_met_by(&digest) {
                self.failures[rule as usize] = Some(ProofFailure {
                    block: link.index,
                    proof: View::of(link.proof).excerpt(),
                    digest,
                });
                return;
            }
        }
    }

    /// The verdict on a whole chain. `stated_length` is the canonical text of
    /// the file's `"length"`.
    pub(super) fn report(
        &self,
        options: &VerifyOptions,
        format: Format,
        stated_length: Option<&[u8]>,
    ) -> Report {
        Report {
            rule: self.rule(options),
            format,
            blocks: self.blocks,
            transactions: self.transactions,
            rewards: self.rewards,
            fault: self.first_fault(options, stated_length),
        }
    }

    fn rule(&self, options: &VerifyOptions) -> Option<Rule> {
        if options.rule.is_some() || self.hashes == 0 {
            return options.rule;
        }
        // A rule that holds throughout counts as the last to fail.
        let failed_at = |rule: Rule| {
            let failure = self.failures[rule as usize].as_ref();
            failure.map_or(u64::MAX, |failure| failure.block)
        };
        let latest = Rule::ALL.into_iter().map(failed_at).max()?;
        let mut best = Rule::ALL.into_iter().filter(|it| failed_at(*it) == latest);
        let rule = best.next();
        let all_failed_at_once = latest != u64::MAX && best.count() + 1 == Rule::ALL.len();
        rule.filter(|_| !all_failed_at_once)
    }

    fn first_fault(&self, options: &VerifyOptions, stated_length: Option<&[u8]>) -> Option<Fault> {
        if self.blocks == 0 {
            let kind = FaultKind::Empty;
            return Some(Fault { block: 1, kind });
        }
        [self.fault.clone(), self.proof_fault(options)]
            .into_iter()
            .flatten()
            .min_by_key(|fault| fault.block)
            .or_else(|| self.length_fault(stated_length?))
    }

    fn proof_fault(&self, options: &VerifyOptions) -> Option<Fault> {
        let failure = |rule: &Rule| Some((*rule, self.failures[*rule as usize].as_ref()?));
        let failures: Option<Vec<_>> = options.candidates().iter().map(failure).collect();
        let mut failures = failures?;
        let block = failures.iter().map(|(_, failure)| failure.block).max()?;
        failures.retain(|(_, failure)| failure.block == block);
        let kind = FaultKind::Proof {
            found: failures.first()?.1.proof.clone(),
            digests: (failures.iter())
                .map(|(rule, failure)| (*rule, failure.digest))
                .collect(),
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
        // If the length is not a count, the fault is after the last block.
        let block = number.unwrap_or(u64::MAX).min(self.blocks) + 1;
        Some(Fault { block, kind })
    }
}
