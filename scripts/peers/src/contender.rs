//! The messages, and the trait of a program that searches them.

use std::time::Duration;

use sha2::{Digest, Sha256};

/// What is hashed: `prefix + nonce + suffix`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Message {
    /// The tutorial's text: a proof of five digits and the nonce.
    LastProof,
    /// The tutorial's current code: a proof, the nonce and the last block's hash.
    LastHash,
    /// A prefix so long that the padding needs a second block. Programs without
    /// suffixes can hash no other message of two blocks.
    LongPrefix,
}

impl Message {
    pub const ALL: [Self; 3] = [Self::LastProof, Self::LastHash, Self::LongPrefix];

    pub const fn name(self) -> &'static str {
        match self {
            Self::LastProof => "one block",
            Self::LastHash => "two blocks, suffix",
            Self::LongPrefix => "two blocks, long prefix",
        }
    }

    pub const fn prefix(self) -> &'static str {
        match self {
            Self::LastProof | Self::LastHash => "35293",
            Self::LongPrefix => "The quick brown fox jumps over the lazy dog, 12 times",
        }
    }

    pub const fn suffix(self) -> &'static str {
        match self {
            Self::LastProof | Self::LongPrefix => "",
            Self::LastHash => "f684f7d31f5c8704a30952c30b3d94fe13b388551ebbfd9a2b4c7394f01634ae",
        }
    }

    pub fn digest(self, nonce: u64) -> [u8; 32] {
        Sha256::digest(format!("{}{nonce}{}", self.prefix(), self.suffix())).into()
    }
}

/// The first nonce, if the program lets the caller choose. In every turn, all
/// nonces have the same number of digits.
pub const FIRST_NONCE: u64 = 10_000_000;

/// A program, or one way to use it.
pub trait Contender {
    fn name(&self) -> String;

    /// Whether it can hash this message.
    fn takes(&self, message: Message) -> bool;

    /// A nonce whose digest starts with four hex zeros.
    fn solve(&mut self, message: Message) -> u64;

    /// Tries at least `nonces` nonces, none of which is an answer, and returns
    /// the time that `nonces` of them took.
    fn run(&mut self, message: Message, nonces: u64) -> Duration;

    /// Checks the answer with the `sha2` crate.
    ///
    /// # Errors
    /// If the answer is wrong.
    fn check(&mut self, message: Message) -> Result<(), String> {
        let nonce = self.solve(message);
        let digest = message.digest(nonce);
        if digest.starts_with(&[0, 0]) {
            Ok(())
        } else {
            Err(format!(
                "the digest for {nonce} starts with {:02x?}",
                &digest[..4]
            ))
        }
    }
}
