//! The `avx512` kernel: two interleaved streams of 16 lanes of 512 bits.
//!
//! Of the CPUs that have the instructions, only a Zen 4 was at hand. It does an
//! operation of 512 bits as two of 256, and `sha-ni` is faster there. In cycles
//! a hash in the kernel's loop alone, for one block and for two:
//!
//! | variant | one block | two blocks |
//! |---|---|---|
//! | **two streams** | 62 | 102 |
//! | one stream | 58 | 105 |
//! | one stream, all rounds in one function | 55 | 100 |
//! | one stream of 256 bits | 63 | 125 |
//! | two streams, rounds in assembly, the schedule in memory | 55 | 94 |
//! | `sha-ni` | 47 | 82 |
//!
//! By count of operations it could take 46 there. The order of instructions
//! decides: in a loop of nothing but rounds, which takes 14 cycles a round by
//! count, the obvious one takes 15.8, and one that was found by trying
//! thousands takes 14.1, or as much as 16 where a `nop` comes between. One
//! stream suffices there, because additions and logic take one cycle. The two
//! are for Zen 5, where an early probe took two cycles for them and 29 cycles a
//! hash with two streams, 41 with one; the present code was not measured there.
#![allow(unsafe_code, reason = "intrinsics, and functions that need AVX-512F")]

use std::arch::x86_64::*;

use super::group::{by_position, kernel};
use super::vector::Vector;

/// Thirty-two words in two registers, one of each stream.
///
/// Values exist only in functions that need AVX-512F: the module hands out
/// none, and [`first_match`], its only door, asks for it.
#[derive(Clone, Copy)]
struct Words(__m512i, __m512i);

/// Calls an intrinsic on the registers of the first stream, then of the
/// second.
macro_rules! both {
    ($intrinsic:ident $(::<$constant:ident>)? ($($words:ident),*)) => {
        // SAFETY: where a `Words` is handled, the CPU has AVX-512F.
        unsafe {
            Words(
                $intrinsic $(::<$constant>)? ($($words.0),*),
                $intrinsic $(::<$constant>)? ($($words.1),*),
            )
        }
    };
}

// Truth tables for `vpternlogd`: bit `4a + 2b + c` is the result.
const XOR3: i32 = 0b1001_0110;
const CHOOSE: i32 = 0b1100_1010;
const MAJORITY: i32 = 0b1110_1000;

impl Vector for Words {
    const LANES: usize = 32;

    #[inline(always)]
    fn splat(word: u32) -> Self {
        // SAFETY: as in `both!`.
        let words = unsafe { _mm512_set1_epi32(word.cast_signed()) };
        Self(words, words)
    }

    #[inline(always)]
    fn load(words: &[u32]) -> Self {
        let words: &[u32; 32] = words.first_chunk().expect("columns are padded");
        let words = words.as_ptr().cast::<__m512i>();
        // SAFETY: the loads are unaligned and within the 128 bytes.
        unsafe { Self(_mm512_loadu_si512(words), _mm512_loadu_si512(words.add(1))) }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        both!(_mm512_add_epi32(self, other))
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        both!(_mm512_and_si512(self, other))
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        both!(_mm512_xor_si512(self, other))
    }

    #[inline(always)]
    fn shift_right<const BITS: i32>(self) -> Self {
        // The shift by an immediate has a constant of another type, and the
        // one by a register is unknown to Miri. All become the same code.
        let bits = Self::splat(BITS.cast_unsigned());
        both!(_mm512_srlv_epi32(self, bits))
    }

    #[inline(always)]
    fn rotate_right<const BITS: i32>(self) -> Self {
        both!(_mm512_ror_epi32::<BITS>(self))
    }

    #[inline(always)]
    fn lanes_clear_of(self, mask: Self) -> u64 {
        // SAFETY: as in `both!`.
        let (low, high) = unsafe {
            (
                _mm512_testn_epi32_mask(self.0, mask.0),
                _mm512_testn_epi32_mask(self.1, mask.1),
            )
        };
        u64::from(low) | u64::from(high) << 16
    }

    #[inline(always)]
    fn xor3(self, second: Self, third: Self) -> Self {
        both!(_mm512_ternarylogic_epi32::<XOR3>(self, second, third))
    }

    #[inline(always)]
    fn choose(self, f: Self, g: Self) -> Self {
        both!(_mm512_ternarylogic_epi32::<CHOOSE>(self, f, g))
    }

    #[inline(always)]
    fn majority(self, b: Self, c: Self) -> Self {
        both!(_mm512_ternarylogic_epi32::<MAJORITY>(self, b, c))
    }
}

kernel! {
    #[target_feature(enable = "avx512f")]
    Words, by_position!(first_half)
}
