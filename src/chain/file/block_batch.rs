//! A batch of blocks on its way from the file to a thread that checks them.

use std::io;
use std::ops::Range;

use super::input::PositionalFile;
use crate::chain::json::Position;
use crate::chain::read_buffer::ReadBuffer;

/// A batch is complete once it holds this many bytes: enough that handing it to
/// another thread costs nothing, and few enough that many batches fit in memory.
pub(super) const BATCH_BYTES: usize = 256 << 10;

/// Consecutive blocks as raw text, or a [guess](super::ChainReader::guess) at
/// such text.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// The place of the first block in the chain, counted from 1.
    pub(crate) first_index: u64,
    pub(super) text: ReadBuffer,
    /// What should separate the blocks, besides white space, if this is a
    /// guess: a comma in an array, and nothing in JSON Lines.
    pub(super) separator: Option<&'static str>,
    /// Where in the file the text of a guess is, if [`Self::read`] reads it.
    pub(super) part: Option<Range<u64>>,
    pub(super) ends: Vec<BlockEnd>,
}

#[derive(Debug)]
pub(super) struct BlockEnd {
    end: usize,
    /// Where the block starts in the file.
    position: Position,
}

impl Batch {
    pub(crate) fn blocks(&self) -> impl Iterator<Item = (&[u8], Position)> {
        let mut start = 0;
        self.ends.iter().map(move |block| {
            let text = &self.text()[start..block.end];
            start = block.end;
            (text, block.position)
        })
    }

    pub(crate) fn text(&self) -> &[u8] {
        self.text.unread()
    }

    /// Whether the ends of the blocks are still to be found.
    pub(crate) const fn is_guess(&self) -> bool {
        self.separator.is_some()
    }

    /// In a guess, the length of the separator at the start of `text`, with the
    /// white space around it. `None` if something else is there.
    #[inline]
    pub(crate) fn separator_length(&self, text: &[u8]) -> Option<usize> {
        let space = |text: &[u8]| {
            let bytes = text.iter();
            bytes
                .take_while(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t'))
                .count()
        };
        let separator = self.separator?.as_bytes();
        let before = space(text);
        let rest = text[before..].strip_prefix(separator)?;
        Some(before + separator.len() + space(rest))
    }

    pub(crate) fn is_large(&self) -> bool {
        self.text().len() > 8 * BATCH_BYTES
    }

    /// Bytes of text, read or still to be read.
    pub(crate) fn bytes(&self) -> usize {
        self.part
            .as_ref()
            .map_or(self.text().len(), |part| (part.end - part.start) as usize)
    }

    /// Reads the text of a guess from `file`, if it is still to be read.
    pub(crate) fn read(&mut self, file: Option<PositionalFile<'_>>) -> io::Result<()> {
        let (Some(file), Some(part)) = (file, &self.part) else {
            return Ok(());
        };
        let (start, length) = (part.start, self.bytes());
        let read = |buffer: &mut [u8]| file.read_exact_at(buffer, start);
        self.text.replace(length, start, BATCH_BYTES, read)
    }

    pub(crate) fn has_room(&self) -> bool {
        self.text.has_room(BATCH_BYTES)
    }

    /// Drops the text and allocates the memory for a guess.
    pub(crate) fn make_room(&mut self) {
        self.text.clear(BATCH_BYTES);
        self.text.make_room(BATCH_BYTES);
    }

    pub(super) fn clear(&mut self, first_index: u64) {
        self.first_index = first_index;
        self.shrink();
    }

    /// Drops the blocks, and the memory that a huge block took.
    pub(crate) fn shrink(&mut self) {
        self.text.clear(2 * BATCH_BYTES);
        self.separator = None;
        self.part = None;
        self.ends.clear();
        self.ends.shrink_to(BATCH_BYTES / 64);
    }

    pub(super) fn end_block(&mut self, position: Position) {
        self.ends.push(BlockEnd {
            end: self.text().len(),
            position,
        });
    }
}
