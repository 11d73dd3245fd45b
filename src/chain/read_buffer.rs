//! A read buffer that is aligned with its source, so that the kernel's copy is
//! fast.
//!
//! Linux copies a file's pages with `rep movsb`. On Zen 3, that is six times
//! slower if the target's address is 1 to 31 bytes above the source's modulo
//! 4,096. Allocators return buffers 16 bytes above the start of a page, which is
//! such a case. [`ReadBuffer`] therefore shifts its content by some bytes, so
//! that each byte is at the same place of a cache line as in the file.

use std::io::{self, Read};

/// A cache line. Distances of whole lines are never slow.
const LINE: usize = 64;

/// A reader that counts the bytes it has read.
#[derive(Debug)]
pub(crate) struct Source<R> {
    reader: R,
    bytes_read: u64,
    is_at_end: bool,
}

impl<R: Read> Source<R> {
    pub(crate) const fn new(reader: R) -> Self {
        Self {
            reader,
            bytes_read: 0,
            is_at_end: false,
        }
    }

    pub(crate) const fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    pub(crate) const fn reader(&self) -> &R {
        &self.reader
    }

    pub(crate) const fn is_at_end(&self) -> bool {
        self.is_at_end
    }

    /// Reads once, retries after a signal, and never reads after the end.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.is_at_end {
            return Ok(0);
        }
        let count = loop {
            match self.reader.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result?,
            }
        };
        self.bytes_read += count as u64;
        self.is_at_end = count == 0;
        Ok(count)
    }

    /// Counts as if `offset` bytes were read, and returns the reader, which the
    /// caller moves there.
    pub(crate) const fn seek(&mut self, offset: u64) -> &mut R {
        self.bytes_read = offset;
        self.is_at_end = false;
        &mut self.reader
    }
}

/// Bytes that were read from a source and not yet taken.
#[derive(Debug, Default)]
pub(crate) struct ReadBuffer {
    bytes: Vec<u8>,
    /// The unread bytes are `start..end`.
    start: usize,
    end: usize,
}

