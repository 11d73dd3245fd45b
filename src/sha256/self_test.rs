//! Compares a kernel with the scalar code: the check at start-up, and the
//! conformance tests of this layer.

use std::ops::Range;

use super::constants::{INITIAL_STATE, ROUND_CONSTANTS};
use super::message_group::{COLUMN_PADDING, MessageGroup};
use super::scalar::{HashState, compress_words};
use super::schedule::{ConstantBlock, FirstBlock};

/// A kernel to test.
pub(super) trait Subject {
    fn first_block(
        &self,
        midstate: HashState,
        words: [u32; 16],
        first: usize,
        count: usize,
    ) -> FirstBlock;

    fn first_match(&self, group: &MessageGroup<'_>, range: Range<usize>) -> Option<usize>;
}

/// The group of messages to test with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    /// The first varying word of the block.
    pub(super) first: usize,
    /// How many vary, one or two.
    pub(super) count: usize,
    /// Variants of the next block, or zero if it does not vary.
    pub(super) variants: usize,
    /// Blocks after those that vary.
    pub(super) tail: usize,
    /// The number of the message to find.
    pub(super) hit: usize,
}

/// Messages in each group: more than two of the widest vectors.
pub(super) const MESSAGES: usize = 70;

/// One case for each position, short enough to be run at every start.
pub(super) fn cases_of_every_position() -> impl Iterator<Item = Case> {
    let one_block = (0..31).map(|number| Case {
        first: number / 2,
        count: number % 2 + 1,
        variants: 0,
        tail: number / 2 % 2,
        hit: number * 5 % 33,
    });
    let two_blocks = (0..2).map(|tail| Case {
        first: 15,
        count: 1,
        variants: 3,
        tail,
        hit: 40 + tail,
    });
    one_block.chain(two_blocks)
}

