//! Replacing the chain by one from a file, in one transaction.

use std::io::Read;

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params};
use thiserror::Error;

use super::schema;
use super::write::{Store, insert_block, insert_entry, write_entry};
use crate::chain::json::{Kind, Transcoder, View};
use crate::chain::{Batch, ChainReader, ReadError};
use crate::node::entry::Entry;
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

/// Where the chains part.
struct Fork {
    /// Blocks that both have.
    common: u64,
    /// The last entry of the new chain so far.
    last_entry: i64,
}

impl Store {
    /// Replaces our chain by the verified one in `source`. What was pending
    /// stays so, and what stood in blocks of ours that are given up becomes
    /// pending again (but for rewards), unless the new chain holds it.
    ///
    /// Runs inside a transaction of the caller's, who rolls back on an error.
    pub(in crate::node) fn replace_chain(
        &mut self,
        source: impl Read,
        control: &Control,
    ) -> Result<Replacement, ReplaceError> {
        let connection = &self.connection;
        let mut reader = ChainReader::new(source);
        let mut batch = Batch::default();
        let mut transcoder = Transcoder::default();
        let mut text = Vec::new();
        let mut fork: Option<Fork> = None;
        let mut number = 0;
        while reader.fill(&mut batch)? {
            if control.is_cancelled() {
                return Err(ReplaceError::Cancelled);
            }
            for (raw, _) in batch.blocks() {
                number += 1;
                text.clear();
                transcoder
                    .transcode(raw, &mut text)
                    .map_err(|_| ReplaceError::Changed(number))?;
                let block = View::of(&text);
                if number == 1 {
                    check_genesis(block)?;
                }
                let fork = match &mut fork {
                    Some(fork) => fork,
                    None if is_ours(connection, number, &text)? => continue,
                    none => none.insert(self.cut(number - 1)?),
                };
                append(connection, block, number, fork)?;
            }
        }
        let fork = match fork {
            Some(fork) => fork,
            None => self.cut(number)?,
        };
        self.give_back(&fork)?;
        if !self.reload()? {
            return Err(ReplaceError::Changed(number));
        }
        Ok(Replacement {
            blocks: number,
            common: fork.common,
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
            "CREATE TEMP TABLE kept (id INTEGER PRIMARY KEY, digest BLOB, amount, recipient, sender);
             CREATE INDEX temp.kept_by_digest ON kept (digest);",
        )?;
        let mut entries = connection.prepare(
            "SELECT amount, recipient, sender, id FROM entries
             WHERE id > ?1 AND (id > ?2 OR sender <> '0') ORDER BY id",
        )?;
        let mut keep = connection.prepare("INSERT INTO kept VALUES (?, ?, ?, ?, ?)")?;
        let mut rows = entries.query(params![last_entry, self.state.last_entry_in_block])?;
        let mut text = Vec::new();
        while let Some(row) = rows.next()? {
            text.clear();
            write_entry(row, 0, &mut text)?;
            let id: i64 = row.get(3)?;
            let digest = Digest::of(&text);
            keep.execute(params![
                id,
                digest.as_bytes(),
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
        Ok(Fork { common, last_entry })
    }

    /// Makes pending what was set aside and is not in the new chain.
    fn give_back(&self, fork: &Fork) -> rusqlite::Result<()> {
        self.connection.execute(
            "INSERT INTO entries
             SELECT ? + row_number() OVER (ORDER BY id), amount, recipient, sender FROM kept",
            [fork.last_entry],
        )?;
        self.connection.execute_batch("DROP TABLE kept")
    }
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
        text.clear();
        entry.write(&mut text);
        connection
            .prepare_cached(
                "DELETE FROM kept WHERE id = (SELECT min(id) FROM kept WHERE digest = ?)",
            )?
            .execute([Digest::of(&text).as_bytes()])?;
    }
    insert_block(connection, block.text(), first_entry, fork.last_entry)?;
    Ok(())
}

fn is_ours(connection: &Connection, number: u64, text: &[u8]) -> rusqlite::Result<bool> {
    let ours: Option<String> = connection
        .prepare_cached("SELECT hash FROM blocks WHERE number = ?")?
        .query_row([number as i64], |row| row.get(0))
        .optional()?;
    Ok(ours.is_some_and(|hash| hash == Digest::of(text).to_string()))
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
