//! The last block of the chain.

use axum::body::Bytes;

use super::transaction_row::{ascii, decode_string};
use crate::chain::json::View;
use crate::chain::{Block, PreviousHash};
use crate::pow::{LastBlock, Rule, Template};
use crate::sha256::Digest;

/// The last block of the chain, with the fields that the next block needs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct TipBlock {
    /// Also the number of blocks.
    pub(super) index: u64,
    /// The hash of `text`.
    pub(super) hash: Digest,
    /// The canonical text.
    pub(super) text: Bytes,
    /// The same bytes and a line break, as they are sent.
    pub(super) line: Bytes,
    /// In decimal. A Python node's proof may have any length.
    pub(super) proof: String,
    /// As Python's `str` writes it.
    pub(super) previous_hash: String,
}

impl TipBlock {
    /// Reads the canonical text of a block; `None` if a field is missing.
    pub(super) fn of_text(mut text: Vec<u8>) -> Option<Self> {
        let block = View::of(&text);
        let index = ascii(member(block, "index")?.text()).parse().ok()?;
        let proof = ascii(member(block, "proof")?.text()).to_owned();
        let quoted = member(block, "previous_hash")?;
        let previous_hash = match quoted.string() {
            Some(_) => decode_string(quoted),
            None => ascii(quoted.text()).to_owned(),
        };
        let hash = Digest::of(&text);
        text.push(b'\n');
        let line = Bytes::from(text);
        Some(Self {
            index,
            hash,
            text: line.slice(..line.len() - 1),
            line,
            proof,
            previous_hash,
        })
    }

    /// Seals a block made by this node. Its text may be 30 MiB, so it is not
    /// copied and hashed only once.
    pub(super) fn of_block(block: Block) -> Self {
        let Block {
            index,
            proof,
            previous_hash,
            ..
        } = block;
        let sealed = block.seal();
        let hash = sealed.hash();
        let (mut buffer, start) = sealed.into_buffer();
        buffer.push(b'\n');
        let line = Bytes::from(buffer).slice(start..);
        Self {
            index,
            hash,
            text: line.slice(..line.len() - 1),
            line,
            proof: proof.to_string(),
            previous_hash: previous_hash.to_string(),
        }
    }

    /// Passes on what the proof rules read.
    pub(super) fn with_last_block<T>(&self, read: impl FnOnce(&LastBlock<'_>) -> T) -> T {
        read(&LastBlock {
            proof: self.proof.as_bytes(),
            previous_hash: self.previous_hash.as_bytes(),
            hash: self.hash,
        })
    }

    /// What to search for to mine the next block.
    pub(super) fn template(&self, rule: Rule) -> Template {
        self.with_last_block(|last| rule.template(last))
    }

    /// The `previous_hash` of the next block.
    pub(super) const fn quoted(&self) -> PreviousHash {
        PreviousHash::Block(self.hash)
    }
}

/// The value of a key in a canonical object.
pub(super) fn member<'a>(object: View<'a>, name: &str) -> Option<View<'a>> {
    object
        .members()
        .find(|(key, _)| *key == name.as_bytes())
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::Transactions;
    use crate::pow::Nonce;

    #[test]
    fn a_sealed_block_equals_its_text_read_back() {
        let mut transactions = Transactions::new();
        transactions.push_reward("me");
        for previous_hash in [
            PreviousHash::Genesis,
            PreviousHash::Block(Digest::of(b"before")),
        ] {
            let tip = TipBlock::of_block(Block {
                index: 7,
                timestamp: 1795354844.463634,
                transactions: transactions.clone(),
                proof: Nonce(35293),
                previous_hash,
            });
            assert_eq!(TipBlock::of_text(tip.text.to_vec()), Some(tip));
        }
    }
}
