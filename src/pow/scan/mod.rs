//! The scan of one span of nonces on one thread.
//!
//! A [`Scanner`] turns nonces into groups that differ in the low digits only:
//! `layout` says where the digits lie and what of the hash stays the same,
//! `digits` holds what the low digits add to the message, and `choice` finds
//! out which kernel is the fastest.

mod choice;
mod digits;
mod layout;
#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use self::choice::choose;
pub use self::choice::{Measurement, Shape, measurements};
use self::layout::Layout;
use crate::pow::nonce::{Nonce, Span, digit_count};
use crate::pow::{Target, Template};
use crate::sha256::scalar::{BLOCK_BYTES, HashState, compress, initial_state};
use crate::sha256::{KernelChoice, Variant};

/// Digits of the largest nonce.
const MOST_DIGITS: usize = digit_count(u64::MAX);

/// What a scan found, and what it cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Scanned {
    /// The smallest nonce of the span whose digest meets the target.
    pub(crate) hit: Option<Nonce>,
    /// Nonces of the span up to the hit, or all of them. The few that a vector
    /// kernel hashes past a hit or past the span are not counted.
    pub(crate) tried: u64,
}

/// Scans spans for one search. The work that spans have in common is done once
/// and shared by all threads.
#[derive(Debug)]
pub(crate) struct Scanner {
    choice: KernelChoice,
    /// The only candidate, if it hashes nonces one by one.
    one_by_one: Option<Variant>,
    template: Template,
    target: Target,
    /// The bits of the first digest word that the target wants to be zero.
    mask: u32,
    /// The state after the whole blocks of the prefix.
    midstate: HashState,
    /// By the number of digits less one.
    layouts: [OnceLock<(Layout, Variant)>; MOST_DIGITS],
}

impl Scanner {
    /// Hashes the whole blocks of the prefix.
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

    /// Looks for the smallest nonce of `span` whose digest meets the target.
    pub(crate) fn scan(&self, span: Span) -> Scanned {
        let hit = match self.one_by_one {
            None => span.by_digit_count().find_map(|part| self.scan_part(part)),
            Some(_) => (span.first..=span.last).find(|nonce| self.is_hit(*nonce)),
        };
        Scanned {
            hit: hit.map(Nonce),
            tried: hit.unwrap_or(span.last) - span.first + 1,
        }
    }

    fn is_hit(&self, nonce: u64) -> bool {
        self.target.is_met_by(&self.template.digest(Nonce(nonce)))
    }

    /// What hashes nonces with as many digits as this one.
    pub(crate) fn variant_for(&self, nonce: Nonce) -> Variant {
        self.one_by_one.unwrap_or_else(|| self.layout(nonce.0).1)
    }

    /// The layout for nonces with as many digits as this one, and the variant
    /// that hashes them.
    fn layout(&self, nonce: u64) -> &(Layout, Variant) {
        let digits = digit_count(nonce);
        self.layouts[digits - 1].get_or_init(|| {
            let layout = Layout::new(&self.template, self.midstate, digits);
            let variant = choose(self.choice, &layout);
            (layout, variant)
        })
    }

    /// The smallest hit among nonces with the same number of digits.
    fn scan_part(&self, part: Span) -> Option<u64> {
        let (layout, variant) = self.layout(part.first);
        let size = layout.group_size();
        (part.first / size..=part.last / size).find_map(|upper| {
            let base = upper * size;
            let first = layout.first_block(*variant, upper);
            let group = layout.group(&first, self.mask);
            let mut start = part.first.saturating_sub(base) as usize;
            let end = (part.last - base).min(size - 1) as usize + 1;
            loop {
                let index = variant.first_match(&group, start..end)?;
                let nonce = base + index as u64;
                // The kernel tests 32 bits only.
                if self.is_hit(nonce) {
                    return Some(nonce);
                }
                start = index + 1;
            }
        })
    }
}
