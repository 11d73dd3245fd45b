//! Exact sums of amounts.
//!
//! Amounts are JSON numbers: integers of any length and doubles. Sums are
//! decimal, so that 0.1 and 0.2 make 0.3 and no integer is rounded.

use std::cmp::Ordering;
use std::fmt;

use smallvec::SmallVec;

/// Decimal digits per limb.
const LIMB_DIGITS: usize = 9;
const LIMB: i64 = 1_000_000_000;

/// A decimal number of any length.
///
/// Limbs of nine digits, least significant first, each between -LIMB and
/// LIMB with its own sign; `after` of them are after the decimal point. Nearly
/// all sums fit inline.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Amount {
    limbs: SmallVec<[i64; 4]>,
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
        // A double's exponent is below 400, so the padding is short.
        let scale = fraction.len() as i64 - i64::from(exponent);
        let written = whole.len() + fraction.len();
        if written == 0 || !(-400..1 << 32).contains(&scale) {
            return None;
        }
        let after = usize::try_from(scale).unwrap_or(0).div_ceil(LIMB_DIGITS);
        let padding = (after * LIMB_DIGITS) as i64 - scale;
        let count = written + padding as usize;
        let mut limbs = SmallVec::from_elem(0, count.div_ceil(LIMB_DIGITS));
        let digits = whole.bytes().chain(fraction.bytes());
        let digits = digits.chain(std::iter::repeat_n(b'0', padding as usize));
        for (place, digit) in (0..count).rev().zip(digits) {
            let value = digit.checked_sub(b'0').filter(|value| *value <= 9)?;
            let limb = &mut limbs[place / LIMB_DIGITS];
            *limb = *limb * 10 + sign * i64::from(value);
        }
        Some(Self { limbs, after })
    }

    /// Adds `other`.
    pub(crate) fn add(&mut self, other: &Self) {
        self.combine(other, 1);
    }

    /// Subtracts `other`.
    pub(crate) fn subtract(&mut self, other: &Self) {
        self.combine(other, -1);
    }

    /// The difference.
    #[must_use]
    pub(crate) fn minus(mut self, other: &Self) -> Self {
        self.combine(other, -1);
        self
    }

    /// The comparison with zero.
    pub(crate) fn sign(&self) -> Ordering {
        // All lower limbs together are less than one unit of the first that is
        // not zero.
        let first = self.limbs.iter().rev().find(|limb| **limb != 0);
        first.map_or(Ordering::Equal, |limb| limb.cmp(&0))
    }

    fn combine(&mut self, other: &Self, sign: i64) {
        if self.after < other.after {
            let missing = other.after - self.after;
            (self.limbs).insert_many(0, std::iter::repeat_n(0, missing));
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
        // Give all limbs the same sign.
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
    fn only_numbers_are_amounts() {
        for text in ["", "many", "true", "null", "1.2.3", "--1", "[1]", "\"1\""] {
            assert_eq!(Amount::parse(text), None, "{text}");
        }
    }
}
