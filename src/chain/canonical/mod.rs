//! The canonical texts of a chain's blocks, over which their hashes are taken.
//!
//! The [fast path](fast_path) finds where most blocks end and what they hold in
//! one pass, and leaves those that are canonical already where they are. All
//! other blocks go through the transcoder.
//!
//! The same pass confirms a batch that is a [guess](super::file::Batch::is_guess).
//! An error in a guess looks like a wrong guess; the text is then read again
//! with certainty, and all errors are reported from there.

mod fast_path;
mod reader;

use std::ops::Range;

pub(super) use self::reader::CanonicalReader;

use super::file::{Batch, ChainPlace, ReadError};
use super::json::{Advance, Position, StreamError, SyntaxError, Transcoder, value_length};
use super::transaction::Strictness;

/// Memory that [`CanonicalTexts::shrink`] keeps: more than most batches need.
const KEPT_BYTES: usize = 512 << 10;

/// Reads batches as canonical texts, and keeps those of the last one.
#[derive(Debug, Default)]
pub(super) struct CanonicalTexts {
    transcoder: Transcoder,
    /// The texts of blocks whose raw text is not canonical.
    written: Vec<u8>,
}

/// Where the canonical text of a block is.
#[derive(Clone, Debug)]
pub(super) struct TextPlace {
    /// In the batch, not in [`CanonicalTexts::written`].
    is_raw: bool,
    range: Range<usize>,
}

#[derive(Debug)]
pub(super) struct CanonicalBlock<'a> {
    pub(super) place: TextPlace,
    pub(super) text: &'a [u8],
    /// `None` if the fast path did not take the block. Otherwise its transactions
    /// are as strict as was asked for.
    pub(super) fields: Option<BlockFields>,
}

/// The fields of a well-formed block that link it to others.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct BlockFields {
    pub(super) index: u64,
    /// The value's range in the canonical text, and that of the next.
    pub(super) proof: Range<usize>,
    pub(super) previous_hash: Range<usize>,
    pub(super) transactions: u64,
    pub(super) rewards: u64,
}

impl CanonicalTexts {
    /// Reads the blocks of a batch in order, and calls `each` with the index
    /// of each block and where it starts in the file.
    pub(super) fn read(
        &mut self,
        batch: &Batch,
        strictness: Strictness,
        mut each: impl FnMut(u64, Position, CanonicalBlock<'_>) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        self.written.clear();
        let mut start = 0;
        for (index, (raw, position)) in (batch.first_index..).zip(batch.blocks()) {
            let block = match self.recognize(raw, start, strictness) {
                Some((block, length)) if length == raw.len() => block,
                _ => self.transcode(raw).map_err(|error| {
                    let error = StreamError::inside(raw, position, error);
                    ReadError::at(error, ChainPlace::In(index))
                })?,
            };
            each(index, position, block)?;
            start += raw.len();
        }
        Ok(())
    }

    /// The same for a guess. Returns the extent of its text, or `None` if the
    /// guess is wrong, a block is not JSON, or `each` returns `None`.
    #[inline(always)]
    pub(super) fn read_guess(
        &mut self,
        batch: &Batch,
        strictness: Strictness,
        mut each: impl FnMut(CanonicalBlock<'_>) -> Option<()>,
    ) -> Option<Advance> {
        self.written.clear();
        let text = batch.text();
        let mut start = 0;
        let mut advance = Advance::default();
        while start < text.len() {
            let rest = &text[start..];
            let (block, length) = match self.recognize(rest, start, strictness) {
                Some((block, length)) => {
                    // The fast path takes only ASCII in one line.
                    advance.over_characters(length);
                    (block, length)
                }
                None => {
                    let length = value_length(rest)?;
                    advance.over_text(&rest[..length]);
                    (self.transcode(&rest[..length]).ok()?, length)
                }
            };
            each(block)?;
            start += length;
            let length = batch.separator_length(&text[start..])?;
            advance.over_text(&text[start..start + length]);
            start += length;
        }
        Some(advance)
    }

    pub(super) fn get<'a>(&'a self, batch: &'a Batch, place: &TextPlace) -> &'a [u8] {
        let source = if place.is_raw {
            batch.text()
        } else {
            &self.written
        };
        &source[place.range.clone()]
    }

    pub(super) fn shrink(&mut self) {
        self.written.clear();
        self.written.shrink_to(KEPT_BYTES);
        self.transcoder.shrink();
    }

    /// Reads the block at the start of `text`, which is at `start` in the
    /// batch, by the fast path. Also returns the length of its raw text.
    // Returning this through memory makes verification 2 % slower.
    #[inline(always)]
    fn recognize<'a>(
        &'a mut self,
        text: &'a [u8],
        start: usize,
        strictness: Strictness,
    ) -> Option<(CanonicalBlock<'a>, usize)> {
        let end = self.written.len();
        let Some((fields, length)) = fast_path::recognize(text, strictness, &mut self.written)
        else {
            self.written.truncate(end);
            return None;
        };
        let is_raw = self.written.len() == end;
        let (text, range) = match is_raw {
            true => (&text[..length], start..start + length),
            false => (&self.written[end..], end..self.written.len()),
        };
        let block = CanonicalBlock {
            place: TextPlace { is_raw, range },
            text,
            fields: Some(fields),
        };
        Some((block, length))
    }

    fn transcode(&mut self, raw: &[u8]) -> Result<CanonicalBlock<'_>, SyntaxError> {
        let start = self.written.len();
        self.transcoder.transcode(raw, &mut self.written)?;
        Ok(CanonicalBlock {
            place: TextPlace {
                is_raw: false,
                range: start..self.written.len(),
            },
            text: &self.written[start..],
            fields: None,
        })
    }
}
