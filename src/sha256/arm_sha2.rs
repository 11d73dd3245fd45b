//! The `arm-sha2` kernel: the SHA-256 instructions of ARMv8 (`FEAT_SHA256`), a
//! few messages interleaved.
//!
//! `sha256h` and `sha256h2` do four rounds together, each for one half of the
//! state. Four messages and their schedules fill 24 of the 32 registers.
//!
//! It passes the tests of all kernels in an emulator (`scripts/emulate-arm.sh`).
//! Its speed was not measured.
#![allow(
    unsafe_code,
    reason = "intrinsics, and functions that need FEAT_SHA256"
)]

use std::arch::aarch64::*;
use std::ops::Range;

use super::constants::ROUND_CONSTANTS;
use super::message_group::{Matches, MessageGroup};
use super::scalar::HashState;
use super::schedule::{BlockConstants, ConstantBlock};
use super::stream_search::{later_rounds, search};

const STREAMS: usize = 4;

/// The state of one message in the order that the instructions want.
#[derive(Clone, Copy)]
struct Packed {
    abcd: uint32x4_t,
    efgh: uint32x4_t,
}

#[inline]
#[target_feature(enable = "sha2")]
fn quad(words: [u32; 4]) -> uint32x4_t {
    load_quad(&words, 0)
}

#[inline]
#[target_feature(enable = "sha2")]
fn load_quad(words: &[u32], first: usize) -> uint32x4_t {
    let words: &[u32; 4] = words[first..].first_chunk().expect("four words");
    // SAFETY: the load is unaligned and within the 16 bytes.
    unsafe { vld1q_u32(words.as_ptr()) }
}

#[inline]
#[target_feature(enable = "sha2")]
fn add_quads(left: uint32x4_t, right: uint32x4_t) -> uint32x4_t {
    vaddq_u32(left, right)
}

#[inline]
#[target_feature(enable = "sha2")]
fn pack(state: HashState) -> Packed {
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

/// The messages whose first word has no bit of `mask`, as bits.
#[inline]
#[target_feature(enable = "sha2")]
fn clear_of<const N: usize>(mask: u32, states: &[Packed; N]) -> u64 {
    (0..N)
        .filter(|&stream| vgetq_lane_u32::<0>(states[stream].abcd) & mask == 0)
        .fold(0, |streams, stream| streams | 1 << stream)
}

#[inline]
#[target_feature(enable = "sha2")]
fn four_rounds(Packed { abcd, efgh }: Packed, addends: uint32x4_t) -> Packed {
    Packed {
        abcd: vsha256hq_u32(abcd, efgh, addends),
        efgh: vsha256h2q_u32(efgh, abcd, addends),
    }
}

/// All rounds of a block without a varying word.
#[inline]
#[target_feature(enable = "sha2")]
fn rounds_of_constant_block<const N: usize>(states: &mut [Packed; N], block: &ConstantBlock) {
    for number in 0..16 {
        let addends = load_quad(&block.rounds, number * 4);
        for state in &mut *states {
            *state = four_rounds(*state, addends);
        }
    }
}

/// The rounds of quad `number`, unless all are before round `FIRST`.
#[inline]
#[target_feature(enable = "sha2")]
fn last_rounds<const FIRST: usize>(number: usize, state: Packed, addends: uint32x4_t) -> Packed {
    if number * 4 + 4 > FIRST {
        four_rounds(state, addends)
    } else {
        state
    }
}

/// The words that follow in the schedule.
#[inline]
#[target_feature(enable = "sha2")]
fn next_quad([w0, w1, w2, w3]: [uint32x4_t; 4]) -> uint32x4_t {
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
    mut schedule: [[uint32x4_t; 4]; STREAMS],
) -> [Packed; STREAMS] {
    // SAFETY: the caller vouches for the CPU.
    unsafe {
        later_rounds!(states, schedule);
    }
    states
}

search! {
    features = "sha2",
    entry = (),
    later_rounds = last_48_rounds,
    width = 4,
    later_width = 4,
}
