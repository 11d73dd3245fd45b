//! Recognizes transactions whose values are canonical already, in an object of
//! just the three fields: what most queues contain.
//!
//! The result is what the transcoder would write. All other text is left to the
//! transcoder.

use std::ops::Range;

use super::{TRANSACTION_FIELDS, TransactionView};
use crate::chain::json::{View, canonical_number, canonical_string};

const COUNT: usize = TRANSACTION_FIELDS.len();

/// The layout of the last transaction. The next one, by the same program,
/// nearly always has the same: then four comparisons replace parsing the keys.
#[derive(Debug, Default)]
pub(crate) struct TransactionLayout(Option<FieldLayout>);

#[derive(Debug)]
struct FieldLayout {
    /// The text before each value, and after the last.
    gaps: [Gap; COUNT + 1],
    /// Which of [`TRANSACTION_FIELDS`] each value is.
    fields: [usize; COUNT],
}

#[derive(Clone, Copy, Debug)]
struct Gap {
    bytes: u128,
    mask: u128,
    length: usize,
}

impl TransactionLayout {
    /// Finds the three fields in a flat object at the start of `text`, in any
    /// order, each value canonical. Also returns the object's length, all in
    /// one line and ASCII. `None` leaves the text to the transcoder.
    #[inline(always)]
    pub(in crate::chain) fn recognize<'a>(
        &mut self,
        text: &'a [u8],
    ) -> Option<(TransactionView<'a>, usize)> {
        if let Some(layout) = &self.0
            && let Some(found) = layout.recognize(text)
        {
            return Some(found);
        }
        self.parse(text)
    }

    #[cold]
    #[inline(never)]
    fn parse<'a>(&mut self, text: &'a [u8]) -> Option<(TransactionView<'a>, usize)> {
        let (fields, values, length) = find_values(text)?;
        self.0 = FieldLayout::of(text, fields, &values, length);
        let mut found = [View::of(b""); COUNT];
        for (field, value) in fields.into_iter().zip(values) {
            found[field] = View::of(&text[value]);
        }
        Some((TransactionView(found), length))
    }
}

impl FieldLayout {
    fn of(
        text: &[u8],
        fields: [usize; COUNT],
        values: &[Range<usize>; COUNT],
        length: usize,
    ) -> Option<Self> {
        let mut gaps = [Gap::of(b"")?; COUNT + 1];
        let mut end = 0;
        for (gap, value) in gaps.iter_mut().zip(values) {
            *gap = Gap::of(&text[end..value.start])?;
            end = value.end;
        }
        gaps[COUNT] = Gap::of(&text[end..length])?;
        Some(Self { gaps, fields })
    }

    #[inline(always)]
    fn recognize<'a>(&self, text: &'a [u8]) -> Option<(TransactionView<'a>, usize)> {
        let mut found = [View::of(b""); COUNT];
        let mut position = 0;
        for (gap, field) in self.gaps.iter().zip(self.fields) {
            let start = gap.end(text, position)?;
            position = start + canonical_scalar(&text[start..])?;
            found[field] = View::of(&text[start..position]);
        }
        let end = self.gaps[COUNT].end(text, position)?;
        Some((TransactionView(found), end))
    }
}

impl Gap {
    fn of(text: &[u8]) -> Option<Self> {
        const MAX_BYTES: usize = size_of::<u128>();
        let length = text.len();
        let mut bytes = [0; MAX_BYTES];
        bytes.get_mut(..length)?.copy_from_slice(text);
        let mut mask = [0; MAX_BYTES];
        mask[..length].fill(0xff);
        Some(Self {
            bytes: u128::from_le_bytes(bytes),
            mask: u128::from_le_bytes(mask),
            length,
        })
    }

    /// Where the gap that starts at `position` ends. Also `None` near the end
    /// of the text, where 16 bytes cannot be compared at once.
    #[inline(always)]
    fn end(&self, text: &[u8], position: usize) -> Option<usize> {
        let bytes = u128::from_le_bytes(*text[position..].first_chunk()?);
        ((bytes ^ self.bytes) & self.mask == 0).then_some(position + self.length)
    }
}

/// In the order of the text, which of [`TRANSACTION_FIELDS`] each value is and
/// where it is. Also returns the object's length.
fn find_values(text: &[u8]) -> Option<([usize; COUNT], [Range<usize>; COUNT], usize)> {
    let mut fields = [COUNT; COUNT];
    let mut values = [const { 0..0 }; COUNT];
    let mut rest = text;
    skip(&mut rest, b'{')?;
    for place in 0..COUNT {
        if place > 0 {
            skip(&mut rest, b',')?;
        }
        skip(&mut rest, b'"')?;
        let (field, name) = (TRANSACTION_FIELDS.iter().enumerate())
            .find(|(_, name)| rest.starts_with(name.as_bytes()))?;
        if fields.contains(&field) {
            return None;
        }
        fields[place] = field;
        rest = rest[name.len()..].strip_prefix(b"\"")?;
        skip(&mut rest, b':')?;
        skip_spaces(&mut rest);
        let start = text.len() - rest.len();
        let length = canonical_scalar(rest)?;
        values[place] = start..start + length;
        rest = &rest[length..];
    }
    skip(&mut rest, b'}')?;
    Some((fields, values, text.len() - rest.len()))
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

    const TEXTS: [&str; 4] = [
        r#"{"sender": "a", "recipient": "b", "amount": 1.5}"#,
        r#"{"amount":-3,"recipient":"b\u00e9","sender":"a"}"#,
        r#"{ "recipient" : "b" , "sender" : 7 , "amount" : "x" }"#,
        r#"{"sender":          "a", "recipient": "b", "amount": 1}"#,
    ];

    /// Calls `f` with each text that differs from `original` in one byte.
    fn for_each_variant(original: &str, mut f: impl FnMut(&[u8])) {
        let mut text = original.as_bytes().to_vec();
        for place in 0..text.len() {
            for replacement in 0..=255 {
                text[place] = replacement;
                f(&text);
            }
            text[place] = original.as_bytes()[place];
        }
    }

    fn recognize(text: &[u8]) -> Option<(TransactionView<'_>, usize)> {
        TransactionLayout::default().recognize(text)
    }

    fn written((transaction, length): (TransactionView<'_>, usize)) -> (Vec<u8>, usize) {
        let mut text = Vec::new();
        transaction.write(&mut text);
        (text, length)
    }

    #[test]
    fn recognized_transactions_are_as_the_transcoder_writes_them() {
        for original in TEXTS {
            assert!(recognize(original.as_bytes()).is_some(), "{original}");
            for_each_variant(original, |text| {
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
    fn a_stored_layout_changes_only_the_speed() {
        for (is_short, original) in [true, true, true, false].into_iter().zip(TEXTS) {
            let pad = |text: &[u8]| [text, b"\n".as_slice(), &[b' '; 16]].concat();
            let stored = || {
                let mut layout = TransactionLayout::default();
                assert!(layout.recognize(original.as_bytes()).is_some());
                layout
            };
            let padded = pad(original.as_bytes());
            let fits = stored().0.is_some_and(|it| it.recognize(&padded).is_some());
            assert_eq!(fits, is_short, "{original}");
            for_each_variant(original, |text| {
                let text = pad(text);
                assert_eq!(
                    stored().recognize(&text).map(written),
                    recognize(&text).map(written),
                );
            });
        }
    }
}
