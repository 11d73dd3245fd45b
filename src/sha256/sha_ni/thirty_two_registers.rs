//! The variant with the sixteen registers more that AVX-512VL has: what the
//! schedules of four messages are made of waits there, where the SHA
//! instructions do not reach.
//!
//! The compiler does not know of these registers: it would write wide ones.
#![allow(unsafe_code, reason = "intrinsics, and functions that need SHA-NI")]

use std::arch::asm;
use std::arch::x86_64::*;
use std::ops::Range;

use super::*;
use crate::sha256::message_group::{Matches, MessageGroup};
use crate::sha256::schedule::BlockConstants;
use crate::sha256::stream_search::search;

const STREAMS: usize = 4;

/// Loads what waits into xmm16 and the registers after it.
#[rustfmt::skip]
macro_rules! load_waiting {
    ($($number:literal $register:literal)*) => {
        concat!($("vmovdqu64 xmm", $register, ", xmmword ptr [{waiting} + 16*", $number, "]\n",)*)
    };
}

/// Assembly for message `$i`. Its state is in `abef` and `cdgh`, its latest quad
/// in `latest`. What later steps need of earlier quads is made when these are at
/// hand, and waits in registers that the SHA instructions do not reach:
/// `$aligned` is what the next quad adds (`_mm_alignr_epi8` above); `$partial`,
/// one of three registers in turn, the `sha256msg1` of the fourth and third
/// quads before the next, and once that is added, the one for three steps later.
#[rustfmt::skip]
macro_rules! part {
    (next $number:literal $i:literal $aligned:literal $partial:literal) => {
        concat!(
            "vpaddd {next}, xmm", $aligned, ", xmm", $partial, "\n",
            "sha256msg2 {next}, {latest", $i, "}\n",
        )
    };
    // Those that add the latest quad, the one before the next.
    (rounds $number:literal $i:literal $aligned:literal $partial:literal) => {
        concat!(
            "vpaddd xmm0, {latest", $i, "}, xmmword ptr [{constants} + 16*", $number, " - 16]\n",
            "sha256rnds2 {cdgh", $i, "}, {abef", $i, "}\n",
            "vpshufd xmm0, xmm0, 14\n",
            "sha256rnds2 {abef", $i, "}, {cdgh", $i, "}\n",
        )
    };
    (aligned $number:literal $i:literal $aligned:literal $partial:literal) => {
        concat!("valignd xmm", $aligned, ", {next}, {latest", $i, "}, 1\n")
    };
    (partial $number:literal $i:literal $aligned:literal $partial:literal) => {
        concat!(
            "sha256msg1 {latest", $i, "}, {next}\n",
            "vmovdqa64 xmm", $partial, ", {latest", $i, "}\n",
        )
    };
    (latest $number:literal $i:literal $aligned:literal $partial:literal) => {
        concat!("vmovdqa {latest", $i, "}, {next}\n")
    };
}

/// The parts of a step that makes quad number `$number`, message by message.
macro_rules! step {
    ($number:literal, $p0:literal $p1:literal $p2:literal $p3:literal: $($part:ident)*) => {
        concat!(
            $(part!($part $number 0 16 $p0),)*
            $(part!($part $number 1 17 $p1),)*
            $(part!($part $number 2 18 $p2),)*
            $(part!($part $number 3 19 $p3),)*
        )
    };
}

