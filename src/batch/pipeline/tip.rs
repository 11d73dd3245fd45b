//! The end of the chain that is being mined.

use crate::chain::{Block, PreviousHash, SealedBlock, Transactions};
use crate::pow::{LastBlock, Nonce};
use crate::sha256::Digest;

/// The end of the chain, as far as a stage knows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tip {
    pub(super) index: u64,
    pub(super) proof: Nonce,
    pub(super) previous_hash: PreviousHash,
    pub(super) hash: Digest,
}

impl Tip {
    /// Calls `f` with what the proof rules read.
    pub(super) fn with_last_block<T>(&self, f: impl FnOnce(&LastBlock<'_>) -> T) -> T {
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

    /// Appends a block: quotes the tip's hash in it, hashes it, and makes it
    /// the tip.
    pub(super) fn append(
        &mut self,
        timestamp: f64,
        transactions: Transactions,
        proof: Nonce,
    ) -> SealedBlock {
        let block = Block {
            index: self.index + 1,
            timestamp,
            transactions,
            proof,
            previous_hash: PreviousHash::Block(self.hash),
        };
        let sealed = block.seal();
        self.advance(proof, sealed.hash());
        sealed
    }

    pub(super) fn advance(&mut self, proof: Nonce, hash: Digest) {
        *self = Self {
            index: self.index + 1,
            proof,
            previous_hash: PreviousHash::Block(self.hash),
            hash,
        };
    }
}
