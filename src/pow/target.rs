//! The difficulty: how many zeros a digest must start with.

use std::fmt;

use thiserror::Error;

use crate::sha256::Digest;

/// The number of zero bits that a digest must start with.
///
/// The tutorial counts zero hex digits. Four of them are 16 bits.
///
/// ```
/// use fourzero::{pow::Target, sha256::Digest};
///
/// let target = Target::from_hex_zeros(4)?;
/// assert!(target.is_met_by(&Digest::of(b"10035293")));
/// assert!(!target.is_met_by(&Digest::of(b"10035292")));
/// # Ok::<(), fourzero::pow::TargetError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Target {
    zero_bits: u16,
}

/// A difficulty of no zeros, or of more than a digest has.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("a difficulty of {given} {unit} is outside 1 to {most}")]
pub struct TargetError {
    given: u16,
    most: u16,
    unit: &'static str,
}

impl Target {
    /// The tutorial's difficulty: four hex zeros.
    pub const FOUR_ZEROS: Self = Self { zero_bits: 16 };

    /// A digest that starts with `zeros` hex zeros, 1 to 64.
    ///
    /// # Errors
    /// If `zeros` is outside that range.
    pub const fn from_hex_zeros(zeros: u16) -> Result<Self, TargetError> {
        Self::checked(zeros, 4, "hex zeros")
    }

    /// A digest that starts with `bits` zero bits, 1 to 256.
    ///
    /// # Errors
    /// If `bits` is outside that range.
    pub const fn from_bits(bits: u16) -> Result<Self, TargetError> {
        Self::checked(bits, 1, "bits")
    }

    const fn checked(given: u16, bits_each: u16, unit: &'static str) -> Result<Self, TargetError> {
        let most = 256 / bits_each;
        if given == 0 || given > most {
            return Err(TargetError { given, most, unit });
        }
        Ok(Self {
            zero_bits: given * bits_each,
        })
    }

    /// The required number of leading zero bits.
    pub const fn bits(self) -> u16 {
        self.zero_bits
    }

    /// Whether `digest` starts with enough zeros.
    pub fn is_met_by(self, digest: &Digest) -> bool {
        let (bytes, bits) = (usize::from(self.zero_bits / 8), self.zero_bits % 8);
        let (zeros, rest) = digest.as_bytes().split_at(bytes);
        zeros.iter().all(|byte| *byte == 0)
            && (bits == 0 || rest[0].leading_zeros() >= u32::from(bits))
    }

    /// The average number of hashes until a proof is found. A float, because
    /// 2^256 fits in no integer type.
    pub fn expected_hashes(self) -> f64 {
        f64::from(self.zero_bits).exp2()
    }
}

impl Default for Target {
    fn default() -> Self {
        Self::FOUR_ZEROS
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, unit) = match self.zero_bits {
            bits if bits % 4 == 0 => (bits / 4, "zero"),
            bits => (bits, "zero bit"),
        };
        write!(f, "{count} {unit}{}", if count == 1 { "" } else { "s" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest_with_zero_bits(bits: usize) -> Digest {
        let mut bytes = [0u8; 32];
        if bits < 256 {
            bytes[bits / 8] = 0x80 >> (bits % 8);
        }
        Digest::from_bytes(bytes)
    }

    #[test]
    fn a_target_is_met_by_as_many_zero_bits_or_more() {
        for asked in 1..=256u16 {
            let target = Target::from_bits(asked).unwrap();
            for present in 0..=256usize {
                let met = target.is_met_by(&digest_with_zero_bits(present));
                assert_eq!(met, present >= usize::from(asked), "{present} of {asked}");
            }
        }
    }

    #[test]
    fn hex_zeros_are_counted_in_the_printed_digest() {
        for zeros in 1..=64 {
            let target = Target::from_hex_zeros(zeros).unwrap();
            let just = digest_with_zero_bits(usize::from(zeros) * 4);
            let short = digest_with_zero_bits(usize::from(zeros) * 4 - 1);
            assert!(just.to_string().starts_with(&"0".repeat(zeros.into())));
            assert!(target.is_met_by(&just));
            assert!(!short.to_string().starts_with(&"0".repeat(zeros.into())));
            assert!(!target.is_met_by(&short));
        }
    }

    #[test]
    fn impossible_difficulties_are_refused() {
        assert!(Target::from_hex_zeros(65).is_err());
        assert!(Target::from_hex_zeros(0).is_err());
        assert!(Target::from_bits(257).is_err());
        assert!(Target::from_bits(0).is_err());
    }
}
