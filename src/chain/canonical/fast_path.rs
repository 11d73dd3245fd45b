//! Blocks as this program and Flask write them, at full speed.
//!
//! Nearly every block comes from this program, which writes canonical text, or
//! from Flask, whose text lacks only the spaces after `,` and `:`. Both write
//! just the standard keys, in order. One pass compares whole literals; a
//! canonical block can then be hashed in place. This code only ever accepts:
//! all other text is left to the transcoder, which finds the errors.

use std::ops::Range;

use super::BlockFields;
use crate::chain::json::{MAX_VALUE_BYTES, View, canonical_number, canonical_string};
use crate::chain::transaction::{Strictness, is_blank, is_positive};

/// Recognizes the block at the start of `text`, and returns its fields and the
/// length of its raw text. Its transactions are as `strictness` requires.
/// Appends the canonical text to `buffer`, unless the raw text is canonical. On
/// `None`, `buffer` may hold a part of it.
pub(super) fn recognize(
    text: &[u8],
    strictness: Strictness,
    buffer: &mut Vec<u8>,
) -> Option<(BlockFields, usize)> {
    let start = buffer.len();
    let is_raw = text.starts_with(b"{\"index\": ");
    let (fields, length) = match (is_raw, strictness) {
        (true, Strictness::Presence) => Cursor::<true, false>::new(text, buffer).block()?,
        (true, Strictness::Strict) => Cursor::<true, true>::new(text, buffer).block()?,
        (false, Strictness::Presence) => Cursor::<false, false>::new(text, buffer).block()?,
        (false, Strictness::Strict) => Cursor::<false, true>::new(text, buffer).block()?,
    };
    // The limit is for the canonical text, which for Flask is the longer one.
    let canonical_length = if is_raw { length } else { buffer.len() - start };
    (canonical_length <= MAX_VALUE_BYTES).then_some((fields, length))
}

/// A position in the text of one block. Unless the text `IS_CANONICAL`, its
/// canonical form is appended to `out`.
struct Cursor<'a, 'o, const IS_CANONICAL: bool, const IS_STRICT: bool> {
    text: &'a [u8],
    position: usize,
    out: &'o mut Vec<u8>,
    /// Where in `out` the block starts.
    start: usize,
}

/// Takes the literals, which canonical text separates by spaces. `None` if
/// something else is there.
macro_rules! take {
    ($cursor:ident, $first:literal $(, $next:literal)*) => {{
        let canonical = concat!($first $(, " ", $next)*).as_bytes();
        let compact = concat!($first $(, $next)*).as_bytes();
        $cursor.take(if IS_CANONICAL { canonical } else { compact }, canonical)
    }};
}

