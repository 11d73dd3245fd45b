//! Scans nonces on one thread.
//!
//! A [`Scanner`] groups nonces that differ only in their low digits:
//! `message_layout` says where the digits are and which parts of the hash they
//! share, `digit_columns` what the low digits add to the message, and
//! `fastest_variant` measures which kernel to use.

mod digit_columns;
mod fastest_variant;
mod message_layout;
#[cfg(test)]
mod tests;

use std::ops::RangeInclusive;
use std::sync::OnceLock;

use self::fastest_variant::fastest_variant;
pub use self::fastest_variant::{Measurement, measurements};
use self::message_layout::MessageLayout;
pub use self::message_layout::Shape;
use crate::pow::nonce::{by_digit_count, digit_count};
use crate::pow::{Nonce, Target, Template};
use crate::sha256::scalar::{BLOCK_BYTES, HashState, compress, initial_state};
use crate::sha256::{KernelChoice, Variant};

const MOST_DIGITS: usize = digit_count(u64::MAX);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Scanned {
    /// The smallest nonce whose digest meets the target.
    pub(crate) hit: Option<Nonce>,
    /// Nonces up to the hit, or all. The few that a vector kernel hashes past
    /// the hit or the last nonce are not counted.
    pub(crate) tried: u64,
}

/// Scans pieces of one search. What the pieces have in common is prepared once
/// for all threads.
#[derive(Debug)]
pub(crate) struct Scanner {
    choice: KernelChoice,
    /// The candidate, if it hashes nonces one by one.
    one_by_one: Option<Variant>,
    template: Template,
    target: Target,
    /// The bits of the first digest word that must be zero.
    mask: u32,
    /// The state after the whole blocks of the prefix.
    midstate: HashState,
    /// By the number of digits minus one.
    layouts: [OnceLock<(MessageLayout, Variant)>; MOST_DIGITS],
}

impl Scanner {
    pub(crate) fn new(choice: KernelChoice, template: Template, target: Target) -> Self {
        let mut midstate = initial_state();
        for block in template.prefix().as_chunks::<BLOCK_BYTES>().0 {
            compress(&mut midstate, block);
        }
        Self {
            choice,
            one_by_one: choice
                .candidates()
                .into_iter()
                .find(|candidate| !candidate.hashes_groups()),
            template,
            target,
            mask: u32::MAX
                .checked_shr(target.bits().into())
                .map_or(u32::MAX, |rest| !rest),
            midstate,
            layouts: [const { OnceLock::new() }; MOST_DIGITS],
        }
    }

    /// Finds the smallest of `nonces` whose digest meets the target.
    pub(crate) fn scan(&self, nonces: RangeInclusive<u64>) -> Scanned {
        let (first, last) = (*nonces.start(), *nonces.end());
        let hit = match self.one_by_one {
            None => by_digit_count(nonces).find_map(|part| self.scan_part(&part)),
            Some(_) => nonces.into_iter().find(|nonce| self.is_hit(*nonce)),
        };
        Scanned {
            hit: hit.map(Nonce),
            tried: hit.unwrap_or(last) - first + 1,
        }
    }

    fn is_hit(&self, nonce: u64) -> bool {
        self.target.is_met_by(&self.template.digest(Nonce(nonce)))
    }

    /// The variant that hashes nonces with as many digits as this one.
    pub(crate) fn variant_for(&self, nonce: Nonce) -> Variant {
        self.one_by_one.unwrap_or_else(|| self.layout(nonce.0).1)
    }

    fn layout(&self, nonce: u64) -> &(MessageLayout, Variant) {
        let digits = digit_count(nonce);
        self.layouts[digits - 1].get_or_init(|| {
            let layout = MessageLayout::new(&self.template, self.midstate, digits);
            let variant = fastest_variant(self.choice, &layout);
            (layout, variant)
        })
    }

    /// All nonces of `part` have the same number of digits.
    fn scan_part(&self, part: &RangeInclusive<u64>) -> Option<u64> {
        let (layout, variant) = self.layout(*part.start());
        let size = layout.group_size();
        (part.start() / size..=part.end() / size).find_map(|upper| {
            let base = upper * size;
            let first = layout.first_block(*variant, upper);
            let group = layout.group(&first, self.mask);
            let mut start = part.start().saturating_sub(base) as usize;
            let end = (part.end() - base).min(size - 1) as usize + 1;
            loop {
                let index = variant.first_match(&group, start..end)?;
                let nonce = base + index as u64;
                // The kernel only tests 32 bits.
                if self.is_hit(nonce) {
                    return Some(nonce);
                }
                start = index + 1;
            }
        })
    }
}
