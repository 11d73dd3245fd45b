//! The proof rules: the text that a proof is hashed with.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use thiserror::Error;

use crate::pow::{Nonce, Target, Template};
use crate::sha256::Digest;

/// The digest of `{last_proof}{proof}{suffix}` must start with zeros. The three
/// rules differ in the suffix.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// No suffix: the rule in the tutorial's text. A proof depends only on the
    /// proof before it, so it protects no transaction.
    #[default]
    LastProof,
    /// The last block's own `previous_hash`: an early variant, still in the
    /// tutorial's C# port.
    PreviousHash,
    /// The hash of the last block: the tutorial's current code.
    LastHash,
}

/// The parts of the last block that the rules use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LastBlock<'a> {
    /// Its proof, as decimal text.
    pub proof: &'a [u8],
    /// Its `previous_hash`, as text.
    pub previous_hash: &'a [u8],
    /// Its own hash.
    pub hash: Digest,
}

impl Rule {
    /// Every rule, in the order in which they are tried on a chain whose rule is
    /// unknown.
    pub const ALL: [Self; 3] = [Self::LastProof, Self::PreviousHash, Self::LastHash];

    /// The name that it is parsed from.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LastProof => "last-proof",
            Self::PreviousHash => "previous-hash",
            Self::LastHash => "last-hash",
        }
    }

    /// The message to search for the block after `last`.
    ///
    /// ```
    /// use fourzero::{pow::{LastBlock, Nonce, Rule}, sha256::Digest};
    ///
    /// let last = LastBlock { proof: b"100", previous_hash: b"1", hash: Digest::of(b"") };
    /// let template = Rule::PreviousHash.template(&last);
    /// assert_eq!(template.message(Nonce(7)), b"10071");
    /// ```
    pub fn template(self, last: &LastBlock<'_>) -> Template {
        self.with_suffix(last, |suffix| Template::new(last.proof, suffix))
    }

    /// The digest that decides whether `proof`, as decimal text of any length,
    /// may follow `last`.
    pub fn digest(self, last: &LastBlock<'_>, proof: &[u8]) -> Digest {
        self.with_suffix(last, |suffix| {
            Digest::of_parts(&[last.proof, proof, suffix])
        })
    }

    /// Appends the text that [`Self::digest`] hashes to `message`.
    pub(crate) fn write_message(self, last: &LastBlock<'_>, proof: &[u8], message: &mut Vec<u8>) {
        message.extend_from_slice(last.proof);
        message.extend_from_slice(proof);
        self.with_suffix(last, |suffix| message.extend_from_slice(suffix));
    }

    fn with_suffix<T>(self, last: &LastBlock<'_>, write: impl FnOnce(&[u8]) -> T) -> T {
        match self {
            Self::LastProof => write(b""),
            Self::PreviousHash => write(last.previous_hash),
            Self::LastHash => write(&last.hash.to_hex()),
        }
    }

    /// Whether `proof` may follow `last`, by the `sha2` crate.
    pub fn is_satisfied(self, last: &LastBlock<'_>, proof: Nonce, target: Target) -> bool {
        let mut digits = itoa::Buffer::new();
        target.is_met_by(&self.digest(last, digits.format(proof.0).as_bytes()))
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// No rule has this name.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("there is no rule \"{0}\" (there are: last-proof, previous-hash, last-hash)")]
pub struct UnknownRule(String);

impl FromStr for Rule {
    type Err = UnknownRule;

    /// # Errors
    /// If no rule has this name.
    fn from_str(name: &str) -> Result<Self, UnknownRule> {
        Self::ALL
            .into_iter()
            .find(|rule| rule.name() == name)
            .ok_or_else(|| UnknownRule(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAST: LastBlock<'_> = LastBlock {
        proof: b"100",
        previous_hash: b"1",
        hash: Digest::from_bytes([0xcd; 32]),
    };

    #[test]
    fn each_rule_adds_its_own_suffix() {
        let message =
            |rule: Rule| String::from_utf8(rule.template(&LAST).message(Nonce(5))).unwrap();
        assert_eq!(message(Rule::LastProof), "1005");
        assert_eq!(message(Rule::PreviousHash), "10051");
        assert_eq!(message(Rule::LastHash), format!("1005{}", "cd".repeat(32)));
    }

    #[test]
    fn templates_and_checks_hash_the_same_message() {
        for rule in Rule::ALL {
            assert_eq!(
                rule.template(&LAST).digest(Nonce(42)),
                rule.digest(&LAST, b"42")
            );
            let mut message = Vec::new();
            rule.write_message(&LAST, b"42", &mut message);
            assert_eq!(Digest::of(&message), rule.digest(&LAST, b"42"));
        }
    }

    #[test]
    fn rules_are_parsed_from_their_names() {
        for rule in Rule::ALL {
            assert_eq!(rule.name().parse(), Ok(rule));
        }
        assert!("last_proof".parse::<Rule>().is_err());
    }
}
