//! Nonces: what a search counts through.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

/// The number a search looks for; the tutorial calls it the proof.
///
/// It enters the message as decimal ASCII without leading zeros.
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

/// A half-open range of nonces. It may be empty, and it may reach past
/// `u64::MAX`, which is how it includes that last nonce.
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
    /// Every nonce there is, from 0 to `u64::MAX`.
    pub const ALL: Self = Self::starting_at(Nonce(0));

    /// The nonces from `start` on, `end` not included.
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

    /// How many nonces the range holds, at most 2^64.
    pub const fn len(&self) -> u128 {
        self.end.saturating_sub(self.start as u128)
    }

    /// Whether the range holds no nonce.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Piece number `index` when the range is cut into pieces of `size`
    /// nonces (the last may be shorter), or `None` past the end.
    pub(crate) fn piece(&self, index: u64, size: u64) -> Option<Span> {
        let start = u128::from(self.start) + u128::from(index) * u128::from(size);
        let last = (start + u128::from(size)).min(self.end).checked_sub(1)?;
        // Both are below `end`, which is at most 2^64.
        (start <= last).then_some(Span {
            first: start as u64,
            last: last as u64,
        })
    }
}

/// A run of nonces that is never empty, both ends included: what a kernel
/// scans in one call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Span {
    pub(crate) first: u64,
    pub(crate) last: u64,
}

impl Span {
    /// Cuts the span where the number of decimal digits changes, lowest part
    /// first: inside a part every message has the same length.
    pub(crate) fn by_digit_count(self) -> impl Iterator<Item = Span> {
        let mut next = Some(self.first);
        std::iter::from_fn(move || {
            let first = next?;
            let last = 10u64
                .checked_pow(digit_count(first) as u32)
                .map_or(u64::MAX, |power| power - 1)
                .min(self.last);
            next = (last < self.last).then(|| last + 1);
            Some(Span { first, last })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_counted_at_every_roll_over() {
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
        assert_eq!(
            pieces,
            [
                Span { first: 7, last: 16 },
                Span {
                    first: 17,
                    last: 26
                },
                Span {
                    first: 27,
                    last: 29
                }
            ]
        );
    }

    #[test]
    fn pieces_reach_the_last_nonce_without_overflow() {
        let range = NonceRange::starting_at(Nonce(u64::MAX - 2));
        assert_eq!(
            range.piece(0, 2),
            Some(Span {
                first: u64::MAX - 2,
                last: u64::MAX - 1
            })
        );
        assert_eq!(
            range.piece(1, 2),
            Some(Span {
                first: u64::MAX,
                last: u64::MAX
            })
        );
        assert_eq!(range.piece(2, 2), None);
        assert_eq!(range.piece(u64::MAX, u64::MAX), None);
    }

    #[test]
    fn an_empty_range_has_no_piece() {
        assert_eq!(NonceRange::new(Nonce(0), Nonce(0)).piece(0, 8), None);
        assert_eq!(NonceRange::new(Nonce(9), Nonce(3)).piece(0, 8), None);
    }

    #[test]
    fn a_span_is_cut_where_digits_are_added() {
        let parts: Vec<_> = Span {
            first: 8,
            last: 1000,
        }
        .by_digit_count()
        .collect();
        assert_eq!(
            parts,
            [
                Span { first: 8, last: 9 },
                Span {
                    first: 10,
                    last: 99
                },
                Span {
                    first: 100,
                    last: 999
                },
                Span {
                    first: 1000,
                    last: 1000
                },
            ]
        );
        let top: Vec<_> = Span {
            first: u64::MAX - 1,
            last: u64::MAX,
        }
        .by_digit_count()
        .collect();
        assert_eq!(
            top,
            [Span {
                first: u64::MAX - 1,
                last: u64::MAX
            }]
        );
    }
}
