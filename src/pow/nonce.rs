//! Nonces and ranges of them.

use std::fmt;
use std::num::ParseIntError;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// The number that a search looks for. The tutorial calls it the proof.
///
/// The message contains it as decimal ASCII without leading zeros.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Nonce(pub u64);

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for Nonce {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, ParseIntError> {
        text.parse().map(Self)
    }
}

/// Decimal digits of `value`: 1 for 0 to 9, up to 20 for `u64::MAX`.
pub(crate) const fn digit_count(value: u64) -> usize {
    match value.checked_ilog10() {
        Some(log) => log as usize + 1,
        None => 1,
    }
}

/// A range of nonces. It may be empty, and it may include `u64::MAX`.
///
/// ```
/// use fourzero::pow::{Nonce, NonceRange};
///
/// assert_eq!(NonceRange::new(Nonce(10), Nonce(25)).len(), 15);
/// assert_eq!(NonceRange::starting_at(Nonce(u64::MAX)).len(), 1);
/// assert!(NonceRange::new(Nonce(3), Nonce(3)).is_empty());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NonceRange {
    start: u64,
    /// One past the last nonce, at most 2^64.
    end: u128,
}

impl NonceRange {
    /// Every nonce, from 0 to `u64::MAX`.
    pub const ALL: Self = Self::starting_at(Nonce(0));

    /// The nonces from `start` to just before `end`.
    pub const fn new(start: Nonce, end: Nonce) -> Self {
        Self {
            start: start.0,
            end: end.0 as u128,
        }
    }

    /// The nonces from `start` to `u64::MAX`, both included.
    pub const fn starting_at(start: Nonce) -> Self {
        Self {
            start: start.0,
            end: 1 << 64,
        }
    }

    /// How many nonces the range contains, at most 2^64.
    pub const fn len(&self) -> u128 {
        self.end.saturating_sub(self.start as u128)
    }

    /// Whether the range contains no nonce.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Piece number `index` when the range is cut into pieces of `size` nonces
    /// (the last may be shorter), or `None` past the end.
    pub(crate) fn piece(&self, index: u64, size: u64) -> Option<RangeInclusive<u64>> {
        let start = u128::from(self.start) + u128::from(index) * u128::from(size);
        let last = (start + u128::from(size)).min(self.end).checked_sub(1)?;
        // Both are below `end`, which is at most 2^64.
        (start <= last).then_some(start as u64..=last as u64)
    }
}

/// Cuts `nonces` where the number of decimal digits changes, lowest part first,
/// so that all messages of a part have the same length.
pub(crate) fn by_digit_count(
    nonces: RangeInclusive<u64>,
) -> impl Iterator<Item = RangeInclusive<u64>> {
    let (mut next, end) = (Some(*nonces.start()), *nonces.end());
    std::iter::from_fn(move || {
        let first = next?;
        let power = 10u64.checked_pow(digit_count(first) as u32);
        let last = power.map_or(end, |power| end.min(power - 1));
        next = (last < end).then(|| last + 1);
        Some(first..=last)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_counted_around_every_power_of_ten() {
        assert_eq!(digit_count(0), 1);
        for exponent in 1..20 {
            let power = 10u64.pow(exponent);
            assert_eq!(digit_count(power - 1), exponent as usize);
            assert_eq!(digit_count(power), exponent as usize + 1);
        }
        assert_eq!(digit_count(u64::MAX), 20);
    }

    #[test]
    fn pieces_cover_a_range_exactly_once() {
        let range = NonceRange::new(Nonce(7), Nonce(30));
        let pieces: Vec<_> = (0..).map_while(|index| range.piece(index, 10)).collect();
        assert_eq!(pieces, [7..=16, 17..=26, 27..=29]);
    }

    #[test]
    fn pieces_reach_the_last_nonce_without_overflow() {
        let range = NonceRange::starting_at(Nonce(u64::MAX - 2));
        assert_eq!(range.piece(0, 2), Some(u64::MAX - 2..=u64::MAX - 1));
        assert_eq!(range.piece(1, 2), Some(u64::MAX..=u64::MAX));
        assert_eq!(range.piece(2, 2), None);
        assert_eq!(range.piece(u64::MAX, u64::MAX), None);
    }

    #[test]
    fn an_empty_range_has_no_piece() {
        assert_eq!(NonceRange::new(Nonce(0), Nonce(0)).piece(0, 8), None);
        assert_eq!(NonceRange::new(Nonce(9), Nonce(3)).piece(0, 8), None);
    }

    #[test]
    fn nonces_are_cut_where_the_number_of_digits_changes() {
        let parts: Vec<_> = by_digit_count(8..=1000).collect();
        assert_eq!(parts, [8..=9, 10..=99, 100..=999, 1000..=1000]);
        let last: Vec<_> = by_digit_count(u64::MAX - 1..=u64::MAX).collect();
        assert_eq!(last, [u64::MAX - 1..=u64::MAX]);
    }
}
