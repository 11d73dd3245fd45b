//! Where the parts of a message lie in its blocks, for nonces of one number
//! of digits, and what of the hash is the same for all of them.

use super::choice::Shape;
use super::digits::Grouping;
use crate::pow::Template;
use crate::sha256::scalar::{BLOCK_BYTES, BlockBytes, HashState, block_words, compress};
use crate::sha256::{ConstantBlock, FirstBlock, MessageGroup, Variant};

/// The most digits at the start of a block for which the block is prepared
/// for each of their values, 25 kB in all. More of them are a group by
/// themselves, and the block before is hashed once a group.
const MOST_VARIANT_DIGITS: usize = 2;

/// The messages whose nonces have one number of digits.
#[derive(Debug)]
pub(super) struct Layout {
    grouping: Grouping,
    /// The state before `head`.
    midstate: HashState,
    /// The blocks from the first that holds a digit to the one that holds the
    /// digits of the grouping, with `0` for every digit: one block, or two
    /// where upper digits fill the end of the one before.
    head: Vec<BlockBytes>,
    /// Where the upper digits start in `head`.
    upper_start: usize,
    upper_digits: usize,
    /// Index of the first varying word in the last block of `head`.
    first_word: usize,
    /// The block after `head` for each value of the last digits, if these lie
    /// there.
    variants: Vec<ConstantBlock>,
    /// The blocks after those.
    tail: Vec<ConstantBlock>,
}

impl Layout {
    /// The layout of `template` with nonces of `digit_count` digits.
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

    /// Nonces in a group: those with the same upper digits.
    pub(super) fn group_size(&self) -> u64 {
        10u64.pow(self.grouping.digits as u32) * self.row_size()
    }

    /// Nonces that share their first block.
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

    /// What `variant` needs of the group whose upper digits are those of
    /// `upper`.
    pub(super) fn first_block(&self, variant: Variant, mut upper: u64) -> FirstBlock {
        let mut head = [[0; BLOCK_BYTES]; 2];
        let head = &mut head[..self.head.len()];
        head.copy_from_slice(&self.head);
        let digits = &mut head.as_flattened_mut()[self.upper_start..][..self.upper_digits];
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (upper % 10) as u8;
            upper /= 10;
        }
        let (last, before) = head.split_last().expect("low digits lie in a block");
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

    /// The group that starts with `first`; a message matches if the first word
    /// of its digest has no bit of `mask`.
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

/// The block for each value of the `digits` digits that it starts with.
fn variants_of(block: &BlockBytes, digits: usize) -> impl Iterator<Item = ConstantBlock> {
    let mut block = *block;
    (0..10usize.pow(digits as u32)).map(move |value| {
        let mut rest = value;
        for digit in block[..digits].iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        constant_block(&block)
    })
}

/// The padded message without the whole blocks of the prefix, `0` in the place
/// of every digit.
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
