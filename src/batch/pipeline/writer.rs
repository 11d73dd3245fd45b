//! The writing stage: blocks into the file.

use std::io::{self, Write};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use super::Sealed;
use crate::chain::{ChainWriter, SealedBlock};
use crate::pow::Control;

/// Where the stage writes.
pub(in crate::batch) trait Sink: Write + Send {
    /// What was written so far ends with the last of `blocks` blocks.
    fn blocks_end(&mut self, blocks: u64) -> io::Result<()>;
    /// How long to wait for the next block before [`Self::idle`] is called.
    fn patience(&self) -> Option<Duration>;
    /// There is time to put away what was written.
    fn idle(&mut self) -> io::Result<()>;
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
    fn blocks_end(&mut self, _blocks: u64) -> io::Result<()> {
        Ok(())
    }

    fn patience(&self) -> Option<Duration> {
        None
    }

    fn idle(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes the genesis block, if it is not there yet, and what comes, until
/// the miner is done. The chain is flushed then, but not finished: whether
/// all that should have come did come is not known here. Texts that are
/// written go to `written`.
pub(super) fn write<S: Sink>(
    mut writer: ChainWriter<S>,
    genesis: Option<&SealedBlock>,
    sealed: Receiver<Sealed>,
    written: &Sender<Vec<u8>>,
    control: &Control,
) -> io::Result<ChainWriter<S>> {
    if let Some(genesis) = genesis {
        writer.push(genesis)?;
        control.add_given_blocks(1);
        blocks_end(&mut writer)?;
    }
    loop {
        let next = match writer.out_mut().patience() {
            Some(patience) => sealed.recv_timeout(patience),
            None => sealed.recv().map_err(RecvTimeoutError::from),
        };
        match next {
            Ok(Sealed { text, blocks, .. }) => {
                writer.push_framed(&text, blocks)?;
                control.add_blocks(blocks);
                // If too many wait already, this one is not needed.
                let _ = written.try_send(text);
                blocks_end(&mut writer)?;
            }
            Err(RecvTimeoutError::Timeout) => writer.out_mut().idle()?,
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    writer.out_mut().flush()?;
    Ok(writer)
}

fn blocks_end<S: Sink>(writer: &mut ChainWriter<S>) -> io::Result<()> {
    let blocks = writer.blocks();
    writer.out_mut().blocks_end(blocks)
}
