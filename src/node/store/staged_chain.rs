//! Staging: prepares a verified chain from a file to replace ours, beside the
//! writing.
//!
//! The chain is read once. Blocks that have to be written go to a temporary
//! file; those at its start that ours has too can stay where they are.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Read, Seek as _, Write as _};
use std::path::Path;

use rusqlite::Connection;
use thiserror::Error;

use super::rows::has_text;
use crate::chain::json::{Transcoder, View};
use crate::chain::{Batch, ChainReader, ReadError};
use crate::node::tip::{TipBlock, member};
use crate::pow::Control;
use crate::sha256::Digest;

/// Why a chain did not replace ours.
#[derive(Debug, Error)]
pub(in crate::node) enum ReplaceError {
    #[error("the database failed: {0}")]
    Database(#[from] rusqlite::Error),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("the temporary file in the data folder failed: {0}")]
    Stage(#[source] io::Error),
    #[error("its first block is not the tutorial's: {0}")]
    Genesis(String),
    #[error("block {0} is not the block that was verified")]
    Changed(u64),
    #[error("it has {theirs} blocks, and ours {ours}")]
    NotLonger { theirs: u64, ours: u64 },
    #[error("the node is shutting down")]
    Cancelled,
}

/// What happens to blocks that both chains have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::node) enum SharedBlocks {
    /// They stay.
    Keep,
    /// They are written again, which repairs what is damaged beside their text.
    Rewrite,
}

/// A verified chain that replaces ours.
#[derive(Debug)]
pub(in crate::node) struct StagedChain {
    /// The number of its blocks.
    pub(in crate::node) blocks: u64,
    /// Blocks at the start that both chains have.
    pub(super) shared: u64,
    /// The hash of the last shared block.
    pub(super) shared_hash: Option<Digest>,
    pub(super) shared_blocks: SharedBlocks,
    /// The canonical texts of the blocks that are not appended yet, one a line.
    rest: BufReader<File>,
    /// The last block that was appended to our chain.
    pub(in crate::node) appended: Option<TipBlock>,
}

impl StagedChain {
    /// Reads the verified chain in `source` and compares it with ours, which
    /// `connection` reads. The temporary file is created in `folder`.
    pub(in crate::node) fn new(
        connection: &Connection,
        source: impl Read,
        folder: &Path,
        shared_blocks: SharedBlocks,
        control: &Control,
    ) -> Result<Self, ReplaceError> {
        let mut reader = ChainReader::new(BufReader::new(source));
        let mut batch = Batch::default();
        let mut transcoder = Transcoder::default();
        let mut text = Vec::new();
        let mut rest = BufWriter::new(tempfile::tempfile_in(folder).map_err(ReplaceError::Stage)?);
        let (mut blocks, mut shared, mut shared_hash) = (0, 0, None);
        while reader.fill(&mut batch)? {
            if control.is_cancelled() {
                return Err(ReplaceError::Cancelled);
            }
            for (raw, _) in batch.blocks() {
                blocks += 1;
                text.clear();
                transcoder
                    .transcode(raw, &mut text)
                    .map_err(|_| ReplaceError::Changed(blocks))?;
                if blocks == 1 {
                    check_genesis(View::of(&text))?;
                }
                if shared == blocks - 1 {
                    let hash = Digest::of(&text);
                    if has_text(connection, blocks, hash)? {
                        (shared, shared_hash) = (blocks, Some(hash));
                    }
                }
                if shared == blocks && shared_blocks == SharedBlocks::Keep {
                    continue;
                }
                text.push(b'\n');
                rest.write_all(&text).map_err(ReplaceError::Stage)?;
            }
        }
        let mut rest = rest
            .into_inner()
            .map_err(|error| ReplaceError::Stage(error.into_error()))?;
        rest.rewind().map_err(ReplaceError::Stage)?;
        Ok(Self {
            blocks,
            shared,
            shared_hash,
            shared_blocks,
            rest: BufReader::new(rest),
            appended: None,
        })
    }

    /// Reads the text of the next block into `text`; `false` after the last.
    pub(super) fn read_block(&mut self, text: &mut Vec<u8>) -> io::Result<bool> {
        text.clear();
        self.rest.read_until(b'\n', text)?;
        Ok(text.pop().is_some())
    }
}

/// Checks that the verified chain in `source` starts with the tutorial's first
/// block.
pub(in crate::node) fn check_start(source: impl Read) -> Result<(), ReplaceError> {
    let mut batch = Batch::default();
    // The first batch holds the first block alone.
    ChainReader::new(source).fill(&mut batch)?;
    let mut text = Vec::new();
    if let Some((raw, _)) = batch.blocks().next() {
        Transcoder::default()
            .transcode(raw, &mut text)
            .map_err(|_| ReplaceError::Changed(1))?;
    }
    check_genesis(View::of(&text))
}

/// Checks a first block: it has no transactions, proof 100, and the previous
/// hash 1, which is a string or, in older chains, a number.
fn check_genesis(block: View<'_>) -> Result<(), ReplaceError> {
    let text = |name: &str| member(block, name).map_or(&b""[..], View::text);
    for (name, wanted) in [
        ("transactions", &[&b"[]"[..]][..]),
        ("proof", &[b"100"]),
        ("previous_hash", &[b"\"1\"", b"1"]),
    ] {
        if !wanted.contains(&text(name)) {
            let found = member(block, name).map_or_else(String::new, View::excerpt);
            return Err(ReplaceError::Genesis(format!(
                "its {name} is {found}, expected {}",
                String::from_utf8_lossy(wanted[0])
            )));
        }
    }
    Ok(())
}
