//! The `sha-ni` kernel: the SHA extensions, a few messages interleaved.
//!
//! `sha256rnds2` does two rounds and starts every second cycle, but takes
//! four: two messages at a time keep its unit busy, and 32 of them for each
//! block, 64 cycles, are the bound. Rounds before the first varying word are
//! skipped in pairs.
//!
//! Best of twelve on a shared AMD EPYC (Zen 3), 5-digit prefix and 7-digit
//! nonces: 54.6 million nonces a second in one block, 26.1 million with a
//! second, constant block; about 60 and 120 cycles.
#![allow(unsafe_code, reason = "intrinsics, and functions that need SHA-NI")]

use std::arch::x86_64::*;
use std::ops::Range;

use super::constants::ROUND_CONSTANTS;
use super::group::{Group, by_position};
use super::scalar::State;
use super::schedule::BlockConstants;

/// Messages hashed at the same time.
const STREAMS: usize = 2;

/// The state of one message in the order that the instructions want.
#[derive(Clone, Copy)]
struct Packed {
    abef: __m128i,
    cdgh: __m128i,
}

type Function = unsafe fn(&Group<'_>, Range<usize>) -> Option<usize>;

static FIRST_MATCH: [[Function; 2]; 16] = by_position!(first_match_at);

/// The index of the first message in `range` that matches.
#[target_feature(enable = "sha,sse4.1,ssse3")]
pub(crate) fn first_match(group: &Group<'_>, range: Range<usize>) -> Option<usize> {
    let function = FIRST_MATCH[group.first.first][group.first.count - 1];
    // SAFETY: this function needs the same instructions.
    unsafe { function(group, range) }
}

#[target_feature(enable = "sha,sse4.1,ssse3")]
fn first_match_at<const FIRST: usize, const COUNT: usize>(
    group: &Group<'_>,
    range: Range<usize>,
) -> Option<usize> {
    let block = group.first;
    let midstate = pack(block.midstate);
    let start = pack(block.state_before_pair);
    let first_word = block.midstate[0];
    let [first_column, second_column] = group.columns;
    let mut index = range.start;
    while index < range.end {
        let first: &[u32; STREAMS] = first_column[index..].first_chunk().expect("padded");
        let second = if second_column.is_empty() {
            first
        } else {
            second_column[index..].first_chunk().expect("padded")
        };
        let varying = std::array::from_fn(|stream| [first[stream], second[stream]]);
        let after = rounds::<FIRST, COUNT>([start; STREAMS], &block.constants, &varying);
        let words = if group.is_one_block() {
            after.map(|state| first_word.wrapping_add(state.a()))
        } else {
            let mut states = add([midstate; STREAMS], after);
            if let Some(constants) = group.straddled {
                let second = second.map(|word| [word; 2]);
                states = add(states, rounds::<0, 1>(states, constants, &second));
            }
            for constants in group.tail {
                states = add(states, rounds::<0, 0>(states, constants, &varying));
            }
            states.map(|state| state.a())
        };
        for (stream, word) in words.into_iter().enumerate() {
            if word & group.mask == 0 {
                // The last messages may lie past the range.
                return (index + stream < range.end).then_some(index + stream);
            }
        }
        index += STREAMS;
    }
    None
}

impl Packed {
    #[inline]
    #[target_feature(enable = "sha,sse4.1,ssse3")]
    fn a(self) -> u32 {
        _mm_extract_epi32::<3>(self.abef).cast_unsigned()
    }
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
fn add(left: [Packed; STREAMS], right: [Packed; STREAMS]) -> [Packed; STREAMS] {
    std::array::from_fn(|stream| Packed {
        abef: _mm_add_epi32(left[stream].abef, right[stream].abef),
        cdgh: _mm_add_epi32(left[stream].cdgh, right[stream].cdgh),
    })
}

/// Four words, the first in the lowest lane.
#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn quad(words: [u32; 4]) -> __m128i {
    let [w0, w1, w2, w3] = words.map(u32::cast_signed);
    _mm_set_epi32(w3, w2, w1, w0)
}

#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn load_quad(words: &[u32], first: usize) -> __m128i {
    let words: &[u32; 4] = words[first..].first_chunk().expect("four words");
    // SAFETY: the load is unaligned and within the 16 bytes.
    unsafe { _mm_loadu_si128(words.as_ptr().cast()) }
}

/// The rounds of one block for every stream, from the last even round that is
/// not after `FIRST` on. The caller adds the state before the block.
#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn rounds<const FIRST: usize, const COUNT: usize>(
    mut states: [Packed; STREAMS],
    constants: &BlockConstants,
    varying: &[[u32; 2]; STREAMS],
) -> [Packed; STREAMS] {
    let is_varying_quad = |number: usize| (FIRST..FIRST + COUNT).any(|word| word / 4 == number);
    let mut schedule = [[_mm_setzero_si128(); 4]; STREAMS];
    #[allow(
        clippy::needless_range_loop,
        reason = "the number decides what varies, too"
    )]
    for number in 0..4 {
        let constant = load_quad(&constants.words, number * 4);
        for stream in 0..STREAMS {
            let mut words = constant;
            if is_varying_quad(number) {
                let mut added = [0; 4];
                for index in 0..COUNT {
                    if (FIRST + index) / 4 == number {
                        added[(FIRST + index) % 4] = varying[stream][index];
                    }
                }
                words = _mm_add_epi32(words, quad(added));
            }
            schedule[stream][number] = words;
        }
    }
    macro_rules! unrolled {
        ($($number:literal)*) => {$(
            for stream in 0..STREAMS {
                let words = &mut schedule[stream];
                if COUNT > 0 && $number >= 4 {
                    let [w0, w1, w2, w3] =
                        [0, 1, 2, 3].map(|index| words[($number + index) % 4]);
                    let sum = _mm_add_epi32(
                        _mm_sha256msg1_epu32(w0, w1),
                        _mm_alignr_epi8::<4>(w3, w2),
                    );
                    words[$number % 4] = _mm_sha256msg2_epu32(sum, w3);
                }
                let addends = if COUNT == 0 || $number < 4 && !is_varying_quad($number) {
                    load_quad(&constants.rounds, $number * 4)
                } else {
                    _mm_add_epi32(
                        words[$number % 4],
                        load_quad(&ROUND_CONSTANTS, $number * 4),
                    )
                };
                let Packed { mut abef, mut cdgh } = states[stream];
                if $number * 4 + 2 > FIRST {
                    (abef, cdgh) = (_mm_sha256rnds2_epu32(cdgh, abef, addends), abef);
                }
                if $number * 4 + 4 > FIRST {
                    let addends = _mm_shuffle_epi32::<0b00_00_11_10>(addends);
                    (abef, cdgh) = (_mm_sha256rnds2_epu32(cdgh, abef, addends), abef);
                }
                states[stream] = Packed { abef, cdgh };
            }
        )*};
    }
    unrolled! { 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 }
    states
}
