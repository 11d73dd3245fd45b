//! The `avx2` kernel: 8 lanes of 256 bits.
#![allow(unsafe_code, reason = "intrinsics, and functions that need AVX2")]

use std::arch::x86_64::*;

use super::vector::Vector;
use super::vector_search::vector_kernel;

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

vector_kernel! {
    #[target_feature(enable = "avx2")]
    Words, batch 8, least 2
}
