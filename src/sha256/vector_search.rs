//! The search of all lane-generic kernels: each lane of a vector hashes one
//! message.

use std::ops::Range;

use super::message_group::{Matches, MessageGroup};
use super::rounds::{self, Halfway, Lanes, add_states, splat_state};
use super::schedule::ConstantBlock;
use super::vector::Vector;

/// Defines the functions of one instruction set. The attributes name the
/// instructions that they need; `first_match` is the only public one.
///
/// `$batch` is the number of vectors whose first halves are hashed before their
/// second halves, which are then a separate function that all positions share.
/// With a batch of one, both halves are one function for each position.
macro_rules! vector_kernel {
    ($(#[$attribute:meta])* $words:ty, batch $batch:literal, least $least:literal) => {
        $(#[$attribute])*
        #[inline(never)]
        fn second_half(
            halfway: &$crate::sha256::rounds::Halfway<$words>,
        ) -> $crate::sha256::rounds::Lanes<$words> {
            $crate::sha256::rounds::second_half(halfway)
        }

        $(#[$attribute])*
        #[inline(never)]
        fn constant_block(
            before: &$crate::sha256::rounds::Lanes<$words>,
            block: &$crate::sha256::schedule::ConstantBlock,
        ) -> $crate::sha256::rounds::Lanes<$words> {
            $crate::sha256::rounds::constant_block(before, block)
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

        $crate::sha256::message_group::first_match! {
            $(#[$attribute])* first_match_at, least $least
        }
    };
}
pub(crate) use vector_kernel;

/// The functions that all positions share. Lanes are passed in memory.
#[derive(Clone, Copy)]
pub(crate) struct Functions<V> {
    pub(crate) second_half: unsafe fn(&Halfway<V>) -> Lanes<V>,
    /// The rounds of a block and the sum with the state before it.
    pub(crate) constant_block: unsafe fn(&Lanes<V>, &ConstantBlock) -> Lanes<V>,
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
    let (variants, tail) = group.later_blocks();
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
            let lanes = if const { BATCH > 1 } {
                // SAFETY: the caller guarantees that the CPU has the instructions.
                unsafe { (functions.second_half)(halfway) }
            } else {
                rounds::second_half(&first_half(row))
            };
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
        let mut matches = Matches::new(variants.len(), &range);
        // All rows for each variant, because the constants of a hundred variants
        // nearly fill the L1 cache.
        for (number, block) in variants.iter().enumerate() {
            for (row, state) in starts.clone().zip(&states) {
                // SAFETY: as above.
                let mut after = unsafe { (functions.constant_block)(state, block) };
                for block in tail {
                    // SAFETY: as above.
                    after = unsafe { (functions.constant_block)(&after, block) };
                }
                matches.add(row, number, after[0].lanes_clear_of(mask));
            }
        }
        if matches.first.is_some() {
            return matches.first;
        }
    }
    None
}
