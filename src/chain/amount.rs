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
        if let Some(place) = memchr::memchr2(b'e', b'E', text.as_bytes()) {
            let exponent = text[place + 1..].parse().ok()?;
            return Self::parse(&without_exponent(&text[..place], exponent)?);
        }
        let digits = text.strip_prefix('-').unwrap_or(text);
        let sign = if digits.len() < text.len() { -1 } else { 1 };
        let point = memchr::memchr(b'.', digits.as_bytes());
        let (whole, fraction) = match point {
            Some(point) => (&digits[..point], &digits[point + 1..]),
            None => (digits, ""),
        };
        let mut limbs = SmallVec::new();
        for chunk in fraction.as_bytes().chunks(LIMB_DIGITS).rev() {
            let scale = 10i64.pow((LIMB_DIGITS - chunk.len()) as u32);
            limbs.push(sign * scale * limb(chunk)?);
        }
        let after = limbs.len();
        for chunk in whole.as_bytes().rchunks(LIMB_DIGITS) {
            limbs.push(sign * limb(chunk)?);
        }
        (!limbs.is_empty()).then_some(Self { limbs, after })
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
        let mut carry = 0;
        for (place, limb) in self.limbs[offset..].iter_mut().enumerate() {
            if place >= other.limbs.len() && carry == 0 {
                break;
            }
            let sum = *limb + sign * other.limbs.get(place).unwrap_or(&0) + carry;
            *limb = sum % LIMB;
            carry = sum / LIMB;
        }
        if carry != 0 {
            self.limbs.push(carry);
        }
    }
}

/// The value of up to nine digits.
fn limb(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |value, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
        Some(value * 10 + i64::from(digit))
    })
}

/// A number times a power of ten, without an exponent.
fn without_exponent(mantissa: &str, exponent: i32) -> Option<String> {
    // The exponents of doubles are smaller.
    let distance = usize::try_from(exponent.unsigned_abs()).ok()?;
    let zeros = "0".repeat((distance < 400).then_some(distance)?);
    let digits = mantissa.strip_prefix('-').unwrap_or(mantissa);
    let sign = &mantissa[..mantissa.len() - digits.len()];
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let digits = format!("{zeros}{whole}{fraction}{zeros}");
    let point = (zeros.len() + whole.len()).checked_add_signed(exponent as isize)?;
    let (whole, fraction) = digits.split_at_checked(point)?;
    Some(format!("{sign}{whole}.{fraction}"))
}

impl fmt::Display for Amount {
    /// As a JSON number, without an exponent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Give all limbs the same sign.
        let mut limbs = self.limbs.clone();
        limbs.resize(limbs.len().max(self.after), 0);
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
        let fraction = digits.split_off(digits.len() - self.after * LIMB_DIGITS);
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
