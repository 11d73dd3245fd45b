//! The messages a kernel hashes in one call, and the loop that all
//! lane-generic kernels share.

use std::ops::Range;

use super::rounds::{Halfway, Lanes, add_states, splat_state};
use super::schedule::{ConstantBlock, FirstBlock};
use super::vector::Vector;

/// Words that a column must hold past the last one that is asked for, because
/// kernels read whole vectors: the widest takes 32 messages at a time.
pub(crate) const COLUMN_PADDING: usize = 31;

/// Messages of equal length that differ in one word or in two neighbours of
/// one block, and perhaps in the block after it.
///
/// Where the next block differs too, it takes each of its `variants` for each
/// value of the columns. So the first block is hashed once for all of them,
/// and the schedules of the variants are constant: one more block that varies
/// costs less than a message of one block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group<'a> {
    /// The block with the first varying word.
    pub(crate) first: &'a FirstBlock,
    /// What to add to the first varying word and to the second, which is empty
    /// where one word varies. Message `m` has row `m / variants` of them, or
    /// row `m` if there are no variants.
    pub(crate) columns: [&'a [u32]; 2],
    /// The next block, if it varies: message `m` has number `m % variants`.
    pub(crate) variants: &'a [ConstantBlock],
    /// The constant blocks after those.
    pub(crate) tail: &'a [ConstantBlock],
    /// A message matches if the first word of its digest has none of these
    /// bits.
    pub(crate) mask: u32,
}

impl Group<'_> {
    /// Whether every message ends with the block that varies first.
    pub(crate) const fn is_one_block(&self) -> bool {
        self.variants.is_empty() && self.tail.is_empty()
    }

    /// The rows that the messages of `range` have.
    #[inline(always)]
    pub(crate) fn rows(&self, range: &Range<usize>) -> Range<usize> {
        match self.variants.len() {
            0 => range.clone(),
            variants => range.start / variants..range.end.div_ceil(variants),
        }
    }

    /// The words to add for `LANES` rows from number `row` on.
    #[inline(always)]
    fn varying<V: Vector>(&self, row: usize) -> [V; 2] {
        let [first, second] = self.columns;
        let first_words = V::load(&first[row..]);
        if second.is_empty() {
            [first_words, V::splat(0)]
        } else {
            [first_words, V::load(&second[row..])]
        }
    }
}

/// Messages whose first halves are hashed before their second halves, with
/// 6 KiB of vectors between the halves.
///
/// In cycles a hash at the slowest and at the best position of `avx2`, on a
/// shared AMD EPYC (Zen 3): 126 and 94 with one vector at a time, 123 and 98
/// with two, 119 and 96 with four, 117 and 96 with eight. Each half run by
/// itself is as fast as in a batch, and what a single vector loses grows with
/// the code of its first half. That speaks for the core's cache of decoded
/// operations, which cannot hold both halves; no counter was at hand to say so.
pub(crate) const BATCH_MESSAGES: usize = 64;

/// The first half of the first varying block, compiled for one position.
pub(crate) type FirstHalf<V> = unsafe fn(&FirstBlock, &[V; 2], &mut Halfway<V>);

/// The functions of one instruction set, compiled with its instructions. They
/// pass the lanes through memory: some fifty stores beside 1,500 operations,
/// for which the loop and the second half need not exist for every position,
/// and a half can be run for several vectors before the other.
pub(crate) struct Functions<V> {
    /// By the first varying word and the number of varying words less one.
    pub(crate) first_half: [[FirstHalf<V>; 2]; 16],
    pub(crate) second_half: unsafe fn(&Halfway<V>, &mut Lanes<V>),
    /// The rounds of a block and the sum with the state before it.
    pub(crate) constant_block: unsafe fn(&mut Lanes<V>, &ConstantBlock),
}

/// A function for every first varying word and number of varying words, from
/// one with these two const parameters: the form of [`Functions::first_half`].
/// With `two words`, one varying word is handled as two, which halves the code
/// and costs two operations in a hundred.
///
/// Two words never vary from word 15 on: the second is in the next block.
macro_rules! by_position {
    ($function:ident) => {
        $crate::sha256::group::by_position!($function 1:
            0 1 2 3 4 5 6 7 8 9 10 11 12 13 14)
    };
    ($function:ident, two words) => {
        $crate::sha256::group::by_position!($function 2:
            0 1 2 3 4 5 6 7 8 9 10 11 12 13 14)
    };
    ($function:ident $least:literal: $($first:literal)*) => {[
        $([$function::<$first, $least>, $function::<$first, 2>],)*
        [$function::<15, 1>, $function::<15, 1>],
    ]};
}
pub(crate) use by_position;

