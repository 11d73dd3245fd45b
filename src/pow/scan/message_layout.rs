//! Where the parts of a message lie in its blocks, for nonces with the same
//! number of digits.

use std::fmt;

use super::digit_columns::Grouping;
use crate::pow::Template;
use crate::sha256::scalar::{BLOCK_BYTES, BlockBytes, HashState, block_words, compress};
use crate::sha256::{ConstantBlock, FirstBlock, MessageGroup, Variant};

/// What is hashed for each nonce. The fastest variant depends on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// One block, which contains the low digits.
    OneBlock,
    /// A block with the low digits, then blocks that are the same for all
    /// nonces.
    ConstantTail,
    /// The last digits are in a second block, which is prepared for each of
    /// their values.
    DigitsInTail,
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::OneBlock => "one block",
            Self::ConstantTail => "constant tail",
            Self::DigitsInTail => "digits in the tail",
        })
    }
}

/// If at most this many digits spill into a block of their own, that block is
/// prepared for each of their values, which takes up to 25 kB. If more do, the
/// group's digits are among them, and the block before is hashed once a group.
const MOST_VARIANT_DIGITS: usize = 2;

#[derive(Debug)]
pub(super) struct MessageLayout {
    grouping: Grouping,
    /// The state before `head`.
    midstate: HashState,
    /// The blocks from the first with a digit to the one with the digits of the
    /// grouping, with `0` for every digit: one block, or two if upper digits end
    /// the block before.
    head: Vec<BlockBytes>,
    /// Where the digits above the group's are in `head`.
    upper_start: usize,
    upper_digits: usize,
    /// The index of the first varying word in the last block of `head`.
    first_word: usize,
    /// The block after `head` for each value of the last digits, if it contains
    /// them.
    variants: Vec<ConstantBlock>,
    tail: Vec<ConstantBlock>,
}

impl MessageLayout {
    /// `midstate` is the state after the whole blocks of the prefix.
    pub(super) fn new(template: &Template, midstate: HashState, digit_count: usize) -> Self {
        let start = template.prefix().len() % BLOCK_BYTES;
        let end = start + digit_count;
        let blocks = padded_blocks(template, digit_count);
        let variant_digits = match end.checked_sub(BLOCK_BYTES) {
            Some(digits @ 1..=MOST_VARIANT_DIGITS) if digits < digit_count => digits,
            _ => 0,
        };
        let grouped_end = end - variant_digits;
        let grouping = Grouping::new(digit_count - variant_digits, grouped_end);
        let last_word = (grouped_end - 1) / 4;
        let (head, rest) = blocks.split_at(last_word / 16 + 1);
        let (variants, tail) = rest.split_at(usize::from(variant_digits > 0));
        Self {
            grouping,
            midstate,
            head: head.to_vec(),
            upper_start: start,
            upper_digits: digit_count - variant_digits - grouping.digits,
            first_word: last_word % 16 + 1 - grouping.words,
            variants: variants
                .iter()
                .flat_map(|block| variants_of(block, variant_digits))
                .collect(),
            tail: tail.iter().map(constant_block).collect(),
        }
    }

    /// The number of nonces with the same upper digits.
    pub(super) fn group_size(&self) -> u64 {
        10u64.pow(self.grouping.digits as u32) * self.row_size()
    }

    /// The number of nonces that share their first block.
    pub(super) fn row_size(&self) -> u64 {
        self.variants.len().max(1) as u64
    }

    pub(super) fn shape(&self) -> Shape {
        match (self.variants.is_empty(), self.tail.is_empty()) {
            (true, true) => Shape::OneBlock,
            (true, false) => Shape::ConstantTail,
            (false, _) => Shape::DigitsInTail,
        }
    }

    pub(super) fn first_block(&self, variant: Variant, upper: u64) -> FirstBlock {
        let mut head = [[0; BLOCK_BYTES]; 2];
        let head = &mut head[..self.head.len()];
        head.copy_from_slice(&self.head);
        let digits = &mut head.as_flattened_mut()[self.upper_start..][..self.upper_digits];
        write_digits(digits, upper);
        let (last, before) = head.split_last().expect("the digits are in a block");
        let mut midstate = self.midstate;
        for block in before {
            compress(&mut midstate, block);
        }
        variant.first_block(
            midstate,
            block_words(last),
            self.first_word,
            self.grouping.words,
        )
    }

    /// The group of `first`. A message matches if the first word of its digest
    /// has no bit of `mask`.
    pub(super) fn group<'a>(&'a self, first: &'a FirstBlock, mask: u32) -> MessageGroup<'a> {
        MessageGroup {
            first,
            columns: self.grouping.columns(),
            variants: &self.variants,
            tail: &self.tail,
            mask,
        }
    }
}

fn constant_block(block: &BlockBytes) -> ConstantBlock {
    ConstantBlock::new(&block_words(block))
}

/// The block for each value of its first `digits` bytes, which are digits.
fn variants_of(block: &BlockBytes, digits: usize) -> impl Iterator<Item = ConstantBlock> {
    let mut block = *block;
    (0..10u64.pow(digits as u32)).map(move |value| {
        write_digits(&mut block[..digits], value);
        constant_block(&block)
    })
}

fn write_digits(digits: &mut [u8], mut value: u64) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

/// The padded message without the whole blocks of the prefix, with `0` for every
/// digit.
fn padded_blocks(template: &Template, digit_count: usize) -> Vec<BlockBytes> {
    let (whole, rest) = template.prefix().as_chunks::<BLOCK_BYTES>();
    let mut bytes = rest.to_vec();
    bytes.resize(rest.len() + digit_count, b'0');
    bytes.extend_from_slice(template.suffix());
    let message_bytes = whole.len() * BLOCK_BYTES + bytes.len();
    bytes.push(0x80);
    bytes.resize((bytes.len() + 8).next_multiple_of(BLOCK_BYTES) - 8, 0);
    bytes.extend_from_slice(&(message_bytes as u64 * 8).to_be_bytes());
    bytes.as_chunks().0.to_vec()
}
