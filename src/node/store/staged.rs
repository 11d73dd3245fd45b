//! Making a chain from a file ready to replace ours: beside the writing, it is
//! read, what both chains have is passed over, and the rest is put down as it is
//! stored.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek as _, Write as _};
use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _};
use thiserror::Error;

use super::sound::is_sound;
use super::write::Store;
use crate::chain::json::{Kind, Transcoder, View};
use crate::chain::{Batch, ChainReader, ReadError};
use crate::pow::Control;
use crate::sha256::Digest;

/// Why a chain did not replace ours.
#[derive(Debug, Error)]
pub(in crate::node) enum ReplaceError {
    #[error("the database failed: {0}")]
    Database(#[from] rusqlite::Error),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("its first block is not the tutorial's: {0}")]
    Genesis(String),
    #[error("block {0} is not the block that was verified")]
    Changed(u64),
    #[error("it has {theirs} blocks, and ours {ours}")]
    NotLonger { theirs: u64, ours: u64 },
    #[error("the node is shutting down")]
    Cancelled,
}

/// How much of ours is compared to tell that a block is there already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::node) enum Compare {
    /// Its text.
    Text,
    /// Its text, and all that the tables say beside it.
    Everything,
}

/// A verified chain, ready to replace ours.
#[derive(Debug)]
pub(in crate::node) struct Staged {
    pub(super) blocks: u64,
    /// Blocks at the start that stay as we have them.
    pub(super) common: u64,
    /// Blocks at the start that ours has, too: more than stay, if the tables say
    /// otherwise than a text.
    pub(super) shared: u64,
    /// The hash of the last of them.
    pub(super) shared_hash: Option<Digest>,
    /// The canonical texts of the others, one a line, in a nameless file.
    pub(super) rest: File,
}

impl Staged {
    /// Reads the verified chain in `source`, and what ours has of it through
    /// `connection`. What ours lacks goes to a file in `folder`.
    pub(in crate::node) fn new(
        connection: &Connection,
        source: impl Read,
        folder: &Path,
        compare: Compare,
        control: &Control,
    ) -> Result<Self, ReplaceError> {
        let mut reader = ChainReader::new(BufReader::new(source));
        let mut batch = Batch::default();
        let mut transcoder = Transcoder::default();
        let mut text = Vec::new();
        let mut rest = BufWriter::new(tempfile::tempfile_in(folder).map_err(ReadError::from)?);
        let (mut blocks, mut common, mut shared, mut shared_hash) = (0, 0, 0, None);
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
                    if is_ours(connection, blocks, hash)? {
                        (shared, shared_hash) = (blocks, Some(hash));
                    }
                }
                let is_common = shared == blocks && common == blocks - 1;
                if is_common && (compare == Compare::Text || is_sound(connection, blocks)?) {
                    common = blocks;
                    continue;
                }
                text.push(b'\n');
                rest.write_all(&text).map_err(ReadError::from)?;
            }
        }
        let mut rest = rest
            .into_inner()
            .map_err(|error| ReadError::from(error.into_error()))?;
        rest.rewind().map_err(ReadError::from)?;
        Ok(Self {
            blocks,
            common,
            shared,
            shared_hash,
            rest,
        })
    }
}

impl Store {
    /// Reads a verified chain, ready to replace ours.
    pub(in crate::node) fn stage(
        &self,
        source: File,
        compare: Compare,
        control: &Control,
    ) -> Result<Staged, ReplaceError> {
        let folder = self.path().parent().unwrap_or_else(|| Path::new("."));
        Staged::new(&self.connection, source, folder, compare, control)
    }
}

/// Whether our block has the text with this hash. The text itself is looked
/// at: what is stored as its hash would not tell of damage.
pub(super) fn is_ours(
    connection: &Connection,
    number: u64,
    theirs: Digest,
) -> rusqlite::Result<bool> {
    let ours = connection
        .prepare_cached("SELECT text FROM blocks WHERE number = ?")?
        .query_row([number as i64], |row| {
            Ok(Digest::of(row.get_ref(0)?.as_bytes()?))
        })
        .optional()?;
    Ok(ours == Some(theirs))
}

/// Whether the verified chain in `source` starts as the tutorial's do.
pub(in crate::node) fn check_start(source: impl Read) -> Result<(), ReplaceError> {
    let mut batch = Batch::default();
    // The first batch is the first block alone.
    ChainReader::new(source).fill(&mut batch)?;
    let mut text = Vec::new();
    if let Some((raw, _)) = batch.blocks().next() {
        Transcoder::default()
            .transcode(raw, &mut text)
            .map_err(|_| ReplaceError::Changed(1))?;
    }
    check_genesis(View::of(&text))
}

/// Whether a first block is as the tutorial makes it: no transactions, proof
/// 100, and 1 as the hash before, as a string or, in older chains, a number.
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

pub(super) fn member<'a>(block: View<'a>, name: &str) -> Option<View<'a>> {
    debug_assert_eq!(block.kind(), Kind::Object);
    block
        .members()
        .find(|(key, _)| *key == name.as_bytes())
        .map(|(_, value)| value)
}
