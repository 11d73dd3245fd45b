//! The end of the chain that is being mined.

use crate::chain::{Block, PreviousHash};
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

    /// The tip that `block`, which comes after this one, will be.
    pub(super) const fn of(block: &Block, hash: Digest) -> Self {
        Self {
            index: block.index,
            proof: block.proof,
            previous_hash: block.previous_hash,
            hash,
        }
    }
}
