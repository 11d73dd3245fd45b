//! Exact sums of amounts.
//!
//! Amounts are JSON numbers: integers of any length and doubles. A sum counts
//! in decimal digits, so that 0.1 and 0.2 make 0.3 and no integer is rounded.

use std::cmp::Ordering;
use std::fmt;

/// Decimal digits a limb.
const LIMB_DIGITS: usize = 9;
const LIMB: i64 = 1_000_000_000;

/// A decimal number of any length.
///
/// Limbs of nine digits, least significant first, each between -LIMB and
/// LIMB, with signs of their own; `after` of them stand after the point.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Amount {
    limbs: Vec<i64>,
    after: usize,
}

impl Amount {
    /// Reads a number as JSON or Python writes it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (sign, digits) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text),
        };
        let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (digits, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut all: Vec<u8> = [whole, fraction].concat().into_bytes();
        if all.is_empty() || !all.iter().all(u8::is_ascii_digit) {
            return None;
        }
        // A double's exponent is below 400, so the zeros are few.
        let mut scale = fraction.len() as i64 - i64::from(exponent);
        if !(-400..1 << 32).contains(&scale) {
            return None;
        }
        while scale < 0 || scale % LIMB_DIGITS as i64 != 0 {
            all.push(b'0');
            scale += 1;
        }
        let limbs = all
            .rchunks(LIMB_DIGITS)
            .map(|chunk| {
                let value = chunk
                    .iter()
                    .fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
                sign * value
            })
            .collect();
        let after = usize::try_from(scale).ok()? / LIMB_DIGITS;
        Some(Self { limbs, after })
    }

    /// Adds `other`.
    pub(crate) fn add(&mut self, other: &Self) {
        self.combine(other, 1);
    }

    /// This without `other`.
    #[must_use]
    pub(crate) fn minus(mut self, other: &Self) -> Self {
        self.combine(other, -1);
        self
    }

    /// How it compares with zero.
    pub(crate) fn sign(&self) -> Ordering {
        // Whatever the limbs below the first that is not zero hold, it takes
        // less than one of that.
        let first = self.limbs.iter().rev().find(|limb| **limb != 0);
        first.map_or(Ordering::Equal, |limb| limb.cmp(&0))
    }

    fn combine(&mut self, other: &Self, sign: i64) {
        if self.after < other.after {
            let missing = other.after - self.after;
            self.limbs.splice(0..0, std::iter::repeat_n(0, missing));
            self.after = other.after;
        }
        let offset = self.after - other.after;
        if self.limbs.len() < offset + other.limbs.len() {
            self.limbs.resize(offset + other.limbs.len(), 0);
        }
        let mut place = offset;
        let mut carry = 0;
        while place < offset + other.limbs.len() || carry != 0 {
            if place == self.limbs.len() {
                self.limbs.push(0);
            }
            let added = other.limbs.get(place - offset).copied().unwrap_or(0);
            let sum = self.limbs[place] + sign * added + carry;
            self.limbs[place] = sum % LIMB;
            carry = sum / LIMB;
            place += 1;
        }
    }
}

impl fmt::Display for Amount {
    /// As a JSON number, without an exponent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Give all limbs the sign of the first that is not zero.
        let mut limbs = self.limbs.clone();
        let is_negative = self.sign() == Ordering::Less;
        let mut carry = 0;
        for limb in &mut limbs {
            let value = if is_negative { -*limb } else { *limb } + carry;
            *limb = value.rem_euclid(LIMB);
            carry = value.div_euclid(LIMB);
        }
        let mut digits: String = limbs
            .iter()
            .rev()
            .map(|limb| format!("{limb:0LIMB_DIGITS$}"))
            .collect();
        let fraction = digits.split_off(digits.len() - self.after.min(limbs.len()) * LIMB_DIGITS);
        let fraction = format!(
            "{}{fraction}",
            "0".repeat(self.after.saturating_sub(limbs.len()) * LIMB_DIGITS)
        );
        let whole = digits.trim_start_matches('0');
        let fraction = fraction.trim_end_matches('0');
        f.write_str(if is_negative { "-" } else { "" })?;
        f.write_str(if whole.is_empty() { "0" } else { whole })?;
        if !fraction.is_empty() {
            write!(f, ".{fraction}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(texts: &[&str]) -> String {
        let mut sum = Amount::default();
        for text in texts {
            sum.add(&Amount::parse(text).unwrap());
        }
        sum.to_string()
    }

    #[test]
    fn sums_are_exact() {
        assert_eq!(sum(&[]), "0");
        assert_eq!(sum(&["0.1", "0.2"]), "0.3");
        assert_eq!(sum(&["1e-05", "1e-05", "5"]), "5.00002");
        assert_eq!(sum(&["1e+22", "-1"]), "9999999999999999999999");
        assert_eq!(sum(&["1", "-1e+22"]), "-9999999999999999999999");
        assert_eq!(sum(&["-0.5", "0.25"]), "-0.25");
        assert_eq!(sum(&["1000000000", "-1000000000"]), "0");
        assert_eq!(sum(&["1000000000", "-1"]), "999999999");
        assert_eq!(sum(&["-0.0", "0"]), "0");
        assert_eq!(sum(&["0.000000000001"]), "0.000000000001");
        let nines = "9".repeat(1000);
        assert_eq!(sum(&[&nines, "1"]), format!("1{}", "0".repeat(1000)));
        assert_eq!(sum(&[&nines, &format!("-{nines}")]), "0");
        let tiny = format!("0.{}5", "0".repeat(323));
        assert_eq!(sum(&["5e-324"]), tiny);
    }

    #[test]
    fn sums_of_small_numbers_are_those_of_integers() {
        let numbers: Vec<i64> = (0..200)
            .map(|step: i64| {
                (step * 7_919_777_777) % 3_000_000_007 * if step % 3 == 0 { -1 } else { 1 }
            })
            .collect();
        let mut amount = Amount::default();
        let mut expected = 0;
        for number in numbers {
            amount.add(&Amount::parse(&format!("{number}")).unwrap());
            expected += number;
            assert_eq!(amount.to_string(), expected.to_string());
            assert_eq!(amount.sign(), expected.cmp(&0));
            let zero = amount.clone().minus(&amount);
            assert_eq!(zero.sign(), Ordering::Equal);
            assert_eq!(zero.to_string(), "0");
        }
    }

    #[test]
    fn what_is_no_number_is_no_amount() {
        for text in ["", "many", "true", "null", "1.2.3", "--1", "[1]", "\"1\""] {
            assert_eq!(Amount::parse(text), None, "{text}");
        }
    }
}
