//! The variant for every CPU that has the SHA extensions: three messages, whose
//! states, latest words and next sums fill twelve of the sixteen registers.
//!
//! Only what a later step adds waits in memory. Compiled from intrinsics, four
//! messages or three took 8 to 15 cycles more each on a Zen 3: two of five
//! instructions moved registers about.
#![allow(unsafe_code, reason = "intrinsics, and functions that need SHA-NI")]

use std::arch::asm;
use std::arch::x86_64::*;
use std::ops::Range;

use super::*;
use crate::sha256::message_group::{Matches, MessageGroup};
use crate::sha256::schedule::BlockConstants;
use crate::sha256::stream_search::search;

const STREAMS: usize = 3;

/// Assembly for message `$i`. `latest` holds its latest quad, and `sum` what
/// `sha256msg2` makes the next one of. `$slot`, one of two in turn, holds the
/// `sha256msg1` that the sum after that contains, and then the one for two
/// steps later.
#[rustfmt::skip]
macro_rules! part {
    (next $number:literal $slot:literal $i:literal) => {
        concat!(
            "movdqa {before}, {latest", $i, "}\n",
            "sha256msg2 {sum", $i, "}, {latest", $i, "}\n",
        )
    };
    // Those that add the quad before the next.
    (rounds $number:literal $slot:literal $i:literal) => {
        concat!(
            "movdqu xmm0, xmmword ptr [{constants} + 16*", $number, " - 16]\n",
            "paddd xmm0, {latest", $i, "}\n",
            "sha256rnds2 {cdgh", $i, "}, {abef", $i, "}\n",
            "pshufd xmm0, xmm0, 14\n",
            "sha256rnds2 {abef", $i, "}, {cdgh", $i, "}\n",
        )
    };
    (latest $number:literal $slot:literal $i:literal) => {
        concat!("movdqa {latest", $i, "}, {sum", $i, "}\n")
    };
    (sum $number:literal $slot:literal $i:literal) => {
        concat!(
            "palignr {sum", $i, "}, {before}, 4\n",
            "paddd {sum", $i, "}, xmmword ptr [{waiting} + 32*", $i, " + 16*", $slot, "]\n",
        )
    };
    (partial $number:literal $slot:literal $i:literal) => {
        concat!(
            "sha256msg1 {before}, {latest", $i, "}\n",
            "movdqa xmmword ptr [{waiting} + 32*", $i, " + 16*", $slot, "], {before}\n",
        )
    };
}

/// The parts of a step that makes quad number `$number`, message by message.
macro_rules! step {
    ($number:literal, $slot:literal: $($part:ident)*) => {
        concat!(
            $(part!($part $number $slot 0),)*
            $(part!($part $number $slot 1),)*
            $(part!($part $number $slot 2),)*
        )
    };
}

/// As [`last_48_rounds`]. The rounds are a step behind the words they add, so
/// that they need not wait for them.
///
/// # Safety
/// As for [`last_48_rounds`].
#[inline(always)]
unsafe fn later_rounds(
    states: [Packed; STREAMS],
    schedule: [[Quad; 4]; STREAMS],
) -> [Packed; STREAMS] {
    if cfg!(miri) {
        // Miri does not run assembly.
        // SAFETY: the caller vouches for the CPU.
        return unsafe { last_48_rounds(states, schedule) };
    }
    let [mut s0, mut s1, mut s2] = states;
    let mut sums = [schedule[0][0]; STREAMS];
    let mut waiting = [[schedule[0][0]; 2]; STREAMS];
    for (stream, [w0, w1, w2, w3]) in schedule.into_iter().enumerate() {
        // SAFETY: the caller vouches for the CPU.
        unsafe {
            sums[stream] = add_quads(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8::<4>(w3, w2));
            waiting[stream] = [_mm_sha256msg1_epu32(w1, w2), _mm_sha256msg1_epu32(w2, w3)];
        }
    }
    // SAFETY: the caller vouches for the CPU; the assembly reads the constants
    // and changes nothing but what waits and the registers that are named.
    unsafe {
        asm!(
            step!(4, 0: next latest sum partial),
            step!(5, 1: next rounds latest sum partial),
            step!(6, 0: next rounds latest sum partial),
            step!(7, 1: next rounds latest sum partial),
            step!(8, 0: next rounds latest sum partial),
            step!(9, 1: next rounds latest sum partial),
            step!(10, 0: next rounds latest sum partial),
            step!(11, 1: next rounds latest sum partial),
            step!(12, 0: next rounds latest sum partial),
            step!(13, 1: next rounds latest sum),
            step!(14, 0: next rounds latest sum),
            step!(15, 1: next rounds latest),
            step!(16, 0: rounds),
            abef0 = inout(xmm_reg) s0.abef, cdgh0 = inout(xmm_reg) s0.cdgh,
            abef1 = inout(xmm_reg) s1.abef, cdgh1 = inout(xmm_reg) s1.cdgh,
            abef2 = inout(xmm_reg) s2.abef, cdgh2 = inout(xmm_reg) s2.cdgh,
            latest0 = inout(xmm_reg) schedule[0][3] => _, sum0 = inout(xmm_reg) sums[0] => _,
            latest1 = inout(xmm_reg) schedule[1][3] => _, sum1 = inout(xmm_reg) sums[1] => _,
            latest2 = inout(xmm_reg) schedule[2][3] => _, sum2 = inout(xmm_reg) sums[2] => _,
            before = out(xmm_reg) _,
            // The addends of `sha256rnds2`.
            out("xmm0") _,
            constants = in(reg) ROUND_CONSTANTS.as_ptr(),
            waiting = in(reg) waiting.as_mut_ptr(),
            options(nostack, preserves_flags),
        );
    }
    [s0, s1, s2]
}

search! {
    features = "sha,sse4.1,ssse3",
    entry = (),
    later_rounds = later_rounds,
    width = 24,
    later_width = 6,
}
