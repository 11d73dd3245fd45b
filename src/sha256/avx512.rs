//! The `avx512` kernel: two interleaved streams of 16 lanes of 512 bits.
#![allow(unsafe_code, reason = "intrinsics, and functions that need AVX-512F")]

use std::arch::x86_64::*;
use std::ops::Range;

use super::group::{self, Functions, Group, by_position};
use super::rounds::{self, Halfway, Lanes};
use super::schedule::{BlockConstants, FirstBlock};
use super::vector::{Pair, Vector};

/// Sixteen words. Values exist only in functions that need AVX-512F: the
/// module hands out none, and [`first_match`], its only door, asks for it.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct Words(__m512i);

/// Calls an intrinsic on the inner registers.
macro_rules! avx512 {
    ($call:expr) => {
        // SAFETY: where a `Words` is handled, the CPU has AVX-512F.
        Words(unsafe { $call })
    };
}

/// Truth tables for `vpternlogd`: bit `4a + 2b + c` is the result.
mod truth_table {
    pub(super) const XOR3: i32 = 0b1001_0110;
    pub(super) const CHOOSE: i32 = 0b1100_1010;
    pub(super) const MAJORITY: i32 = 0b1110_1000;
}

impl Vector for Words {
    const LANES: usize = 16;

    #[inline(always)]
    fn splat(word: u32) -> Self {
        avx512!(_mm512_set1_epi32(word.cast_signed()))
    }

    #[inline(always)]
    fn load(words: &[u32]) -> Self {
        let words: &[u32; 16] = words.first_chunk().expect("columns are padded");
        // SAFETY: the load is unaligned and within the 64 bytes.
        Self(unsafe { _mm512_loadu_si512(words.as_ptr().cast()) })
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        avx512!(_mm512_add_epi32(self.0, other.0))
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        avx512!(_mm512_and_si512(self.0, other.0))
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        avx512!(_mm512_xor_si512(self.0, other.0))
    }

    #[inline(always)]
    fn shift_right<const BITS: i32>(self) -> Self {
        avx512!(_mm512_srl_epi32(self.0, _mm_cvtsi32_si128(BITS)))
    }

    #[inline(always)]
    fn rotate_right<const BITS: i32>(self) -> Self {
        avx512!(_mm512_ror_epi32::<BITS>(self.0))
    }

    #[inline(always)]
    fn lanes_clear_of(self, mask: Self) -> u64 {
        // SAFETY: as in `avx512!`.
        u64::from(unsafe { _mm512_testn_epi32_mask(self.0, mask.0) })
    }

    #[inline(always)]
    fn xor3(self, second: Self, third: Self) -> Self {
        avx512!(_mm512_ternarylogic_epi32::<{ truth_table::XOR3 }>(
            self.0, second.0, third.0
        ))
    }

    #[inline(always)]
    fn choose(self, f: Self, g: Self) -> Self {
        avx512!(_mm512_ternarylogic_epi32::<{ truth_table::CHOOSE }>(
            self.0, f.0, g.0
        ))
    }

    #[inline(always)]
    fn majority(self, b: Self, c: Self) -> Self {
        avx512!(_mm512_ternarylogic_epi32::<{ truth_table::MAJORITY }>(
            self.0, b.0, c.0
        ))
    }
}

type Streams = Pair<Words>;

#[target_feature(enable = "avx512f")]
#[inline(never)]
fn first_half<const FIRST: usize, const COUNT: usize>(
    block: &FirstBlock,
    varying: &[Streams; 2],
    halfway: &mut Halfway<Streams>,
) {
    *halfway = rounds::first_half::<Streams, FIRST, COUNT>(block, varying);
}

#[target_feature(enable = "avx512f")]
#[inline(never)]
fn first_half_of_straddled(
    lanes: &Lanes<Streams>,
    block: &BlockConstants,
    varying: &Streams,
    halfway: &mut Halfway<Streams>,
) {
    *halfway = rounds::first_half_of_straddled(lanes, block, varying);
}

#[target_feature(enable = "avx512f")]
#[inline(never)]
fn second_half(halfway: &Halfway<Streams>, lanes: &mut Lanes<Streams>) {
    *lanes = rounds::second_half(halfway);
}

#[target_feature(enable = "avx512f")]
#[inline(never)]
fn constant_block(lanes: &mut Lanes<Streams>, block: &BlockConstants) {
    *lanes = rounds::constant_block(lanes, block);
}

static FUNCTIONS: Functions<Streams> = Functions {
    first_half: by_position!(first_half),
    first_half_of_straddled,
    second_half,
    constant_block,
};

/// The index of the first message in `range` that matches.
#[target_feature(enable = "avx512f")]
pub(crate) fn first_match(group: &Group<'_>, range: Range<usize>) -> Option<usize> {
    // SAFETY: this function needs AVX-512F itself.
    unsafe { group::first_match(&FUNCTIONS, group, range) }
}
