//! Replacing the chain by one from a file, in one transaction.
//!
//! While that goes on, nothing else is written. So first, beside the writing,
//! the file is read, what both chains have is passed over, and the rest is
//! put down as it is stored.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Read, Seek as _, Write as _};
use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params};
use thiserror::Error;

use super::schema;
use super::sound::{is_sound, timestamp_of};
use super::write::{BLOCK_TEXT_BYTES, Store, insert_block, insert_entry, write_entry};
use crate::chain::json::{Kind, Transcoder, View};
use crate::chain::{Batch, ChainReader, ReadError};
use crate::node::entry::Entry;
use crate::node::tip::Tip;
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

/// What a replacement did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::node) struct Replacement {
    /// Blocks of the new chain.
    pub(in crate::node) blocks: u64,
    /// Blocks at the start that both chains have.
    pub(in crate::node) common: u64,
    /// Transactions that are pending now.
    pub(in crate::node) pending: u64,
}

/// How much of ours is compared to tell that a block is there already.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::node) enum Compare {
    /// Its text.
    Text,
    /// Its text, and all that the tables say beside it.
    Everything,
}

/// Bytes that are read at once of what was staged.
const READ_BYTES: usize = 256 << 10;

/// Where the chains part.
struct Fork {
    /// The last entry of the new chain so far.
    last_entry: i64,
    /// What was set aside and is not in the new chain so far: the ids of
    /// equal transactions, in their order.
    kept: HashMap<Digest, VecDeque<i64>>,
    /// The ids of what was set aside and is in the new chain.
    found: Vec<i64>,
}

/// A verified chain, ready to replace ours.
#[derive(Debug)]
pub(in crate::node) struct Staged {
    blocks: u64,
    /// Blocks at the start that stay as we have them.
    common: u64,
    /// Blocks at the start that ours has, too: more than stay, if the tables say
    /// otherwise than a text.
    shared: u64,
    /// The hash of the last of them.
    shared_hash: Option<Digest>,
    /// The canonical texts of the others, one a line, in a nameless file.
    rest: File,
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

