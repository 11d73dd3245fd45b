//! The messages that a kernel hashes in one call.

use std::ops::Range;

use super::schedule::{ConstantBlock, FirstBlock};

/// Words that a column must hold past the last row, because kernels read whole
/// vectors: the widest takes 32 messages at a time.
pub(crate) const COLUMN_PADDING: usize = 31;

/// Messages of equal length that differ in one word or two neighbours of one
/// block, and perhaps in the block after it.
///
/// If the next block differs too, the group has a message for each pair of a row
/// of the columns and one of the `variants`. The first block of a row is hashed
/// once, and the schedules of the variants are constant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MessageGroup<'a> {
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

/// A kernel's search: the index of the first message in the range that matches.
pub(crate) type FirstMatch = unsafe fn(&MessageGroup<'_>, Range<usize>) -> Option<usize>;

impl MessageGroup<'_> {
    /// Whether every message ends with the block that varies first.
    pub(crate) const fn is_one_block(&self) -> bool {
        self.variants.is_empty() && self.tail.is_empty()
    }

    /// The variants of the second block, and the blocks after it. If the second
    /// block is constant, it is the only variant.
    #[inline(always)]
    pub(crate) const fn later_blocks(&self) -> (&[ConstantBlock], &[ConstantBlock]) {
        match self.variants {
            [] if !self.tail.is_empty() => self.tail.split_at(1),
            variants => (variants, self.tail),
        }
    }

    /// The rows that the messages of `range` have.
    #[inline(always)]
    pub(crate) fn rows(&self, range: &Range<usize>) -> Range<usize> {
        let variants = self.variants.len().max(1);
        range.start / variants..range.end.div_ceil(variants)
    }
}

/// A function for every first varying word and number of varying words, from
/// one with these two const parameters. Where `least` is two, one varying word
/// is handled as two, which halves the code and costs two operations in a
/// hundred.
///
/// Two words never vary from word 15 on: the second is in the next block.
macro_rules! by_position {
    ($function:ident, least $least:literal) => {
        $crate::sha256::message_group::by_position!($function $least:
            0 1 2 3 4 5 6 7 8 9 10 11 12 13 14)
    };
    ($function:ident $least:literal: $($first:literal)*) => {[
        $([$function::<$first, $least>, $function::<$first, 2>],)*
        [$function::<15, 1>, $function::<15, 1>],
    ]};
}
pub(crate) use by_position;

/// Defines `first_match`, which calls the function for the position of the
/// group. The attributes name the instructions that it needs.
macro_rules! first_match {
    ($(#[$attribute:meta])* $function:ident, least $least:literal) => {
        static FIRST_MATCH: [[$crate::sha256::message_group::FirstMatch; 2]; 16] =
            $crate::sha256::message_group::by_position!($function, least $least);

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
pub(crate) use first_match;

/// Finds the first match among rows that are hashed at the same time: each lane
/// is a row, and variants are added one by one.
pub(crate) struct Matches<'a> {
    variants: usize,
    range: &'a Range<usize>,
    pub(crate) first: Option<usize>,
}

impl<'a> Matches<'a> {
    /// `variants` is the number of messages in a row. Messages outside `range`
    /// do not count.
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
