//! Where the pipeline writes a chain.

use std::io::{self, Write};

/// Takes a chain's text in order.
pub(in crate::batch) trait ChainSink: Send {
    /// Appends whole blocks, which end at `ends` in `text`. After an error, the
    /// first of them may have been written.
    fn write_blocks(&mut self, text: &[u8], ends: &[usize]) -> io::Result<()>;

    /// Hands everything to the operating system.
    fn flush_blocks(&mut self) -> io::Result<()>;

    /// Does what is due by now. Called every few milliseconds, even when no
    /// blocks come.
    fn keep_up(&mut self) -> io::Result<()>;
}

impl<W: Write + Send> ChainSink for W {
    fn write_blocks(&mut self, text: &[u8], _ends: &[usize]) -> io::Result<()> {
        self.write_all(text)
    }

    fn flush_blocks(&mut self) -> io::Result<()> {
        self.flush()
    }

    /// A reader of the output sees each block soon after it is mined.
    fn keep_up(&mut self) -> io::Result<()> {
        self.flush()
    }
}
