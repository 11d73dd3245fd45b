//! The `avx2` kernel: 8 lanes of 256 bits.
#![allow(unsafe_code, reason = "intrinsics, and functions that need AVX2")]

use std::arch::x86_64::*;
use std::ops::Range;

use super::group::{self, Functions, Group, by_position};
use super::rounds::{self, Halfway, Lanes};
use super::schedule::{BlockConstants, FirstBlock};
use super::vector::Vector;

/// Eight words. Values exist only in functions that need AVX2: the module
/// hands out none, and [`first_match`], its only door, asks for it.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct Words(__m256i);

/// Calls an intrinsic on the inner registers.
macro_rules! avx2 {
    ($call:expr) => {
        // SAFETY: where a `Words` is handled, the CPU has AVX2.
        Words(unsafe { $call })
    };
}

impl Vector for Words {
    const LANES: usize = 8;

    #[inline(always)]
    fn splat(word: u32) -> Self {
        avx2!(_mm256_set1_epi32(word.cast_signed()))
    }

    #[inline(always)]
    fn load(words: &[u32]) -> Self {
        let words: &[u32; 8] = words.first_chunk().expect("columns are padded");
        // SAFETY: the load is unaligned and within the 32 bytes.
        Self(unsafe { _mm256_loadu_si256(words.as_ptr().cast()) })
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        avx2!(_mm256_add_epi32(self.0, other.0))
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        avx2!(_mm256_and_si256(self.0, other.0))
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        avx2!(_mm256_xor_si256(self.0, other.0))
    }

    #[inline(always)]
    fn shift_right<const BITS: i32>(self) -> Self {
        avx2!(_mm256_srli_epi32::<BITS>(self.0))
    }

    #[inline(always)]
    fn rotate_right<const BITS: i32>(self) -> Self {
        avx2!(_mm256_or_si256(
            _mm256_srli_epi32::<BITS>(self.0),
            _mm256_sll_epi32(self.0, _mm_cvtsi32_si128(32 - BITS))
        ))
    }

    #[inline(always)]
    fn lanes_clear_of(self, mask: Self) -> u64 {
        let found = avx2!(_mm256_cmpeq_epi32(self.and(mask).0, _mm256_setzero_si256()));
        // SAFETY: as in `avx2!`.
        let bits = unsafe { _mm256_movemask_ps(_mm256_castsi256_ps(found.0)) };
        u64::from(bits.cast_unsigned())
    }
}

#[target_feature(enable = "avx2")]
#[inline(never)]
fn first_half<const FIRST: usize, const COUNT: usize>(
    block: &FirstBlock,
    varying: &[Words; 2],
    halfway: &mut Halfway<Words>,
) {
    *halfway = rounds::first_half::<Words, FIRST, COUNT>(block, varying);
}

#[target_feature(enable = "avx2")]
#[inline(never)]
fn first_half_of_straddled(
    lanes: &Lanes<Words>,
    block: &BlockConstants,
    varying: &Words,
    halfway: &mut Halfway<Words>,
) {
    *halfway = rounds::first_half_of_straddled(lanes, block, varying);
}

#[target_feature(enable = "avx2")]
#[inline(never)]
fn second_half(halfway: &Halfway<Words>, lanes: &mut Lanes<Words>) {
    *lanes = rounds::second_half(halfway);
}

#[target_feature(enable = "avx2")]
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
#[target_feature(enable = "avx2")]
pub(crate) fn first_match(group: &Group<'_>, range: Range<usize>) -> Option<usize> {
    // SAFETY: this function needs AVX2 itself.
    unsafe { group::first_match(&FUNCTIONS, group, range) }
}
