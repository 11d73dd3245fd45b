//! The vector of the `portable` kernel on 64-bit ARM: 4 lanes of 128 bits.
//!
//! The compiler turns plain arrays into scalar code there, with three times the
//! instructions.
#![allow(unsafe_code, reason = "intrinsics")]

use std::arch::aarch64::*;

use super::vector::{Vector, vector};

vector! {
    pub(super) Words: 4 lanes in each uint32x4_t of (0);
    splat(word) = vdupq_n_u32(word);
    lanes_clear_of(a, mask) = {
        let clear = vceqzq_u32(vandq_u32(a, mask));
        vaddvq_u32(vandq_u32(clear, vld1q_u32([1, 2, 4, 8].as_ptr())))
    };
    add(a, b) = vaddq_u32(a, b);
    and(a, b) = vandq_u32(a, b);
    xor(a, b) = veorq_u32(a, b);
    shift_right<BITS>(a) = vshrq_n_u32::<BITS>(a);
    // The upper bits go into the word, the others are inserted below them.
    rotate_right<BITS>(a) = vsriq_n_u32::<BITS>(vshlq_u32(a, vdupq_n_s32(32 - BITS)), a);
    choose(e, f, g) = vbslq_u32(e, f, g);
    // Where `a` and `b` differ, `c` decides.
    majority(a, b, c) = vbslq_u32(veorq_u32(a, b), c, b);
}
