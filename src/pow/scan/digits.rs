//! The low digits of the nonces of a group, as words to add to the message.

use std::sync::OnceLock;

use crate::sha256::COLUMN_PADDING;

/// The most digits a group counts through.
pub(super) const MOST_DIGITS: usize = 4;

/// For one alignment of the last digit: what each value of the low digits adds
/// to the words it lies in.
///
/// A digit adds its value 0 to 9: the message itself holds `0` in its place.
/// So one table serves groups of four digits and of fewer.
#[derive(Debug)]
pub(super) struct Columns {
    /// The word with the last digit.
    last: Vec<u32>,
    /// The word before it; empty where a group never needs it.
    before: Vec<u32>,
}

/// How the low digits of a nonce are grouped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Grouping {
    /// Digits that vary within a group.
    pub(super) digits: usize,
    /// Words that they lie in, one or two.
    pub(super) words: usize,
    /// Bytes of the last of these words up to the last digit, 1 to 4.
    bytes_in_last: usize,
}

impl Grouping {
    /// For nonces of `digit_count` digits of which the last is byte `end - 1`
    /// of the message.
    ///
    /// Four digits a group, but three where the fourth would lie in one more
    /// word: a second varying word costs as much as the more frequent set-up.
    pub(super) fn new(digit_count: usize, end: usize) -> Self {
        let bytes_in_last = (end + 3) % 4 + 1;
        let most = if bytes_in_last == 3 { 3 } else { MOST_DIGITS };
        let digits = digit_count.min(most);
        Self {
            digits,
            words: if digits > bytes_in_last { 2 } else { 1 },
            bytes_in_last,
        }
    }

    /// The words to add, for each value of the low digits.
    pub(super) fn columns(self) -> [&'static [u32]; 2] {
        static BY_ALIGNMENT: [OnceLock<Columns>; 4] = [const { OnceLock::new() }; 4];
        let columns =
            BY_ALIGNMENT[self.bytes_in_last - 1].get_or_init(|| Columns::new(self.bytes_in_last));
        match self.words {
            1 => [&columns.last, &[]],
            _ => [&columns.before, &columns.last],
        }
    }
}

impl Columns {
    fn new(bytes_in_last: usize) -> Self {
        let digits = if bytes_in_last == 3 { 3 } else { MOST_DIGITS };
        let mut columns = Self {
            last: vec![0],
            before: if digits > bytes_in_last {
                vec![0]
            } else {
                vec![]
            },
        };
        for digit in 0..digits {
            // Bytes of a word are numbered from its most significant.
            let (last_step, before_step) = match (bytes_in_last - 1).checked_sub(digit) {
                Some(byte) => (1 << (24 - 8 * byte), 0),
                None => (0, 1 << (8 * (digit - bytes_in_last))),
            };
            extend_tenfold(&mut columns.last, last_step);
            extend_tenfold(&mut columns.before, before_step);
        }
        for column in [&mut columns.last, &mut columns.before] {
            if !column.is_empty() {
                column.resize(column.len() + COLUMN_PADDING, 0);
            }
        }
        columns
    }
}

/// Repeats `column` for each value of one more digit.
fn extend_tenfold(column: &mut Vec<u32>, step: u32) {
    let length = column.len();
    column.reserve(9 * length);
    for value in 1..10 {
        for index in 0..length {
            column.push(column[index] + value * step);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_hold_the_digits_where_the_message_has_them() {
        for end in 4..12 {
            for digit_count in 1..=6 {
                let grouping = Grouping::new(digit_count, end);
                let [first, second] = grouping.columns();
                assert_eq!(second.is_empty(), grouping.words == 1);
                let width = grouping.digits;
                for value in 0..10usize.pow(width as u32) {
                    let mut expected = [0u8; 12];
                    for (place, digit) in format!("{value:0width$}").bytes().enumerate() {
                        expected[end - width + place] = digit - b'0';
                    }
                    let mut message = [0u8; 12];
                    let word = (end - 1) / 4 + 1 - grouping.words;
                    message[word * 4..][..4].copy_from_slice(&first[value].to_be_bytes());
                    if grouping.words == 2 {
                        message[word * 4 + 4..][..4].copy_from_slice(&second[value].to_be_bytes());
                    }
                    assert_eq!(message, expected, "end {end}, {grouping:?}, {value}");
                }
            }
        }
    }
}
