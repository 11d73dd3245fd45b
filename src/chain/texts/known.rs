//! Blocks in the two spellings that programs really export, at full speed.
//!
//! Nearly every block comes from this program, which writes canonical text,
//! or from Flask, whose text differs from it only in the spaces after `,` and
//! `:`. Both have just the known keys, in order. Such a block is checked in
//! one pass that compares whole literals; a canonical one is then hashed as
//! it lies. Whatever looks different in any way is left to the transcoder,
//! which decides about every fault: this code only ever accepts.

use std::ops::Range;

use super::Parts;
use crate::chain::json::{MAX_VALUE_BYTES, View, canonical_number, canonical_string};

/// How a program writes the literal parts of a block.
struct Spelling {
    index: &'static [u8],
    previous_hash: &'static [u8],
    proof: &'static [u8],
    timestamp: &'static [u8],
    transactions: &'static [u8],
    amount: &'static [u8],
    recipient: &'static [u8],
    sender: &'static [u8],
    comma: &'static [u8],
}

/// As Python's `json.dumps` writes.
const CANONICAL: Spelling = Spelling {
    index: b"{\"index\": ",
    previous_hash: b", \"previous_hash\": \"",
    proof: b", \"proof\": ",
    timestamp: b", \"timestamp\": ",
    transactions: b", \"transactions\": [",
    amount: b"{\"amount\": ",
    recipient: b", \"recipient\": \"",
    sender: b", \"sender\": \"",
    comma: b", ",
};

/// As Flask's `jsonify` writes.
const COMPACT: Spelling = Spelling {
    index: b"{\"index\":",
    previous_hash: b",\"previous_hash\":\"",
    proof: b",\"proof\":",
    timestamp: b",\"timestamp\":",
    transactions: b",\"transactions\":[",
    amount: b"{\"amount\":",
    recipient: b",\"recipient\":\"",
    sender: b",\"sender\":\"",
    comma: b",",
};

/// A block that needs no transcoding.
pub(super) struct Known {
    /// Bytes it takes where it lies.
    pub(super) length: usize,
    /// Whether its canonical text is what lies there, or was appended to the
    /// buffer.
    pub(super) is_raw: bool,
    pub(super) parts: Parts,
}

/// Recognizes the block at the start of `text` if it is written in a known
/// way. Unless its text is canonical as it lies, that is appended to `buffer`;
/// what is appended before `None` is of no use.
pub(super) fn recognize(text: &[u8], buffer: &mut Vec<u8>) -> Option<Known> {
    let start = buffer.len();
    let is_raw = text.starts_with(CANONICAL.index);
    let (parts, length) = if is_raw {
        Cursor::<true>::new(text, buffer).block()?
    } else {
        Cursor::<false>::new(text, buffer).block()?
    };
    let canonical_length = if is_raw { length } else { buffer.len() - start };
    // As for any other spelling, it is the canonical text that counts.
    (canonical_length <= MAX_VALUE_BYTES).then_some(Known {
        length,
        is_raw,
        parts,
    })
}

/// A place in the text of one block. `IS_CANONICAL` says which spelling is
/// expected; other text is respelled into `out`.
struct Cursor<'a, 'o, const IS_CANONICAL: bool> {
    text: &'a [u8],
    position: usize,
    out: &'o mut Vec<u8>,
    /// Where in `out` the block starts.
    start: usize,
}

/// Takes a literal part, `None` if something else stands there.
macro_rules! literal {
    ($cursor:ident, $part:ident) => {
        if IS_CANONICAL {
            $cursor.take(CANONICAL.$part, CANONICAL.$part)
        } else {
            $cursor.take(COMPACT.$part, CANONICAL.$part)
        }
    };
}

impl<'a, 'o, const IS_CANONICAL: bool> Cursor<'a, 'o, IS_CANONICAL> {
    fn new(text: &'a [u8], out: &'o mut Vec<u8>) -> Self {
        Self {
            text,
            position: 0,
            start: out.len(),
            out,
        }
    }

    /// The block's parts and its length.
    fn block(mut self) -> Option<(Parts, usize)> {
        literal!(self, index)?;
        let digits = self.number()?;
        let index = whole_number(&self.text[self.position - digits.len()..self.position])?;
        literal!(self, previous_hash)?;
        let string = self.string()?;
        // The quote before it was taken as a part of the key.
        let previous_hash = string.start - 1..string.end;
        literal!(self, proof)?;
        let before = self.position;
        let proof = self.number()?;
        if !View::of(&self.text[before..self.position]).is_integer() {
            return None;
        }
        literal!(self, timestamp)?;
        self.number()?;
        literal!(self, transactions)?;
        let transactions = self.transactions()?;
        self.take(b"]}", b"]}")?;
        let parts = Parts {
            index,
            proof,
            previous_hash,
            transactions,
        };
        Some((parts, self.position))
    }

