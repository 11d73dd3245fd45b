//! Coincidences that are none: journals that the options allow, but that other
//! options gave.

use super::error::ResumeError;
use crate::batch::options::{Clock, MineOptions};
use crate::chain::json::{View, write_float};
use crate::pow::{LastBlock, Rule, Target};
use crate::sha256::Digest;

/// Proofs that are looked at to see whether they satisfy more than is asked
/// for, and how many it takes to be sure: one in 16^8 journals is that by
/// chance.
const PROOFS_LOOKED_AT: usize = 16;
const ENOUGH_PROOFS: usize = 8;

/// Blocks exactly a second apart that it takes to be sure. A clock of a
/// microsecond gives such in one of 10^12 journals, or less.
const ENOUGH_TIMES: u64 = 3;

/// What all blocks of a journal have in common so far.
#[derive(Debug)]
pub(super) struct Coincidences {
    rule: Rule,
    target: Target,
    /// What the first proofs were searched with, while all of them satisfy
    /// more than is asked for: `previous_hash` and the proof before.
    harder: Option<Vec<(Vec<u8>, Vec<u8>)>>,
    /// The first block's time, while the others follow by the second and the
    /// options name the clock.
    even_since: Option<Vec<u8>>,
}

impl Coincidences {
    pub(super) fn new(options: &MineOptions) -> Self {
        Self {
            rule: options.rule,
            target: options.target,
            harder: Some(Vec::new()),
            even_since: matches!(options.clock, Clock::System).then(Vec::new),
        }
    }

    /// Notes what the proof behind `last` hashes to.
    pub(super) fn note_proof(&mut self, last: &LastBlock<'_>, digest: &Digest) {
        let is_harder = harder(self.target).is_some_and(|target| target.is_met_by(digest));
        let Some(searches) = self.harder.as_mut().filter(|_| is_harder) else {
            self.harder = None;
            return;
        };
        // Under `last-proof` the same search comes again and again.
        let is_known =
            self.rule == Rule::LastProof && searches.iter().any(|(_, proof)| proof == last.proof);
        if searches.len() < PROOFS_LOOKED_AT && !is_known {
            searches.push((last.previous_hash.to_vec(), last.proof.to_vec()));
        }
    }

    /// Notes the time of block number `index`.
    pub(super) fn note_time(&mut self, index: u64, text: &[u8]) {
        self.even_since.take_if(|first| {
            if index == 1 {
                first.extend_from_slice(text);
                return false;
            }
            let first = std::str::from_utf8(first).ok();
            let Some(first) = first.and_then(|first| first.parse().ok()) else {
                return true;
            };
            let mut expected = Vec::new();
            write_float(Clock::From(first).timestamp(index), &mut expected);
            expected != text
        });
    }

    /// A journal of a higher difficulty is a valid one of this, but not the
    /// one that mining gives, whose proofs are the smallest. `blocks` were
    /// noted.
    pub(super) fn check_proofs(&self, blocks: u64) -> Result<(), ResumeError> {
        match (&self.harder, harder(self.target)) {
            (Some(searches), Some(found)) if searches.len() >= ENOUGH_PROOFS => {
                Err(ResumeError::Difficulty {
                    blocks,
                    found,
                    expected: self.target,
                })
            }
            _ => Ok(()),
        }
    }

    /// Times that `--timestamp` gave are not to go on with those of a clock.
    pub(super) fn check_times(&self, blocks: u64) -> Result<(), ResumeError> {
        match &self.even_since {
            Some(first) if blocks >= ENOUGH_TIMES => Err(ResumeError::EvenTimes {
                blocks,
                first: View::of(first).excerpt(),
            }),
            _ => Ok(()),
        }
    }
}

/// A difficulty of one more hex zero.
fn harder(target: Target) -> Option<Target> {
    Target::from_bits(target.bits() + 4).ok()
}
