//! What is written: one change at a time, as part of the ledger's commits.

use std::fs::File;
use std::path::{Path, PathBuf};

use axum::body::Bytes;
use rusqlite::types::{ToSqlOutput, Type, Value, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::schema::{self, Folding};
use super::{check_rule, open};
use crate::batch::fresh_node_id;
use crate::chain::json::{View, canonical};
use crate::chain::{Block, Strictness, Transactions};
use crate::node::config::NodeConfig;
use crate::node::error::NodeError;
use crate::node::tip::Tip;
use crate::node::transaction_row::{TransactionRow, write_column};
use crate::pow::Nonce;

/// The most text of transactions a block gets. A block may take 32 MiB
/// ([`MAX_VALUE_BYTES`](crate::chain::json::MAX_VALUE_BYTES)).
pub(in crate::node) const BLOCK_TEXT_BYTES: usize = 30 << 20;

/// What is written to tell whether commits succeed.
const TRIAL_BYTES: usize = 64 << 10;

/// A transaction on its way into the database.
#[derive(Debug)]
pub(in crate::node) struct NewTransaction {
    text: Transactions,
    entry: TransactionRow,
}

impl NewTransaction {
    /// Takes the one transaction in `text`.
    pub(in crate::node) fn new(text: Transactions) -> Self {
        let entry =
            TransactionRow::of(View::of(text.text())).expect("a transaction has its three keys");
        Self { text, entry }
    }
}

/// A block that was made.
#[derive(Clone, Debug)]
pub(in crate::node) struct Forged {
    pub(in crate::node) tip: Tip,
    /// The elements of its list of transactions.
    pub(in crate::node) transactions: Bytes,
    /// How many they are.
    pub(in crate::node) count: u64,
}

/// The database, and what of it whoever writes must know.
#[derive(Debug)]
pub(in crate::node) struct Store {
    pub(super) connection: Connection,
    path: PathBuf,
    node_id: String,
    pub(super) state: State,
    /// Whether `state` is what is stored.
    is_known: bool,
    _lock: File,
}

/// The end of what is stored.
#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) tip: Tip,
    pub(super) generation: u64,
    pub(super) last_entry_in_block: i64,
    pub(super) last_entry: i64,
    /// The pending transactions that the next block takes. All of them, but
    /// where a replaced chain gave back more than a block holds.
    next: Transactions,
}

impl Store {
    /// Opens the database of a node; a new one starts with a first block.
    pub(in crate::node) fn open(config: &NodeConfig) -> Result<Self, NodeError> {
        Self::open_with(config, load)
    }

    /// The same for a chain that is about to be replaced: blocks at its end that
    /// are not what they were are left out, in a transaction that has begun.
    pub(in crate::node) fn open_to_replace(config: &NodeConfig) -> Result<Self, NodeError> {
        Self::open_with(config, |connection| {
            connection.execute_batch("BEGIN IMMEDIATE")?;
            loop {
                if let Some(state) = load(connection)? {
                    return Ok(Some(state));
                }
                if !drop_last_block(connection)? {
                    return Ok(None);
                }
            }
        })
    }

    fn open_with(
        config: &NodeConfig,
        load: impl FnOnce(&Connection) -> rusqlite::Result<Option<State>>,
    ) -> Result<Self, NodeError> {
        let (connection, path, lock) = open(&config.data)?;
        check_rule(&connection, &path, config.rule, config.target)?;
        let failed = |source| NodeError::Database {
            path: path.clone(),
            source,
        };
        let node_id = match &config.node_id {
            Some(id) => schema::set_meta(&connection, "node id", id).map(|()| id.clone()),
            None => schema::meta_or_insert(&connection, "node id", &fresh_node_id()),
        }
        .map_err(failed)?;
        let is_new = connection
            .query_row("SELECT NOT EXISTS (SELECT 1 FROM blocks)", [], |row| {
                row.get(0)
            })
            .map_err(failed)?;
        if is_new {
            let genesis = Block::genesis(crate::node::clock::now());
            let timestamp = genesis.timestamp;
            let tip = Tip::of_block(genesis);
            insert_block(&connection, &tip, timestamp, 1, 0).map_err(failed)?;
        }
        let state = load(&connection)
            .map_err(failed)?
            .ok_or_else(|| NodeError::Damaged {
                path: path.clone(),
                what: "its last block does not match its hash".to_owned(),
            })?;
        Ok(Self {
            connection,
            path,
            node_id,
            state,
            is_known: true,
            _lock: lock,
        })
    }

    pub(in crate::node) fn path(&self) -> &Path {
        &self.path
    }

    pub(in crate::node) fn node_id(&self) -> &str {
        &self.node_id
    }

    pub(in crate::node) const fn tip(&self) -> &Tip {
        &self.state.tip
    }

    pub(in crate::node) const fn generation(&self) -> u64 {
        self.state.generation
    }

    /// Pending transactions.
    pub(in crate::node) const fn pending(&self) -> u64 {
        (self.state.last_entry - self.state.last_entry_in_block) as u64
    }

