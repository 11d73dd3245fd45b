//! The writing stage: blocks into the file.

use std::io::{self, Write};

use super::Sealed;
use super::error::MineError;
use crate::chain::{ChainWriter, SealedBlock};
use crate::pow::Control;

/// Larger buffers are not used again: after one huge block, they would hold
/// memory for nothing.
const MOST_TEXT_BYTES: usize = 512 << 10;

/// Where the stage writes.
pub(in crate::batch) trait Sink: Write + Send {
    /// After `blocks` blocks, more are written next, which end so many bytes
    /// from here: if not all can be written, some of them are whole.
    fn blocks_come(&mut self, blocks: u64, ends: &[usize]);
    /// What was written so far ends with the last of `blocks` blocks.
    fn blocks_end(&mut self, blocks: u64) -> io::Result<()>;
    /// Puts away what was written, if it is time to. Called now and then while
    /// no block comes.
    fn keep_up(&mut self) -> io::Result<()>;
}

/// Anything that takes bytes and needs no more.
pub(super) struct Plain<W>(pub(super) W);

impl<W: Write> Write for Plain<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl<W: Write + Send> Sink for Plain<W> {
    fn blocks_come(&mut self, _blocks: u64, _ends: &[usize]) {}

    fn blocks_end(&mut self, _blocks: u64) -> io::Result<()> {
        Ok(())
    }

    fn keep_up(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The writing stage.
pub(super) struct Writer<S: Sink> {
    chain: ChainWriter<S>,
    control: Control,
}

impl<S: Sink> Writer<S> {
    pub(super) fn new(chain: ChainWriter<S>, control: &Control) -> Self {
        Self {
            chain,
            control: control.clone(),
        }
    }

    pub(super) fn write_genesis(&mut self, block: &SealedBlock) -> Result<(), MineError> {
        self.chain.push(block).map_err(MineError::Write)?;
        self.control.add_given_blocks(1);
        self.blocks_end()
    }

    /// Writes what is sealed, and empties it.
    pub(super) fn write(&mut self, sealed: &mut Sealed) -> Result<(), MineError> {
        if sealed.ends.is_empty() {
            return Ok(());
        }
        let (earlier, blocks) = (self.chain.blocks(), sealed.ends.len() as u64);
        self.chain.out_mut().blocks_come(earlier, &sealed.ends);
        self.chain
            .push_framed(&sealed.text, blocks)
            .map_err(MineError::Write)?;
        self.control.add_blocks(blocks);
        sealed.ends.clear();
        sealed.text.clear();
        sealed.text.shrink_to(MOST_TEXT_BYTES);
        self.blocks_end()
    }

    fn blocks_end(&mut self) -> Result<(), MineError> {
        let blocks = self.chain.blocks();
        let ended = self.chain.out_mut().blocks_end(blocks);
        ended.map_err(MineError::Write)
    }

    /// Looks after what was written, while nothing is.
    pub(super) fn keep_up(&mut self) -> Result<(), MineError> {
        self.chain.out_mut().keep_up().map_err(MineError::Write)
    }

    /// Hands on what is written. The chain is not finished then: whether all
    /// that should have come did come is not known here.
    pub(super) fn flush(&mut self) -> Result<(), MineError> {
        self.chain.out_mut().flush().map_err(MineError::Write)
    }

    /// Completes the chain.
    pub(super) fn finish(self) -> Result<S, MineError> {
        self.chain.finish().map_err(MineError::Write)
    }
}