impl<'a, 'o, const IS_CANONICAL: bool, const IS_STRICT: bool>
    Cursor<'a, 'o, IS_CANONICAL, IS_STRICT>
{
    fn new(text: &'a [u8], out: &'o mut Vec<u8>) -> Self {
        Self {
            text,
            position: 0,
            start: out.len(),
            out,
        }
    }

    fn block(mut self) -> Option<(BlockFields, usize)> {
        take!(self, r#"{"index":"#, "")?;
        let digits = self.number()?;
        let digits = &self.text[self.position - digits.len()..self.position];
        let index = whole_number(digits)?;
        take!(self, ",", r#""previous_hash":"#, r#"""#)?;
        let string = self.string()?;
        // The opening quote was taken with the key.
        let previous_hash = string.start - 1..string.end;
        take!(self, ",", r#""proof":"#, "")?;
        let before = self.position;
        let proof = self.number()?;
        if !View::of(&self.text[before..self.position]).is_integer() {
            return None;
        }
        take!(self, ",", r#""timestamp":"#, "")?;
        self.number()?;
        take!(self, ",", r#""transactions":"#, "[")?;
        let (transactions, rewards) = self.transactions()?;
        take!(self, "]}")?;
        let fields = BlockFields {
            index,
            proof,
            previous_hash,
            transactions,
            rewards,
        };
        Some((fields, self.position))
    }

    /// Returns how many there are, and how many of them are rewards.
    fn transactions(&mut self) -> Option<(u64, u64)> {
        let (mut count, mut rewards) = (0, 0);
        if self.text.get(self.position) == Some(&b']') {
            return Some((count, rewards));
        }
        loop {
            take!(self, r#"{"amount":"#, "")?;
            self.amount()?;
            take!(self, ",", r#""recipient":"#, r#"""#)?;
            self.name()?;
            take!(self, ",", r#""sender":"#, r#"""#)?;
            let sender = self.position;
            self.name()?;
            rewards += u64::from(self.text[sender..self.position] == *b"0\"");
            take!(self, "}")?;
            count += 1;
            if self.text.get(self.position) == Some(&b']') {
                return Some((count, rewards));
            }
            take!(self, ",", "")?;
        }
    }

    #[inline(always)]
    fn amount(&mut self) -> Option<()> {
        let start = self.position;
        self.number()?;
        (!IS_STRICT || is_positive(&self.text[start..self.position])).then_some(())
    }

    /// Takes a sender or recipient whose opening quote was taken.
    #[inline(always)]
    fn name(&mut self) -> Option<()> {
        let start = self.position;
        self.string()?;
        (!IS_STRICT || !is_blank(&self.text[start..self.position - 1])).then_some(())
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

    /// Takes a number, and returns its range in the canonical text.
    fn number(&mut self) -> Option<Range<usize>> {
        let length = canonical_number(&self.text[self.position..])?;
        Some(self.advance(length))
    }

    /// The same for a string whose opening quote was taken.
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

/// The number with these digits.
fn whole_number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0u64, |number, digit| {
        let value = digit.checked_sub(b'0').filter(|value| *value < 10)?;
        number.checked_mul(10)?.checked_add(value.into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::json::canonical;
    use crate::chain::verify::check_block;

    const BLOCK: &str = concat!(
        r#"{"index": 12, "previous_hash": "00ab", "proof": 35293, "timestamp": 1795354854.3924382, "#,
        r#""transactions": [{"amount": 2.5e-07, "recipient": "M\u00fcller \ud83d\ude00", "sender": "a\tb"}, "#,
        r#"{"amount": 1, "recipient": "a rather long name, { } [ ] : 12345678", "sender": "0"}]}"#,
    );

    /// Whether `raw` is recognized, which must not depend on the strictness if
    /// the slow check of its text does not. If so, the result must be that of
    /// the transcoder and the slow check.
    fn is_recognized(raw: &[u8]) -> bool {
        let is_recognized = is_recognized_as(raw, Strictness::Presence);
        let is_strict = canonical(raw).is_ok_and(|text| {
            check_block(View::of(text.as_bytes()), 12, Strictness::Strict).is_ok()
        });
        let is_recognized_as_strict = is_recognized_as(raw, Strictness::Strict);
        if is_strict {
            assert_eq!(is_recognized_as_strict, is_recognized);
        }
        is_recognized
    }

    fn is_recognized_as(raw: &[u8], strictness: Strictness) -> bool {
        let mut buffer = Vec::new();
        let found = recognize(raw, strictness, &mut buffer);
        let Some((fields, _)) = found.filter(|(_, length)| *length == raw.len()) else {
            return false;
        };
        let found = if buffer.is_empty() { raw } else { &buffer };
        let text = canonical(raw).expect("only JSON is recognized");
        assert_eq!(std::str::from_utf8(found), Ok(text.as_str()));
        let checked = check_block(View::of(found), fields.index, strictness)
            .expect("only well-formed blocks are recognized");
        assert_eq!(checked, fields);
        true
    }

    fn compact() -> String {
        let compact = BLOCK
            .replace(", \"", ",\"")
            .replace("\": ", "\":")
            .replace("}, {", "},{");
        assert_eq!(canonical(compact.as_bytes()).unwrap(), BLOCK);
        compact
    }

    #[test]
    fn canonical_and_compact_text_is_recognized_and_no_other() {
        assert!(is_recognized(BLOCK.as_bytes()));
        assert!(is_recognized(compact().as_bytes()));
        let empty = BLOCK[..BLOCK.find('[').unwrap()].to_owned() + "[]}";
        assert!(is_recognized(empty.as_bytes()));
        assert!(!is_recognized(
            BLOCK.replace("\"index\": 12", "\"index\":12").as_bytes()
        ));
        assert!(!is_recognized(format!("{BLOCK} ").as_bytes()));
        for (fine, odd) in [
            ("2.5e-07", "-2.5e-07"),
            ("2.5e-07", "0.0"),
            ("\"amount\": 1,", "\"amount\": 0,"),
            ("a\\tb", ""),
            ("M\\u00fcller \\ud83d\\ude00", " \\u2003"),
        ] {
            let odd = BLOCK.replacen(fine, odd, 1);
            assert!(is_recognized(odd.as_bytes()), "{odd}");
            assert!(
                !is_recognized_as(odd.as_bytes(), Strictness::Strict),
                "{odd}"
            );
        }
    }

    #[test]
    fn a_block_with_one_changed_byte_is_never_misread() {
        for original in [BLOCK.to_owned(), compact()] {
            let mut text = original.clone().into_bytes();
            let mut recognitions = 0;
            for place in 0..text.len() {
                for replacement in (0..=255).filter(|byte| *byte != original.as_bytes()[place]) {
                    text[place] = replacement;
                    recognitions += usize::from(is_recognized(&text));
                }
                text[place] = original.as_bytes()[place];
            }
            assert!(recognitions > 0, "a changed name is still a block");
            for length in 0..text.len() {
                assert!(!is_recognized(&text[..length]));
            }
        }
    }
}
