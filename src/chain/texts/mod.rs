//! The canonical texts of a batch's blocks.
//!
//! A block in a [known] spelling says where it ends and, if it is canonical,
//! stays where it lies. Any other is written anew by the transcoder. So
//! nobody has to look for the ends of most blocks before they are read, and a
//! batch may be a [guess](super::file::ChainReader::guess): one look proves it
//! right. What is wrong in a guess is not told from the guess being wrong; it
//! is read again with certainty, and all errors come from there.

mod known;

use std::ops::Range;

use self::known::recognize;
use super::file::{Batch, ChainPlace, ReadError, Separator};
use super::json::{Advance, Position, StreamError, SyntaxError, Transcoder, value_length};

/// What [`Texts::shrink`] leaves: more than most batches need.
const KEPT_BYTES: usize = 512 << 10;

/// Reads batches as canonical texts, and keeps those of the last one.
#[derive(Debug, Default)]
pub(super) struct Texts {
    transcoder: Transcoder,
    /// The texts of blocks that are not canonical as they lie.
    written: Vec<u8>,
}

/// Where the canonical text of a block is.
#[derive(Clone, Debug)]
pub(super) struct TextPlace {
    /// In the batch, or in what was written.
    is_raw: bool,
    range: Range<usize>,
}

/// A block that was read.
#[derive(Debug)]
pub(super) struct Found<'a> {
    pub(super) place: TextPlace,
    /// Its canonical text.
    pub(super) text: &'a [u8],
    /// What the text says, if its spelling is known.
    pub(super) parts: Option<Parts>,
}

/// What a block in a known spelling says.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) index: u64,
    /// Where in the canonical text these values stand.
    pub(super) proof: Range<usize>,
    pub(super) previous_hash: Range<usize>,
    pub(super) transactions: u64,
}

impl Texts {
    /// Reads the blocks of a batch, one after another, and calls `each` with
    /// the index of each block and where it starts in the file.
    pub(super) fn read<E: From<ReadError>>(
        &mut self,
        batch: &Batch,
        mut each: impl FnMut(u64, Position, Found<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.written.clear();
        let mut start = 0;
        for (index, (raw, position)) in (batch.first_index..).zip(batch.blocks()) {
            let found = match self.recognize(raw, start) {
                Some((found, length)) if length == raw.len() => found,
                _ => self.write(raw).map_err(|error| {
                    let error = StreamError::inside(raw, position, error);
                    ReadError::at(error, ChainPlace::In(index))
                })?,
            };
            each(index, position, found)?;
            start += raw.len();
        }
        Ok(())
    }

    /// The same for a batch that is a guess: the way over its text, or `None`
    /// if the guess is wrong, a block is no JSON, or `each` gives `None`.
    #[inline(always)]
    pub(super) fn read_guess(
        &mut self,
        batch: &Batch,
        separator: Separator,
        mut each: impl FnMut(Found<'_>) -> Option<()>,
    ) -> Option<Advance> {
        self.written.clear();
        let text = batch.text();
        let mut start = 0;
        let mut advance = Advance::default();
        while start < text.len() {
            let rest = &text[start..];
            let (found, length) = match self.recognize(rest, start) {
                Some((found, length)) => {
                    // It is plain ASCII.
                    advance.over_characters(length);
                    (found, length)
                }
                None => {
                    let length = value_length(rest)?;
                    advance.over_text(&rest[..length]);
                    (self.write(&rest[..length]).ok()?, length)
                }
            };
            each(found)?;
            start += length;
            let length = separator.length(&text[start..])?;
            advance.over_text(&text[start..start + length]);
            start += length;
        }
        Some(advance)
    }

    /// The text at `place`, which was read from `batch`.
    pub(super) fn get<'a>(&'a self, batch: &'a Batch, place: &TextPlace) -> &'a [u8] {
        let source = if place.is_raw {
            batch.text()
        } else {
            &self.written
        };
        &source[place.range.clone()]
    }

    /// Forgets the texts, and gives back the memory that a huge one took.
    pub(super) fn shrink(&mut self) {
        self.written.clear();
        self.written.shrink_to(KEPT_BYTES);
        self.transcoder.shrink();
    }

    /// The block at the start of `text`, which is at `start` in the batch, if
    /// its spelling is known, and the bytes it takes there.
    // Handing on what is found by way of memory costs verification 2 %.
    #[inline(always)]
    fn recognize<'a>(&'a mut self, text: &'a [u8], start: usize) -> Option<(Found<'a>, usize)> {
        let end = self.written.len();
        let Some(known) = recognize(text, &mut self.written) else {
            self.written.truncate(end);
            return None;
        };
        let range = match known.is_raw {
            true => start..start + known.length,
            false => end..self.written.len(),
        };
        let found = Found {
            text: match known.is_raw {
                true => &text[..known.length],
                false => &self.written[end..],
            },
            place: TextPlace {
                is_raw: known.is_raw,
                range,
            },
            parts: Some(known.parts),
        };
        Some((found, known.length))
    }

    /// The block whose text is `raw`, written anew.
    fn write(&mut self, raw: &[u8]) -> Result<Found<'_>, SyntaxError> {
        let start = self.written.len();
        self.transcoder.transcode(raw, &mut self.written)?;
        Ok(Found {
            place: TextPlace {
                is_raw: false,
                range: start..self.written.len(),
            },
            text: &self.written[start..],
            parts: None,
        })
    }
}
