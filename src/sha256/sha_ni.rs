//! The `sha-ni` kernel: the SHA extensions of x86, four messages interleaved.
//! `sha256rnds2` does two rounds and takes four cycles, so that one message
//! alone would leave its unit idle.
//!
//! A block has 32 of these and 48 instructions for its schedule. The SHA
//! instructions reach sixteen registers only, the states and schedules of four
//! messages need 24, and the compiler moves the others about. AVX-512VL has
//! thirty-two: what the schedule is made of waits in the upper sixteen, and
//! eight messages go on together through a block with a constant schedule,
//! which is nothing but `sha256rnds2`.
//!
//! The SHA instructions exist in the legacy encoding only. On Intel CPUs one of
//! them costs some 440 cycles beside VEX or EVEX code if the upper halves of
//! registers 0 to 15 are dirty, that is after a write of 256 or 512 bits to one
//! of them without `vzeroupper`. So the functions here either have legacy code
//! only, or start with `vzeroupper` and write 128 bits at most
//! (`scripts/check-kernels.sh` checks it in the object code).
#![allow(unsafe_code, reason = "intrinsics, and functions that need SHA-NI")]

pub(super) mod rounds;

use std::arch::x86_64::*;
use std::ops::Range;

use self::rounds::{add_quads, four_rounds_each, last_rounds, load_quad, quad};
use super::constants::ROUND_CONSTANTS;
use super::message_group::{Matches, MessageGroup};
use super::scalar::State;
use super::schedule::{BlockConstants, ConstantBlock};
use super::stream_search::search;

const STREAMS: usize = 4;

/// The state of one message in the order that the instructions want.
#[derive(Clone, Copy)]
pub(super) struct Packed {
    pub(super) abef: __m128i,
    pub(super) cdgh: __m128i,
}

#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
pub(super) fn pack([a, b, c, d, e, f, g, h]: State) -> Packed {
    Packed {
        abef: quad([f, e, b, a]),
        cdgh: quad([h, g, d, c]),
    }
}

#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
pub(super) fn add_packed(left: Packed, right: Packed) -> Packed {
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

/// The messages whose first word has no bit of `mask`, as bits.
#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn clear_of(mask: u32, [s0, s1, s2, s3]: &[Packed; STREAMS]) -> u64 {
    let first_words = _mm_unpackhi_epi64(
        _mm_unpackhi_epi32(s0.abef, s1.abef),
        _mm_unpackhi_epi32(s2.abef, s3.abef),
    );
    let masked = _mm_and_si128(first_words, _mm_set1_epi32(mask.cast_signed()));
    let clear = _mm_cmpeq_epi32(masked, _mm_setzero_si128());
    u64::from(_mm_movemask_ps(_mm_castsi128_ps(clear)).cast_unsigned())
}

search! {
    /// For every CPU that has the SHA extensions.
    sixteen_registers:
    features = "sha,sse4.1,ssse3",
    entry = (),
    later_rounds = rounds::in_sixteen_registers,
    width = 24,
    constant_width = 6,
}

search! {
    /// With the sixteen registers more that AVX-512VL has. The compiler is not
    /// told of them: it would write wide registers.
    thirty_two_registers:
    features = "sha,sse4.1,ssse3",
    entry = rounds::clear_upper_halves(),
    later_rounds = rounds::in_thirty_two_registers,
    width = 24,
    constant_width = 6,
}