    fn transactions(&mut self) -> Option<u64> {
        let mut count = 0;
        if self.text.get(self.position) == Some(&b']') {
            return Some(count);
        }
        loop {
            literal!(self, amount)?;
            self.number()?;
            literal!(self, recipient)?;
            self.string()?;
            literal!(self, sender)?;
            self.string()?;
            self.take(b"}", b"}")?;
            count += 1;
            if self.text.get(self.position) == Some(&b']') {
                return Some(count);
            }
            literal!(self, comma)?;
        }
    }

    #[inline(always)]
    fn take(&mut self, found: &'static [u8], canonical: &'static [u8]) -> Option<()> {
        if !self.text[self.position..].starts_with(found) {
            return None;
        }
        self.position += found.len();
        self.copy(canonical);
        Some(())
    }

    /// A number, and where it stands in the canonical text.
    fn number(&mut self) -> Option<Range<usize>> {
        let length = canonical_number(&self.text[self.position..])?;
        Some(self.advance(length))
    }

    /// A string whose opening quote was taken.
    fn string(&mut self) -> Option<Range<usize>> {
        let length = canonical_string(&self.text[self.position..])?;
        Some(self.advance(length))
    }

    fn advance(&mut self, length: usize) -> Range<usize> {
        let text = &self.text[self.position..self.position + length];
        let start = match IS_CANONICAL {
            true => self.position,
            false => self.out.len() - self.start,
        };
        self.position += length;
        self.copy(text);
        start..start + length
    }

    #[inline(always)]
    fn copy(&mut self, text: &[u8]) {
        if !IS_CANONICAL {
            self.out.extend_from_slice(text);
        }
    }
}

/// The number that canonical digits stand for.
fn whole_number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0u64, |number, digit| {
        let value = digit.checked_sub(b'0').filter(|value| *value < 10)?;
        number.checked_mul(10)?.checked_add(value.into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::Strictness;
    use crate::chain::json::canonical;
    use crate::chain::verify::inspect::inspect;

    const BLOCK: &str = concat!(
        r#"{"index": 12, "previous_hash": "00ab", "proof": 35293, "timestamp": 1795354854.3924382, "#,
        r#""transactions": [{"amount": -2.5e-07, "recipient": "M\u00fcller \ud83d\ude00", "sender": "a\tb"}, "#,
        r#"{"amount": 1, "recipient": "a rather long name, { } [ ] : 12345678", "sender": "0"}]}"#,
    );

    /// What is recognized must be what the transcoder and the inspection say.
    fn recognized(raw: &[u8]) -> bool {
        let mut buffer = Vec::new();
        let known = recognize(raw, &mut buffer);
        let Some(known) = known.filter(|known| known.length == raw.len()) else {
            return false;
        };
        let found = if known.is_raw { raw } else { &buffer };
        let parts = &known.parts;
        let text = canonical(raw).expect("only JSON is recognized");
        assert_eq!(std::str::from_utf8(found), Ok(text.as_str()));
        let block = inspect(View::of(text.as_bytes()), parts.index, Strictness::Typed)
            .expect("only sound blocks are recognized");
        assert_eq!(block.proof.text(), &found[parts.proof.clone()]);
        let previous_hash = &found[parts.previous_hash.clone()];
        assert_eq!(block.previous_hash.text(), previous_hash);
        assert_eq!(block.transactions, parts.transactions);
        true
    }

    fn compact() -> String {
        let respelled = BLOCK
            .replace(", \"", ",\"")
            .replace("\": ", "\":")
            .replace("}, {", "},{");
        assert_eq!(canonical(respelled.as_bytes()).unwrap(), BLOCK);
        respelled
    }

    #[test]
    fn both_spellings_are_recognized_and_others_left_alone() {
        assert!(recognized(BLOCK.as_bytes()));
        assert!(recognized(compact().as_bytes()));
        let empty = BLOCK[..BLOCK.find('[').unwrap()].to_owned() + "[]}";
        assert!(recognized(empty.as_bytes()));
        assert!(!recognized(
            BLOCK.replace("\"index\": 12", "\"index\":12").as_bytes()
        ));
        assert!(!recognized(format!("{BLOCK} ").as_bytes()));
    }

    #[test]
    fn no_change_of_one_byte_is_recognized_for_something_else() {
        for original in [BLOCK.to_owned(), compact()] {
            let mut text = original.clone().into_bytes();
            let mut recognitions = 0;
            for place in 0..text.len() {
                for replacement in (0..=255).filter(|byte| *byte != original.as_bytes()[place]) {
                    text[place] = replacement;
                    recognitions += usize::from(recognized(&text));
                }
                text[place] = original.as_bytes()[place];
            }
            assert!(recognitions > 0, "a changed name is still a block");
            for length in 0..text.len() {
                assert!(!recognized(&text[..length]));
            }
        }
    }
}
