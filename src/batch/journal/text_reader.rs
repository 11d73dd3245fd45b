//! Reads a journal's text, which ends at the first NUL.

use std::io::{self, Read};

use crate::chain::read_buffer::{ReadBuffer, Source};

/// Bytes read at once.
const CHUNK_BYTES: usize = 256 << 10;

/// All bytes of `source` before the first NUL.
#[derive(Debug)]
pub(super) struct JournalText<R> {
    source: Source<R>,
    buffer: ReadBuffer,
    /// The size of the buffer, which grows with the largest block.
    size: usize,
    is_at_end: bool,
    taken: u64,
}

impl<R: Read> JournalText<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            source: Source::new(source),
            buffer: ReadBuffer::default(),
            size: CHUNK_BYTES,
            is_at_end: false,
            taken: 0,
        }
    }

    /// Bytes taken so far.
    pub(super) const fn taken(&self) -> u64 {
        self.taken
    }

    /// The next `length` bytes or more, or all bytes left if there are fewer.
    pub(super) fn peek(&mut self, length: usize) -> io::Result<&[u8]> {
        while self.buffer.unread().len() < length && !self.is_at_end {
            self.fill(length)?;
        }
        Ok(self.buffer.unread())
    }

    /// Takes `length` of the bytes that [`Self::peek`] returned.
    pub(super) const fn take(&mut self, length: usize) {
        self.buffer.take(length);
        self.taken += length as u64;
    }

    fn fill(&mut self, length: usize) -> io::Result<()> {
        let before = self.buffer.unread().len();
        self.size = self.size.max(length);
        self.is_at_end = self.buffer.fill(&mut self.source, self.size)? == 0;
        if let Some(nul) = memchr::memchr(0, &self.buffer.unread()[before..]) {
            self.buffer.truncate(before + nul);
            self.is_at_end = true;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_ends_at_the_first_nul() {
        let mut long = vec![b'a'; CHUNK_BYTES + 7];
        let length = long.len();
        long.extend_from_slice(b"\0\0b");
        let mut text = JournalText::new(&long[..]);
        assert_eq!(text.peek(3).unwrap()[..3], b"aaa"[..]);
        text.take(3);
        assert_eq!(text.peek(2 * CHUNK_BYTES).unwrap().len(), length - 3);
        text.take(length - 3);
        assert_eq!(text.peek(1).unwrap(), b"");
        assert_eq!(text.taken(), length as u64);
    }
}
