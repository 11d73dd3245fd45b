//! How a block follows the block before it.

use std::borrow::Cow;

use crate::chain::json::View;
use crate::pow::LastBlock;
use crate::sha256::Digest;

#[derive(Clone, Debug)]
pub(in crate::chain) struct PreviousBlock<'a> {
    proof: Cow<'a, [u8]>,
    previous_hash: Cow<'a, [u8]>,
    hash: Digest,
}

impl<'a> PreviousBlock<'a> {
    /// `previous_hash` is the value of that key.
    pub(in crate::chain) fn new(proof: &'a [u8], previous_hash: View<'a>, hash: Digest) -> Self {
        Self {
            proof: Cow::Borrowed(proof),
            previous_hash: python_str(previous_hash),
            hash,
        }
    }

    pub(in crate::chain) fn into_owned(self) -> PreviousBlock<'static> {
        PreviousBlock {
            proof: Cow::Owned(self.proof.into_owned()),
            previous_hash: Cow::Owned(self.previous_hash.into_owned()),
            hash: self.hash,
        }
    }

    pub(super) fn proof(&self) -> &[u8] {
        &self.proof
    }

    pub(in crate::chain) fn as_last(&self) -> LastBlock<'_> {
        LastBlock {
            proof: &self.proof,
            previous_hash: &self.previous_hash,
            hash: self.hash,
        }
    }
}

/// What Python's `str` returns for a string or an integer.
fn python_str(value: View<'_>) -> Cow<'_, [u8]> {
    match value.string() {
        None => Cow::Borrowed(value.text()),
        Some(inner) if memchr::memchr(b'\\', inner).is_none() => Cow::Borrowed(inner),
        Some(_) => {
            let decoded: String = serde_json::from_slice(value.text())
                .expect("canonical text is JSON without lone surrogates");
            Cow::Owned(decoded.into_bytes())
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Link<'a> {
    pub(super) last: LastBlock<'a>,
    pub(super) index: u64,
    pub(super) proof: &'a [u8],
    pub(super) previous_hash: &'a [u8],
}

impl<'a> Link<'a> {
    pub(super) fn has_right_hash(&self) -> bool {
        let digits = self.quoted().and_then(|quoted| quoted.try_into().ok());
        digits.is_some_and(|digits| is_hex_of(digits, &self.last.hash))
    }

    /// The `previous_hash` without its quotes, if it is a string.
    pub(super) fn quoted(&self) -> Option<&'a [u8]> {
        self.previous_hash.strip_prefix(b"\"")?.strip_suffix(b"\"")
    }

    /// An upper bound for the length of the text that a rule hashes.
    pub(super) fn message_length(&self) -> usize {
        let suffix = self.last.previous_hash.len().max(2 * size_of::<Digest>());
        self.last.proof.len() + self.proof.len() + suffix
    }
}

/// Whether these are the digest's lower-case hex digits.
///
/// Each step computes two digits in the two bytes of an integer. Without a
/// table and an early exit, the compiler vectorizes the loop.
fn is_hex_of(digits: &[u8; 64], digest: &Digest) -> bool {
    const TO_LETTERS: u16 = (b'a' - b'9' - 1) as u16;
    let mut differences = 0;
    for (pair, byte) in digits.as_chunks().0.iter().zip(digest.as_bytes()) {
        let values = u16::from(byte >> 4) | u16::from(byte & 0xf) << 8;
        // For values from ten on, adding six carries out of the byte's low half.
        let letters = (values + 0x0606) >> 4 & 0x0101;
        let expected = values + 0x3030 + letters * TO_LETTERS;
        differences |= expected ^ u16::from_le_bytes(*pair);
    }
    differences == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_digits_that_differ_in_one_are_not_the_digest() {
        let digest = Digest::of(b"");
        let digits = digest.to_hex();
        assert!(is_hex_of(&digits, &digest));
        for place in 0..digits.len() {
            for other in (0..=255).filter(|other| *other != digits[place]) {
                let mut digits = digits;
                digits[place] = other;
                assert!(!is_hex_of(&digits, &digest), "{other:#x} at {place}");
            }
        }
    }
}
