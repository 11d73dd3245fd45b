//! The end of the chain.

use axum::body::Bytes;

use super::entry::{ascii, decode_string};
use crate::chain::json::View;
use crate::chain::{PreviousHash, SealedBlock};
use crate::pow::{LastBlock, Rule, Template};
use crate::sha256::Digest;

/// The last block, and what of it the next one needs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Tip {
    /// Its index: the number of blocks.
    pub(super) index: u64,
    /// The hash of its canonical text.
    pub(super) hash: Digest,
    /// That text.
    pub(super) text: Bytes,
    /// Its proof in decimal; a Python node's may be of any length.
    pub(super) proof: String,
    /// Its `previous_hash`, as Python's `str` gives it.
    pub(super) previous_hash: String,
}

impl Tip {
    /// Reads a block's canonical text; `None` if it is no block.
    pub(super) fn of_text(text: Vec<u8>) -> Option<Self> {
        let block = View::of(&text);
        let field = |name: &str| {
            block
                .members()
                .find(|(key, _)| *key == name.as_bytes())
                .map(|(_, value)| value)
        };
        let index = ascii(field("index")?.text()).parse().ok()?;
        let proof = ascii(field("proof")?.text()).to_owned();
        let quoted = field("previous_hash")?;
        let previous_hash = match quoted.string() {
            Some(_) => decode_string(quoted),
            None => ascii(quoted.text()).to_owned(),
        };
        let hash = Digest::of(&text);
        Some(Self {
            index,
            hash,
            text: text.into(),
            proof,
            previous_hash,
        })
    }

    /// The tip that a block of ours is.
    pub(super) fn of_block(block: &SealedBlock) -> Self {
        Self::of_text(block.text().as_bytes().to_vec()).expect("our own block reads back")
    }

    /// What the rules read of it.
    pub(super) fn with_last_block<T>(&self, read: impl FnOnce(&LastBlock<'_>) -> T) -> T {
        read(&LastBlock {
            proof: self.proof.as_bytes(),
            previous_hash: self.previous_hash.as_bytes(),
            hash: self.hash,
        })
    }

    /// What to search for the block after it.
    pub(super) fn template(&self, rule: Rule) -> Template {
        self.with_last_block(|last| rule.template(last))
    }

    /// How the block after it quotes it.
    pub(super) const fn quoted(&self) -> PreviousHash {
        PreviousHash::Block(self.hash)
    }
}