    /// Whether the next block has room for one more transaction.
    pub(in crate::node) fn has_room_for(&self, new: &NewTransaction) -> bool {
        self.state.next.count() as u64 == self.pending()
            && self.state.next.text_bytes() + new.text.text_bytes() <= BLOCK_TEXT_BYTES
    }

    /// Says who folds the log into the database from now on.
    pub(in crate::node) fn set_folding(&self, folding: Folding) -> rusqlite::Result<()> {
        schema::set_folding(&self.connection, folding)
    }

    /// Whether it is known what is stored. It is not after a failure, until it
    /// could be read again.
    pub(in crate::node) const fn is_known(&self) -> bool {
        self.is_known
    }

    /// Begins a transaction, unless one has begun. An error while it is not
    /// known what is stored: what builds on anything else is lost.
    pub(in crate::node) fn begin(&mut self) -> rusqlite::Result<()> {
        if !self.is_known {
            self.roll_back()?;
        }
        if !self.connection.is_autocommit() {
            return Ok(());
        }
        self.connection.execute_batch("BEGIN IMMEDIATE")
    }

    pub(in crate::node) fn commit(&self) -> rusqlite::Result<()> {
        self.connection.execute_batch("COMMIT")
    }

    /// Undoes what was not committed, here too.
    pub(in crate::node) fn roll_back(&mut self) -> rusqlite::Result<()> {
        self.is_known = false;
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK")?;
        }
        if !self.reload()? {
            return Err(rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT),
                Some("its last block does not match its hash".to_owned()),
            ));
        }
        self.is_known = true;
        Ok(())
    }

    /// Writes something and removes it again, to tell whether commits succeed:
    /// pages enough that no full disk has room for it, but not for a change.
    pub(in crate::node) fn try_out(&mut self) -> rusqlite::Result<()> {
        self.begin()?;
        schema::set_meta(&self.connection, "trial", &" ".repeat(TRIAL_BYTES))?;
        self.commit()?;
        self.begin()?;
        schema::remove_meta(&self.connection, "trial")?;
        self.commit()
    }

    /// Adds a pending transaction.
    pub(in crate::node) fn add(&mut self, new: &NewTransaction) -> rusqlite::Result<()> {
        self.state.last_entry += 1;
        insert_entry(&self.connection, self.state.last_entry, &new.entry)?;
        self.state.next.append(&new.text);
        Ok(())
    }

    /// Makes the block after the tip of what is pending, with the reward
    /// last.
    pub(in crate::node) fn forge(&mut self, proof: Nonce) -> rusqlite::Result<Forged> {
        let mut transactions = std::mem::take(&mut self.state.next);
        let taken = transactions.count() as i64;
        transactions.push_reward(&self.node_id);
        let first = self.state.last_entry_in_block + 1;
        let is_all = first + taken > self.state.last_entry;
        let last = first + taken;
        if !is_all {
            // The reward needs a place before what stays pending.
            self.connection
                .execute("UPDATE entries SET id = -id WHERE id >= ?", params![last])?;
            self.connection
                .execute("UPDATE entries SET id = 1 - id WHERE id < 0", [])?;
        }
        let mut reward = Transactions::new();
        reward.push_reward(&self.node_id);
        let reward = NewTransaction::new(reward);
        insert_entry(&self.connection, last, &reward.entry)?;

        let text_bytes = transactions.text_bytes();
        let timestamp = crate::node::clock::now();
        let tip = Tip::of_block(Block {
            index: self.state.tip.index + 1,
            timestamp,
            transactions,
            proof,
            previous_hash: self.state.tip.quoted(),
        });
        insert_block(&self.connection, &tip, timestamp, first, last)?;
        self.state.tip = tip.clone();
        self.state.last_entry += 1;
        self.state.last_entry_in_block = last;
        if !is_all {
            self.state.next = load_next(&self.connection, last)?;
        }
        // The list of transactions is the end of a block's text.
        let end = tip.text.len() - b"]}".len();
        Ok(Forged {
            transactions: tip.text.slice(end - text_bytes..end),
            count: taken as u64 + 1,
            tip,
        })
    }

    /// Adds peers; those that are known stay as they are.
    pub(in crate::node) fn register(&self, nodes: &[String]) -> rusqlite::Result<()> {
        let mut insert = self
            .connection
            .prepare_cached("INSERT OR IGNORE INTO peers VALUES (?, ?)")?;
        for node in nodes {
            insert.execute(params![node, crate::node::clock::now()])?;
        }
        Ok(())
    }

    /// All peers, sorted.
    pub(in crate::node) fn peers(&self) -> rusqlite::Result<Vec<String>> {
        self.connection
            .prepare_cached("SELECT node FROM peers ORDER BY node")?
            .query_map([], |row| row.get(0))?
            .collect()
    }

    /// Reads the end of the chain again. `false`: it is not what it was.
    pub(super) fn reload(&mut self) -> rusqlite::Result<bool> {
        let state = load(&self.connection)?;
        let is_sound = state.is_some();
        if let Some(state) = state {
            self.state = state;
        }
        Ok(is_sound)
    }
}

