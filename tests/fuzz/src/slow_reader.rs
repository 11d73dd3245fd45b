//! A reader that returns its text in small pieces.

use std::io::{self, Read};

/// Returns at most `most` bytes per read, and is interrupted before some reads.
pub(crate) struct SlowReader<'a> {
    text: &'a [u8],
    most: usize,
    reads: usize,
}

impl<'a> SlowReader<'a> {
    pub(crate) const fn new(text: &'a [u8], most: usize) -> Self {
        Self {
            text,
            most,
            reads: 0,
        }
    }
}

impl Read for SlowReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reads += 1;
        if self.reads.is_multiple_of(7) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let most = self.most.min(buffer.len());
        self.text.read(&mut buffer[..most])
    }
}
