//! Checks one batch of blocks on one thread.
//!
//! A batch is checked without the batch before it, so the link of its first
//! block stays open until the results are applied in order.
//!
//! The check makes three passes over the batch, which stays in the cache: it
//! reads the blocks, hashes them side by side, and checks how each block
//! follows the one before.

use std::ops::Range;

use super::block::check_block;
use super::fault::{Fault, FaultKind};
use super::link::{Link, PreviousBlock};
use super::result::{BatchResult, OpenLink};
use super::{ReadError, VerifyOptions};
use crate::chain::Strictness;
use crate::chain::canonical::{BlockFields, CanonicalBlock, CanonicalTexts, TextPlace};
use crate::chain::file::{Batch, PositionalFile};
use crate::chain::json::View;
use crate::sha256::{Digest, digest_texts};

#[derive(Debug, Default)]
pub(super) struct BatchCheck {
    pub(super) number: u64,
    pub(super) batch: Batch,
    /// `None` if the batch is a wrong guess, or was not checked.
    pub(super) result: Option<Result<BatchResult, ReadError>>,
    texts: CanonicalTexts,
    /// The well-formed blocks up to the first fault.
    blocks: Vec<(TextPlace, BlockFields)>,
    digests: Vec<Digest>,
}

impl BatchCheck {
    /// Checks the batch. `file` is where the text of a guess is, if it is
    /// still to be read.
    pub(super) fn run(&mut self, file: Option<PositionalFile<'_>>, options: &VerifyOptions) {
        self.result = if self.batch.is_guess() {
            // An I/O error is reported when the text is read with certainty.
            let read = self.batch.read(file).ok();
            read.and_then(|()| self.check_guess(options)).map(Ok)
        } else {
            Some(self.check(options))
        };
        self.blocks.clear();
        self.digests.clear();
        self.texts.shrink();
    }

    fn check(&mut self, options: &VerifyOptions) -> Result<BatchResult, ReadError> {
        let mut result = BatchResult {
            first_index: self.batch.first_index,
            ..BatchResult::default()
        };
        let mut fault = None;
        let blocks = &mut self.blocks;
        self.texts
            .read(&self.batch, options.strictness, |index, _, block| {
                result.blocks += 1;
                match check_fields(block, index, options.strictness) {
                    Ok((place, fields)) => {
                        result.transactions += fields.transactions;
                        result.rewards += fields.rewards;
                        // Blocks after a fault are only counted.
                        if fault.is_none() {
                            blocks.push((place, fields));
                        }
                    }
                    Err(kind) => {
                        fault.get_or_insert(Fault { block: index, kind });
                    }
                }
                Ok(())
            })?;
        self.link(&mut result, fault, options);
        Ok(result)
    }

    /// Returns `None` if the guess is wrong or something in the batch is: then
    /// the text is read again with certainty.
    fn check_guess(&mut self, options: &VerifyOptions) -> Option<BatchResult> {
        let mut result = BatchResult::default();
        let mut next_index = None;
        let blocks = &mut self.blocks;
        let advance = self
            .texts
            .read_guess(&self.batch, options.strictness, |block| {
                let index = next_index.or_else(|| stated_index(&block))?;
                let (place, fields) = check_fields(block, index, options.strictness).ok()?;
                next_index = Some(index.checked_add(1)?);
                result.blocks += 1;
                result.transactions += fields.transactions;
                result.rewards += fields.rewards;
                blocks.push((place, fields));
                Some(())
            });
        result.advance = Some(advance?);
        result.first_index = self.blocks.first()?.1.index;
        self.link(&mut result, None, options);
        Some(result)
    }

    /// Checks how each of the blocks follows the one before. `fault` is that
    /// of the block after them.
    fn link(&mut self, result: &mut BatchResult, fault: Option<Fault>, options: &VerifyOptions) {
        let text_of = |(place, _): &(TextPlace, _)| self.texts.get(&self.batch, place);
        let texts: Vec<_> = self.blocks.iter().map(text_of).collect();
        digest_texts(&texts, &mut self.digests);

        let part = |number: usize, range: &Range<usize>| &texts[number][range.clone()];
        let previous: Vec<_> = (self.blocks.iter().zip(&self.digests).enumerate())
            .map(|(number, ((_, fields), hash))| {
                let previous_hash = View::of(part(number, &fields.previous_hash));
                PreviousBlock::new(part(number, &fields.proof), previous_hash, *hash)
            })
            .collect();
        let links: Vec<_> = (1..previous.len())
            .map(|number| {
                let fields = &self.blocks[number].1;
                Link {
                    last: previous[number - 1].as_last(),
                    index: fields.index,
                    proof: part(number, &fields.proof),
                    previous_hash: part(number, &fields.previous_hash),
                }
            })
            .collect();
        result.first = self.blocks.first().map(|(_, fields)| OpenLink {
            proof: (previous.len() > 1).then(|| part(0, &fields.proof).to_vec()),
            previous_hash: shorten(part(0, &fields.previous_hash)),
        });
        result.check_links(&links, options);
        if !result.is_settled(options) {
            result.fault = fault;
            result.last = previous
                .into_iter()
                .next_back()
                .map(PreviousBlock::into_owned);
        }
    }
}

/// Checks everything in a block that needs no other block.
#[inline(always)]
fn check_fields(
    block: CanonicalBlock<'_>,
    index: u64,
    strictness: Strictness,
) -> Result<(TextPlace, BlockFields), FaultKind> {
    let fields = match block.fields {
        Some(fields) if fields.index == index => fields,
        _ => check_block(View::of(block.text), index, strictness)?,
    };
    Ok((block.place, fields))
}

/// The part of a `previous_hash` that shows it is not a hash, and that a
/// message quotes.
fn shorten(previous_hash: &[u8]) -> Vec<u8> {
    const MAX_BYTES: usize = 128;
    if previous_hash.len() <= MAX_BYTES {
        return previous_hash.to_vec();
    }
    // Keep the closing quote.
    let (start, end) = (
        &previous_hash[..MAX_BYTES - 1],
        &previous_hash[previous_hash.len() - 1..],
    );
    [start, end].concat()
}

/// The index that a block states.
fn stated_index(block: &CanonicalBlock<'_>) -> Option<u64> {
    if let Some(fields) = &block.fields {
        return Some(fields.index);
    }
    let [index] = View::of(block.text).fields(["index"]);
    std::str::from_utf8(index?.text()).ok()?.parse().ok()
}
