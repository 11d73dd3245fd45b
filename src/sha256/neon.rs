//! The vector of the `portable` kernel on 64-bit ARM: 4 lanes of 128 bits.
//!
//! Of plain arrays, the compiler (Rust 1.97) makes scalar code there: 44
//! instructions a round and lane, in place of 13.
#![allow(unsafe_code, reason = "intrinsics")]

use std::arch::aarch64::*;

use super::vector::Vector;

/// Calls an intrinsic on the inner registers.
macro_rules! neon {
    ($call:expr) => {
        // SAFETY: NEON is part of 64-bit ARM.
        Words(unsafe { $call })
    };
}

/// Four words.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct Words(uint32x4_t);

impl Vector for Words {
    const LANES: usize = 4;

    #[inline(always)]
    fn splat(word: u32) -> Self {
        neon!(vdupq_n_u32(word))
    }

    #[inline(always)]
    fn load(words: &[u32]) -> Self {
        let words: &[u32; 4] = words.first_chunk().expect("columns are padded");
        // SAFETY: the load is unaligned and within the 16 bytes.
        Self(unsafe { vld1q_u32(words.as_ptr()) })
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        neon!(vaddq_u32(self.0, other.0))
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        neon!(vandq_u32(self.0, other.0))
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        neon!(veorq_u32(self.0, other.0))
    }

    #[inline(always)]
    fn shift_right<const BITS: i32>(self) -> Self {
        neon!(vshrq_n_u32::<BITS>(self.0))
    }

    #[inline(always)]
    fn rotate_right<const BITS: i32>(self) -> Self {
        // The upper bits go into the word, the others are inserted below them.
        neon!(vsriq_n_u32::<BITS>(
            vshlq_u32(self.0, vdupq_n_s32(32 - BITS)),
            self.0
        ))
    }

    #[inline(always)]
    fn lanes_clear_of(self, mask: Self) -> u64 {
        let clear = neon!(vceqzq_u32(self.and(mask).0));
        let bits = clear.and(Self::load(&[1, 2, 4, 8]));
        // SAFETY: as in `neon!`.
        u64::from(unsafe { vaddvq_u32(bits.0) })
    }

    #[inline(always)]
    fn choose(self, f: Self, g: Self) -> Self {
        neon!(vbslq_u32(self.0, f.0, g.0))
    }

    #[inline(always)]
    fn majority(self, b: Self, c: Self) -> Self {
        // Where `self` and `b` differ, `c` decides.
        neon!(vbslq_u32(self.xor(b).0, c.0, b.0))
    }
}
