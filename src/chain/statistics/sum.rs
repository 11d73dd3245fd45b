//! Exact sums of amounts, nearly all of them in an integer.

use std::cmp::Ordering;
use std::fmt;

use crate::chain::amount::Amount;
use crate::chain::json::{Kind, View};

/// Longer amounts are not counted. CPython reads no longer integers, unless
/// told to; and no account may take megabytes.
pub(super) const MOST_AMOUNT_BYTES: usize = 4_300;

/// Which side of a transaction an account is on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Side {
    Received,
    Sent,
}

/// Decimal places that a small sum has.
const PLACES: usize = 9;

/// Why an amount is in no sum.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Uncounted {
    NoNumber,
    TooLong,
}

/// A sum of amounts.
#[derive(Clone, Debug)]
pub(super) enum Sum {
    /// In billionths.
    Small(i128),
    /// What does not fit there.
    Large(Box<Amount>),
}

impl Default for Sum {
    fn default() -> Self {
        Self::Small(0)
    }
}

impl Sum {
    /// The amount of a transaction.
    pub(super) fn parse(value: View<'_>) -> Result<Self, Uncounted> {
        let text = value.text();
        if !matches!(value.kind(), Kind::Integer | Kind::Float) {
            return Err(Uncounted::NoNumber);
        }
        if text.len() > MOST_AMOUNT_BYTES {
            return Err(Uncounted::TooLong);
        }
        if let Some(billionths) = billionths(text) {
            return Ok(Self::Small(billionths));
        }
        let amount = std::str::from_utf8(text).ok().and_then(Amount::parse);
        amount
            .map(|amount| Self::Large(Box::new(amount)))
            .ok_or(Uncounted::NoNumber)
    }

    pub(super) fn add(&mut self, amount: &Self, side: Side) {
        if let (Self::Small(sum), Self::Small(amount)) = (&mut *self, amount) {
            let next = match side {
                Side::Received => sum.checked_add(*amount),
                Side::Sent => sum.checked_sub(*amount),
            };
            if let Some(next) = next {
                *sum = next;
                return;
            }
        }
        let mut sum = self.to_amount();
        match side {
            Side::Received => sum.add(&amount.to_amount()),
            Side::Sent => sum = sum.minus(&amount.to_amount()),
        }
        *self = Self::Large(Box::new(sum));
    }

    pub(super) fn negate(&mut self) {
        let sum = std::mem::take(self);
        self.add(&sum, Side::Sent);
    }

    pub(super) fn sign(&self) -> Ordering {
        match self {
            Self::Small(sum) => sum.cmp(&0),
            Self::Large(amount) => amount.sign(),
        }
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Small(sum), Self::Small(other)) => sum.cmp(other),
            _ => self.to_amount().minus(&other.to_amount()).sign(),
        }
    }

    fn to_amount(&self) -> Amount {
        match self {
            Self::Small(sum) => Amount::parse(&small(*sum)).expect("a decimal number is an amount"),
            Self::Large(amount) => (**amount).clone(),
        }
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_amount().fmt(f)
    }
}

/// A number of billionths as a decimal number.
fn small(billionths: i128) -> String {
    let sign = if billionths < 0 { "-" } else { "" };
    let one = 10u128.pow(PLACES as u32);
    let magnitude = billionths.unsigned_abs();
    format!("{sign}{}.{:0PLACES$}", magnitude / one, magnitude % one)
}

/// A number in positional form in billionths, if it is a whole number of them
/// and of few digits.
fn billionths(text: &[u8]) -> Option<i128> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let point = memchr::memchr(b'.', digits);
    let (whole, fraction) = match point {
        Some(point) => (&digits[..point], &digits[point + 1..]),
        None => (digits, &b""[..]),
    };
    // Thousands of millions of such amounts cannot run over.
    if fraction.len() > PLACES || whole.len() > 18 {
        return None;
    }
    let value = |digits: &[u8]| {
        digits.iter().try_fold(0u64, |value, digit| {
            let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
            Some(value * 10 + u64::from(digit))
        })
    };
    let scale = 10i128.pow((PLACES - fraction.len()) as u32);
    let one = 10i128.pow(PLACES as u32);
    let magnitude = i128::from(value(whole)?) * one + i128::from(value(fraction)?) * scale;
    Some(if digits.len() < text.len() {
        -magnitude
    } else {
        magnitude
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_sum_that_runs_over_becomes_a_large_one() {
        let mut sum = Sum::Small(i128::MAX);
        sum.add(&Sum::Small(1), Side::Received);
        // 2^127 billionths.
        assert_eq!(sum.to_string(), "170141183460469231731687303715.884105728");
        sum.add(&Sum::Small(1), Side::Sent);
        assert_eq!(sum.compare(&Sum::Small(i128::MAX)), Ordering::Equal);
        assert_eq!(sum.compare(&Sum::Small(i128::MAX - 1)), Ordering::Greater);
    }

    #[test]
    fn billionths_are_those_of_the_decimal_number() {
        for (text, expected) in [
            ("0", Some("0.000000000")),
            ("-7", Some("-7.000000000")),
            ("1.5", Some("1.500000000")),
            ("-0.000000001", Some("-0.000000001")),
            (
                "999999999999999999.999999999",
                Some("999999999999999999.999999999"),
            ),
            ("1000000000000000000", None),
            ("0.0000000001", None),
            ("1e+16", None),
            ("1e-05", None),
        ] {
            let found = billionths(text.as_bytes()).map(small);
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }
}
