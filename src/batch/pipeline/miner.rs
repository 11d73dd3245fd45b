//! The mining stage: a proof for one block after another, and its text.

use std::collections::HashMap;

use crossbeam_channel::{Receiver, Sender};

use super::error::MineError;
use super::tip::Tip;
use super::{Pending, Sealed, receive};
use crate::batch::budget::Permit;
use crate::batch::options::{MineOptions, ProofMemory};
use crate::batch::share::Hands;
use crate::chain::{Block, Format, PreviousHash, Transactions};
use crate::pow::{Control, LastBlock, Nonce, NonceRange, Rule};

/// Larger buffers are not used again: among many small blocks, they would
/// hold memory for nothing.
const MOST_TRANSACTIONS_BYTES: usize = 16 << 10;
const MOST_TEXT_BYTES: usize = 512 << 10;

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
    /// Blocks that were sealed, as they stand in the file, and their number.
    text: Vec<u8>,
    blocks: u64,
    spent: Spent,
    mined: Mined,
}

/// The ways of buffers that can be used again.
pub(super) struct Spent {
    /// To the reader: the transactions of blocks that were sealed.
    pub(super) transactions: Sender<Vec<Transactions>>,
    /// From the writer.
    pub(super) texts: Receiver<Vec<u8>>,
}

/// What the mining stage counted.
#[derive(Default)]
pub(super) struct Mined {
    pub(super) transactions: u64,
    pub(super) proofs_searched: u64,
    pub(super) hashes: u64,
    pub(super) hashes_needed: u64,
}

/// The writer has ended, for a reason that it knows.
struct WriterEnded;

impl<'a, 'h> Miner<'a, 'h> {
    /// A miner of the block after `tip`, with the proofs that are known.
    pub(super) fn new(
        options: &'a MineOptions,
        format: Format,
        hands: &'a mut Hands<'h>,
        control: &'a Control,
        tip: Tip,
        known_proofs: HashMap<Nonce, Nonce>,
        spent: Spent,
    ) -> Self {
        Self {
            options,
            format,
            hands,
            control,
            tip,
            known_proofs,
            text: Vec::new(),
            blocks: 0,
            spent,
            mined: Mined::default(),
        }
    }

    /// Mines what comes until the reader is done. Also returns the end of the
    /// chain.
    pub(super) fn run(
        mut self,
        pending: &Receiver<Result<Pending, MineError>>,
        sealed: Sender<Sealed>,
    ) -> Result<(Mined, Tip), MineError> {
        while let Some(next) = receive(pending, self.control)? {
            let Pending { mut blocks, permit } = next?;
            let mut text_done = 0;
            for transactions in &mut blocks {
                let proof = match self.known_proofs.get(&self.tip.proof) {
                    Some(proof) => *proof,
                    None => {
                        // A search may take long: what is done goes on.
                        self.control.add_text_done(std::mem::take(&mut text_done));
                        if self.blocks > 0 && self.hand_on(&sealed, None).is_err() {
                            return Ok((self.mined, self.tip));
                        }
                        if self.control.is_winding_down() {
                            return Err(MineError::Cancelled);
                        }
                        self.find_proof()?
                    }
                };
                text_done += transactions.text_bytes() as u64;
                self.mined.transactions += transactions.count() as u64;
                self.seal(transactions, proof);
            }
            blocks.retain(|spent| spent.buffer_bytes() <= MOST_TRANSACTIONS_BYTES);
            // If too many wait already, these are not needed.
            let _ = self.spent.transactions.try_send(blocks);
            self.control.add_text_done(text_done);
            if self.hand_on(&sealed, Some(permit)).is_err() {
                break;
            }
        }
        Ok((self.mined, self.tip))
    }

    /// Completes the block after the tip, hashes it, and makes it the tip.
    fn seal(&mut self, transactions: &mut Transactions, proof: Nonce) {
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
        self.text.extend_from_slice(before.as_bytes());
        let hash = block.append_to(&mut self.text);
        let after = self.format.after_block();
        self.text.extend_from_slice(after.as_bytes());
        self.blocks += 1;
        self.tip = Tip::of(&block, hash);
        *transactions = block.transactions;
    }

    /// Hands the blocks that were sealed to the writer.
    fn hand_on(
        &mut self,
        sealed: &Sender<Sealed>,
        permit: Option<Permit>,
    ) -> Result<(), WriterEnded> {
        let mut next = self.spent.texts.try_recv().unwrap_or_default();
        next.clear();
        next.shrink_to(MOST_TEXT_BYTES);
        let message = Sealed {
            text: std::mem::replace(&mut self.text, next),
            blocks: std::mem::take(&mut self.blocks),
            _permit: permit,
        };
        sealed.send(message).map_err(|_| WriterEnded)
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
