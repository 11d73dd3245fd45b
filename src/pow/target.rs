//! What a digest must look like.

use std::fmt;

use thiserror::Error;

use crate::sha256::Digest;

/// A digest meets the target when it starts with this many zero bits.
///
/// The tutorial counts hex digits of zero; four of them are 16 bits.
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

/// A difficulty outside what SHA-256 has room for.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("a difficulty of {given} {unit} is outside 1 to {most}")]
pub struct TargetError {
    given: u16,
    most: u16,
    unit: &'static str,
}

impl Target {
    /// The tutorial's rule: four hex zeros.
    pub const FOUR_ZEROS: Self = Self { zero_bits: 16 };

    /// A digest that starts with `zeros` hex zeros, 1 to 64.
    ///
    /// # Errors
    /// If `zeros` is outside that range.
    pub const fn from_hex_zeros(zeros: u16) -> Result<Self, TargetError> {
        if zeros == 0 || zeros > 64 {
            return Err(TargetError {
                given: zeros,
                most: 64,
                unit: "hex zeros",
            });
        }
        Ok(Self {
            zero_bits: zeros * 4,
        })
    }

    /// A digest that starts with `bits` zero bits, 1 to 256.
    ///
    /// # Errors
    /// If `bits` is outside that range.
    pub const fn from_bits(bits: u16) -> Result<Self, TargetError> {
        if bits == 0 || bits > 256 {
            return Err(TargetError {
                given: bits,
                most: 256,
                unit: "bits",
            });
        }
        Ok(Self { zero_bits: bits })
    }

    /// The number of leading zero bits that are asked for.
    pub const fn bits(self) -> u16 {
        self.zero_bits
    }

    /// Whether `digest` starts with enough zeros.
    pub fn is_met_by(self, digest: &Digest) -> bool {
        let mut zeros = 0;
        for byte in digest.as_bytes() {
            zeros += byte.leading_zeros() as u16;
            if *byte != 0 {
                break;
            }
        }
        zeros >= self.zero_bits
    }

    /// Hashes that a search tries on average before it finds one, as a float
    /// because 2^256 fits no integer.
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
    fn a_target_is_met_from_its_number_of_zero_bits_on() {
        for asked in 1..=256u16 {
            let target = Target::from_bits(asked).unwrap();
            for present in 0..=256usize {
                let met = target.is_met_by(&digest_with_zero_bits(present));
                assert_eq!(met, present >= usize::from(asked), "{present} of {asked}");
            }
        }
    }

    #[test]
    fn hex_zeros_are_the_zeros_of_the_printed_digest() {
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
    fn difficulties_without_meaning_are_refused() {
        assert_eq!(
            Target::from_hex_zeros(65).unwrap_err().to_string(),
            "a difficulty of 65 hex zeros is outside 1 to 64"
        );
        assert!(Target::from_hex_zeros(0).is_err());
        assert!(Target::from_bits(257).is_err());
        assert!(Target::from_bits(0).is_err());
    }
}
