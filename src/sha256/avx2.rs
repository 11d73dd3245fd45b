//! The `avx2` kernel: 8 lanes of 256 bits.
#![allow(unsafe_code, reason = "intrinsics, and functions that need AVX2")]

use std::arch::x86_64::*;

use super::vector::{Vector, vector};
use super::vector_search::vector_kernel;

vector! {
    /// Private: values exist only in functions that need AVX2.
    Words: 8 lanes in each __m256i of (0);
    splat(word) = _mm256_set1_epi32(word.cast_signed());
    lanes_clear_of(a, mask) = {
        let clear = _mm256_cmpeq_epi32(_mm256_and_si256(a, mask), _mm256_setzero_si256());
        _mm256_movemask_ps(_mm256_castsi256_ps(clear)).cast_unsigned()
    };
    add(a, b) = _mm256_add_epi32(a, b);
    and(a, b) = _mm256_and_si256(a, b);
    xor(a, b) = _mm256_xor_si256(a, b);
    shift_right<BITS>(a) = _mm256_srli_epi32::<BITS>(a);
    rotate_right<BITS>(a) = _mm256_or_si256(
        _mm256_srli_epi32::<BITS>(a),
        _mm256_sll_epi32(a, _mm_cvtsi32_si128(32 - BITS)),
    );
}

vector_kernel! {
    #[target_feature(enable = "avx2")]
    Words, batch 8, least 2
}
