//! Blocks in the two spellings that programs really export, at full speed.
//!
//! Nearly every block comes from this program, which writes canonical text,
//! or from Flask, whose text differs from it only in the spaces after `,` and
//! `:`. Both have just the known keys, in order. Such a block is checked in
//! one pass that compares whole literals; a canonical one is then hashed as
//! it lies. Whatever looks different in any way is left to the transcoder,
//! which decides about every fault: this code only ever accepts.

use super::inspect::Inspected;
use crate::chain::json::{View, canonical_number, canonical_string};

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
pub(super) struct Known<'a> {
    pub(super) block: Inspected<'a>,
    /// Its canonical text.
    pub(super) text: &'a [u8],
}

/// Recognizes the block `raw` if it is written in a known way and its index
/// is `index`. Its canonical text is `raw` itself, or is put into `buffer`.
pub(super) fn recognize<'a>(
    raw: &'a [u8],
    index: u64,
    buffer: &'a mut Vec<u8>,
) -> Option<Known<'a>> {
    if raw.starts_with(CANONICAL.index) {
        let block = Cursor::<true> {
            text: raw,
            position: 0,
            out: buffer,
        }
        .block(index)?;
        return Some(Known { block, text: raw });
    }
    buffer.clear();
    let block = Cursor::<false> {
        text: raw,
        position: 0,
        out: buffer,
    }
    .block(index)?;
    Some(Known {
        block,
        text: buffer,
    })
}

/// A place in the text of one block. `IS_CANONICAL` says which spelling is
/// expected; other text is respelled into `out`.
struct Cursor<'a, 'o, const IS_CANONICAL: bool> {
    text: &'a [u8],
    position: usize,
    out: &'o mut Vec<u8>,
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

impl<'a, const IS_CANONICAL: bool> Cursor<'a, '_, IS_CANONICAL> {
    fn block(mut self, index: u64) -> Option<Inspected<'a>> {
        literal!(self, index)?;
        let written = self.number()?;
        if written.text() != index.to_string().as_bytes() {
            return None;
        }
        literal!(self, previous_hash)?;
        let previous_hash = self.string()?;
        literal!(self, proof)?;
        let proof = self.number()?;
        if !proof.is_integer() {
            return None;
        }
        literal!(self, timestamp)?;
        self.number()?;
        literal!(self, transactions)?;
        let transactions = self.transactions()?;
        self.take(b"]}", b"]}")?;
        (self.position == self.text.len()).then_some(Inspected {
            proof,
            previous_hash,
            transactions,
        })
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

    fn number(&mut self) -> Option<View<'a>> {
        let length = canonical_number(&self.text[self.position..])?;
        Some(View::of(self.advance(length)))
    }

    /// A string whose opening quote was taken; the view includes it.
    fn string(&mut self) -> Option<View<'a>> {
        let length = canonical_string(&self.text[self.position..])?;
        let start = self.position - 1;
        self.advance(length);
        Some(View::of(&self.text[start..self.position]))
    }

    fn advance(&mut self, length: usize) -> &'a [u8] {
        let text = &self.text[self.position..self.position + length];
        self.position += length;
        self.copy(text);
        text
    }

    #[inline(always)]
    fn copy(&mut self, text: &[u8]) {
        if !IS_CANONICAL {
            self.out.extend_from_slice(text);
        }
    }
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
        let Some(known) = recognize(raw, 12, &mut buffer) else {
            return false;
        };
        let text = canonical(raw).expect("only JSON is recognized");
        assert_eq!(std::str::from_utf8(known.text), Ok(text.as_str()));
        let block = inspect(View::of(text.as_bytes()), 12, Strictness::Typed)
            .expect("only sound blocks are recognized");
        assert_eq!(block.proof, known.block.proof);
        assert_eq!(block.previous_hash, known.block.previous_hash);
        assert_eq!(block.transactions, known.block.transactions);
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
        assert!(recognize(BLOCK.as_bytes(), 13, &mut Vec::new()).is_none());
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