    pub(in crate::node) const fn blocks(&self) -> u64 {
        self.blocks
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

    /// Replaces our chain. What was pending stays so, and what stood in blocks
    /// of ours that are given up becomes pending again (but for rewards),
    /// unless the new chain holds it.
    ///
    /// Runs inside a transaction of the caller's, who rolls back on an error.
    pub(in crate::node) fn replace_chain(
        &mut self,
        staged: Staged,
        control: &Control,
    ) -> Result<Replacement, ReplaceError> {
        let Staged {
            blocks,
            common,
            shared,
            shared_hash,
            rest,
        } = staged;
        // Ours may have grown since, but what it had stays where it was.
        if let Some(hash) = shared_hash
            && !is_ours(&self.connection, shared, hash)?
        {
            return Err(ReplaceError::Changed(shared));
        }
        let mut fork = self.cut(common, shared)?;
        let mut rest = BufReader::with_capacity(READ_BYTES, rest);
        let mut line = Vec::new();
        let mut number = common;
        while read_line(&mut rest, &mut line).map_err(ReadError::from)? {
            if control.is_cancelled() {
                return Err(ReplaceError::Cancelled);
            }
            number += 1;
            append(
                &self.connection,
                View::of(&line),
                number,
                number <= shared,
                &mut fork,
            )?;
        }
        self.give_back(&fork)?;
        if number != blocks || !self.reload()? {
            return Err(ReplaceError::Changed(number));
        }
        Ok(Replacement {
            blocks,
            common,
            pending: self.pending(),
        })
    }

    /// Removes all blocks after the first `common`, and sets the pending
    /// transactions aside, and those of blocks after the first `shared`.
    fn cut(&self, common: u64, shared: u64) -> rusqlite::Result<Fork> {
        let connection = &self.connection;
        let last_entry_of = |block: u64| -> rusqlite::Result<i64> {
            let found = connection
                .prepare_cached("SELECT last_entry FROM blocks WHERE number = ?")?
                .query_row([block as i64], |row| row.get(0))
                .optional()?;
            Ok(found.unwrap_or(0))
        };
        let last_entry = last_entry_of(common)?;
        connection.execute_batch(
            "CREATE TEMP TABLE kept (id INTEGER PRIMARY KEY, amount, recipient, sender)",
        )?;
        let mut entries = connection.prepare(
            // A reward is the last of its block. Others may be from \"0\", too.
            "SELECT amount, recipient, sender, id FROM entries
             WHERE id > ?1 AND (id > ?2 OR sender <> '0'
                 OR id NOT IN (SELECT last_entry FROM blocks)) ORDER BY id",
        )?;
        let mut keep = connection.prepare("INSERT INTO kept VALUES (?, ?, ?, ?)")?;
        let mut rows = entries.query(params![
            last_entry_of(shared)?,
            self.state.last_entry_in_block
        ])?;
        let mut text = Vec::new();
        let mut kept: HashMap<_, VecDeque<_>> = HashMap::new();
        while let Some(row) = rows.next()? {
            text.clear();
            write_entry(row, 0, &mut text)?;
            let id: i64 = row.get(3)?;
            if text.len() > BLOCK_TEXT_BYTES {
                // Never taken here, but by another node, for a block of its own.
                tracing::warn!(
                    bytes = text.len(),
                    "a transaction fits no block of ours, and is not pending again"
                );
                continue;
            }
            kept.entry(Digest::of(&text)).or_default().push_back(id);
            keep.execute(params![
                id,
                row.get::<_, Value>(0)?,
                row.get::<_, Value>(1)?,
                row.get::<_, Value>(2)?
            ])?;
        }
        connection.execute("DELETE FROM entries WHERE id > ?", [last_entry])?;
        connection.execute("DELETE FROM blocks WHERE number > ?", [common as i64])?;
        if common < self.state.tip.index {
            let generation = self.state.generation + 1;
            schema::set_meta(connection, "generation", &generation.to_string())?;
        }
        Ok(Fork {
            last_entry,
            kept,
            found: Vec::new(),
        })
    }

    /// Makes pending what was set aside and is not in the new chain.
    fn give_back(&self, fork: &Fork) -> rusqlite::Result<()> {
        let mut drop_found = self.connection.prepare("DELETE FROM kept WHERE id = ?")?;
        for id in &fork.found {
            drop_found.execute([id])?;
        }
        drop_found.finalize()?;
        self.connection.execute(
            "INSERT INTO entries
             SELECT ? + row_number() OVER (ORDER BY id), amount, recipient, sender FROM kept",
            [fork.last_entry],
        )?;
        self.connection.execute_batch("DROP TABLE kept")
    }
}

/// Reads one line, without its end; `false` after the last.
fn read_line(source: &mut BufReader<File>, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    source.read_until(b'\n', line)?;
    Ok(line.pop().is_some())
}

/// Appends a block of the new chain. Unless ours had it, too, each of its
/// transactions stands for one of those set aside that is equal to it.
fn append(
    connection: &Connection,
    block: View<'_>,
    number: u64,
    is_shared: bool,
    fork: &mut Fork,
) -> Result<(), ReplaceError> {
    let first_entry = fork.last_entry + 1;
    let transactions = member(block, "transactions").ok_or(ReplaceError::Changed(number))?;
    let mut text = Vec::new();
    for transaction in transactions.elements() {
        let entry = Entry::of(transaction).ok_or(ReplaceError::Changed(number))?;
        fork.last_entry += 1;
        insert_entry(connection, fork.last_entry, &entry)?;
        if is_shared || fork.kept.is_empty() {
            continue;
        }
        text.clear();
        entry.write(&mut text);
        if let Some(equal) = fork.kept.get_mut(&Digest::of(&text)) {
            fork.found.extend(equal.pop_front());
        }
    }
    let tip = Tip::of_text(block.text().to_vec()).ok_or(ReplaceError::Changed(number))?;
    insert_block(
        connection,
        &tip,
        timestamp_of(block),
        first_entry,
        fork.last_entry,
    )?;
    Ok(())
}

/// Whether our block has the text with this hash. The text itself is looked
/// at: what is stored as its hash would not tell of damage.
fn is_ours(connection: &Connection, number: u64, theirs: Digest) -> rusqlite::Result<bool> {
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
