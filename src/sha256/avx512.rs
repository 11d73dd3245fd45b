//! The `avx512` kernel: vectors of 16 lanes in one stream or in two that are
//! interleaved.
//!
//! A round waits for the one before. Where an addition takes one cycle (Intel,
//! Zen 4), one stream of 16 lanes keeps the core busy and fits into the 32
//! registers. Where it takes two (Zen 5), a second stream fills the gaps.
#![allow(unsafe_code, reason = "intrinsics, and functions that need AVX-512F")]

use std::arch::x86_64::*;

use super::vector::{Vector, vector};
use super::vector_search::vector_kernel;

/// The vector of the registers that are numbered.
macro_rules! words {
    ($numbers:tt) => {
        vector! {
            /// Private: values exist only in functions that need AVX-512F.
            Words: 16 lanes in each __m512i of $numbers;
            splat(word) = _mm512_set1_epi32(word.cast_signed());
            lanes_clear_of(a, mask) = _mm512_testn_epi32_mask(a, mask);
            add(a, b) = _mm512_add_epi32(a, b);
            and(a, b) = _mm512_and_si512(a, b);
            xor(a, b) = _mm512_xor_si512(a, b);
            // The shift by an immediate has a constant of another type, and the
            // one by a register is unknown to Miri. All become the same code.
            shift_right<BITS>(a) = _mm512_srlv_epi32(a, _mm512_set1_epi32(BITS));
            rotate_right<BITS>(a) = _mm512_ror_epi32::<BITS>(a);
            // Truth tables: bit `4a + 2b + c` is the result.
            xor3(a, b, c) = _mm512_ternarylogic_epi32::<0b1001_0110>(a, b, c);
            choose(a, b, c) = _mm512_ternarylogic_epi32::<0b1100_1010>(a, b, c);
            majority(a, b, c) = _mm512_ternarylogic_epi32::<0b1110_1000>(a, b, c);
        }
    };
}

/// All 64 rounds are one straight function, with the constants as broadcast
/// memory operands.
pub(super) mod one_stream {
    use super::*;

    words! { (0) }

    vector_kernel! {
        #[target_feature(enable = "avx512f")]
        Words, batch 1, least 1
    }
}

/// A single function for both halves would outgrow the cache of decoded
/// operations, and take minutes to compile.
pub(super) mod two_streams {
    use super::*;

    words! { (0 1) }

    vector_kernel! {
        #[target_feature(enable = "avx512f")]
        Words, batch 2, least 1
    }
}
