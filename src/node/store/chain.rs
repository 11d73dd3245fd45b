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
use super::write::{Store, insert_block, insert_entry, write_entry};
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
    /// Blocks at the start that ours has, too.
    common: u64,
    /// The hash of the last of them.
    common_hash: Option<Digest>,
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
        control: &Control,
    ) -> Result<Self, ReplaceError> {
        let mut reader = ChainReader::new(BufReader::new(source));
        let mut batch = Batch::default();
        let mut transcoder = Transcoder::default();
        let mut text = Vec::new();
        let mut rest = BufWriter::new(tempfile::tempfile_in(folder).map_err(ReadError::from)?);
        let (mut blocks, mut common, mut common_hash) = (0, 0, None);
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
                if common == blocks - 1 {
                    let hash = Digest::of(&text);
                    if is_ours(connection, blocks, hash)? {
                        (common, common_hash) = (blocks, Some(hash));
                        continue;
                    }
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
            common_hash,
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
        control: &Control,
    ) -> Result<Staged, ReplaceError> {
        let folder = self.path().parent().unwrap_or_else(|| Path::new("."));
        Staged::new(&self.connection, source, folder, control)
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
            common_hash,
            rest,
        } = staged;
        // Ours may have grown since, but what it had stays where it was.
        if let Some(hash) = common_hash
            && !is_ours(&self.connection, common, hash)?
        {
            return Err(ReplaceError::Changed(common));
        }
        let mut fork = self.cut(common)?;
        let mut rest = BufReader::with_capacity(READ_BYTES, rest);
        let mut line = Vec::new();
        let mut number = common;
        while read_line(&mut rest, &mut line).map_err(ReadError::from)? {
            if control.is_cancelled() {
                return Err(ReplaceError::Cancelled);
            }
            number += 1;
            append(&self.connection, View::of(&line), number, &mut fork)?;
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

    /// Removes all blocks after the first `common`, and sets their
    /// transactions and the pending ones aside.
    fn cut(&self, common: u64) -> rusqlite::Result<Fork> {
        let connection = &self.connection;
        let last_entry: i64 = connection
            .query_row(
                "SELECT last_entry FROM blocks WHERE number = ?",
                [common as i64],
                |row| row.get(0),
            )
            .optional()?
            .unwrap_or(0);
        connection.execute_batch(
            "CREATE TEMP TABLE kept (id INTEGER PRIMARY KEY, amount, recipient, sender)",
        )?;
        let mut entries = connection.prepare(
            "SELECT amount, recipient, sender, id FROM entries
             WHERE id > ?1 AND (id > ?2 OR sender <> '0') ORDER BY id",
        )?;
        let mut keep = connection.prepare("INSERT INTO kept VALUES (?, ?, ?, ?)")?;
        let mut rows = entries.query(params![last_entry, self.state.last_entry_in_block])?;
        let mut text = Vec::new();
        let mut kept: HashMap<_, VecDeque<_>> = HashMap::new();
        while let Some(row) = rows.next()? {
            text.clear();
            write_entry(row, 0, &mut text)?;
            let id: i64 = row.get(3)?;
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

/// Appends a block of the new chain. Each of its transactions stands for one
/// of those set aside that is equal to it.
fn append(
    connection: &Connection,
    block: View<'_>,
    number: u64,
    fork: &mut Fork,
) -> Result<(), ReplaceError> {
    let first_entry = fork.last_entry + 1;
    let transactions = member(block, "transactions").ok_or(ReplaceError::Changed(number))?;
    let mut text = Vec::new();
    for transaction in transactions.elements() {
        let entry = Entry::of(transaction).ok_or(ReplaceError::Changed(number))?;
        fork.last_entry += 1;
        insert_entry(connection, fork.last_entry, &entry)?;
        if fork.kept.is_empty() {
            continue;
        }
        text.clear();
        entry.write(&mut text);
        if let Some(equal) = fork.kept.get_mut(&Digest::of(&text)) {
            fork.found.extend(equal.pop_front());
        }
    }
    let tip = Tip::of_text(block.text().to_vec()).ok_or(ReplaceError::Changed(number))?;
    let timestamp = member(block, "timestamp")
        .and_then(|value| std::str::from_utf8(value.text()).ok()?.parse().ok())
        .unwrap_or_default();
    insert_block(connection, &tip, timestamp, first_entry, fork.last_entry)?;
    Ok(())
}

fn is_ours(connection: &Connection, number: u64, theirs: Digest) -> rusqlite::Result<bool> {
    let ours: Option<String> = connection
        .prepare_cached("SELECT hash FROM blocks WHERE number = ?")?
        .query_row([number as i64], |row| row.get(0))
        .optional()?;
    Ok(ours.is_some_and(|hash| hash == theirs.to_string()))
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

fn member<'a>(block: View<'a>, name: &str) -> Option<View<'a>> {
    debug_assert_eq!(block.kind(), Kind::Object);
    block
        .members()
        .find(|(key, _)| *key == name.as_bytes())
        .map(|(_, value)| value)
}
