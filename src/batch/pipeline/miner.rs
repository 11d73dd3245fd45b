//! The mining stage: a proof for one block after another.

use std::collections::HashMap;

use crossbeam_channel::{Receiver, Sender};

use super::error::MineError;
use super::tip::Tip;
use super::{Body, Forged, Pending, receive};
use crate::batch::options::{MineOptions, ProofMemory};
use crate::batch::share::Hands;
use crate::chain::Transactions;
use crate::pow::{Control, LastBlock, Nonce, NonceRange, Rule};

/// The mining stage.
pub(super) struct Miner<'a, 'h> {
    options: &'a MineOptions,
    hands: &'a mut Hands<'h>,
    control: &'a Control,
    tip: Tip,
    /// The proof after each proof that was searched from, as far as it is
    /// remembered.
    known_proofs: HashMap<Nonce, Nonce>,
}

/// What the mining stage counted.
#[derive(Default)]
pub(super) struct Mined {
    pub(super) transactions: u64,
    pub(super) proofs_searched: u64,
    pub(super) hashes: u64,
    pub(super) hashes_needed: u64,
}

impl<'a, 'h> Miner<'a, 'h> {
    /// A miner of the block after `tip`, with the proofs that are known.
    pub(super) fn new(
        options: &'a MineOptions,
        hands: &'a mut Hands<'h>,
        control: &'a Control,
        tip: Tip,
        known_proofs: HashMap<Nonce, Nonce>,
    ) -> Self {
        Self {
            options,
            hands,
            control,
            tip,
            known_proofs,
        }
    }

    /// Mines what comes until the reader is done.
    pub(super) fn run(
        mut self,
        pending: &Receiver<Result<Pending, MineError>>,
        forged: Sender<Forged>,
    ) -> Result<Mined, MineError> {
        let mut mined = Mined::default();
        let mut done = Vec::new();
        while let Some(next) = receive(pending, self.control)? {
            let Pending { blocks, permit } = next?;
            let mut text_done = 0;
            for mut transactions in blocks {
                let proof = match self.known_proofs.get(&self.tip.proof) {
                    Some(proof) => *proof,
                    None => {
                        // A search may take long: what is done goes on.
                        self.control.add_text_done(std::mem::take(&mut text_done));
                        if !done.is_empty() {
                            let blocks = std::mem::take(&mut done);
                            let part = Forged {
                                blocks,
                                permit: None,
                            };
                            if forged.send(part).is_err() {
                                return Ok(mined);
                            }
                        }
                        if self.control.is_winding_down() {
                            return Err(MineError::Cancelled);
                        }
                        self.find_proof(&mut mined)?
                    }
                };
                text_done += transactions.text_bytes() as u64;
                mined.transactions += transactions.count() as u64;
                transactions.push_reward(&self.options.recipient);
                done.push((proof, self.forge(transactions, proof)));
            }
            self.control.add_text_done(text_done);
            let message = Forged {
                blocks: std::mem::take(&mut done),
                permit: Some(permit),
            };
            if forged.send(message).is_err() {
                break;
            }
        }
        Ok(mined)
    }

    fn forge(&mut self, transactions: Transactions, proof: Nonce) -> Body {
        let timestamp = self.options.clock.timestamp(self.tip.index + 1);
        match self.options.rule {
            Rule::LastProof => {
                // This rule's searches read the proof alone; the hash stage
                // knows the hash.
                self.tip.advance(proof, self.tip.hash);
                Body::Open {
                    timestamp,
                    transactions,
                }
            }
            Rule::PreviousHash | Rule::LastHash => {
                Body::Sealed(self.tip.append(timestamp, transactions, proof))
            }
        }
    }

    /// The proof of the block after the tip, and adds what it took to `mined`.
    fn find_proof(&mut self, mined: &mut Mined) -> Result<Nonce, MineError> {
        let &MineOptions {
            rule,
            target,
            proof_memory,
            ..
        } = self.options;
        let template = self.tip.with_last_block(|last| rule.template(last));
        let outcome =
            self.hands
                .searcher()?
                .find(&template, target, NonceRange::ALL, self.control)?;
        mined.proofs_searched += 1;
        mined.hashes += outcome.hashes;
        let block = self.tip.index + 1;
        let proof = outcome
            .hit
            .ok_or(MineError::NoProof { block, target })?
            .nonce;
        let is_satisfied = |last: &LastBlock<'_>| rule.is_satisfied(last, proof, target);
        if !self.tip.with_last_block(is_satisfied) {
            return Err(MineError::ProofRejected { block, proof, rule });
        }
        // All nonces from 0 to the proof; saturating, for the proof 2^64 - 1.
        mined.hashes_needed += proof.0.saturating_add(1);
        if proof_memory == ProofMemory::On && rule == Rule::LastProof {
            self.known_proofs.insert(self.tip.proof, proof);
        }
        Ok(proof)
    }
}
