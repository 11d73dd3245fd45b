//! Where the parts of a message lie in its blocks, for nonces of one number
//! of digits, and what of the hash is the same for all of them.

use super::digits::Grouping;
use crate::pow::Template;
use crate::sha256::scalar::{BLOCK_BYTES, State, block_words, compress};
use crate::sha256::{BlockConstants, FirstBlock, Group, Kernel};

type Block = [u8; BLOCK_BYTES];

/// The messages whose nonces have one number of digits.
#[derive(Debug)]
pub(super) struct Layout {
    grouping: Grouping,
    /// The state before `head`.
    midstate: State,
    /// The blocks from the first that holds a digit to the first that holds a
    /// low digit, with `0` for every digit: one block, or two where upper
    /// digits fill the end of the one before.
    head: Vec<Block>,
    /// Where the upper digits start in `head`.
    upper_start: usize,
    upper_digits: usize,
    /// Index of the first varying word in the last block of `head`.
    first_word: usize,
    /// The block after `head`, if low digits reach into it.
    straddled: Option<BlockConstants>,
    /// The blocks after those.
    tail: Vec<BlockConstants>,
}

impl Layout {
    /// The layout of `template` with nonces of `digit_count` digits.
    /// `midstate` is the state after the whole blocks of the prefix.
    pub(super) fn new(template: &Template, midstate: State, digit_count: usize) -> Self {
        let prefix = template.prefix().len();
        let start = prefix % BLOCK_BYTES;
        let end = start + digit_count;
        let blocks = padded_blocks(template, digit_count);
        let grouping = Grouping::new(digit_count, end);
        let last_word = (end - 1) / 4;
        let first_word = last_word + 1 - grouping.words;
        let (head_length, straddles) = (first_word / 16 + 1, last_word / 16 > first_word / 16);
        let (head, rest) = blocks.split_at(head_length);
        let (straddled, tail) = rest.split_at(usize::from(straddles));
        Self {
            grouping,
            midstate,
            head: head.to_vec(),
            upper_start: start,
            upper_digits: digit_count - grouping.digits,
            first_word: first_word % 16,
            straddled: straddled
                .first()
                .map(|block| BlockConstants::new(block_words(block), 0, 1)),
            tail: tail
                .iter()
                .map(|block| BlockConstants::new(block_words(block), 0, 0))
                .collect(),
        }
    }

    /// Nonces in a group: those with the same upper digits.
    pub(super) const fn group_size(&self) -> u64 {
        10u64.pow(self.grouping.digits as u32)
    }

    /// What `kernel` needs of the group whose upper digits are those of
    /// `upper`.
    pub(super) fn first_block(&self, kernel: Kernel, mut upper: u64) -> FirstBlock {
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
        let words_here = if self.straddled.is_some() {
            1
        } else {
            self.grouping.words
        };
        kernel.first_block(midstate, block_words(last), self.first_word, words_here)
    }

    /// The group that starts with `first`; a message matches if the first word
    /// of its digest has no bit of `mask`.
    pub(super) fn group<'a>(&'a self, first: &'a FirstBlock, mask: u32) -> Group<'a> {
        Group {
            first,
            columns: self.grouping.columns(),
            straddled: self.straddled.as_ref(),
            tail: &self.tail,
            mask,
        }
    }
}

/// The padded message without the whole blocks of the prefix, `0` in the place
/// of every digit.
fn padded_blocks(template: &Template, digit_count: usize) -> Vec<Block> {
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
