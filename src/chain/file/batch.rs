//! Blocks on their way from the file to a thread that checks them.

use std::io;
use std::ops::Range;

use super::input::PartedFile;
use crate::chain::json::Position;
use crate::chain::read_buffer::ReadBuffer;

/// A batch is closed once it holds this many bytes: enough that handing it to
/// another thread costs nothing, little enough that many fit in memory.
pub(super) const BATCH_BYTES: usize = 256 << 10;

/// Consecutive blocks, each as the raw text that stands in the file; or text
/// that seems to hold such, see [`guess`](super::ChainReader::guess).
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// The place of the first block in the chain, counted from 1.
    pub(crate) first_index: u64,
    pub(super) text: ReadBuffer,
    /// Where in the file the text of a guess is, if it is still to be
    /// [read](Self::read) or was.
    pub(super) part: Option<Range<u64>>,
    pub(super) entries: Vec<Entry>,
}

/// What stands between two blocks, white space left out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Separator {
    /// A comma, in an array.
    Comma,
    /// Nothing, in JSON Lines.
    Nothing,
}

impl Separator {
    /// Length of the separator at the start of `text`, with the white space
    /// around it; `None` if something else stands there.
    pub(crate) fn length(self, text: &[u8]) -> Option<usize> {
        let after_space = |start: usize| {
            let count = text[start..]
                .iter()
                .take_while(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t'));
            start + count.count()
        };
        let start = after_space(0);
        match self {
            Self::Nothing => Some(start),
            Self::Comma => (text.get(start) == Some(&b',')).then(|| after_space(start + 1)),
        }
    }
}

#[derive(Debug)]
pub(super) struct Entry {
    /// Where its text ends in the batch's.
    end: usize,
    /// Where it starts in the file.
    position: Position,
}

impl Batch {
    /// Each block's raw text and where it starts in the file.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = (&[u8], Position)> {
        let mut start = 0;
        self.entries.iter().map(move |entry| {
            let text = &self.text()[start..entry.end];
            start = entry.end;
            (text, entry.position)
        })
    }

    /// The text of a guess.
    pub(crate) fn text(&self) -> &[u8] {
        self.text.unread()
    }

    /// Whether it holds a block that is far larger than blocks are.
    pub(crate) fn is_large(&self) -> bool {
        self.text().len() > 8 * BATCH_BYTES
    }

    /// Whether its memory is there for a [guess](super::ChainReader::guess).
    pub(crate) fn has_room(&self) -> bool {
        self.text.has_room(BATCH_BYTES)
    }

    /// Bytes of its text, read or not.
    pub(crate) fn bytes(&self) -> usize {
        self.part
            .as_ref()
            .map_or(self.text().len(), |part| (part.end - part.start) as usize)
    }

    /// Reads the text of a guess, if that is still to be done.
    ///
    /// # Errors
    /// If the file is no longer what it was, or cannot be read.
    pub(crate) fn read(&mut self, file: Option<PartedFile<'_>>) -> io::Result<()> {
        let (Some(file), Some(part)) = (file, &self.part) else {
            return Ok(());
        };
        let (start, length) = (part.start, self.bytes());
        let read = |buffer: &mut [u8]| file.read_exact_at(buffer, start);
        self.text.replace(length, start, BATCH_BYTES, read)
    }

    /// Forgets the text, and gets the memory for a guess.
    pub(crate) fn make_room(&mut self) {
        self.text.clear(BATCH_BYTES);
        self.text.make_room(BATCH_BYTES);
    }

    pub(super) fn clear(&mut self, first_index: u64) {
        self.first_index = first_index;
        self.shrink();
    }

    /// Forgets the blocks: a huge one must not keep its memory for the rest of
    /// the file.
    pub(crate) fn shrink(&mut self) {
        self.text.clear(2 * BATCH_BYTES);
        self.part = None;
        self.entries.clear();
        self.entries.shrink_to(BATCH_BYTES / 64);
    }

    /// The text behind the last block is one, too.
    pub(super) fn end_block(&mut self, position: Position) {
        self.entries.push(Entry {
            end: self.text().len(),
            position,
        });
    }
}
