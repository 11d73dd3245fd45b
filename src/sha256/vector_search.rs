//! The search that all lane-generic kernels share: a message in each lane of
//! a vector.

use std::ops::Range;

use super::message_group::{Matches, MessageGroup};
use super::rounds::{self, Halfway, Lanes, add_states, splat_state};
use super::schedule::ConstantBlock;
use super::vector::Vector;

/// The functions of one instruction set and its only door, `first_match`. The
/// attributes name the instructions that `first_match` asks for.
///
/// `$batch` is the number of vectors whose first halves are hashed before
/// their second halves. The second half is then a function of its own, shared
/// by all positions, and the vectors between the halves lie in memory. With a
/// batch of one, both halves are one straight function for each position: see
/// [`first_match`].
macro_rules! vector_kernel {
    ($(#[$attribute:meta])* $words:ty, $batch:literal, by_position!($($form:tt)*)) => {
        $(#[$attribute])*
        #[inline(never)]
        fn second_half(
            halfway: &$crate::sha256::rounds::Halfway<$words>,
            lanes: &mut $crate::sha256::rounds::Lanes<$words>,
        ) {
            *lanes = $crate::sha256::rounds::second_half(halfway);
        }

        $(#[$attribute])*
        #[inline(never)]
        fn constant_block(
            lanes: &mut $crate::sha256::rounds::Lanes<$words>,
            block: &$crate::sha256::schedule::ConstantBlock,
        ) {
            *lanes = $crate::sha256::rounds::constant_block(lanes, block);
        }

        $(#[$attribute])*
        fn first_match_at<const FIRST: usize, const COUNT: usize>(
            group: &$crate::sha256::MessageGroup<'_>,
            range: std::ops::Range<usize>,
        ) -> Option<usize> {
            const FUNCTIONS: $crate::sha256::vector_search::Functions<$words> =
                $crate::sha256::vector_search::Functions {
                    second_half,
                    constant_block,
                };
            // SAFETY: this function needs the same instructions.
            unsafe {
                $crate::sha256::vector_search::first_match::<_, FIRST, COUNT, $batch>(
                    FUNCTIONS, group, range,
                )
            }
        }

        type Function =
            unsafe fn(&$crate::sha256::MessageGroup<'_>, std::ops::Range<usize>) -> Option<usize>;

        static FIRST_MATCH: [[Function; 2]; 16] =
            $crate::sha256::message_group::by_position!($($form)*);

        /// The index of the first message in `range` that matches.
        $(#[$attribute])*
        pub(crate) fn first_match(
            group: &$crate::sha256::MessageGroup<'_>,
            range: std::ops::Range<usize>,
        ) -> Option<usize> {
            let function = FIRST_MATCH[group.first.first][group.first.count - 1];
            // SAFETY: this function needs the same instructions.
            unsafe { function(group, range) }
        }
    };
}
pub(crate) use vector_kernel;

/// What is compiled once for all positions. The lanes pass through memory.
#[derive(Clone, Copy)]
pub(crate) struct Functions<V> {
    pub(crate) second_half: unsafe fn(&Halfway<V>, &mut Lanes<V>),
    /// The rounds of a block and the sum with the state before it.
    pub(crate) constant_block: unsafe fn(&mut Lanes<V>, &ConstantBlock),
}

impl<V: Vector> Functions<V> {
    /// # Safety
    /// The CPU must have the instructions that the functions need.
    #[inline(always)]
    #[allow(unsafe_code, reason = "a function that needs certain instructions")]
    unsafe fn add_constant_blocks(&self, state: &mut Lanes<V>, blocks: &[ConstantBlock]) {
        for block in blocks {
            // SAFETY: the caller vouches for the CPU.
            unsafe { (self.constant_block)(state, block) };
        }
    }
}

/// The words to add for the rows from number `row` on, a row a lane.
#[inline(always)]
fn varying<V: Vector>([first, second]: [&[u32]; 2], row: usize) -> [V; 2] {
    let first_words = V::load(&first[row..]);
    if second.is_empty() {
        [first_words, V::splat(0)]
    } else {
        [first_words, V::load(&second[row..])]
    }
}

/// The index of the first message in `range` that matches, `BATCH` vectors of
/// messages at a time, for groups that vary from word `FIRST` on.
///
/// # Safety
/// The CPU must have the instructions that `functions` need.
#[inline(always)]
#[allow(unsafe_code, reason = "functions that need certain instructions")]
pub(crate) unsafe fn first_match<
    V: Vector,
    const FIRST: usize,
    const COUNT: usize,
    const BATCH: usize,
>(
    functions: Functions<V>,
    group: &MessageGroup<'_>,
    range: Range<usize>,
) -> Option<usize> {
    let first = group.first;
    let midstate = splat_state(first.midstate);
    let mask = V::splat(group.mask);
    let mut halves = [Halfway::new(); BATCH];
    let mut states = [midstate; BATCH];
    let rows = group.rows(&range);
    for start in rows.clone().step_by(BATCH * V::LANES) {
        let starts = (start..rows.end).step_by(V::LANES).take(BATCH);
        let first_half =
            |row| rounds::first_half::<_, FIRST, COUNT>(first, &varying(group.columns, row));
        if const { BATCH > 1 } {
            for (row, halfway) in starts.clone().zip(&mut halves) {
                *halfway = first_half(row);
            }
        }
        for ((row, halfway), state) in starts.clone().zip(&halves).zip(&mut states) {
            let mut lanes = midstate;
            if const { BATCH > 1 } {
                // SAFETY: the caller vouches for the CPU.
                unsafe { (functions.second_half)(halfway, &mut lanes) };
            } else {
                lanes = rounds::second_half(&first_half(row));
            }
            if !group.is_one_block() {
                *state = add_states(lanes, midstate);
                continue;
            }
            let matches = lanes[0].add(midstate[0]).lanes_clear_of(mask);
            if matches != 0 {
                let found = row + matches.trailing_zeros() as usize;
                // The last vector reaches past the range.
                return (found < range.end).then_some(found);
            }
        }
        if group.is_one_block() {
            continue;
        }
        let mut matches = Matches::new(group.variants.len().max(1), &range);
        if group.variants.is_empty() {
            for (row, state) in starts.zip(&mut states) {
                // SAFETY: as above.
                unsafe { functions.add_constant_blocks(state, group.tail) };
                matches.add(row, 0, state[0].lanes_clear_of(mask));
            }
        } else {
            // All rows for each variant: the constants of a hundred variants
            // are most of what the core's nearest cache holds.
            for (number, block) in group.variants.iter().enumerate() {
                for (row, state) in starts.clone().zip(&states) {
                    let mut state = *state;
                    // SAFETY: as above.
                    unsafe {
                        (functions.constant_block)(&mut state, block);
                        functions.add_constant_blocks(&mut state, group.tail);
                    }
                    matches.add(row, number, state[0].lanes_clear_of(mask));
                }
            }
        }
        if matches.first.is_some() {
            return matches.first;
        }
    }
    None
}