impl ReadBuffer {
    pub(crate) fn unread(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    pub(crate) const fn take(&mut self, length: usize) {
        self.start += length;
    }

    /// The last `length` bytes that were taken, valid until the buffer changes.
    pub(crate) fn taken(&self, length: usize) -> &[u8] {
        &self.bytes[self.start - length..self.start]
    }

    /// Reads once from `source`, up to `size` unread bytes; there must be fewer
    /// now. Sets the buffer's memory to fit `size`.
    pub(crate) fn fill<R: Read>(
        &mut self,
        source: &mut Source<R>,
        size: usize,
    ) -> io::Result<usize> {
        let room = self.room_for(size, source.bytes_read);
        let count = source.read(room)?;
        self.end += count;
        Ok(count)
    }

    /// Replaces the unread bytes by the `length` bytes that `read` reads at
    /// `offset`, or by none if it fails. Sets the buffer's memory to fit `size`,
    /// which must be at least `length`.
    pub(crate) fn replace(
        &mut self,
        length: usize,
        offset: u64,
        size: usize,
        read: impl FnOnce(&mut [u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        self.clear(size);
        read(&mut self.room_for(size, offset)[..length])?;
        self.end += length;
        Ok(())
    }

    /// The rest of the memory for `size` unread bytes, to be filled with bytes
    /// from `offset` on.
    fn room_for(&mut self, size: usize, offset: u64) -> &mut [u8] {
        if !self.has_room(size) {
            self.make_room(size);
        }
        // Move the unread bytes to the buffer's start, but for the few bytes that
        // align their end with the source.
        let end = self.bytes.as_ptr().addr() + self.unread().len();
        let shift = (offset as usize).wrapping_sub(end) % LINE;
        self.move_to(shift);
        &mut self.bytes[self.end..self.start + size]
    }

    /// Whether the buffer's memory fits `size` unread bytes.
    pub(crate) fn has_room(&self, size: usize) -> bool {
        self.bytes.len() == size + LINE
    }

    /// Sets the buffer's memory to fit `size` unread bytes; there must be no more
    /// now.
    pub(crate) fn make_room(&mut self, size: usize) {
        let length = size + LINE;
        self.move_to(0);
        self.bytes.truncate(length);
        self.bytes.shrink_to(length);
        self.bytes.reserve_exact(length - self.bytes.len());
        self.bytes.resize(length, 0);
    }

    fn move_to(&mut self, start: usize) {
        if self.start != start {
            self.bytes.copy_within(self.start..self.end, start);
            self.end = start + self.unread().len();
            self.start = start;
        }
    }

    pub(crate) fn put_back(&mut self, text: &[u8]) {
        if self.start < text.len() {
            let unread = self.unread().len();
            let length = text.len() + unread;
            self.bytes.resize(self.bytes.len().max(length), 0);
            self.move_to(text.len());
        }
        self.start -= text.len();
        self.bytes[self.start..][..text.len()].copy_from_slice(text);
    }

    pub(crate) fn push(&mut self, text: &[u8]) {
        let end = self.end + text.len();
        if end <= self.bytes.len() {
            self.bytes[self.end..end].copy_from_slice(text);
        } else {
            self.bytes.truncate(self.end);
            self.bytes.extend_from_slice(text);
        }
        self.end = end;
    }

    pub(crate) fn truncate(&mut self, length: usize) {
        self.end = self.start + length;
    }

    /// Takes the first `length` unread bytes together with their memory.
    pub(crate) fn split_to(&mut self, length: usize) -> Self {
        let mut rest = Self::default();
        rest.push(&self.unread()[length..]);
        self.truncate(length);
        std::mem::replace(self, rest)
    }

    /// Drops the unread bytes. Keeps the memory for up to `size` bytes, so that
    /// it need not be cleared again.
    pub(crate) fn clear(&mut self, size: usize) {
        self.start = 0;
        self.end = 0;
        self.bytes.truncate(size + LINE);
        self.bytes.shrink_to(size + LINE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts up from 0, returns as many bytes per read as the list says in turn,
    /// and checks the alignment of the target.
    struct Counter<'a> {
        next: u64,
        counts: std::iter::Cycle<std::slice::Iter<'a, usize>>,
        end: u64,
    }

    impl Read for Counter<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            assert!(!buffer.is_empty());
            assert_eq!(buffer.as_ptr().addr() % LINE, self.next as usize % LINE);
            let left = usize::try_from(self.end - self.next).unwrap();
            let count = (*self.counts.next().unwrap()).min(left).min(buffer.len());
            for byte in &mut buffer[..count] {
                *byte = self.next as u8;
                self.next += 1;
            }
            Ok(count)
        }
    }

    #[test]
    fn bytes_are_in_order_and_aligned_with_the_source() {
        const END: u64 = 10_000;
        for counts in [&[1000][..], &[1], &[3, 64, 7], &[61, 1, 200]] {
            let counts = counts.iter().cycle();
            let mut source = Source::new(Counter {
                next: 0,
                counts,
                end: END,
            });
            let mut buffer = ReadBuffer::default();
            let mut taken = 0u64;
            for round in 0.. {
                // Sizes grow and shrink, but always leave room.
                let size = buffer.unread().len() + [1, 100, 300, 64, 2][round % 5];
                let count = buffer.fill(&mut source, size).unwrap();
                assert!(buffer.unread().len() <= size);
                for (place, byte) in (taken..).zip(buffer.unread()) {
                    assert_eq!(*byte, place as u8);
                }
                if count == 0 {
                    assert!(source.is_at_end());
                    break;
                }
                let take = buffer.unread().len() * (round % 4) / 3;
                buffer.take(take);
                taken += take as u64;
                if round % 7 == 0 && take > 0 {
                    let again = buffer.taken(take).to_vec();
                    buffer.put_back(&again[take / 2..]);
                    taken -= (take - take / 2) as u64;
                }
                if round % 11 == 0 {
                    let length = buffer.unread().len() / 2;
                    let front = buffer.split_to(length);
                    assert_eq!(front.unread().len(), length);
                    assert_eq!(
                        front.unread().first().copied().unwrap_or(taken as u8),
                        taken as u8
                    );
                    taken += length as u64;
                }
            }
            assert_eq!(taken + buffer.unread().len() as u64, END);
            assert_eq!(source.bytes_read(), END);
        }
    }

    #[test]
    fn more_can_be_put_back_than_was_taken() {
        let mut buffer = ReadBuffer::default();
        buffer.push(b"cd");
        buffer.put_back(b"ab");
        assert_eq!(buffer.unread(), b"abcd");
        buffer.take(3);
        buffer.put_back(b"0123456789");
        assert_eq!(buffer.unread(), b"0123456789d");
        buffer.truncate(4);
        buffer.push(b"4");
        assert_eq!(buffer.unread(), b"01234");
        buffer.push(b"567890123456789");
        assert_eq!(buffer.unread(), b"01234567890123456789");
    }

    #[test]
    fn memory_is_kept_up_to_a_limit() {
        let mut source = Source::new(io::repeat(b'x'));
        let mut buffer = ReadBuffer::default();
        while buffer.unread().len() < 1000 {
            buffer.fill(&mut source, 1 << 20).unwrap();
        }
        buffer.clear(100);
        assert!(buffer.bytes.capacity() <= 100 + LINE);
        buffer.fill(&mut source, 200).unwrap();
        assert_eq!(buffer.unread().len(), 200);
        assert_eq!(buffer.bytes.len(), 200 + LINE);
        assert!(buffer.has_room(200) && !buffer.has_room(300));
        buffer.make_room(300);
        assert!(buffer.has_room(300));
        assert_eq!(buffer.unread(), [b'x'; 200]);
    }
}
