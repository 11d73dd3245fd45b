//! Replacing our chain by a staged one, some blocks at a time.
//!
//! Each step is a transaction. It leaves a valid chain that is longer than ours
//! was, with all that is pending behind it: so others may write between two
//! steps, and whatever ends the work, what was done of it is no loss.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::time::{Duration, Instant};

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::schema;
use super::sound::timestamp_of;
use super::staged::{ReplaceError, Staged, is_ours, member};
use super::write::{BLOCK_TEXT_BYTES, Store, insert_block, insert_entry, write_entry};
use crate::chain::ReadError;
use crate::chain::json::View;
use crate::node::tip::Tip;
use crate::node::transaction_row::TransactionRow;
use crate::pow::Control;
use crate::sha256::Digest;

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

/// A replacement, before its first step or after some.
#[derive(Debug)]
pub(in crate::node) struct Replacing {
    blocks: u64,
    common: u64,
    shared: u64,
    shared_hash: Option<Digest>,
    /// The blocks that are still to be appended.
    rest: BufReader<File>,
    /// The last block of what was appended.
    appended: Option<Tip>,
}

impl Replacing {
    pub(in crate::node) fn new(staged: Staged) -> Self {
        Self {
            blocks: staged.blocks,
            common: staged.common,
            shared: staged.shared,
            shared_hash: staged.shared_hash,
            rest: BufReader::with_capacity(READ_BYTES, staged.rest),
            appended: None,
        }
    }

    /// Blocks of the new chain.
    pub(in crate::node) const fn blocks(&self) -> u64 {
        self.blocks
    }

    /// Whether steps were made.
    pub(in crate::node) const fn has_begun(&self) -> bool {
        self.appended.is_some()
    }

    /// How many blocks of our chain stay in the next step, which only ever goes
    /// on with what it knows.
    fn kept_blocks(&self, store: &Store) -> Result<u64, ReplaceError> {
        if let Some(appended) = &self.appended {
            let is_ours = store.tip().hash == appended.hash;
            let number = appended.index;
            return is_ours
                .then_some(number)
                .ok_or(ReplaceError::Changed(number));
        }
        // Ours may have grown since, but what it had stays where it was.
        if let Some(hash) = self.shared_hash
            && !is_ours(&store.connection, self.shared, hash)?
        {
            return Err(ReplaceError::Changed(self.shared));
        }
        Ok(self.common)
    }
}

impl Store {
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
        let mut replacing = Replacing::new(staged);
        let replaced = self.replace_step(&mut replacing, Duration::MAX, control)?;
        Ok(replaced.expect("no time is enough for a step"))
    }

    /// The next step of a replacement: blocks are appended until our chain has
    /// become longer, and for as long as `enough`, or longer where much is
    /// pending. `None`: there are more.
    ///
    /// Runs inside a transaction of the caller's, who rolls back and gives the
    /// replacement up on an error. Between two steps, nobody else may change the
    /// chain.
    pub(in crate::node) fn replace_step(
        &mut self,
        replacing: &mut Replacing,
        enough: Duration,
        control: &Control,
    ) -> Result<Option<Replacement>, ReplaceError> {
        let ours = self.tip().index;
        let mut number = replacing.kept_blocks(self)?;
        let begun = Instant::now();
        let mut fork = self.cut(number, replacing.shared.max(number))?;
        // What is pending is set aside and put back in every step: that shall
        // not be most of it.
        let enough = enough.max(4 * begun.elapsed());
        let begun = Instant::now();
        let mut line = Vec::new();
        let mut is_done = true;
        while read_line(&mut replacing.rest, &mut line).map_err(ReadError::from)? {
            if control.is_cancelled() {
                return Err(ReplaceError::Cancelled);
            }
            number += 1;
            append(
                &self.connection,
                View::of(&line),
                number,
                number <= replacing.shared,
                &mut fork,
            )?;
            if number > ours && number < replacing.blocks && begun.elapsed() >= enough {
                is_done = false;
                break;
            }
        }
        self.give_back(&fork)?;
        if is_done && number != replacing.blocks || !self.reload()? {
            return Err(ReplaceError::Changed(number));
        }
        replacing.appended = Some(self.tip().clone());
        Ok(is_done.then(|| Replacement {
            blocks: replacing.blocks,
            common: replacing.common,
            pending: self.pending(),
        }))
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
        let entry = TransactionRow::of(transaction).ok_or(ReplaceError::Changed(number))?;
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