/// The functions of one instruction set and its only door, `first_match`. The
/// attributes name the instructions, which `first_match` then asks for; the
/// expression is the form of `by_position` for a function named `first_half`.
macro_rules! kernel {
    ($(#[$attribute:meta])* $words:ty, $first_half:expr) => {
        $(#[$attribute])*
        #[inline(never)]
        fn first_half<const FIRST: usize, const COUNT: usize>(
            block: &$crate::sha256::schedule::FirstBlock,
            varying: &[$words; 2],
            halfway: &mut $crate::sha256::rounds::Halfway<$words>,
        ) {
            *halfway = $crate::sha256::rounds::first_half::<_, FIRST, COUNT>(block, varying);
        }

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

        static FUNCTIONS: $crate::sha256::group::Functions<$words> =
            $crate::sha256::group::Functions {
                first_half: $first_half,
                second_half,
                constant_block,
            };

        /// The index of the first message in `range` that matches.
        $(#[$attribute])*
        pub(crate) fn first_match(
            group: &$crate::sha256::group::Group<'_>,
            range: std::ops::Range<usize>,
        ) -> Option<usize> {
            const BATCH: usize = $crate::sha256::group::BATCH_MESSAGES
                / <$words as $crate::sha256::vector::Vector>::LANES;
            // SAFETY: this function needs the same instructions.
            unsafe { $crate::sha256::group::first_match::<_, BATCH>(&FUNCTIONS, group, range) }
        }
    };
}
pub(crate) use kernel;

/// The index of the first message in `range` that matches, `BATCH` vectors of
/// them at a time.
///
/// # Safety
/// The CPU must have the instructions that `functions` were compiled for.
#[inline(always)]
#[allow(
    unsafe_code,
    reason = "calls functions compiled for one instruction set"
)]
pub(crate) unsafe fn first_match<V: Vector, const BATCH: usize>(
    functions: &Functions<V>,
    group: &Group<'_>,
    range: Range<usize>,
) -> Option<usize> {
    let first = group.first;
    let first_half = functions.first_half[first.first][first.count - 1];
    let midstate = splat_state(first.midstate);
    let mask = V::splat(group.mask);
    let mut halves = [Halfway::new(); BATCH];
    let mut lanes = midstate;
    let rows = group.rows(&range);
    for start in rows.clone().step_by(BATCH * V::LANES) {
        let batch = start..rows.end.min(start + BATCH * V::LANES);
        for (row, halfway) in batch.clone().step_by(V::LANES).zip(&mut halves) {
            // SAFETY: the caller vouches for the CPU.
            unsafe { first_half(first, &group.varying(row), halfway) };
        }
        let starts = batch.step_by(V::LANES);
        if group.is_one_block() {
            for (row, halfway) in starts.zip(&halves) {
                // SAFETY: as above.
                unsafe { (functions.second_half)(halfway, &mut lanes) };
                let matches = lanes[0].add(midstate[0]).lanes_clear_of(mask);
                if matches != 0 {
                    let found = row + matches.trailing_zeros() as usize;
                    // The last vector reaches past the range.
                    return (found < range.end).then_some(found);
                }
            }
            continue;
        }
        let mut states = [midstate; BATCH];
        for (state, halfway) in states.iter_mut().zip(&halves).take(starts.len()) {
            // SAFETY: as above.
            unsafe { (functions.second_half)(halfway, &mut lanes) };
            *state = add_states(lanes, midstate);
        }
        let mut matches = Matches::new(group.variants.len().max(1), &range);
        if group.variants.is_empty() {
            for (row, state) in starts.zip(&mut states) {
                // SAFETY: as above.
                unsafe { add_constant_blocks(functions, state, group.tail) };
                matches.add(row, 0, state[0].lanes_clear_of(mask));
            }
        } else {
            // All rows for each variant: the constants of a hundred variants
            // are most of what the core's nearest cache holds.
            for (number, block) in group.variants.iter().enumerate() {
                for (row, state) in starts.clone().zip(&states) {
                    lanes = *state;
                    // SAFETY: as above.
                    unsafe {
                        (functions.constant_block)(&mut lanes, block);
                        add_constant_blocks(functions, &mut lanes, group.tail);
                    }
                    matches.add(row, number, lanes[0].lanes_clear_of(mask));
                }
            }
        }
        if matches.first.is_some() {
            return matches.first;
        }
    }
    None
}

/// # Safety
/// The CPU must have the instructions that `functions` were compiled for.
#[inline(always)]
#[allow(
    unsafe_code,
    reason = "calls functions compiled for one instruction set"
)]
unsafe fn add_constant_blocks<V: Vector>(
    functions: &Functions<V>,
    lanes: &mut Lanes<V>,
    blocks: &[ConstantBlock],
) {
    for block in blocks {
        // SAFETY: the caller vouches for the CPU.
        unsafe { (functions.constant_block)(lanes, block) };
    }
}

/// The first message that matches, of the rows that are hashed at the same
/// time: each lane is a row, and variants are looked at one by one.
pub(crate) struct Matches<'a> {
    variants: usize,
    range: &'a Range<usize>,
    pub(crate) first: Option<usize>,
}

impl<'a> Matches<'a> {
    /// For rows with so many variants each; messages out of `range` do not
    /// count.
    #[inline(always)]
    pub(crate) fn new(variants: usize, range: &'a Range<usize>) -> Self {
        Self {
            variants,
            range,
            first: None,
        }
    }

    /// Adds what matches in variant number `variant` of the rows from number
    /// `row` on, lane 0 as bit 0.
    #[inline(always)]
    pub(crate) fn add(&mut self, row: usize, variant: usize, mut lanes: u64) {
        while lanes != 0 {
            let lane = lanes.trailing_zeros() as usize;
            let message = (row + lane) * self.variants + variant;
            if self.range.contains(&message) {
                self.first = Some(self.first.map_or(message, |first| first.min(message)));
                // Further lanes are larger.
                return;
            }
            lanes &= lanes - 1;
        }
    }
}
