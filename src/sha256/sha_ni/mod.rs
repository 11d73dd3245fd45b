//! The `sha-ni` kernel: the SHA extensions of x86, a few messages interleaved.
//!
//! `sha256rnds2` does two rounds and takes four cycles, so a single message
//! would leave its unit idle. A block has 32 of these instructions and 48 for
//! its message schedule.
//!
//! The SHA instructions reach sixteen registers only, and compilers move the
//! states and schedules of a few messages about. So the last 48 rounds of a
//! varying block are assembly, in two variants for the registers there are.
//!
//! The SHA instructions exist in the legacy encoding only. On Intel CPUs one of
//! them costs some 440 cycles beside VEX or EVEX code if the upper halves of
//! registers 0 to 15 are dirty, that is after a write of 256 or 512 bits to one
//! of them without `vzeroupper`. So the functions here either have legacy code
//! only, or start with `vzeroupper` and write 128 bits at most
//! (`scripts/check-kernels.sh` checks it in the object code).
#![allow(unsafe_code, reason = "intrinsics, and functions that need SHA-NI")]

pub(super) mod digest_texts;
pub(super) mod sixteen_registers;
pub(super) mod thirty_two_registers;

use std::arch::x86_64::*;

use super::constants::ROUND_CONSTANTS;
use super::scalar::HashState;
use super::schedule::ConstantBlock;
use super::stream_search::later_rounds;

/// Four words, the first in the lowest lane.
type Quad = __m128i;

/// The state of one message in the order that the instructions want.
#[derive(Clone, Copy)]
struct Packed {
    abef: Quad,
    cdgh: Quad,
}

#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn quad([w0, w1, w2, w3]: [u32; 4]) -> Quad {
    _mm_set_epi32(
        w3.cast_signed(),
        w2.cast_signed(),
        w1.cast_signed(),
        w0.cast_signed(),
    )
}

#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn load_quad(words: &[u32], first: usize) -> Quad {
    let words: &[u32; 4] = words[first..].first_chunk().expect("four words");
    // SAFETY: the load is unaligned and within the 16 bytes.
    unsafe { _mm_loadu_si128(words.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn add_quads(left: Quad, right: Quad) -> Quad {
    _mm_add_epi32(left, right)
}

#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn pack([a, b, c, d, e, f, g, h]: HashState) -> Packed {
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

/// The messages whose first word has no bit of `mask`, as bits.
#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn clear_of<const N: usize>(mask: u32, states: &[Packed; N]) -> u64 {
    let abef = |index: usize| states[index.min(N - 1)].abef;
    let mut messages = 0;
    for first in (0..N).step_by(4) {
        let first_words = _mm_unpackhi_epi64(
            _mm_unpackhi_epi32(abef(first), abef(first + 1)),
            _mm_unpackhi_epi32(abef(first + 2), abef(first + 3)),
        );
        let masked = _mm_and_si128(first_words, _mm_set1_epi32(mask.cast_signed()));
        let clear = _mm_cmpeq_epi32(masked, _mm_setzero_si128());
        let clear = _mm_movemask_ps(_mm_castsi128_ps(clear)).cast_unsigned();
        messages |= u64::from(clear) << first;
    }
    // The last message fills the lanes without one.
    messages & ((1 << N) - 1)
}

/// Two rounds with the lower half of `addends`, which are round constants and
/// schedule words summed. What was `abef` is the `cdgh` of two rounds later.
#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn two_rounds(Packed { abef, cdgh }: Packed, addends: Quad) -> Packed {
    Packed {
        abef: _mm_sha256rnds2_epu32(cdgh, abef, addends),
        cdgh: abef,
    }
}

#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn four_rounds(state: Packed, addends: Quad) -> Packed {
    last_rounds::<0>(0, state, addends)
}

/// The rounds of quad `number`, without the pairs before round `FIRST`.
#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn last_rounds<const FIRST: usize>(number: usize, mut state: Packed, addends: Quad) -> Packed {
    if number * 4 + 2 > FIRST {
        state = two_rounds(state, addends);
    }
    if number * 4 + 4 > FIRST {
        state = two_rounds(state, _mm_shuffle_epi32::<0b00_00_11_10>(addends));
    }
    state
}

/// All rounds of a block without a varying word, two for each message in turn:
/// the instruction wants its addends in one certain register.
#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn rounds_of_constant_block<const N: usize>(states: &mut [Packed; N], block: &ConstantBlock) {
    for addends in block.rounds.as_chunks::<2>().0 {
        // SAFETY: the load is unaligned and of 8 bytes.
        let addends = unsafe { _mm_loadl_epi64(addends.as_ptr().cast()) };
        for state in &mut *states {
            *state = two_rounds(*state, addends);
        }
    }
}

/// The words that follow in the schedule.
#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn next_quad([w0, w1, w2, w3]: [Quad; 4]) -> Quad {
    let sum = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8::<4>(w3, w2));
    _mm_sha256msg2_epu32(sum, w3)
}

/// The rounds after `states`, for messages of which `schedule` is the block.
///
/// # Safety
/// The CPU must have the SHA extensions, SSE4.1 and SSSE3, and the caller be
/// compiled for them: `inline(always)` excludes the attribute `target_feature`.
#[inline(always)]
unsafe fn last_48_rounds<const N: usize>(
    mut states: [Packed; N],
    mut schedule: [[Quad; 4]; N],
) -> [Packed; N] {
    // SAFETY: the caller vouches for the CPU.
    unsafe {
        later_rounds!(states, schedule);
    }
    states
}
