//! Whether a kernel finds what the scalar code finds: the start-up check of
//! the chosen kernel, and the body of the conformance tests of this layer.

use std::ops::Range;

use super::constants::{INITIAL_STATE, ROUND_CONSTANTS};
use super::group::{COLUMN_PADDING, Group};
use super::scalar::{State, compress_words};
use super::schedule::{ConstantBlock, FirstBlock};

/// How a kernel prepares the first block, and how it finds the first match.
pub(super) trait Subject {
    fn first_block(
        &self,
        midstate: State,
        words: [u32; 16],
        first: usize,
        count: usize,
    ) -> FirstBlock;

    fn first_match(&self, group: &Group<'_>, range: Range<usize>) -> Option<usize>;
}

/// Messages of one group: what varies, and what comes after it.
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
    /// The message that is to be found.
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
/// The mask is the complement of the wanted message's first digest word: only
/// a digest without any further one bit matches, which checks every bit of
/// the digests before it that matters.
pub(super) fn agrees_with_scalar(subject: &impl Subject, case: Case) -> bool {
    let Case {
        first,
        count,
        variants,
        tail,
        hit,
    } = case;
    // Any words do; these look random and are at hand.
    let word = |index: usize| ROUND_CONSTANTS[(index * 29 + first) % 64].rotate_left(index as u32);
    let block = |number: usize| -> [u32; 16] { std::array::from_fn(|t| word(number * 16 + t)) };
    let blocks_from = |number: usize, count: usize| -> Vec<[u32; 16]> {
        (number..number + count).map(block).collect()
    };
    let (first_words, tail, variants) = (block(0), blocks_from(1, tail), blocks_from(9, variants));
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
    let group = Group {
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
    use crate::sha256::Kernel;
    use crate::sha256::group::{self, Functions, by_position};
    use crate::sha256::rounds::{self, Halfway, Lanes};
    #[cfg(target_arch = "x86_64")]
    use crate::sha256::sha_ni;
    use crate::sha256::vector::Array;

    /// The lane-generic body over plain arrays, in batches of two vectors.
    struct Software<const LANES: usize>(Functions<Array<LANES>>);

    /// Every position that the `avx512` kernel is compiled for.
    const ONE_LANE: Software<1> = Software(Functions {
        first_half: by_position!(first_half_of_one_lane),
        second_half,
        constant_block,
    });

    /// As many lanes as the `avx512` kernel has. Each position takes seconds
    /// to compile, so there is one only.
    const THIRTY_TWO_LANES: Software<32> = Software(Functions {
        first_half: [[first_half::<15, 1, 32>; 2]; 16],
        second_half,
        constant_block,
    });

    fn first_half<const FIRST: usize, const COUNT: usize, const LANES: usize>(
        block: &FirstBlock,
        varying: &[Array<LANES>; 2],
        halfway: &mut Halfway<Array<LANES>>,
    ) {
        *halfway = rounds::first_half::<_, FIRST, COUNT>(block, varying);
    }

    fn first_half_of_one_lane<const FIRST: usize, const COUNT: usize>(
        block: &FirstBlock,
        varying: &[Array<1>; 2],
        halfway: &mut Halfway<Array<1>>,
    ) {
        first_half::<FIRST, COUNT, 1>(block, varying, halfway);
    }

    fn second_half<const LANES: usize>(
        halfway: &Halfway<Array<LANES>>,
        lanes: &mut Lanes<Array<LANES>>,
    ) {
        *lanes = rounds::second_half(halfway);
    }

    fn constant_block<const LANES: usize>(lanes: &mut Lanes<Array<LANES>>, block: &ConstantBlock) {
        *lanes = rounds::constant_block(lanes, block);
    }

    impl<const LANES: usize> Subject for Software<LANES> {
        fn first_block(
            &self,
            midstate: State,
            words: [u32; 16],
            first: usize,
            count: usize,
        ) -> FirstBlock {
            FirstBlock::new(midstate, words, first, count, 1)
        }

        #[allow(unsafe_code, reason = "the functions are plain Rust")]
        fn first_match(&self, group: &Group<'_>, range: Range<usize>) -> Option<usize> {
            // SAFETY: they need no instruction that is not everywhere.
            unsafe { group::first_match::<_, 2>(&self.0, group, range) }
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

    #[test]
    fn every_kernel_finds_every_message_at_every_position() {
        for kernel in Kernel::available() {
            if kernel.hashes_groups() {
                passes(kernel.name(), &kernel, cases_of_every_position());
            }
        }
        println!("not run, for want of instructions: {:?}", Kernel::missing());
    }

    /// Where there are more registers, the kernel uses them.
    #[cfg(target_arch = "x86_64")]
    #[test]
    fn sha_ni_without_more_registers_finds_every_message_at_every_position() {
        struct Plain;
        impl Subject for Plain {
            fn first_block(
                &self,
                midstate: State,
                words: [u32; 16],
                first: usize,
                count: usize,
            ) -> FirstBlock {
                FirstBlock::new(midstate, words, first, count, 2)
            }

            #[allow(unsafe_code, reason = "a function that needs SHA-NI")]
            fn first_match(&self, group: &Group<'_>, range: Range<usize>) -> Option<usize> {
                // SAFETY: a `sha-ni` kernel could be had.
                unsafe { sha_ni::plain::first_match(group, range) }
            }
        }
        if "sha-ni".parse::<Kernel>().is_ok() {
            passes("sha-ni, plain", &Plain, cases_of_every_position());
        } else {
            println!("not run: sha-ni");
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
        struct Wrong(Kernel);
        impl Subject for Wrong {
            fn first_block(
                &self,
                midstate: State,
                mut words: [u32; 16],
                first: usize,
                count: usize,
            ) -> FirstBlock {
                words[15] ^= u32::from(first == 9);
                self.0.first_block(midstate, words, first, count)
            }
            fn first_match(&self, group: &Group<'_>, range: Range<usize>) -> Option<usize> {
                self.0.first_match(group, range)
            }
        }
        let wrong = Wrong("portable".parse().unwrap());
        assert!(!cases_of_every_position().all(|case| agrees_with_scalar(&wrong, case)));
    }
}
