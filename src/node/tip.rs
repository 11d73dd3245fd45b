//! The end of the chain.

use axum::body::Bytes;

use super::transaction_row::{ascii, decode_string};
use crate::chain::json::View;
use crate::chain::{Block, PreviousHash};
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

    /// Seals a block of ours, which is then the tip. Neither copies its text
    /// nor hashes it twice: it may be 30 MiB, and everybody waits.
    pub(super) fn of_block(block: Block) -> Self {
        let Block {
            index,
            proof,
            previous_hash,
            ..
        } = block;
        let sealed = block.seal();
        let hash = sealed.hash();
        let (buffer, start) = sealed.into_buffer();
        Self {
            index,
            hash,
            text: Bytes::from(buffer).slice(start..),
            proof: proof.to_string(),
            previous_hash: previous_hash.to_string(),
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::Transactions;
    use crate::pow::Nonce;

    #[test]
    fn a_block_of_ours_is_the_tip_that_its_text_is() {
        let mut transactions = Transactions::new();
        transactions.push_reward("me");
        for previous_hash in [
            PreviousHash::Genesis,
            PreviousHash::Block(Digest::of(b"before")),
        ] {
            let tip = Tip::of_block(Block {
                index: 7,
                timestamp: 1795354844.463634,
                transactions: transactions.clone(),
                proof: Nonce(35293),
                previous_hash,
            });
            assert_eq!(Tip::of_text(tip.text.to_vec()), Some(tip));
        }
    }
}
