//! The `sha-ni` kernel: the SHA extensions, a few messages interleaved.
//!
//! `sha256rnds2` does two rounds; each needs the one before, so messages are
//! interleaved to keep its unit busy. Rounds before the first varying word are
//! skipped in pairs.
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

use self::quads::{four_rounds, load_quad, two_rounds};
use super::constants::ROUND_CONSTANTS;
use super::group::{Group, Matches, by_position};
use super::scalar::State;
use super::schedule::{BlockConstants, ConstantBlock};

/// Messages of the first varying block that are hashed at the same time, or
/// rows: see [`Group`].
const STREAMS: usize = 4;

/// The state of one message in the order that the instructions want.
#[derive(Clone, Copy)]
struct Packed {
    abef: __m128i,
    cdgh: __m128i,
}

type Function = unsafe fn(&Group<'_>, Range<usize>) -> Option<usize>;

/// A module with the search, compiled with some instructions for every
/// position: the rounds of the first varying block end with those of [`quads`]
/// that are named, and the blocks after it are hashed for so many messages at the
/// same time. The second form has the numbers of the block's quads: a loop over
/// them takes a hundredth longer.
macro_rules! search {
    (
        $(#[$attribute:meta])*
        $module:ident, $features:literal, $later_rounds:ident, $width:literal, $inline:meta
    ) => {
        search! {
            $(#[$attribute])* $module, $features, $later_rounds, $width, $inline: 0 1 2 3
        }
    };
    (
        $(#[$attribute:meta])*
        $module:ident, $features:literal, $later_rounds:ident, $width:literal, $inline:meta:
        $($number:literal)*
    ) => {
        $(#[$attribute])*
        pub(crate) mod $module {
            use super::*;

            const WIDTH: usize = $width;

            static FIRST_MATCH: [[Function; 2]; 16] = by_position!(first_match_at);

            /// The index of the first message in `range` that matches.
            #[target_feature(enable = $features)]
            pub(crate) fn first_match(group: &Group<'_>, range: Range<usize>) -> Option<usize> {
                let function = FIRST_MATCH[group.first.first][group.first.count - 1];
                // SAFETY: this function needs the same instructions.
                unsafe { function(group, range) }
            }

            #[target_feature(enable = $features)]
            fn first_match_at<const FIRST: usize, const COUNT: usize>(
                group: &Group<'_>,
                range: Range<usize>,
            ) -> Option<usize> {
                let block = group.first;
                let midstate = pack(block.midstate);
                let start = pack(block.state_before_pair);
                let first_word = block.midstate[0];
                let [first_column, second_column] = group.columns;
                let rows = group.rows(&range);
                for wide_row in rows.clone().step_by(WIDTH) {
                    let mut wide = [start; WIDTH];
                    for part in 0..WIDTH / STREAMS {
                        let row = wide_row + part * STREAMS;
                        if row >= rows.end {
                            break;
                        }
                        let first: &[u32; STREAMS] =
                            first_column[row..].first_chunk().expect("padded");
                        let second = if second_column.is_empty() {
                            first
                        } else {
                            second_column[row..].first_chunk().expect("padded")
                        };
                        let varying =
                            std::array::from_fn(|stream| [first[stream], second[stream]]);
                        let after =
                            rounds::<FIRST, COUNT>([start; STREAMS], &block.constants, &varying);
                        if group.is_one_block() {
                            for (stream, state) in after.into_iter().enumerate() {
                                if first_word.wrapping_add(a(state)) & group.mask == 0 {
                                    // The last messages may lie past the range.
                                    return (row + stream < range.end).then_some(row + stream);
                                }
                            }
                            continue;
                        }
                        wide[part * STREAMS..][..STREAMS].copy_from_slice(&after);
                    }
                    if group.is_one_block() {
                        continue;
                    }
                    let states = add([midstate; WIDTH], wide);
                    let mut matches = Matches::new(group.variants.len().max(1), &range);
                    if group.variants.is_empty() {
                        let mut states = states;
                        add_constant_blocks(&mut states, group.tail);
                        matches.add(wide_row, 0, streams_clear_of(group.mask, &states));
                    }
                    for (number, block) in group.variants.iter().enumerate() {
                        let mut states = states;
                        add_constant_block(&mut states, block);
                        add_constant_blocks(&mut states, group.tail);
                        matches.add(wide_row, number, streams_clear_of(group.mask, &states));
                    }
                    if matches.first.is_some() {
                        return matches.first;
                    }
                }
                None
            }

            /// The streams of which the first word has no bit of `mask`, as bits.
            #[inline]
            #[target_feature(enable = $features)]
            fn streams_clear_of(mask: u32, states: &[Packed; WIDTH]) -> u64 {
                (0..WIDTH)
                    .filter(|&stream| a(states[stream]) & mask == 0)
                    .fold(0, |streams, stream| streams | 1 << stream)
            }

            #[inline]
            #[target_feature(enable = $features)]
            fn add_constant_blocks(states: &mut [Packed; WIDTH], blocks: &[ConstantBlock]) {
                for block in blocks {
                    add_constant_block(states, block);
                }
            }

            /// Folds a block without a varying word into each state. Inlined, it
            /// would make the loop of one block slower by a twentieth.
            #[$inline]
            #[target_feature(enable = $features)]
            fn add_constant_block(states: &mut [Packed; WIDTH], block: &ConstantBlock) {
                let before = *states;
                let mut after = before;
                for number in 0..16 {
                    let addends = load_quad(&block.rounds, number * 4);
                    for state in &mut after {
                        *state = four_rounds(*state, addends);
                    }
                }
                *states = add(before, after);
            }

            #[inline]
            #[target_feature(enable = $features)]
            fn a(state: Packed) -> u32 {
                _mm_extract_epi32::<3>(state.abef).cast_unsigned()
            }

            #[inline]
            #[target_feature(enable = $features)]
            fn pack([a, b, c, d, e, f, g, h]: State) -> Packed {
                Packed {
                    abef: quad([f, e, b, a]),
                    cdgh: quad([h, g, d, c]),
                }
            }

            #[inline]
            #[target_feature(enable = $features)]
            fn add(left: [Packed; WIDTH], right: [Packed; WIDTH]) -> [Packed; WIDTH] {
                let mut sum = left;
                for (left, right) in sum.iter_mut().zip(right) {
                    left.abef = _mm_add_epi32(left.abef, right.abef);
                    left.cdgh = _mm_add_epi32(left.cdgh, right.cdgh);
                }
                sum
            }

            /// Four words, the first in the lowest lane.
            #[inline]
            #[target_feature(enable = $features)]
            fn quad(words: [u32; 4]) -> __m128i {
                let [w0, w1, w2, w3] = words;
                _mm_set_epi32(
                    w3.cast_signed(),
                    w2.cast_signed(),
                    w1.cast_signed(),
                    w0.cast_signed(),
                )
            }

            /// The rounds of a varying block for every stream, from the last even
            /// round that is not after `FIRST` on. The caller adds the state
            /// before the block.
            #[inline]
            #[target_feature(enable = $features)]
            fn rounds<const FIRST: usize, const COUNT: usize>(
                mut states: [Packed; STREAMS],
                constants: &BlockConstants,
                varying: &[[u32; 2]; STREAMS],
            ) -> [Packed; STREAMS] {
                let is_varying_quad = |number: usize| (FIRST..FIRST + COUNT).any(|word| word / 4 == number);
                let mut schedule = [[_mm_setzero_si128(); 4]; STREAMS];
                $(
                    let constant = load_quad(&constants.words, $number * 4);
                    for stream in 0..STREAMS {
                        let mut words = constant;
                        let mut addends = load_quad(&constants.rounds, $number * 4);
                        if is_varying_quad($number) {
                            let mut added = [0; 4];
                            for index in 0..COUNT {
                                if (FIRST + index) / 4 == $number {
                                    added[(FIRST + index) % 4] = varying[stream][index];
                                }
                            }
                            words = _mm_add_epi32(words, quad(added));
                            addends = _mm_add_epi32(words, load_quad(&ROUND_CONSTANTS, $number * 4));
                        }
                        schedule[stream][$number] = words;
                        let mut state = states[stream];
                        if $number * 4 + 2 > FIRST {
                            state = two_rounds(state, addends);
                        }
                        if $number * 4 + 4 > FIRST {
                            state = two_rounds(state, _mm_shuffle_epi32::<0b00_00_11_10>(addends));
                        }
                        states[stream] = state;
                    }
                )*
                // SAFETY: this function needs the same instructions.
                unsafe { quads::$later_rounds(states, schedule) }
            }
        }
    };
}

search! {
    /// For every CPU that has the SHA extensions.
    plain, "sha,sse4.1,ssse3", in_sixteen_registers, 4, inline(never)
}

search! {
    /// With the sixteen registers more that AVX-512VL has; measured on Zen 4
    /// only.
    vl, "sha,sse4.1,ssse3,avx512f,avx512vl", in_thirty_two_registers, 8, inline
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
