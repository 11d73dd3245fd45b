//! The message that a search hashes: `prefix + decimal nonce + suffix`.

use crate::pow::Nonce;
use crate::sha256::Digest;

/// The constant bytes before and after the nonce.
///
/// ```
/// use fourzero::pow::{Nonce, Template};
///
/// let template = Template::new("100", "");
/// assert_eq!(template.message(Nonce(35293)), b"10035293");
/// assert!(template.digest(Nonce(35293)).to_string().starts_with("0000"));
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Template {
    prefix: Vec<u8>,
    suffix: Vec<u8>,
}

impl Template {
    /// A template of any two byte strings.
    pub fn new(prefix: impl Into<Vec<u8>>, suffix: impl Into<Vec<u8>>) -> Self {
        Self {
            prefix: prefix.into(),
            suffix: suffix.into(),
        }
    }

    /// The bytes before the nonce.
    pub fn prefix(&self) -> &[u8] {
        &self.prefix
    }

    /// The bytes after the nonce.
    pub fn suffix(&self) -> &[u8] {
        &self.suffix
    }

    /// The message with `nonce`.
    pub fn message(&self, nonce: Nonce) -> Vec<u8> {
        let digits = nonce.to_string();
        [&self.prefix, digits.as_bytes(), &self.suffix].concat()
    }

    /// The digest of the message with `nonce`, by the `sha2` crate.
    pub fn digest(&self, nonce: Nonce) -> Digest {
        let digits = nonce.to_string();
        Digest::of_parts(&[&self.prefix, digits.as_bytes(), &self.suffix])
    }
}
