//! Detects journals that fit these options but were mined with others.
//!
//! A journal holds the chain's own bytes, from which all options but two can be
//! checked exactly. A proof of a higher difficulty also satisfies a lower one,
//! and a timestamp does not say whether the system clock gave it. These two are
//! guessed from the blocks. A second file with the options was considered and
//! rejected: it would have to be written, synced, found, moved and deleted
//! together with the journal, and it cannot be deleted safely after the chain
//! is renamed, because another process may already have written its own. All
//! this is more code than the two guesses, and the blocks would still have to
//! be compared with the queues.

use super::error::ResumeError;
use crate::batch::options::{Clock, MineOptions};
use crate::chain::json::write_float;
use crate::pow::Target;
use crate::sha256::Digest;

/// Different proofs that must satisfy a higher difficulty. By chance,
/// one in 16^8 journals has this many.
const ENOUGH_PROOFS: usize = 8;

/// Blocks that must be exactly a second apart. With a clock that counts
/// microseconds, one in 10^12 journals has this many by chance.
const ENOUGH_TIMES: u64 = 3;

/// What all blocks so far have in common.
#[derive(Debug)]
pub(super) struct OptionMismatch {
    expected: Target,
    /// One more hex zero than expected, while all proofs have it.
    harder: Option<Target>,
    /// Digests of the first proofs. Under `last-proof`, a proof may repeat.
    digests: Vec<Digest>,
    uses_clock: bool,
    /// The first block's time, while the options name the clock and the other
    /// blocks follow second by second.
    first_time: Option<f64>,
}

impl OptionMismatch {
    pub(super) fn new(options: &MineOptions) -> Self {
        Self {
            expected: options.target,
            harder: Target::from_bits(options.target.bits() + 4).ok(),
            digests: Vec::new(),
            uses_clock: options.clock == Clock::System,
            first_time: None,
        }
    }

    /// Notes the digest of the next proof.
    pub(super) fn note_proof(&mut self, digest: &Digest) {
        self.harder.take_if(|harder| !harder.is_met_by(digest));
        let is_enough = self.harder.is_none() || self.digests.len() == ENOUGH_PROOFS;
        if !is_enough && !self.digests.contains(digest) {
            self.digests.push(*digest);
        }
    }

    /// Notes the time of block number `index`.
    pub(super) fn note_time(&mut self, index: u64, text: &str) {
        if index == 1 {
            self.first_time = text.parse().ok().filter(|_| self.uses_clock);
        }
        self.first_time.take_if(|first| {
            let mut expected = Vec::new();
            write_float(Clock::From(*first).timestamp(index), &mut expected);
            expected != text.as_bytes()
        });
    }

    /// Fails if `blocks` blocks were probably mined with other options. A chain
    /// `is_finished` if it needs no further timestamps.
    pub(super) fn check(&self, blocks: u64, is_finished: bool) -> Result<(), ResumeError> {
        if let Some(found) = self.harder
            && self.digests.len() >= ENOUGH_PROOFS
        {
            let expected = self.expected;
            return Err(ResumeError::Difficulty {
                blocks,
                found,
                expected,
            });
        }
        match self.first_time {
            Some(first) if blocks >= ENOUGH_TIMES && !is_finished => {
                Err(ResumeError::EvenTimes { blocks, first })
            }
            _ => Ok(()),
        }
    }
}
