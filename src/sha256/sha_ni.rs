//! The `sha-ni` kernel: the SHA extensions of x86, a few messages interleaved.
//! `sha256rnds2` does two rounds.
//!
//! How many to interleave, in million nonces a second on a shared AMD EPYC
//! (Zen 3), the median of some thousand positions, each the best of five turns
//! (`benches/positions.rs`; of eight for two messages):
//!
//! | messages | one block | two blocks | three | straddling digits, best |
//! |---|---|---|---|---|
//! | 2 | 56.6 | 26.8 | 17.3 | 79.0 |
//! | 3 | 53.3 | 27.9 | 19.6 | 77.2 |
//! | **4** | 55.0 to 55.4 | 31.3 to 31.4 | 22.7 to 22.8 | 82.1 |
//! | 2, but 4 in constant blocks | 39.7 | 27.6 | 20.7 | 82.1 |
//!
//! Others were at work on that machine. Why constant blocks gain by four
//! messages and others do not, and the last row's loss, were not looked into.
//!
//! That CPU starts a `sha256rnds2` every cycle (latency of four) and a
//! `sha256msg2` every second one, so a block's 32 of the one are not the
//! bound. Assembly in an order chosen by hand, all 64 rounds of four messages
//! and nothing else, takes 51.6 to 54.3 cycles a message: 41 without the
//! instructions of the rounds, 35 without those of the schedule.
//!
//! AVX-512VL has thirty-two registers, of which the instructions themselves
//! reach sixteen; what the schedule is made of fits into the others ([`quads`]).
//! With them, eight messages go on together after the first block, because a
//! block with a constant schedule is nothing but `sha256rnds2`. In million nonces
//! a second on a shared AMD EPYC (Zen 4), best of three runs of `bench`: 76.6
//! for one block and 44.7 for two, against 63.7 and 37.7 in sixteen registers. By
//! the cycle, in this file's loop alone:
//!
//! | variant | one block | two blocks |
//! |---|---|---|
//! | sixteen registers | 55 | 101 |
//! | thirty-two | 50 | 104 |
//! | thirty-two, six messages | 50 | 99 |
//! | thirty-two, eight messages | 51 | 87 |
//! | thirty-two, four messages and then eight | 51 | 86 |
//! | sixteen, four messages and then eight | 59 | 98 |
//! | **thirty-two in assembly, four and then eight** | 47 | 82 |
//! | that, with the rounds in the step that makes their words | 50 | 82 |
//! | that, with memory in place of the other sixteen | 59 | 93 |
//! | schedules from AVX-512, sixteen at a time | 50 | 88 |
//!
//! Sixty orders of the assembly's parts within a step, drawn by lot, took 47 to
//! 52 cycles. Without its `sha256msg2`, of four micro-operations each, it would
//! take 39. The last variant has by count half the operations of the others. But
//! rotations and `sha256rnds2` share a unit there, and no order that was tried
//! brings both to less than 44 cycles a message in a loop of nothing else.
//!
//! Tried and left on Zen 3; cycles a hash in this file's loop alone, median of
//! all positions, for one block and for two:
//!
//! | variant | one block | two blocks |
//! |---|---|---|
//! | as it is | 57.1 | 101.4 |
//! | with AVX encodings | 54.2 | 103.7 |
//! | the same, six messages | 53.7 | 98.1 |
//! | the schedule four rounds ahead | 56.1 | 100.9 |
//!
//! Six messages with AVX encodings, searched with, in million nonces a second,
//! old and new in turn, 104 and 92 turns of 40 ms on one thread, others at work:
//!
//! | | best, old | new | median, old | new |
//! |---|---|---|---|---|
//! | one block | 52.4, 51.0 | 53.4, 52.2 | 36.2, 34.1 | 33.2, 31.9 |
//! | two blocks | 31.1, 30.3 | 33.7, 31.6 | 23.2, 23.0 | 23.9, 23.2 |
//!
//! One block gains a fiftieth at best and loses in the median, so there is no
//! copy for AVX alone. Why the median falls was not looked into. Four messages
//! with AVX encodings gain nothing: best and median of two series of 150 turns,
//! old and new in turn, 54.3 and 38.8 against 54.5 and 38.9 for one block, 30.7
//! and 22.9 against 31.0 and 23.0 for two.
//!
//! Eight lanes of AVX2 in the gaps: on that CPU going from a 256-bit operation
//! to a SHA one and back takes 300 cycles unless `vzeroupper` comes between,
//! which clears the upper lanes. Nor is there much room: vector operations
//! share four pipes, and by count a message takes 150 of their 220 slots. Four
//! lanes of 128 bits need no `vzeroupper`: beside two messages 64 operations
//! are free, 128 cost 11 % and 256 cost 42 %, and a lane's hash takes some 750.
#![allow(unsafe_code, reason = "intrinsics, and functions that need SHA-NI")]

mod quads;

use std::arch::x86_64::*;
use std::ops::Range;

use self::quads::{add_quads, four_rounds, last_rounds, load_quad, quad};
use super::constants::ROUND_CONSTANTS;
use super::group::{Group, Matches, by_position};
use super::scalar::State;
use super::schedule::{BlockConstants, ConstantBlock};
use super::streams::search;

const STREAMS: usize = 4;

/// The state of one message in the order that the instructions want.
#[derive(Clone, Copy)]
struct Packed {
    abef: __m128i,
    cdgh: __m128i,
}

#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn pack([a, b, c, d, e, f, g, h]: State) -> Packed {
    Packed {
        abef: quad([f, e, b, a]),
        cdgh: quad([h, g, d, c]),
    }
}

#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn add_packed(left: Packed, right: Packed) -> Packed {
    Packed {
        abef: add_quads(left.abef, right.abef),
        cdgh: add_quads(left.cdgh, right.cdgh),
    }
}

#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn a(state: Packed) -> u32 {
    _mm_extract_epi32::<3>(state.abef).cast_unsigned()
}

search! {
    /// For every CPU that has the SHA extensions.
    plain, "sha,sse4.1,ssse3", quads::in_sixteen_registers, 4, inline(never)
}

search! {
    /// With the sixteen registers more that AVX-512VL has; measured on Zen 4
    /// only.
    vl, "sha,sse4.1,ssse3,avx512f,avx512vl", quads::in_thirty_two_registers, 8, inline
}

/// The index of the first message in `range` that matches.
///
/// # Safety
/// The CPU must have the SHA extensions, SSE4.1 and SSSE3.
pub(crate) unsafe fn first_match(group: &Group<'_>, range: Range<usize>) -> Option<usize> {
    if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl") {
        // SAFETY: the instructions were just asked for, or the caller vouches
        // for them.
        unsafe { vl::first_match(group, range) }
    } else {
        // SAFETY: the caller vouches for the CPU.
        unsafe { plain::first_match(group, range) }
    }
}
