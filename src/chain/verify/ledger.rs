//! Bringing the batches of a chain together, in order.

use super::VerifyOptions;
use super::fault::{Fault, FaultKind};
use super::findings::{Findings, Link};
use super::inspect::Tip;
use super::worker::Summary;
use crate::chain::json::View;
use crate::pow::Rule;

/// Brings the batches of a chain together, in order.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) blocks: u64,
    pub(super) transactions: u64,
    tip: Option<Tip<'static>>,
    findings: Findings,
}

impl Ledger {
    pub(super) fn add(&mut self, batch: Summary, options: &VerifyOptions) {
        self.blocks += batch.blocks;
        self.transactions += batch.transactions;
        if let (Some(tip), Some(head)) = (&self.tip, &batch.head)
            && !self.findings.is_settled(options)
        {
            let own = batch.tip.as_ref().map(Tip::proof);
            let link = Link {
                last: tip.block(),
                index: head.index,
                proof: head.proof.as_deref().or(own).expect("one of both has it"),
                previous_hash: &head.previous_hash,
            };
            self.findings.check_links(&[link], options);
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
