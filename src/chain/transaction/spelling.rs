//! Recognizing transactions that are spelled canonically already, in an
//! object of just the three fields: what most queues hold.
//!
//! What is recognized here is written as the transcoder would write it; the
//! rest is left to the transcoder.

use super::{TRANSACTION_FIELDS, TransactionView};
use crate::chain::json::{View, canonical_number, canonical_string};

/// The order and white space of the transaction that was recognized last.
/// Nearly always the next one, by the same program, has the same: then four
/// comparisons take the place of telling keys apart.
#[derive(Debug, Default)]
pub(crate) struct Spelling(Option<Learned>);

#[derive(Debug)]
struct Learned {
    /// What stands before each value, and behind the last.
    gaps: [Gap; TRANSACTION_FIELDS.len() + 1],
    /// Which of [`TRANSACTION_FIELDS`] each value is.
    fields: [usize; TRANSACTION_FIELDS.len()],
}

/// Up to 16 bytes of text.
#[derive(Clone, Copy, Debug)]
struct Gap {
    bytes: u128,
    /// A one for each bit that counts.
    mask: u128,
    length: usize,
}

impl Spelling {
    /// As [`recognize`], and faster where the text is spelled like the last.
    #[inline(always)]
    pub(in crate::chain) fn recognize<'a>(
        &mut self,
        text: &'a [u8],
    ) -> Option<(TransactionView<'a>, usize)> {
        if let Some(learned) = &self.0
            && let Some(found) = learned.recognize(text)
        {
            return Some(found);
        }
        self.learn(text)
    }

    #[cold]
    #[inline(never)]
    fn learn<'a>(&mut self, text: &'a [u8]) -> Option<(TransactionView<'a>, usize)> {
        let (values, length) = find_values(text)?;
        self.0 = Learned::of(text, &values, length);
        Some((view(values), length))
    }
}

impl Learned {
    fn of(text: &[u8], values: &[Value<'_>; 3], length: usize) -> Option<Self> {
        let mut gaps = [Gap::of(b"")?; TRANSACTION_FIELDS.len() + 1];
        let mut end = 0;
        for (gap, value) in gaps.iter_mut().zip(values) {
            *gap = Gap::of(&text[end..value.start])?;
            end = value.start + value.text.len();
        }
        gaps[values.len()] = Gap::of(&text[end..length])?;
        let fields = values.each_ref().map(|value| value.field);
        Some(Self { gaps, fields })
    }

    #[inline(always)]
    fn recognize<'a>(&self, text: &'a [u8]) -> Option<(TransactionView<'a>, usize)> {
        let mut found = [View::of(b""); TRANSACTION_FIELDS.len()];
        let mut position = 0;
        for (gap, field) in self.gaps.iter().zip(self.fields) {
            let start = gap.end(text, position)?;
            position = start + canonical_scalar(&text[start..])?;
            found[field] = View::of(&text[start..position]);
        }
        let end = self.gaps[TRANSACTION_FIELDS.len()].end(text, position)?;
        Some((TransactionView(found), end))
    }
}

impl Gap {
    fn of(text: &[u8]) -> Option<Self> {
        const MOST_BYTES: usize = size_of::<u128>();
        let length = text.len();
        let mut bytes = [0; MOST_BYTES];
        bytes.get_mut(..length)?.copy_from_slice(text);
        let mut mask = [0; MOST_BYTES];
        mask[..length].fill(0xff);
        Some(Self {
            bytes: u128::from_le_bytes(bytes),
            mask: u128::from_le_bytes(mask),
            length,
        })
    }

    /// Where the gap that starts at `position` ends. `None` also near the end
    /// of the text, where 16 bytes cannot be compared at once.
    #[inline(always)]
    fn end(&self, text: &[u8], position: usize) -> Option<usize> {
        let bytes = u128::from_le_bytes(*text[position..].first_chunk()?);
        ((bytes ^ self.bytes) & self.mask == 0).then_some(position + self.length)
    }
}

/// One value of a transaction.
#[derive(Clone, Copy)]
struct Value<'a> {
    /// Which of [`TRANSACTION_FIELDS`].
    field: usize,
    start: usize,
    text: &'a [u8],
}

fn view<'a>(values: [Value<'a>; 3]) -> TransactionView<'a> {
    let mut found = [View::of(b""); TRANSACTION_FIELDS.len()];
    for value in values {
        found[value.field] = View::of(value.text);
    }
    TransactionView(found)
}

/// Finds the three fields in a flat object of just them at the start of
/// `text`, in any order, each value spelled canonically already. Also gives
/// the object's length, all in one line and ASCII. `None` leaves the text to
/// the transcoder.
pub(super) fn recognize(text: &[u8]) -> Option<(TransactionView<'_>, usize)> {
    let (values, length) = find_values(text)?;
    Some((view(values), length))
}

