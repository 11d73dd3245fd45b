//! The writing stage: blocks into the file.

use std::io::{self, Write};

use crossbeam_channel::Receiver;

use super::Sealed;
use crate::chain::{ChainWriter, SealedBlock};
use crate::pow::Control;

/// Writes the genesis block and what comes, until the hasher is done.
pub(super) fn write<W: Write>(
    mut writer: ChainWriter<W>,
    genesis: &SealedBlock,
    sealed: Receiver<Sealed>,
    control: &Control,
) -> io::Result<W> {
    writer.push(genesis)?;
    control.add_blocks(1);
    for Sealed { blocks, .. } in sealed {
        for block in &blocks {
            writer.push(block)?;
        }
        control.add_blocks(blocks.len() as u64);
    }
    writer.finish()
}
