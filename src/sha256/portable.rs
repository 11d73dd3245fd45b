//! The `portable` kernel: what every CPU of the architecture can run.
//!
//! On x86-64 that is SSE2, four lanes.
#![allow(unsafe_code, reason = "SSE2 intrinsics")]

use std::ops::Range;

use super::group::{self, Functions, Group, by_position};
use super::rounds::{self, Halfway, Lanes};
use super::schedule::{BlockConstants, FirstBlock};

#[cfg(target_arch = "x86_64")]
use super::sse2::Words;
#[cfg(not(target_arch = "x86_64"))]
type Words = super::vector::Array<4>;

#[inline(never)]
fn first_half<const FIRST: usize, const COUNT: usize>(
    block: &FirstBlock,
    varying: &[Words; 2],
    halfway: &mut Halfway<Words>,
) {
    *halfway = rounds::first_half::<Words, FIRST, COUNT>(block, varying);
}

#[inline(never)]
fn first_half_of_straddled(
    lanes: &Lanes<Words>,
    block: &BlockConstants,
    varying: &Words,
    halfway: &mut Halfway<Words>,
) {
    *halfway = rounds::first_half_of_straddled(lanes, block, varying);
}

#[inline(never)]
fn second_half(halfway: &Halfway<Words>, lanes: &mut Lanes<Words>) {
    *lanes = rounds::second_half(halfway);
}

#[inline(never)]
fn constant_block(lanes: &mut Lanes<Words>, block: &BlockConstants) {
    *lanes = rounds::constant_block(lanes, block);
}

static FUNCTIONS: Functions<Words> = Functions {
    first_half: by_position!(first_half, two words),
    first_half_of_straddled,
    second_half,
    constant_block,
};

/// The index of the first message in `range` that matches.
pub(crate) fn first_match(group: &Group<'_>, range: Range<usize>) -> Option<usize> {
    // SAFETY: every CPU of the target runs these.
    unsafe { group::first_match(&FUNCTIONS, group, range) }
}
