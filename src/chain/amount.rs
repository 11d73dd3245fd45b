//! Exact sums of amounts.
//!
//! Amounts are JSON numbers: integers of any length and doubles. Sums are
//! decimal, so that 0.1 and 0.2 make 0.3 and no integer is rounded.

use std::cmp::Ordering;
use std::fmt;

/// Decimal digits per limb.
const LIMB_DIGITS: usize = 9;
const LIMB: i64 = 1_000_000_000;

/// A decimal number of any length.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Amount {
    /// Nearly all amounts and sums: adding is one instruction or two.
    Billionths(i128),
    /// All others.
    Long(Box<Limbs>),
}

/// Limbs of nine digits, least significant first, each between -LIMB and
/// LIMB with its own sign; `after` of them are after the decimal point.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Limbs {
    limbs: Vec<i64>,
    after: usize,
}

impl Default for Amount {
    fn default() -> Self {
        Self::Billionths(0)
    }
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
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        if whole.len() <= 2 * LIMB_DIGITS && fraction.len() <= LIMB_DIGITS {
            let whole = i128::from(sign * integer(whole.as_bytes())?);
            let fraction = sign * fraction_limb(fraction.as_bytes())?;
            let billionths = whole * i128::from(LIMB) + i128::from(fraction);
            return Some(Self::Billionths(billionths));
        }
        let mut limbs = Vec::new();
        for chunk in fraction.as_bytes().chunks(LIMB_DIGITS).rev() {
            limbs.push(sign * fraction_limb(chunk)?);
        }
        let after = limbs.len();
        for chunk in whole.as_bytes().rchunks(LIMB_DIGITS) {
            limbs.push(sign * integer(chunk)?);
        }
        Some(Self::Long(Limbs { limbs, after }.into()))
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.combine(other, 1);
    }

    pub(crate) fn subtract(&mut self, other: &Self) {
        self.combine(other, -1);
    }

    #[must_use]
    pub(crate) fn minus(mut self, other: &Self) -> Self {
        self.combine(other, -1);
        self
    }

    pub(crate) fn sign(&self) -> Ordering {
        match self {
            Self::Billionths(billionths) => billionths.cmp(&0),
            // All lower limbs together are less than one unit of the first that
            // is not zero.
            Self::Long(number) => {
                let first = number.limbs.iter().rev().find(|limb| **limb != 0);
                first.map_or(Ordering::Equal, |limb| limb.cmp(&0))
            }
        }
    }

    fn combine(&mut self, other: &Self, sign: i64) {
        if let (Self::Billionths(one), Self::Billionths(other)) = (&*self, other) {
            let sum = match sign {
                1 => one.checked_add(*other),
                _ => one.checked_sub(*other),
            };
            if let Some(sum) = sum {
                *self = Self::Billionths(sum);
                return;
            }
        }
        let mut sum = std::mem::take(self).into_limbs();
        sum.combine(&other.clone().into_limbs(), sign);
        *self = Self::Long(sum);
    }

    fn into_limbs(self) -> Box<Limbs> {
        let mut rest = match self {
            Self::Billionths(billionths) => billionths,
            Self::Long(limbs) => return limbs,
        };
        let mut limbs = Vec::new();
        while rest != 0 {
            limbs.push((rest % i128::from(LIMB)) as i64);
            rest /= i128::from(LIMB);
        }
        Box::new(Limbs { limbs, after: 1 })
    }
}

impl Limbs {
    fn combine(&mut self, other: &Self, sign: i64) {
        if self.after < other.after {
            let missing = other.after - self.after;
            (self.limbs).splice(..0, std::iter::repeat_n(0, missing));
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

/// Up to nine digits after the decimal point, in billionths.
fn fraction_limb(digits: &[u8]) -> Option<i64> {
    let scale = 10i64.pow((LIMB_DIGITS - digits.len()) as u32);
    Some(scale * integer(digits)?)
}

/// The value of up to 18 digits.
fn integer(digits: &[u8]) -> Option<i64> {
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
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    Some(format!("{sign}0{whole}.{fraction}"))
}

impl fmt::Display for Amount {
    /// As a JSON number, without an exponent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Limbs { mut limbs, after } = *self.clone().into_limbs();
        limbs.resize(limbs.len().max(after), 0);
        // Give all limbs the same sign.
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
        let fraction = digits.split_off(digits.len() - after * LIMB_DIGITS);
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
        assert_eq!(sum(&["0e+5", "-0e-5"]), "0");
        assert_eq!(sum(&["1e+22", "-1"]), "9999999999999999999999");
        assert_eq!(sum(&["1", "-1e+22"]), "-9999999999999999999999");
        assert_eq!(sum(&["-0.5", "0.25"]), "-0.25");
        assert_eq!(sum(&["1000000000", "-1000000000"]), "0");
        assert_eq!(sum(&["1000000000", "-1"]), "999999999");
        assert_eq!(sum(&["-0.0", "0"]), "0");
        assert_eq!(sum(&["0.000000000001"]), "0.000000000001");
        assert_eq!(sum(&["2.5", "-1e-12", "-2.5"]), "-0.000000000001");
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
    fn a_sum_past_the_billionths_stays_exact() {
        let step = Amount::parse("999999999999999999.5").unwrap();
        for sign in [1, -1] {
            let mut amount = Amount::Billionths(i128::from(sign) * (i128::MAX - 1));
            let before = amount.to_string();
            amount.combine(&step, sign);
            assert!(matches!(amount, Amount::Long(_)));
            let expected = "170141183460469231731687303715.884105726";
            assert_eq!(before.trim_start_matches('-'), expected);
            let expected = "170141183461469231731687303715.384105726";
            assert_eq!(amount.to_string().trim_start_matches('-'), expected);
            assert_eq!(amount.sign(), sign.cmp(&0));
            amount.combine(&step, -sign);
            assert_eq!(amount.to_string(), before);
        }
    }

    #[test]
    fn only_numbers_are_amounts() {
        for text in ["", "many", "true", "null", "1.2.3", "--1", "[1]", "\"1\""] {
            assert_eq!(Amount::parse(text), None, "{text}");
        }
    }
}
