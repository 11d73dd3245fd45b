//! The search that the kernels of SHA instructions share: a few messages at the
//! same time, each a stream of its own.
//!
//! Such an instruction does a few rounds of one message and needs the one
//! before, so messages are interleaved to keep its unit busy. Rounds before the
//! first varying word are skipped as far as whole instructions go.
//!
//! The file of an instruction set holds what is its own, by these names:
//!
//! | name | what it is |
//! |---|---|
//! | `Quad` | four words |
//! | `quad`, `load_quad`, `add_quads` | four words from an array or from memory, and sums |
//! | `Packed` | the state of one message in the order that the instructions want |
//! | `pack`, `add_packed`, `a` | a state in that order, the sum of two, and the first word |
//! | `clear_of` | which messages have no bit of a mask in their first word, as bits |
//! | `four_rounds`, `four_rounds_each` | four rounds of one message or of several, with four sums of a round constant and a schedule word |
//! | `last_rounds::<FIRST>` | the rounds of a block's quad, without the instructions that end before round `FIRST` |
//! | `next_quad` | the next four words of the schedule, from the latest sixteen |
//! | `STREAMS` | messages of the first varying block that are hashed at the same time, or rows: see [`MessageGroup`](super::message_group::MessageGroup) |

/// A module with the search, compiled for every position. `entry` comes before
/// everything else, and `later_rounds` does the last 48 rounds of the first
/// varying block. When that is done for `width` messages, the blocks after it
/// are hashed for `constant_width` messages at a time.
///
/// The second form has the numbers of the block's quads: a loop over them takes
/// a hundredth longer.
macro_rules! search {
    ($(#[$attribute:meta])* $module:ident: $($parameters:tt)*) => {
        $crate::sha256::stream_search::search! {
            @quads 0 1 2 3; $(#[$attribute])* $module: $($parameters)*
        }
    };
    (
        @quads $($number:literal)*;
        $(#[$attribute:meta])*
        $module:ident:
        features = $features:literal,
        entry = $entry:expr,
        later_rounds = $later_rounds:path,
        width = $width:literal,
        constant_width = $constant_width:literal,
    ) => {
        $(#[$attribute])*
        pub(crate) mod $module {
            use super::*;

            const WIDTH: usize = $width;
            const CONSTANT_WIDTH: usize = $constant_width;

            $crate::sha256::message_group::first_match! {
                #[target_feature(enable = $features)] first_match_at, least 1
            }

            #[target_feature(enable = $features)]
            fn first_match_at<const FIRST: usize, const COUNT: usize>(
                group: &MessageGroup<'_>,
                range: Range<usize>,
            ) -> Option<usize> {
                // SAFETY: the caller vouches for the CPU.
                #[allow(unused_unsafe, reason = "some have nothing to do")]
                unsafe {
                    $entry
                };
                let block = group.first;
                let midstate = pack(block.midstate);
                let start = pack(block.state_before);
                let first_word = block.midstate[0];
                let [first_column, second_column] = group.columns;
                let (variants, tail) = group.later_blocks();
                let rows = group.rows(&range);
                // At the end of the range some are those of earlier rows.
                let mut wide = [start; WIDTH];
                let mut finished = wide;
                for wide_row in rows.clone().step_by(WIDTH) {
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
                        let after = rounds::<FIRST, COUNT>(
                            [start; STREAMS],
                            &block.constants,
                            [first, second],
                        );
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
                    let filled = (rows.end - wide_row).min(WIDTH);
                    let filled = filled.next_multiple_of(CONSTANT_WIDTH);
                    let mut matches = Matches::new(variants.len(), &range);
                    for (number, block) in variants.iter().enumerate() {
                        constant_block(&states[..filled], block, &mut finished[..filled]);
                        for block in tail {
                            let before = finished;
                            constant_block(&before[..filled], block, &mut finished[..filled]);
                        }
                        matches.add(wide_row, number, streams_clear_of(group.mask, &finished));
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
                let parts = states.as_chunks::<STREAMS>().0.iter().enumerate();
                parts.fold(0, |streams, (part, states)| {
                    streams | clear_of(mask, states) << (part * STREAMS)
                })
            }

            /// The states after a block without a varying word. Inlined, it would
            /// make the loop of one block slower by a twentieth.
            #[inline(never)]
            #[target_feature(enable = $features)]
            fn constant_block(
                before: &[Packed],
                block: &ConstantBlock,
                after: &mut [Packed],
            ) {
                let before = before.as_chunks::<CONSTANT_WIDTH>().0;
                let after = after.as_chunks_mut::<CONSTANT_WIDTH>().0;
                for (before, after) in before.iter().zip(after) {
                    let mut states = *before;
                    for number in 0..16 {
                        let addends = load_quad(&block.rounds, number * 4);
                        four_rounds_each(&mut states, addends);
                    }
                    *after = add(*before, states);
                }
            }

            #[inline]
            #[target_feature(enable = $features)]
            fn add<const N: usize>(left: [Packed; N], right: [Packed; N]) -> [Packed; N] {
                let mut sum = left;
                for (left, right) in sum.iter_mut().zip(right) {
                    *left = add_packed(*left, right);
                }
                sum
            }

            /// The rounds of a varying block for every stream, from those on that an
            /// instruction does with round `FIRST`. The caller adds the state
            /// before the block.
            #[inline]
            #[target_feature(enable = $features)]
            fn rounds<const FIRST: usize, const COUNT: usize>(
                mut states: [Packed; STREAMS],
                constants: &BlockConstants,
                varying: [&[u32; STREAMS]; 2],
            ) -> [Packed; STREAMS] {
                let is_varying_quad = |number: usize| (FIRST..FIRST + COUNT).any(|word| word / 4 == number);
                let mut schedule = [[quad([0; 4]); 4]; STREAMS];
                $(
                    let constant = load_quad(&constants.words, $number * 4);
                    for stream in 0..STREAMS {
                        let mut words = constant;
                        let mut addends = load_quad(&constants.rounds, $number * 4);
                        if is_varying_quad($number) {
                            let mut added = [0; 4];
                            for index in 0..COUNT {
                                if (FIRST + index) / 4 == $number {
                                    added[(FIRST + index) % 4] = varying[index][stream];
                                }
                            }
                            words = add_quads(words, quad(added));
                            addends = add_quads(words, load_quad(&ROUND_CONSTANTS, $number * 4));
                        }
                        schedule[stream][$number] = words;
                        states[stream] = last_rounds::<FIRST>($number, states[stream], addends);
                    }
                )*
                // SAFETY: this function needs the same instructions.
                unsafe { $later_rounds(states, schedule) }
            }
        }
    };
}
pub(super) use search;

/// The last 48 rounds of a varying block, after `$states`, for messages of which
/// `$schedule` is the block.
///
/// A loop would stay a loop, with the schedule in memory.
macro_rules! later_rounds {
    ($states:ident, $schedule:ident) => {
        $crate::sha256::stream_search::later_rounds! {
            $states, $schedule: 4 5 6 7 8 9 10 11 12 13 14 15
        }
    };
    ($states:ident, $schedule:ident: $($number:literal)*) => {$(
        for (state, words) in $states.iter_mut().zip(&mut $schedule) {
            let latest = [0, 1, 2, 3].map(|index| words[($number + index) % 4]);
            let next = next_quad(latest);
            words[$number % 4] = next;
            let constants = load_quad(&ROUND_CONSTANTS, $number * 4);
            *state = four_rounds(*state, add_quads(next, constants));
        }
    )*};
}
pub(super) use later_rounds;