/// As [`last_48_rounds`]. The rounds are a step behind the words they add, so
/// that they need not wait for them.
///
/// # Safety
/// As for [`last_48_rounds`], and the CPU must have AVX-512VL. The upper halves
/// of the registers 0 to 15 should be clear: see [`clear_upper_halves`].
#[inline(always)]
unsafe fn later_rounds(
    states: [Packed; STREAMS],
    schedule: [[Quad; 4]; STREAMS],
) -> [Packed; STREAMS] {
    if cfg!(miri) {
        // It knows no assembly.
        // SAFETY: the caller vouches for the CPU.
        return unsafe { last_48_rounds(states, schedule) };
    }
    let [mut s0, mut s1, mut s2, mut s3] = states;
    // `$aligned` of each message, then the three `$partial`.
    let mut waiting = [[schedule[0][0]; STREAMS]; 4];
    for stream in 0..STREAMS {
        let [w0, w1, w2, w3] = schedule[stream];
        // SAFETY: the caller vouches for the CPU.
        unsafe {
            waiting[0][stream] = _mm_alignr_epi8::<4>(w3, w2);
            waiting[1][stream] = _mm_sha256msg1_epu32(w0, w1);
            waiting[2][stream] = _mm_sha256msg1_epu32(w1, w2);
            waiting[3][stream] = _mm_sha256msg1_epu32(w2, w3);
        }
    }
    // SAFETY: the caller vouches for the CPU; the assembly reads the constants
    // and what waits, and changes nothing but the registers that are named.
    unsafe {
        asm!(
            load_waiting!(
                0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23 8 24 9 25 10 26 11 27 12 28 13 29 14 30 15 31
            ),
            step!(4, 20 21 22 23: next aligned partial latest),
            step!(5, 24 25 26 27: next rounds aligned partial latest),
            step!(6, 28 29 30 31: next rounds aligned partial latest),
            step!(7, 20 21 22 23: next rounds aligned partial latest),
            step!(8, 24 25 26 27: next rounds aligned partial latest),
            step!(9, 28 29 30 31: next rounds aligned partial latest),
            step!(10, 20 21 22 23: next rounds aligned partial latest),
            step!(11, 24 25 26 27: next rounds aligned partial latest),
            step!(12, 28 29 30 31: next rounds aligned partial latest),
            step!(13, 20 21 22 23: next rounds aligned latest),
            step!(14, 24 25 26 27: next rounds aligned latest),
            step!(15, 28 29 30 31: next rounds latest),
            step!(16, 20 21 22 23: rounds),
            abef0 = inout(xmm_reg) s0.abef, cdgh0 = inout(xmm_reg) s0.cdgh,
            abef1 = inout(xmm_reg) s1.abef, cdgh1 = inout(xmm_reg) s1.cdgh,
            abef2 = inout(xmm_reg) s2.abef, cdgh2 = inout(xmm_reg) s2.cdgh,
            abef3 = inout(xmm_reg) s3.abef, cdgh3 = inout(xmm_reg) s3.cdgh,
            latest0 = inout(xmm_reg) schedule[0][3] => _,
            latest1 = inout(xmm_reg) schedule[1][3] => _,
            latest2 = inout(xmm_reg) schedule[2][3] => _,
            latest3 = inout(xmm_reg) schedule[3][3] => _,
            next = out(xmm_reg) _,
            // The addends of `sha256rnds2`.
            out("xmm0") _,
            out("xmm16") _, out("xmm17") _, out("xmm18") _, out("xmm19") _,
            out("xmm20") _, out("xmm21") _, out("xmm22") _, out("xmm23") _,
            out("xmm24") _, out("xmm25") _, out("xmm26") _, out("xmm27") _,
            out("xmm28") _, out("xmm29") _, out("xmm30") _, out("xmm31") _,
            constants = in(reg) ROUND_CONSTANTS.as_ptr(),
            waiting = in(reg) waiting.as_ptr(),
            options(pure, readonly, nostack, preserves_flags),
        );
    }
    [s0, s1, s2, s3]
}

/// Legacy SHA instructions beside VEX or EVEX ones are slow on Intel CPUs until
/// this clears what others left in the upper halves.
///
/// # Safety
/// The CPU must have AVX.
#[inline(always)]
unsafe fn clear_upper_halves() {
    if !cfg!(miri) {
        // SAFETY: the caller vouches for the CPU. The lower halves stay.
        unsafe { asm!("vzeroupper", options(nomem, nostack, preserves_flags)) }
    }
}

search! {
    features = "sha,sse4.1,ssse3",
    entry = clear_upper_halves(),
    later_rounds = later_rounds,
    width = 24,
    later_width = 6,
}
