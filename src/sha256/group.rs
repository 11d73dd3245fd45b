//! The messages a kernel hashes in one call, and the loop that all
//! lane-generic kernels share.

use std::ops::Range;

use super::rounds::{Halfway, Lanes};
use super::schedule::{BlockConstants, FirstBlock};
use super::vector::Vector;

/// Words that a column must hold past the last one that is asked for, because
/// kernels read whole vectors: the widest takes 32 messages at a time.
pub(crate) const COLUMN_PADDING: usize = 31;

/// Messages of equal length that differ in one word, or in two neighbours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group<'a> {
    /// The block with the first varying word.
    pub(crate) first: &'a FirstBlock,
    /// For each message, what to add to the first varying word and to the
    /// second, which is empty where one word varies.
    pub(crate) columns: [&'a [u32]; 2],
    /// If the second varying word is word 0 of the next block, that block.
    pub(crate) straddled: Option<&'a BlockConstants>,
    /// The constant blocks after those.
    pub(crate) tail: &'a [BlockConstants],
    /// A message matches if the first word of its digest has none of these
    /// bits.
    pub(crate) mask: u32,
}

impl Group<'_> {
    /// Whether every message ends with the block that varies first.
    pub(crate) const fn is_one_block(&self) -> bool {
        self.straddled.is_none() && self.tail.is_empty()
    }

    /// The words to add for `LANES` messages from number `index` on.
    #[inline(always)]
    fn varying<V: Vector>(&self, index: usize) -> [V; 2] {
        let [first, second] = self.columns;
        let first_words = V::load(&first[index..]);
        if second.is_empty() {
            [first_words, V::splat(0)]
        } else {
            [first_words, V::load(&second[index..])]
        }
    }
}

/// The first half of the first varying block, compiled for one position.
pub(crate) type FirstHalf<V> = unsafe fn(&FirstBlock, &[V; 2], &mut Halfway<V>);

/// The functions of one instruction set, compiled with its instructions. They
/// pass the lanes through memory: some fifty stores beside 1,500 operations,
/// for which the loop and the second half need not exist for every position.
pub(crate) struct Functions<V> {
    /// By the first varying word and the number of varying words less one.
    pub(crate) first_half: [[FirstHalf<V>; 2]; 16],
    pub(crate) first_half_of_straddled: unsafe fn(&Lanes<V>, &BlockConstants, &V, &mut Halfway<V>),
    pub(crate) second_half: unsafe fn(&Halfway<V>, &mut Lanes<V>),
    pub(crate) constant_block: unsafe fn(&mut Lanes<V>, &BlockConstants),
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

/// The index of the first message in `range` that matches.
///
/// # Safety
/// The CPU must have the instructions that `functions` were compiled for.
#[inline(always)]
#[allow(
    unsafe_code,
    reason = "calls functions compiled for one instruction set"
)]
pub(crate) unsafe fn first_match<V: Vector>(
    functions: &Functions<V>,
    group: &Group<'_>,
    range: Range<usize>,
) -> Option<usize> {
    let first = group.first;
    let first_half = functions.first_half[first.first][first.count - 1];
    let midstate = first.midstate.map(V::splat);
    let mask = V::splat(group.mask);
    let mut halfway = Halfway::new();
    let mut lanes = midstate;
    for index in range.clone().step_by(V::LANES) {
        let varying = group.varying::<V>(index);
        // SAFETY: the caller vouches for the CPU.
        unsafe {
            first_half(first, &varying, &mut halfway);
            (functions.second_half)(&halfway, &mut lanes);
        }
        let first_word = if group.is_one_block() {
            lanes[0].add(midstate[0])
        } else {
            lanes = add_states(lanes, midstate);
            if let Some(block) = group.straddled {
                let before = lanes;
                // SAFETY: as above.
                unsafe {
                    (functions.first_half_of_straddled)(&before, block, &varying[1], &mut halfway);
                    (functions.second_half)(&halfway, &mut lanes);
                }
                lanes = add_states(lanes, before);
            }
            for block in group.tail {
                let before = lanes;
                // SAFETY: as above.
                unsafe { (functions.constant_block)(&mut lanes, block) };
                lanes = add_states(lanes, before);
            }
            lanes[0]
        };
        let matches = first_word.lanes_clear_of(mask);
        if matches != 0 {
            let found = index + matches.trailing_zeros() as usize;
            // The last vector reaches past the range.
            return (found < range.end).then_some(found);
        }
    }
    None
}

#[inline(always)]
fn add_states<V: Vector>(left: Lanes<V>, right: Lanes<V>) -> Lanes<V> {
    std::array::from_fn(|index| left[index].add(right[index]))
}
