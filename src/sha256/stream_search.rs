//! The search of the kernels with SHA instructions. Each instruction does a few
//! rounds of one message and waits for the one before it, so the instructions of
//! several messages are interleaved as streams. Those that end before the first
//! varying word are skipped.
//!
//! The file of an instruction set defines these names:
//!
//! | name | meaning |
//! |---|---|
//! | `quad`, `load_quad`, `add_quads` | four words from an array or from memory, and sums |
//! | `Packed` | the state of one message in the order that the instructions want |
//! | `pack`, `add_packed` | a state in that order, and the sum of two |
//! | `clear_of` | which messages have no bit of a mask in their first word, as bits |
//! | `four_rounds` | four rounds, with four sums of a round constant and a schedule word |
//! | `rounds_of_constant_block` | all rounds of a block without a varying word |
//! | `last_rounds::<FIRST>` | the rounds of a block's quad, without the instructions that end before round `FIRST` |
//! | `next_quad` | the next four words of the schedule, from the latest sixteen |
//! | `STREAMS` | first varying blocks that are hashed at the same time |

/// The search, compiled for every position. `entry` comes before everything
/// else, and `later_rounds` does the last 48 rounds of the first varying block.
/// When that is done for `width` messages, the blocks after it are hashed for
/// `later_width` messages at a time.
///
/// The second form has the numbers of the block's quads: a loop over them takes
/// a hundredth longer.
macro_rules! search {
    (
        features = $features:literal,
        entry = $entry:expr,
        later_rounds = $later_rounds:path,
        width = $width:literal,
        later_width = $later_width:literal,
    ) => {
        $crate::sha256::stream_search::search! {
            $features, $entry, $later_rounds, $width, $later_width; 0 1 2 3
        }
    };
    (
        $features:literal, $entry:expr, $later_rounds:path, $width:literal, $later_width:literal;
        $($number:literal)*
    ) => {
        const WIDTH: usize = $width;
        const LATER_WIDTH: usize = $later_width;
        const _: () = assert!(WIDTH % STREAMS == 0 && WIDTH % LATER_WIDTH == 0);

        $crate::sha256::message_group::first_match! {
            #[target_feature(enable = $features)] first_match_at, least 1
        }

        #[target_feature(enable = $features)]
        fn first_match_at<const FIRST: usize, const COUNT: usize>(
            group: &MessageGroup<'_>,
            range: Range<usize>,
        ) -> Option<usize> {
            // SAFETY: the caller guarantees that the CPU has the instructions.
            #[allow(unused_unsafe, reason = "some have nothing to do")]
            unsafe {
                $entry
            };
            let block = group.first;
            let midstate = pack(block.midstate);
            let start = pack(block.state_before);
            let [first_column, second_column] = group.columns;
            let (variants, tail) = group.later_blocks();
            let rows = group.rows(&range);
            // At the end of the range, some are left over from earlier rows.
            let mut wide = [start; WIDTH];
            for wide_row in rows.clone().step_by(WIDTH) {
                for (part, wide) in wide.as_chunks_mut::<STREAMS>().0.iter_mut().enumerate() {
                    let row = wide_row + part * STREAMS;
                    if row >= rows.end {
                        break;
                    }
                    let first: &[u32; STREAMS] = first_column[row..].first_chunk().expect("padded");
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
                    let states = add([midstate; STREAMS], after);
                    if !group.is_one_block() {
                        *wide = states;
                        continue;
                    }
                    let matches = clear_of(group.mask, &states);
                    if matches != 0 {
                        // The last messages may lie past the range.
                        let found = row + matches.trailing_zeros() as usize;
                        return (found < range.end).then_some(found);
                    }
                }
                if group.is_one_block() {
                    continue;
                }
                let mut matches = Matches::new(variants.len(), &range);
                let parts = wide.as_chunks::<LATER_WIDTH>().0;
                for (number, variant) in variants.iter().enumerate() {
                    for (row, states) in (wide_row..rows.end).step_by(LATER_WIDTH).zip(parts) {
                        let clear = clear_after_later_blocks(group.mask, states, variant, tail);
                        matches.add(row, number, clear);
                    }
                }
                if matches.first.is_some() {
                    return matches.first;
                }
            }
            None
        }

        /// The messages whose first word has no bit of `mask` after the blocks
        /// without a varying word, as bits. Inlined, it would make the loop of
        /// one block slower by a twentieth.
        #[inline(never)]
        #[target_feature(enable = $features)]
        fn clear_after_later_blocks(
            mask: u32,
            states: &[Packed; LATER_WIDTH],
            first: &ConstantBlock,
            tail: &[ConstantBlock],
        ) -> u64 {
            let mut states = after_constant_block(*states, first);
            for block in tail {
                states = after_constant_block(states, block);
            }
            clear_of(mask, &states)
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn after_constant_block(
            before: [Packed; LATER_WIDTH],
            block: &ConstantBlock,
        ) -> [Packed; LATER_WIDTH] {
            let mut states = before;
            rounds_of_constant_block(&mut states, block);
            add(before, states)
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
        /// instruction does with round `FIRST`. The caller adds the state before
        /// the block.
        #[inline]
        #[target_feature(enable = $features)]
        fn rounds<const FIRST: usize, const COUNT: usize>(
            mut states: [Packed; STREAMS],
            constants: &BlockConstants,
            varying: [&[u32; STREAMS]; 2],
        ) -> [Packed; STREAMS] {
            let is_varying_quad =
                |number: usize| (FIRST..FIRST + COUNT).any(|word| word / 4 == number);
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
