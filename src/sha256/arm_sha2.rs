//! The `arm-sha2` kernel: the SHA-256 instructions of ARMv8 (`FEAT_SHA256`), a
//! few messages interleaved.
//!
//! `sha256h` and `sha256h2` do four rounds together, each for one half of the
//! state. Four messages and their schedules fill 24 of the 32 registers.
//!
//! No such CPU was at hand: the kernel passes the tests of all kernels in an
//! emulator (`scripts/emulate-arm.sh`), and how fast it is was not measured.
#![allow(
    unsafe_code,
    reason = "intrinsics, and functions that need FEAT_SHA256"
)]

use std::arch::aarch64::*;
use std::ops::Range;

use super::constants::ROUND_CONSTANTS;
use super::message_group::{Matches, MessageGroup};
use super::scalar::State;
use super::schedule::{BlockConstants, ConstantBlock};
use super::stream_search::{later_rounds, search};

const STREAMS: usize = 4;

type Quad = uint32x4_t;

/// The state of one message in the order that the instructions want.
#[derive(Clone, Copy)]
struct Packed {
    abcd: Quad,
    efgh: Quad,
}

#[inline]
#[target_feature(enable = "sha2")]
fn quad(words: [u32; 4]) -> Quad {
    load_quad(&words, 0)
}

#[inline]
#[target_feature(enable = "sha2")]
fn load_quad(words: &[u32], first: usize) -> Quad {
    let words: &[u32; 4] = words[first..].first_chunk().expect("four words");
    // SAFETY: the load is unaligned and within the 16 bytes.
    unsafe { vld1q_u32(words.as_ptr()) }
}

#[inline]
#[target_feature(enable = "sha2")]
fn add_quads(left: Quad, right: Quad) -> Quad {
    vaddq_u32(left, right)
}

#[inline]
#[target_feature(enable = "sha2")]
fn pack(state: State) -> Packed {
    Packed {
        abcd: load_quad(&state, 0),
        efgh: load_quad(&state, 4),
    }
}

#[inline]
#[target_feature(enable = "sha2")]
fn add_packed(left: Packed, right: Packed) -> Packed {
    Packed {
        abcd: add_quads(left.abcd, right.abcd),
        efgh: add_quads(left.efgh, right.efgh),
    }
}

#[inline]
#[target_feature(enable = "sha2")]
fn a(state: Packed) -> u32 {
    vgetq_lane_u32::<0>(state.abcd)
}

/// The messages whose first word has no bit of `mask`, as bits.
#[inline]
#[target_feature(enable = "sha2")]
fn clear_of(mask: u32, states: &[Packed; STREAMS]) -> u64 {
    (0..STREAMS)
        .filter(|&stream| a(states[stream]) & mask == 0)
        .fold(0, |streams, stream| streams | 1 << stream)
}

#[inline]
#[target_feature(enable = "sha2")]
fn four_rounds(Packed { abcd, efgh }: Packed, addends: Quad) -> Packed {
    Packed {
        abcd: vsha256hq_u32(abcd, efgh, addends),
        efgh: vsha256h2q_u32(efgh, abcd, addends),
    }
}

/// Four rounds for each message.
#[inline]
#[target_feature(enable = "sha2")]
fn four_rounds_each<const N: usize>(states: &mut [Packed; N], addends: Quad) {
    for state in states {
        *state = four_rounds(*state, addends);
    }
}

/// The rounds of quad `number`, unless all are before round `FIRST`.
#[inline]
#[target_feature(enable = "sha2")]
fn last_rounds<const FIRST: usize>(number: usize, state: Packed, addends: Quad) -> Packed {
    if number * 4 + 4 > FIRST {
        four_rounds(state, addends)
    } else {
        state
    }
}

/// The words that follow in the schedule.
#[inline]
#[target_feature(enable = "sha2")]
fn next_quad([w0, w1, w2, w3]: [Quad; 4]) -> Quad {
    vsha256su1q_u32(vsha256su0q_u32(w0, w1), w2, w3)
}

/// `inline(always)`, which the attribute `target_feature` excludes, as for
/// `sha-ni`.
///
/// # Safety
/// The CPU must have `FEAT_SHA256`, and the caller be compiled for it.
#[inline(always)]
unsafe fn last_48_rounds(
    mut states: [Packed; STREAMS],
    mut schedule: [[Quad; 4]; STREAMS],
) -> [Packed; STREAMS] {
    // SAFETY: the caller vouches for the CPU.
    unsafe {
        later_rounds!(states, schedule);
    }
    states
}

search! {
    four:
    features = "sha2",
    entry = (),
    later_rounds = last_48_rounds,
    width = 4,
    constant_width = 4,
}

pub(crate) use four::first_match;
