//! The mining stage: finds the proof of one block after another, and completes
//! its text.

use std::collections::HashMap;

use super::error::MineError;
use super::{Bundle, ChainText};
use crate::batch::options::MineOptions;
use crate::batch::thread_shares::SearchThreads;
use crate::chain::{Block, Format, PreviousHash, Transactions};
use crate::pow::{Control, LastBlock, Nonce, NonceRange};
use crate::sha256::Digest;

/// Larger buffers are freed after use: many small blocks would otherwise keep
/// a lot of memory.
const MAX_KEPT_TRANSACTIONS_BYTES: usize = 16 << 10;

/// The last block of the chain so far.
#[derive(Clone, Copy, Debug)]
pub(in crate::batch) struct ChainTip {
    pub(in crate::batch) index: u64,
    pub(in crate::batch) proof: Nonce,
    pub(in crate::batch) previous_hash: PreviousHash,
    pub(in crate::batch) hash: Digest,
}

impl ChainTip {
    pub(in crate::batch) const fn new(block: &Block, hash: Digest) -> Self {
        Self {
            index: block.index,
            proof: block.proof,
            previous_hash: block.previous_hash,
            hash,
        }
    }

    /// Calls `f` with the fields that the proof rules need.
    pub(in crate::batch) fn with_last_block<T>(&self, f: impl FnOnce(&LastBlock<'_>) -> T) -> T {
        let mut proof = itoa::Buffer::new();
        let proof = proof.format(self.proof.0).as_bytes();
        let hash = self.hash;
        self.previous_hash.with_text(|previous_hash| {
            f(&LastBlock {
                proof,
                previous_hash,
                hash,
            })
        })
    }
}

/// A chain that further blocks are mined onto.
#[derive(Debug)]
pub(in crate::batch) struct MinedChain {
    pub(in crate::batch) tip: ChainTip,
    /// Transactions in it, without the rewards.
    pub(in crate::batch) transactions: u64,
    /// Maps a proof to the next one, if proofs are remembered.
    pub(in crate::batch) known_proofs: HashMap<Nonce, Nonce>,
}

impl MinedChain {
    pub(in crate::batch) fn new(tip: ChainTip) -> Self {
        Self {
            tip,
            transactions: 0,
            known_proofs: HashMap::new(),
        }
    }
}

/// The mining stage.
pub(super) struct BlockMiner<'a, 't> {
    pub(super) options: &'a MineOptions,
    pub(super) format: Format,
    pub(super) threads: &'a mut SearchThreads<'t>,
    pub(super) control: &'a Control,
    pub(super) chain: MinedChain,
    pub(super) proofs_searched: u64,
    pub(super) hashes: u64,
    pub(super) hashes_needed: u64,
}

impl BlockMiner<'_, '_> {
    /// Mines the blocks of a bundle. Calls `write` with the text so far before
    /// each search, because a search may take long.
    pub(super) fn mine(
        &mut self,
        bundle: &mut Bundle,
        write: impl Fn(&mut ChainText) -> Result<(), MineError>,
    ) -> Result<(), MineError> {
        let mut blocks = std::mem::take(&mut bundle.blocks);
        let mut text_done = 0;
        for transactions in &mut blocks {
            let proof = match self.chain.known_proofs.get(&self.chain.tip.proof) {
                Some(proof) => *proof,
                None => {
                    self.control.add_text_done(std::mem::take(&mut text_done));
                    write(&mut bundle.mined)?;
                    if self.control.is_winding_down() {
                        return Err(MineError::Cancelled);
                    }
                    self.find_proof()?
                }
            };
            text_done += transactions.text_bytes() as u64;
            self.chain.transactions += transactions.count() as u64;
            self.append_block(transactions, proof, &mut bundle.mined);
        }
        self.control.add_text_done(text_done);
        blocks.retain(|used| used.buffer_bytes() <= MAX_KEPT_TRANSACTIONS_BYTES);
        bundle.blocks = blocks;
        Ok(())
    }

    /// Makes a block of `transactions` and `proof` the tip, and adds its text.
    fn append_block(
        &mut self,
        transactions: &mut Transactions,
        proof: Nonce,
        mined: &mut ChainText,
    ) {
        transactions.push_reward(&self.options.recipient);
        let index = self.chain.tip.index + 1;
        let block = Block {
            index,
            timestamp: self.options.clock.timestamp(index),
            transactions: std::mem::take(transactions),
            proof,
            previous_hash: PreviousHash::Block(self.chain.tip.hash),
        };
        let hash = mined.push(&block, self.format);
        self.chain.tip = ChainTip::new(&block, hash);
        *transactions = block.transactions;
    }

    /// Searches the proof of the block after the tip.
    fn find_proof(&mut self) -> Result<Nonce, MineError> {
        let &MineOptions { rule, target, .. } = self.options;
        let tip = self.chain.tip;
        let block = tip.index + 1;
        let template = tip.with_last_block(|last| rule.template(last));
        let searcher = self.threads.searcher()?;
        let outcome = searcher.find(&template, target, NonceRange::ALL, self.control)?;
        self.proofs_searched += 1;
        self.hashes += outcome.hashes;
        let hit = outcome.hit.ok_or(MineError::NoProof { block, target })?;
        let proof = hit.nonce;
        if !tip.with_last_block(|last| rule.is_satisfied(last, proof, target)) {
            return Err(MineError::ProofRejected { block, proof, rule });
        }
        // All nonces from 0 to the proof; saturating, for the proof 2^64 - 1.
        self.hashes_needed += proof.0.saturating_add(1);
        if self.options.remembers_proofs() {
            self.chain.known_proofs.insert(tip.proof, proof);
        }
        Ok(proof)
    }
}