/// The values in the order of the text, and the object's length.
fn find_values(text: &[u8]) -> Option<([Value<'_>; 3], usize)> {
    let mut values = [Value {
        field: 0,
        start: 0,
        text: b"",
    }; TRANSACTION_FIELDS.len()];
    let mut is_found = [false; TRANSACTION_FIELDS.len()];
    let mut rest = text;
    skip(&mut rest, b'{')?;
    for (place, slot) in values.iter_mut().enumerate() {
        if place > 0 {
            skip(&mut rest, b',')?;
        }
        skip(&mut rest, b'"')?;
        let (field, after) = TRANSACTION_FIELDS
            .iter()
            .enumerate()
            .find_map(|(field, name)| {
                let after = rest.strip_prefix(name.as_bytes())?.strip_prefix(b"\"")?;
                Some((field, after))
            })?;
        rest = after;
        skip(&mut rest, b':')?;
        skip_spaces(&mut rest);
        let start = text.len() - rest.len();
        let (value, after) = rest.split_at(canonical_scalar(rest)?);
        *slot = Value {
            field,
            start,
            text: value,
        };
        is_found[field] = true;
        rest = after;
    }
    skip(&mut rest, b'}')?;
    // Three members and no field missing: none came twice.
    is_found
        .iter()
        .all(|is_found| *is_found)
        .then(|| (values, text.len() - rest.len()))
}

/// Length of the canonical string or number at the start of `text`.
#[inline(always)]
fn canonical_scalar(text: &[u8]) -> Option<usize> {
    match text.first()? {
        b'"' => Some(1 + canonical_string(&text[1..])?),
        _ => canonical_number(text),
    }
}

fn skip_spaces(text: &mut &[u8]) {
    while let Some(rest) = text.strip_prefix(b" ") {
        *text = rest;
    }
}

/// Takes `byte` and the spaces before it; `None` if something else is there.
fn skip(text: &mut &[u8], byte: u8) -> Option<()> {
    skip_spaces(text);
    *text = text.strip_prefix(&[byte])?;
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::json::Transcoder;

    const SPELLINGS: [&str; 4] = [
        r#"{"sender": "a", "recipient": "b", "amount": 1.5}"#,
        r#"{"amount":-3,"recipient":"b\u00e9","sender":"a"}"#,
        r#"{ "recipient" : "b" , "sender" : 7 , "amount" : "x" }"#,
        r#"{"sender":          "a", "recipient": "b", "amount": 1}"#,
    ];

    /// Calls `f` with each text that differs from `spelling` in one byte.
    fn for_each_variant(spelling: &str, mut f: impl FnMut(&[u8])) {
        let mut text = spelling.as_bytes().to_vec();
        for place in 0..text.len() {
            for replacement in 0..=255 {
                text[place] = replacement;
                f(&text);
            }
            text[place] = spelling.as_bytes()[place];
        }
    }

    fn written((transaction, length): (TransactionView<'_>, usize)) -> (Vec<u8>, usize) {
        let mut text = Vec::new();
        transaction.write(&mut text);
        (text, length)
    }

    #[test]
    fn what_is_recognized_is_what_the_transcoder_writes() {
        for spelling in SPELLINGS {
            assert!(recognize(spelling.as_bytes()).is_some(), "{spelling}");
            for_each_variant(spelling, |text| {
                let Some(recognized) = recognize(text) else {
                    return;
                };
                let (written, length) = written(recognized);
                if length < text.len() {
                    return;
                }
                let mut canonical = Vec::new();
                Transcoder::default()
                    .transcode(text, &mut canonical)
                    .unwrap();
                assert_eq!(written, canonical);
            });
        }
        let others = [
            r#"{"sender": "a", "recipient": "b", "amount": 1.50}"#,
            r#"{"sender": "a", "recipient": "b", "amount": 1, "note": 1}"#,
            r#"{"sender": "a", "sender": "b", "amount": 1}"#,
            r#"{"sender": "a", "recipient": "b"}"#,
            r#"{"sender": "a", "recipient": "b", "amount": 1"#,
        ];
        for other in others {
            assert!(recognize(other.as_bytes()).is_none(), "{other}");
        }
    }

    #[test]
    fn a_learned_spelling_changes_nothing_but_the_speed() {
        for (is_short, spelling) in [true, true, true, false].into_iter().zip(SPELLINGS) {
            let pad = |text: &[u8]| [text, b"\n".as_slice(), &[b' '; 16]].concat();
            let learn = || {
                let mut learned = Spelling::default();
                assert!(learned.recognize(spelling.as_bytes()).is_some());
                learned
            };
            let padded = pad(spelling.as_bytes());
            let followed = learn().0.is_some_and(|it| it.recognize(&padded).is_some());
            assert_eq!(followed, is_short, "{spelling}");
            for_each_variant(spelling, |text| {
                let text = pad(text);
                assert_eq!(
                    learn().recognize(&text).map(written),
                    recognize(&text).map(written),
                );
            });
        }
    }
}