/// Removes the last block, whose transactions become pending, but for the
/// reward; `false` if there is none but the first.
fn drop_last_block(connection: &Connection) -> rusqlite::Result<bool> {
    connection.execute(
        "DELETE FROM entries WHERE sender = '0'
         AND id = (SELECT last_entry FROM blocks ORDER BY number DESC LIMIT 1)",
        [],
    )?;
    let dropped = connection.execute(
        "DELETE FROM blocks
         WHERE number = (SELECT max(number) FROM blocks) AND number > 1",
        [],
    )?;
    Ok(dropped > 0)
}

/// `None` if the last block is not what it was.
fn load(connection: &Connection) -> rusqlite::Result<Option<State>> {
    let last = connection
        .prepare_cached(
            "SELECT number, text, hash, last_entry FROM blocks ORDER BY number DESC LIMIT 1",
        )?
        .query_row([], |row| {
            let text: String = row.get(1)?;
            let hash: String = row.get(2)?;
            Ok((row.get::<_, i64>(0)? as u64, text, hash, row.get(3)?))
        })
        .optional()?;
    let Some((number, text, hash, last_entry_in_block)) = last else {
        return Ok(None);
    };
    if !is_canonical(text.as_bytes()) {
        return Ok(None);
    }
    let Some(tip) = Tip::of_text(text.into_bytes()) else {
        return Ok(None);
    };
    if tip.index != number || tip.hash.to_string() != hash {
        return Ok(None);
    }
    let last_entry: Option<i64> = connection
        .prepare_cached("SELECT max(id) FROM entries")?
        .query_row([], |row| row.get(0))?;
    Ok(Some(State {
        tip,
        generation: schema::generation(connection)?,
        last_entry_in_block,
        last_entry: last_entry.unwrap_or(0).max(last_entry_in_block),
        next: load_next(connection, last_entry_in_block)?,
    }))
}

/// The transactions after `last_entry` that fit into one block.
fn load_next(connection: &Connection, last_entry: i64) -> rusqlite::Result<Transactions> {
    let mut query = connection
        .prepare_cached("SELECT amount, recipient, sender FROM entries WHERE id > ? ORDER BY id")?;
    let mut rows = query.query([last_entry])?;
    let mut next = Transactions::new();
    let mut text = Vec::new();
    while let Some(row) = rows.next()? {
        text.clear();
        write_entry(row, 0, &mut text)?;
        if next.text_bytes() + text.len() > BLOCK_TEXT_BYTES && !next.is_empty() {
            break;
        }
        next.push_view(View::of(&text), Strictness::Presence)
            .expect("an entry has its three fields");
    }
    Ok(next)
}

/// Appends the canonical text of the entry whose columns start at `column`. An
/// error if one of them is not as it was written.
pub(super) fn write_entry(
    row: &rusqlite::Row<'_>,
    column: usize,
    out: &mut Vec<u8>,
) -> rusqlite::Result<()> {
    for (place, field) in crate::chain::TRANSACTION_FIELDS.iter().enumerate() {
        out.extend_from_slice(if place == 0 { b"{\"" } else { b", \"" });
        out.extend_from_slice(field.as_bytes());
        out.extend_from_slice(b"\": ");
        let value = row.get_ref(column + place)?;
        if let ValueRef::Blob(json) = value
            && !is_canonical(json)
        {
            let error = format!("the {field} of a transaction is no canonical JSON");
            return Err(rusqlite::Error::FromSqlConversionFailure(
                column + place,
                Type::Blob,
                error.into(),
            ));
        }
        write_column(value, out);
    }
    out.push(b'}');
    Ok(())
}

fn is_canonical(json: &[u8]) -> bool {
    canonical(json).is_ok_and(|text| text.as_bytes() == json)
}

pub(super) fn insert_entry(
    connection: &Connection,
    id: i64,
    entry: &TransactionRow,
) -> rusqlite::Result<()> {
    let TransactionRow([amount, recipient, sender]) = entry;
    connection
        .prepare_cached("INSERT INTO entries VALUES (?, ?, ?, ?)")?
        .execute(params![id, amount, recipient, sender])?;
    Ok(())
}

/// Inserts a block, which holds the entries from `first_entry` to
/// `last_entry`.
pub(super) fn insert_block(
    connection: &Connection,
    tip: &Tip,
    timestamp: f64,
    first_entry: i64,
    last_entry: i64,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?, ?, ?)")?
        .execute(params![
            tip.index as i64,
            tip.hash.to_string(),
            tip.previous_hash,
            proof_column(tip),
            timestamp,
            first_entry,
            last_entry,
            ToSqlOutput::Borrowed(ValueRef::Text(&tip.text)),
        ])?;
    Ok(())
}

/// What is stored of a block as its proof.
pub(super) fn proof_column(tip: &Tip) -> Value {
    match tip.proof.parse() {
        Ok(proof) => Value::Integer(proof),
        Err(_) => Value::Text(tip.proof.clone()),
    }
}

#[cfg(test)]
mod tests;
