//! A SHA-256 digest as a value.

use std::fmt;

use sha2::Digest as _;

/// The 32 bytes of a SHA-256 digest, most significant first.
///
/// It prints as 64 lower-case hex digits, the form in which blocks quote it.
///
/// ```
/// use fourzero::sha256::Digest;
///
/// let digest = Digest::of(b"abc");
/// assert_eq!(
///     digest.to_string(),
///     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
/// );
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Hashes `message` with the `sha2` crate, the project's oracle.
    pub fn of(message: &[u8]) -> Self {
        Self(sha2::Sha256::digest(message).into())
    }

    /// Hashes the concatenation of `parts`.
    pub fn of_parts(parts: &[&[u8]]) -> Self {
        let mut hasher = sha2::Sha256::new();
        for part in parts {
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }

    /// A digest from its 32 bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The digest's 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 64 lower-case hex digits, as ASCII, without allocating.
    pub fn to_hex(self) -> [u8; 64] {
        let mut digits = [0; 64];
        hex::encode_to_slice(self.0, &mut digits).expect("64 digits hold 32 bytes");
        digits
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.to_hex();
        f.pad(std::str::from_utf8(&digits).expect("hex digits are ASCII"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_parts_is_that_of_their_concatenation() {
        assert_eq!(Digest::of_parts(&[b"10", b"", b"0"]), Digest::of(b"100"));
    }

    #[test]
    fn hex_digits_are_lower_case() {
        assert_eq!(Digest::from_bytes([0xab; 32]).to_string(), "ab".repeat(32));
    }
}