/// Whether the kernel finds the message that the scalar code says it should.
///
/// The mask is the complement of that message's first digest word, so a digest
/// matches only if no other bit of its first word is set.
pub(super) fn agrees_with_scalar(subject: &impl Subject, case: Case) -> bool {
    let (first, count, hit) = (case.first, case.count, case.hit);
    // Any words would do. These look random.
    let word = |index: usize| ROUND_CONSTANTS[(index * 29 + first) % 64].rotate_left(index as u32);
    let block = |number: usize| -> [u32; 16] { std::array::from_fn(|t| word(number * 16 + t)) };
    let blocks_from = |number: usize, count: usize| -> Vec<[u32; 16]> {
        (number..number + count).map(block).collect()
    };
    let (tail, variants) = (blocks_from(1, case.tail), blocks_from(9, case.variants));
    let first_words = block(0);
    let column = |seed: usize| -> Vec<u32> {
        (0..MESSAGES + COLUMN_PADDING)
            .map(|index| word(index + seed).wrapping_mul(index as u32 + 1))
            .collect()
    };
    let columns = [column(100), if count == 2 { column(200) } else { vec![] }];

    let first_digest_word = |message: usize| {
        let (row, variant) = match variants.len() {
            0 => (message, None),
            count => (message / count, Some(variants[message % count])),
        };
        let mut words = first_words;
        for (word, column) in words[first..].iter_mut().zip(&columns[..count]) {
            *word = word.wrapping_add(column[row]);
        }
        let mut state = INITIAL_STATE;
        for block in [words].iter().chain(&variant).chain(&tail) {
            compress_words(&mut state, block);
        }
        state[0]
    };
    let mask = !first_digest_word(hit);
    let expected = (0..=hit).find(|message| first_digest_word(*message) & mask == 0);

    let first_block = subject.first_block(INITIAL_STATE, first_words, first, count);
    let constant =
        |blocks: &[[u32; 16]]| -> Vec<_> { blocks.iter().map(ConstantBlock::new).collect() };
    let (variants, tail) = (constant(&variants), constant(&tail));
    let group = MessageGroup {
        first: &first_block,
        columns: [&columns[0], &columns[1]],
        variants: &variants,
        tail: &tail,
        mask,
    };
    subject.first_match(&group, 0..MESSAGES) == expected
        && subject.first_match(&group, 0..hit) == expected.filter(|found| *found < hit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sha256::message_group::by_position;
    use crate::sha256::rounds;
    use crate::sha256::vector::Array;
    use crate::sha256::vector_search::{self, Functions};
    use crate::sha256::{Kernel, Variant};

    type SafeFirstMatch = fn(&MessageGroup<'_>, Range<usize>) -> Option<usize>;

    /// The lane-generic body over plain arrays.
    struct Software([[SafeFirstMatch; 2]; 16]);

    /// Every position that the `avx512` kernel is compiled for, in batches of
    /// two vectors.
    const ONE_LANE: Software = Software(by_position!(first_match_of_one_lane, least 1));

    /// As many lanes as `avx512/2` has, without batches. Only one position,
    /// because each takes seconds to compile.
    const THIRTY_TWO_LANES: Software = Software([[first_match::<15, 1, 32, 1>; 2]; 16]);

    #[allow(unsafe_code, reason = "the functions are plain Rust")]
    fn first_match<
        const FIRST: usize,
        const COUNT: usize,
        const LANES: usize,
        const BATCH: usize,
    >(
        group: &MessageGroup<'_>,
        range: Range<usize>,
    ) -> Option<usize> {
        let functions = Functions::<Array<LANES>> {
            second_half: rounds::second_half,
            constant_block: rounds::constant_block,
        };
        // SAFETY: plain Rust runs on every CPU.
        unsafe { vector_search::first_match::<_, FIRST, COUNT, BATCH>(functions, group, range) }
    }

    fn first_match_of_one_lane<const FIRST: usize, const COUNT: usize>(
        group: &MessageGroup<'_>,
        range: Range<usize>,
    ) -> Option<usize> {
        first_match::<FIRST, COUNT, 1, 2>(group, range)
    }

    impl Subject for Software {
        fn first_block(
            &self,
            midstate: HashState,
            words: [u32; 16],
            first: usize,
            count: usize,
        ) -> FirstBlock {
            FirstBlock::new(midstate, words, first, count, 1)
        }

        fn first_match(&self, group: &MessageGroup<'_>, range: Range<usize>) -> Option<usize> {
            self.0[group.first.first][group.first.count - 1](group, range)
        }
    }

    fn passes(name: &str, subject: &impl Subject, positions: impl Iterator<Item = Case>) {
        for position in positions {
            for tail in 0..3 {
                for hit in 0..MESSAGES {
                    let case = Case {
                        tail,
                        hit,
                        ..position
                    };
                    assert!(agrees_with_scalar(subject, case), "{name}: {case:?}");
                }
            }
        }
    }

    fn variants() -> impl Iterator<Item = Variant> {
        println!("not run on this CPU: {:?}", Kernel::missing());
        Kernel::available().into_iter().flat_map(Kernel::variants)
    }

    #[test]
    fn every_variant_finds_every_message_at_every_position() {
        for variant in variants().filter(|variant| variant.hashes_groups()) {
            passes(variant.name(), &variant, cases_of_every_position());
        }
    }

    #[test]
    fn the_body_over_plain_arrays_finds_every_message_at_every_position() {
        passes("one lane", &ONE_LANE, cases_of_every_position());
        let last_word = cases_of_every_position().filter(|case| case.first == 15);
        passes("32 lanes", &THIRTY_TWO_LANES, last_word);
    }

    #[test]
    fn a_kernel_that_is_wrong_at_one_position_fails() {
        struct Wrong(Variant);
        impl Subject for Wrong {
            fn first_block(
                &self,
                midstate: HashState,
                mut words: [u32; 16],
                first: usize,
                count: usize,
            ) -> FirstBlock {
                words[15] ^= u32::from(first == 9);
                self.0.first_block(midstate, words, first, count)
            }
            fn first_match(&self, group: &MessageGroup<'_>, range: Range<usize>) -> Option<usize> {
                self.0.first_match(group, range)
            }
        }
        let wrong = Wrong(variants().find(|variant| variant.hashes_groups()).unwrap());
        assert!(!cases_of_every_position().all(|case| agrees_with_scalar(&wrong, case)));
    }
}
