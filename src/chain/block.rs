//! The blocks that a miner makes.

use std::fmt;

use super::json::write_float;
use super::transaction::{HEAD_ROOM, Transactions};
use crate::pow::Nonce;
use crate::sha256::Digest;

/// The `previous_hash` of a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PreviousHash {
    /// The text `1`, in the first block.
    Genesis,
    /// The hash of the block before, in all others.
    Block(Digest),
}

impl PreviousHash {
    pub(crate) fn with_text<T>(&self, f: impl FnOnce(&[u8]) -> T) -> T {
        match self {
            Self::Genesis => f(b"1"),
            Self::Block(hash) => f(&hash.to_hex()),
        }
    }
}

impl fmt::Display for PreviousHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Genesis => f.pad("1"),
            Self::Block(hash) => hash.fmt(f),
        }
    }
}

const TAIL: &[u8] = b"]}";

/// One block of the chain.
///
/// ```
/// use fourzero::chain::Block;
///
/// let genesis = Block::genesis(1700000000.0);
/// assert_eq!(
///     genesis.seal().text(),
///     r#"{"index": 1, "previous_hash": "1", "proof": 100, "timestamp": 1700000000.0, "transactions": []}"#,
/// );
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct Block {
    /// Its place in the chain, counted from 1.
    pub index: u64,
    /// Seconds since the epoch; must be finite.
    pub timestamp: f64,
    /// Its transactions, the miner's reward last.
    pub transactions: Transactions,
    /// The proof of work.
    pub proof: Nonce,
    /// The link to the block before it.
    pub previous_hash: PreviousHash,
}

impl Block {
    /// The first block of every chain: proof 100 and no transactions.
    pub fn genesis(timestamp: f64) -> Self {
        Self {
            index: 1,
            timestamp,
            transactions: Transactions::new(),
            proof: Nonce(100),
            previous_hash: PreviousHash::Genesis,
        }
    }

    /// Writes the block's canonical text and hashes it.
    pub fn seal(self) -> SealedBlock {
        let mut head = Vec::with_capacity(HEAD_ROOM);
        self.write_head(&mut head);
        let mut text = self.transactions.into_text_with_room();
        let start = HEAD_ROOM - head.len();
        text[start..HEAD_ROOM].copy_from_slice(&head);
        text.extend_from_slice(TAIL);
        let hash = Digest::of(&text[start..]);
        SealedBlock { text, start, hash }
    }

    /// Appends the block's canonical text to `out`, and returns its hash.
    pub(crate) fn append_to(&self, out: &mut Vec<u8>) -> Digest {
        let start = out.len();
        self.write_head(out);
        out.extend_from_slice(self.transactions.text());
        out.extend_from_slice(TAIL);
        Digest::of(&out[start..])
    }

    fn write_head(&self, out: &mut Vec<u8>) {
        let mut integer = itoa::Buffer::new();
        out.extend_from_slice(b"{\"index\": ");
        out.extend_from_slice(integer.format(self.index).as_bytes());
        out.extend_from_slice(b", \"previous_hash\": \"");
        (self.previous_hash).with_text(|hash| out.extend_from_slice(hash));
        out.extend_from_slice(b"\", \"proof\": ");
        out.extend_from_slice(integer.format(self.proof.0).as_bytes());
        out.extend_from_slice(b", \"timestamp\": ");
        write_float(self.timestamp, out);
        out.extend_from_slice(b", \"transactions\": [");
    }
}

/// A block's canonical text and its hash.
#[derive(Clone, Debug)]
pub struct SealedBlock {
    /// Unused bytes, then the block.
    text: Vec<u8>,
    start: usize,
    hash: Digest,
}

impl SealedBlock {
    /// What Python's `json.dumps(block, sort_keys=True)` writes.
    pub fn text(&self) -> &str {
        std::str::from_utf8(self.bytes()).expect("canonical text is ASCII")
    }

    /// The SHA-256 of that text.
    pub const fn hash(&self) -> Digest {
        self.hash
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.text[self.start..]
    }

    /// The buffer that holds the text, and where the text starts in it. This
    /// avoids a copy of a large block.
    #[cfg(feature = "node")]
    pub(crate) fn into_buffer(self) -> (Vec<u8>, usize) {
        (self.text, self.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::Strictness;
    use crate::chain::json::canonical;

    #[test]
    fn the_longest_head_fits_before_the_text() {
        let block = Block {
            index: u64::MAX,
            timestamp: -1.2345678901234567e-308,
            transactions: Transactions::new(),
            proof: Nonce(u64::MAX),
            previous_hash: PreviousHash::Block(Digest::of(b"")),
        };
        let sealed = block.seal();
        assert_eq!(canonical(sealed.text().as_bytes()).unwrap(), sealed.text());
    }

    #[test]
    fn a_sealed_block_is_canonical_and_has_the_hash_of_its_text() {
        let mut transactions = Transactions::new();
        let text = br#"{"sender":"\u00e9","recipient":"tab\t","amount":1e-5}"#;
        transactions.push_json(text, Strictness::Presence).unwrap();
        transactions.push_reward("me \"quoted\"");
        let block = Block {
            index: 7,
            timestamp: 1795354844.463634,
            transactions,
            proof: Nonce(35293),
            previous_hash: PreviousHash::Block(Digest::of(b"before")),
        };
        let mut text = b"before".to_vec();
        let hash = block.append_to(&mut text);
        let sealed = block.seal();
        assert_eq!(canonical(sealed.text().as_bytes()).unwrap(), sealed.text());
        assert_eq!(sealed.hash(), Digest::of(sealed.text().as_bytes()));
        assert_eq!(text, [b"before", sealed.bytes()].concat());
        assert_eq!(hash, sealed.hash());
    }
}
