//! Sources that give their text piece by piece.

use std::io::{self, Read};

/// Gives at most so many bytes a read, and is interrupted before some.
pub(crate) struct Drip<'a> {
    text: &'a [u8],
    most: usize,
    reads: usize,
}

impl<'a> Drip<'a> {
    pub(crate) const fn new(text: &'a [u8], most: usize) -> Self {
        Self {
            text,
            most,
            reads: 0,
        }
    }
}

impl Read for Drip<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reads += 1;
        if self.reads.is_multiple_of(7) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let most = self.most.min(buffer.len());
        self.text.read(&mut buffer[..most])
    }
}
