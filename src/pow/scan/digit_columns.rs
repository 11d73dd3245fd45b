//! The low digits of the nonces in a group, as words to add to the message.

use std::sync::OnceLock;

use crate::sha256::COLUMN_PADDING;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Grouping {
    /// The number of digits that vary within a group.
    pub(super) digits: usize,
    /// The words that contain them, one or two.
    pub(super) words: usize,
    /// Bytes of the last of these words up to the last digit, 1 to 4.
    bytes_in_last: usize,
}

/// The most digits that vary within a group. A fourth digit is left out where
/// it would need one more word: a second varying word costs as much as setting
/// up ten times as many groups.
const fn most_digits(bytes_in_last: usize) -> usize {
    if bytes_in_last == 3 { 3 } else { 4 }
}

impl Grouping {
    /// For nonces of `digit_count` digits of which the last is byte `end - 1` of
    /// the message.
    pub(super) fn new(digit_count: usize, end: usize) -> Self {
        let bytes_in_last = (end + 3) % 4 + 1;
        let digits = digit_count.min(most_digits(bytes_in_last));
        Self {
            digits,
            words: if digits > bytes_in_last { 2 } else { 1 },
            bytes_in_last,
        }
    }

    /// The words to add for each value of the digits. The second column is empty
    /// if one word varies.
    pub(super) fn columns(self) -> [&'static [u32]; 2] {
        static BY_ALIGNMENT: [OnceLock<[Vec<u32>; 2]>; 4] = [const { OnceLock::new() }; 4];
        let columns =
            BY_ALIGNMENT[self.bytes_in_last - 1].get_or_init(|| columns(self.bytes_in_last));
        match self.words {
            1 => [&columns[1], &[]],
            _ => [&columns[0], &columns[1]],
        }
    }
}

/// For each value of the low digits, what to add to the word before the last and
/// to the last.
///
/// The message has `0` in the place of each digit, so that each adds its value.
/// Groups of fewer digits use the start of the same columns.
fn columns(bytes_in_last: usize) -> [Vec<u32>; 2] {
    let values = 10usize.pow(most_digits(bytes_in_last) as u32);
    // One digit a byte.
    let mut digits = Vec::<u64>::with_capacity(values);
    for value in 0..values {
        let upper = if value < 10 { 0 } else { digits[value / 10] };
        digits.push((upper << 8) + value as u64 % 10);
    }
    let alignment = 8 * (4 - bytes_in_last);
    [32, 0].map(|word| {
        let words = digits
            .iter()
            .map(|digits| (digits << alignment >> word) as u32);
        words.chain([0; COLUMN_PADDING]).collect()
    })
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
