//! The vector of the `portable` kernel on x86-64: 4 lanes of 128 bits.
#![allow(unsafe_code, reason = "intrinsics")]

use std::arch::x86_64::*;

use super::vector::Vector;

/// Calls an intrinsic on the inner registers.
macro_rules! sse2 {
    ($call:expr) => {
        // SAFETY: SSE2 is part of x86-64.
        Words(unsafe { $call })
    };
}

/// Four words.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct Words(__m128i);

impl Vector for Words {
    const LANES: usize = 4;

    #[inline(always)]
    fn splat(word: u32) -> Self {
        sse2!(_mm_set1_epi32(word.cast_signed()))
    }

    #[inline(always)]
    fn load(words: &[u32]) -> Self {
        let words: &[u32; 4] = words.first_chunk().expect("columns are padded");
        // SAFETY: the load is unaligned and within the 16 bytes.
        Self(unsafe { _mm_loadu_si128(words.as_ptr().cast()) })
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        sse2!(_mm_add_epi32(self.0, other.0))
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        sse2!(_mm_and_si128(self.0, other.0))
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        sse2!(_mm_xor_si128(self.0, other.0))
    }

    #[inline(always)]
    fn shift_right<const BITS: i32>(self) -> Self {
        sse2!(_mm_srli_epi32::<BITS>(self.0))
    }

    #[inline(always)]
    fn rotate_right<const BITS: i32>(self) -> Self {
        sse2!(_mm_or_si128(
            _mm_srli_epi32::<BITS>(self.0),
            _mm_sll_epi32(self.0, _mm_cvtsi32_si128(32 - BITS))
        ))
    }

    #[inline(always)]
    fn lanes_clear_of(self, mask: Self) -> u64 {
        let found = sse2!(_mm_cmpeq_epi32(self.and(mask).0, _mm_setzero_si128()));
        // SAFETY: as in `sse2!`.
        let bits = unsafe { _mm_movemask_ps(_mm_castsi128_ps(found.0)) };
        u64::from(bits.cast_unsigned())
    }
}
