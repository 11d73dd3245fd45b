//! The `avx512` kernel: vectors of 16 lanes in one stream or in two that are
//! interleaved.
//!
//! A round waits for the one before. Where an addition takes one cycle (Intel,
//! Zen 4), one stream of 16 lanes keeps the core busy and its working set fits
//! into the 32 registers. Where it takes two (Zen 5), a second stream fills the
//! gaps. By count of operations one block of 16 lanes costs about 1,420 of
//! them, and a constant block 900.
#![allow(unsafe_code, reason = "intrinsics, and functions that need AVX-512F")]

use std::arch::x86_64::*;

use super::vector::Vector;
use super::vector_search::vector_kernel;

// Truth tables for `vpternlogd`: bit `4a + 2b + c` is the result.
const XOR3: i32 = 0b1001_0110;
const CHOOSE: i32 = 0b1100_1010;
const MAJORITY: i32 = 0b1110_1000;

/// Calls an intrinsic.
macro_rules! avx512 {
    ($call:expr) => {
        // SAFETY: where a `Words` is handled, the CPU has AVX-512F.
        unsafe { $call }
    };
}

/// A vector of 16 lanes for each register that is numbered.
///
/// A type with a register a field, because the compiler takes three times as
/// long for a pair of vectors or for an array of registers.
macro_rules! words {
    ($words:ident: $($register:tt)*) => {
        /// Values exist only in functions that need AVX-512F: the module hands
        /// out none, and `first_match`, its only door, asks for it.
        #[derive(Clone, Copy)]
        struct $words($(words!(@register $register)),*);

        impl Vector for $words {
            const LANES: usize = 16 * [$($register),*].len();

            #[inline(always)]
            fn splat(word: u32) -> Self {
                let words = avx512!(_mm512_set1_epi32(word.cast_signed()));
                Self($({ let _ = $register; words }),*)
            }

            #[inline(always)]
            fn load(words: &[u32]) -> Self {
                let words: &[u32; Self::LANES] = words.first_chunk().expect("columns are padded");
                let words = words.as_ptr().cast::<__m512i>();
                // The loads are unaligned and within the array.
                Self($(avx512!(_mm512_loadu_si512(words.add($register)))),*)
            }

            #[inline(always)]
            fn add(self, other: Self) -> Self {
                Self($(avx512!(_mm512_add_epi32(self.$register, other.$register))),*)
            }

            #[inline(always)]
            fn and(self, other: Self) -> Self {
                Self($(avx512!(_mm512_and_si512(self.$register, other.$register))),*)
            }

            #[inline(always)]
            fn xor(self, other: Self) -> Self {
                Self($(avx512!(_mm512_xor_si512(self.$register, other.$register))),*)
            }

            #[inline(always)]
            fn shift_right<const BITS: i32>(self) -> Self {
                // The shift by an immediate has a constant of another type, and
                // the one by a register is unknown to Miri. All become the same
                // code.
                let bits = Self::splat(BITS.cast_unsigned());
                Self($(avx512!(_mm512_srlv_epi32(self.$register, bits.$register))),*)
            }

            #[inline(always)]
            fn rotate_right<const BITS: i32>(self) -> Self {
                Self($(avx512!(_mm512_ror_epi32::<BITS>(self.$register))),*)
            }

            #[inline(always)]
            fn lanes_clear_of(self, mask: Self) -> u64 {
                let mut lanes = 0;
                $(
                    let clear = avx512!(_mm512_testn_epi32_mask(self.$register, mask.$register));
                    lanes |= u64::from(clear) << (16 * $register);
                )*
                lanes
            }

            #[inline(always)]
            fn xor3(self, second: Self, third: Self) -> Self {
                words!(@ternary XOR3 self second third: $($register)*)
            }

            #[inline(always)]
            fn choose(self, f: Self, g: Self) -> Self {
                words!(@ternary CHOOSE self f g: $($register)*)
            }

            #[inline(always)]
            fn majority(self, b: Self, c: Self) -> Self {
                words!(@ternary MAJORITY self b c: $($register)*)
            }
        }
    };
    (@register $register:tt) => { __m512i };
    (@ternary $table:ident $a:ident $b:ident $c:ident: $($register:tt)*) => {
        Self($(avx512!(
            _mm512_ternarylogic_epi32::<$table>($a.$register, $b.$register, $c.$register)
        )),*)
    };
}

/// All 64 rounds are one straight function, with the constants as broadcast
/// memory operands.
pub(super) mod one_stream {
    use super::*;

    words! { Words: 0 }

    vector_kernel! {
        #[target_feature(enable = "avx512f")]
        Words, batch 1, least 1
    }
}

/// Straight functions would outgrow the cache of decoded operations, and take
/// minutes to compile.
pub(super) mod two_streams {
    use super::*;

    words! { Words: 0 1 }

    vector_kernel! {
        #[target_feature(enable = "avx512f")]
        Words, batch 2, least 1
    }
}
