//! The vector of the `portable` kernel on x86-64: 4 lanes of 128 bits.
#![allow(unsafe_code, reason = "intrinsics")]

use std::arch::x86_64::*;

use super::vector::{Vector, vector};

vector! {
    pub(super) Words: 4 lanes in each __m128i of (0);
    splat(word) = _mm_set1_epi32(word.cast_signed());
    lanes_clear_of(a, mask) = {
        let clear = _mm_cmpeq_epi32(_mm_and_si128(a, mask), _mm_setzero_si128());
        _mm_movemask_ps(_mm_castsi128_ps(clear)).cast_unsigned()
    };
    add(a, b) = _mm_add_epi32(a, b);
    and(a, b) = _mm_and_si128(a, b);
    xor(a, b) = _mm_xor_si128(a, b);
    shift_right<BITS>(a) = _mm_srli_epi32::<BITS>(a);
    rotate_right<BITS>(a) = _mm_or_si128(
        _mm_srli_epi32::<BITS>(a),
        _mm_sll_epi32(a, _mm_cvtsi32_si128(32 - BITS)),
    );
}
