//! Reading a journal's text, a block at a time.

use std::io::{self, Read};

/// Bytes read at once.
const CHUNK_BYTES: usize = 256 << 10;

/// A journal's text: all bytes of `source` before the first NUL.
#[derive(Debug)]
pub(super) struct JournalText<R> {
    source: R,
    buffer: Vec<u8>,
    /// What of the buffer is text that was not taken: `start..end`.
    start: usize,
    end: usize,
    is_at_end: bool,
    /// Bytes that were taken.
    taken: u64,
}

impl<R: Read> JournalText<R> {
    pub(super) const fn new(source: R) -> Self {
        Self {
            source,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            is_at_end: false,
            taken: 0,
        }
    }

    /// Bytes that were taken so far.
    pub(super) const fn taken(&self) -> u64 {
        self.taken
    }

    /// The next `length` bytes or more; fewer only if the text ends there.
    pub(super) fn peek(&mut self, length: usize) -> io::Result<&[u8]> {
        while self.end - self.start < length && !self.is_at_end {
            self.fill(length)?;
        }
        Ok(&self.buffer[self.start..self.end])
    }

    /// Takes as many bytes of those that were peeked at.
    pub(super) const fn take(&mut self, length: usize) {
        self.start += length;
        self.taken += length as u64;
    }

    fn fill(&mut self, length: usize) -> io::Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let wanted = length.max(CHUNK_BYTES);
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        let read = loop {
            match self.source.read(&mut self.buffer[self.end..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        let text = &self.buffer[self.end..self.end + read];
        let before_nul = memchr::memchr(0, text);
        self.is_at_end = read == 0 || before_nul.is_some();
        self.end += before_nul.unwrap_or(read);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_ends_with_the_first_nul() {
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
