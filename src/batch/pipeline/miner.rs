//! The mining stage: a proof for one block after another, and its text.

use std::collections::HashMap;

use super::error::MineError;
use super::tip::Tip;
use super::{Bundle, Sealed};
use crate::batch::options::{MineOptions, ProofMemory};
use crate::batch::share::Hands;
use crate::chain::{Block, Format, PreviousHash, Transactions};
use crate::pow::{Control, LastBlock, Nonce, NonceRange, Rule};

/// Larger buffers are not used again: among many small blocks, they would
/// hold memory for nothing.
const MOST_TRANSACTIONS_BYTES: usize = 16 << 10;

/// The mining stage.
pub(super) struct Miner<'a, 'h> {
    options: &'a MineOptions,
    format: Format,
    hands: &'a mut Hands<'h>,
    control: &'a Control,
    tip: Tip,
    /// The proof after each proof that was searched from, as far as it is
    /// remembered.
    known_proofs: HashMap<Nonce, Nonce>,
    mined: Mined,
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
        format: Format,
        hands: &'a mut Hands<'h>,
        control: &'a Control,
        tip: Tip,
        known_proofs: HashMap<Nonce, Nonce>,
    ) -> Self {
        Self {
            options,
            format,
            hands,
            control,
            tip,
            known_proofs,
            mined: Mined::default(),
        }
    }

    /// Mines the blocks of a bundle into its text. What is done before a search
    /// goes to `write`, for a search may take long.
    pub(super) fn mine(
        &mut self,
        bundle: &mut Bundle,
        write: impl Fn(&mut Sealed) -> Result<(), MineError>,
    ) -> Result<(), MineError> {
        let mut blocks = std::mem::take(&mut bundle.blocks);
        let mut text_done = 0;
        for transactions in &mut blocks {
            let proof = match self.known_proofs.get(&self.tip.proof) {
                Some(proof) => *proof,
                None => {
                    self.control.add_text_done(std::mem::take(&mut text_done));
                    write(&mut bundle.sealed)?;
                    if self.control.is_winding_down() {
                        return Err(MineError::Cancelled);
                    }
                    self.find_proof()?
                }
            };
            text_done += transactions.text_bytes() as u64;
            self.mined.transactions += transactions.count() as u64;
            self.seal(transactions, proof, &mut bundle.sealed);
        }
        self.control.add_text_done(text_done);
        blocks.retain(|spent| spent.buffer_bytes() <= MOST_TRANSACTIONS_BYTES);
        bundle.blocks = blocks;
        Ok(())
    }

    /// Completes the block after the tip, hashes it, and makes it the tip.
    fn seal(&mut self, transactions: &mut Transactions, proof: Nonce, sealed: &mut Sealed) {
        transactions.push_reward(&self.options.recipient);
        let index = self.tip.index + 1;
        let block = Block {
            index,
            timestamp: self.options.clock.timestamp(index),
            transactions: std::mem::take(transactions),
            proof,
            previous_hash: PreviousHash::Block(self.tip.hash),
        };
        let before = self.format.before_block(self.tip.index);
        sealed.text.extend_from_slice(before.as_bytes());
        let hash = block.append_to(&mut sealed.text);
        let after = self.format.after_block();
        sealed.text.extend_from_slice(after.as_bytes());
        sealed.ends.push(sealed.text.len());
        self.tip = Tip::of(&block, hash);
        *transactions = block.transactions;
    }

    /// The end of the chain, and what was counted.
    pub(super) fn into_parts(self) -> (Mined, Tip) {
        (self.mined, self.tip)
    }

    /// The proof of the block after the tip, and counts what it took.
    fn find_proof(&mut self) -> Result<Nonce, MineError> {
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
        self.mined.proofs_searched += 1;
        self.mined.hashes += outcome.hashes;
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
        self.mined.hashes_needed += proof.0.saturating_add(1);
        if proof_memory == ProofMemory::On && rule == Rule::LastProof {
            self.known_proofs.insert(self.tip.proof, proof);
        }
        Ok(proof)
    }
}
