//! The connection that writes. Each change is part of a transaction of the
//! caller's, who commits it or rolls it back.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::body::Bytes;
use rusqlite::{Connection, params};

use super::balances::{BalanceChanges, Move};
use super::open::open_writer;
use super::open_files::OpenFiles;
use super::rows::{insert_block, insert_entry, is_canonical, write_entry};
use super::schema;
use crate::batch::{fresh_node_id, unix_time};
use crate::chain::json::View;
use crate::chain::{Block, Strictness, Transactions};
use crate::node::config::{NodeConfig, Overdraft};
use crate::node::error::NodeError;
use crate::node::tip::TipBlock;
use crate::node::transaction_row::TransactionRow;
use crate::pow::Nonce;

/// The most text of transactions in a block of ours. A block may have 32 MiB
/// ([`MAX_VALUE_BYTES`](crate::chain::json::MAX_VALUE_BYTES)).
pub(super) const BLOCK_TEXT_BYTES: usize = 30 << 20;

/// Written to test whether commits succeed. A full disk has no room for it.
const PROBE_BYTES: usize = 64 << 10;

const BAD_LAST_BLOCK: &str = "its last block does not match its hash";

/// A transaction on its way into the database.
#[derive(Debug)]
pub(in crate::node) struct NewTransaction {
    pub(super) text: Transactions,
    pub(super) entry: TransactionRow,
}

impl NewTransaction {
    /// Takes the one transaction in `text`.
    pub(in crate::node) fn new(text: Transactions) -> Self {
        let entry =
            TransactionRow::of(View::of(text.text())).expect("a transaction has its three keys");
        Self { text, entry }
    }
}

/// A block that this node made.
#[derive(Clone, Debug)]
pub(in crate::node) struct Forged {
    pub(in crate::node) tip: TipBlock,
    /// The elements of its list of transactions.
    pub(in crate::node) transactions: Bytes,
    /// The number of its transactions.
    pub(in crate::node) count: usize,
}

/// The database, opened for writing.
#[derive(Debug)]
pub(in crate::node) struct Database {
    pub(super) connection: Connection,
    files: Arc<OpenFiles>,
    /// Whether the log was written to the database because a file was lost.
    is_log_saved: bool,
    path: PathBuf,
    node_id: String,
    pub(super) end: ChainEnd,
    pub(super) balance_changes: BalanceChanges,
    pub(super) strictness: Strictness,
    pub(super) overdraft: Overdraft,
    /// Whether `end` is what the database holds.
    is_known: bool,
    _lock: File,
}

/// The end of the chain and the pending transactions after it.
#[derive(Clone, Debug)]
pub(super) struct ChainEnd {
    pub(super) tip: TipBlock,
    pub(super) generation: u64,
    pub(super) last_entry_in_block: i64,
    pub(super) last_entry: i64,
    /// The pending transactions for the next block: all of them, unless a
    /// replaced chain left more than a block holds.
    next: Transactions,
}

impl Database {
    /// Opens the database of a node. A new one gets its first block.
    pub(in crate::node) fn open(config: &NodeConfig) -> Result<Self, NodeError> {
        let mut database = Self::open_to_replace(config)?;
        if !database.is_known {
            return Err(NodeError::Damaged {
                path: database.path,
                what: BAD_LAST_BLOCK.to_owned(),
            });
        }
        // An earlier run may have taken what this one refuses.
        if let Err(error) = database.drop_refused_and_commit() {
            return Err(NodeError::Database {
                path: database.path,
                problem: error.into(),
            });
        }
        Ok(database)
    }

    /// Opens the database to replace its whole chain, whose last block may be
    /// damaged.
    pub(in crate::node) fn open_to_replace(config: &NodeConfig) -> Result<Self, NodeError> {
        let (connection, files, path, lock) = open_writer(config)?;
        let read = || {
            let node_id = match &config.node_id {
                Some(id) => schema::set_meta(&connection, "node id", id).map(|()| id.clone()),
                None => schema::meta_or_insert(&connection, "node id", &fresh_node_id()),
            }?;
            let is_new =
                connection.query_row("SELECT NOT EXISTS (SELECT 1 FROM blocks)", [], |row| {
                    row.get(0)
                })?;
            if is_new {
                let genesis = TipBlock::of_block(Block::genesis(unix_time()));
                insert_block(&connection, &genesis, 1, 0)?;
            }
            Ok((node_id, load(&connection)?))
        };
        let (node_id, (end, is_known)) =
            read().map_err(|error: rusqlite::Error| NodeError::Database {
                path: path.clone(),
                problem: error.into(),
            })?;
        Ok(Self {
            connection,
            files: Arc::new(files),
            is_log_saved: false,
            path,
            node_id,
            end,
            balance_changes: BalanceChanges::default(),
            strictness: config.strictness(),
            overdraft: config.overdraft,
            is_known,
            _lock: lock,
        })
    }

    pub(in crate::node) fn path(&self) -> &Path {
        &self.path
    }

    pub(in crate::node) fn files(&self) -> Arc<OpenFiles> {
        Arc::clone(&self.files)
    }

    pub(in crate::node) fn node_id(&self) -> &str {
        &self.node_id
    }

    pub(in crate::node) const fn tip(&self) -> &TipBlock {
        &self.end.tip
    }

    pub(in crate::node) const fn generation(&self) -> u64 {
        self.end.generation
    }

    /// The number of pending transactions.
    pub(in crate::node) const fn pending(&self) -> u64 {
        (self.end.last_entry - self.end.last_entry_in_block) as u64
    }

    /// Whether the next block has room for one more transaction.
    pub(in crate::node) fn has_room_for(&self, new: &NewTransaction) -> bool {
        self.end.next.count() as u64 == self.pending()
            && self.end.next.text_bytes() + new.text.text_bytes() <= BLOCK_TEXT_BYTES
    }

    /// Whether the end of the chain is known. After a failure it is not, until
    /// it was read again.
    pub(in crate::node) const fn is_known(&self) -> bool {
        self.is_known
    }

    /// Begins a transaction, unless one has begun. Fails while the end of the
    /// chain is not known.
    pub(in crate::node) fn begin(&mut self) -> rusqlite::Result<()> {
        // A change that is refused here never shows in any answer.
        self.check_files()?;
        if !self.is_known {
            self.roll_back()?;
        }
        if !self.connection.is_autocommit() {
            return Ok(());
        }
        self.connection.execute_batch("BEGIN IMMEDIATE")
    }

    /// Commits. Fails if the database file was moved or replaced, because the
    /// commit then went to the old file.
    pub(in crate::node) fn commit(&mut self) -> rusqlite::Result<()> {
        self.balance_changes.write(&self.connection)?;
        self.connection.execute_batch("COMMIT")?;
        self.check_files()
    }

    /// Fails if a file is lost. First writes what the log holds to the open
    /// database and empties it: if only the log is lost, a kill then loses
    /// nothing, and if another database was put in its place, SQLite
    /// does not apply this log to that one.
    fn check_files(&mut self) -> rusqlite::Result<()> {
        let checked = self.files.check();
        if self.files.is_lost() && !self.is_log_saved {
            // While another process reads, it is busy; a later call tries again.
            let is_busy = self
                .connection
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
            self.is_log_saved = is_busy == Ok(0);
            if self.is_log_saved && self.files.has_database() {
                tracing::info!("the database holds everything that was answered with success");
            }
        }
        checked
    }

    /// Undoes all changes since the last commit, those in memory too.
    pub(in crate::node) fn roll_back(&mut self) -> rusqlite::Result<()> {
        self.is_known = false;
        self.balance_changes = BalanceChanges::default();
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK")?;
        }
        // What a lost file holds does not count.
        self.check_files()?;
        if !self.reload()? {
            return Err(rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT),
                Some(BAD_LAST_BLOCK.to_owned()),
            ));
        }
        self.is_known = true;
        Ok(())
    }

    /// Tests whether commits succeed: writes something and removes it again.
    pub(in crate::node) fn probe_commit(&mut self) -> rusqlite::Result<()> {
        self.begin()?;
        schema::set_meta(&self.connection, "trial", &" ".repeat(PROBE_BYTES))?;
        self.commit()?;
        self.begin()?;
        schema::remove_meta(&self.connection, "trial")?;
        self.commit()
    }

    /// Adds a pending transaction.
    pub(in crate::node) fn add(&mut self, new: &NewTransaction) -> rusqlite::Result<()> {
        self.end.last_entry += 1;
        insert_entry(&self.connection, self.end.last_entry, &new.entry)?;
        self.balance_changes.count(Move::Pend, &new.entry);
        self.end.next.append(&new.text);
        Ok(())
    }

    /// Makes the next block of the pending transactions, with the reward last.
    pub(in crate::node) fn forge(&mut self, proof: Nonce) -> rusqlite::Result<Forged> {
        let mut transactions = std::mem::take(&mut self.end.next);
        let first = self.end.last_entry_in_block + 1;
        let last = first + transactions.count() as i64;
        let takes_all = last > self.end.last_entry;
        if takes_all {
            self.balance_changes.mine_all(&self.connection)?;
        } else {
            self.mine_some(first, last)?;
            // The reward goes before the transactions that stay pending. Ids
            // are unique, so they move in two steps.
            self.connection
                .execute("UPDATE entries SET id = -id WHERE id >= ?", params![last])?;
            self.connection
                .execute("UPDATE entries SET id = 1 - id WHERE id < 0", [])?;
        }
        let mut reward = Transactions::new();
        reward.push_reward(&self.node_id);
        transactions.append(&reward);
        let reward = NewTransaction::new(reward).entry;
        insert_entry(&self.connection, last, &reward)?;
        self.balance_changes.count(Move::Include, &reward);

        let (count, text_bytes) = (transactions.count(), transactions.text_bytes());
        let tip = TipBlock::of_block(Block {
            index: self.end.tip.index + 1,
            timestamp: unix_time(),
            transactions,
            proof,
            previous_hash: self.end.tip.quoted(),
        });
        insert_block(&self.connection, &tip, first, last)?;
        self.end.tip = tip.clone();
        self.end.last_entry += 1;
        self.end.last_entry_in_block = last;
        if !takes_all {
            self.end.next = load_next(&self.connection, last)?;
        }
        // The list of transactions is the end of the block's text.
        let end = tip.text.len() - b"]}".len();
        Ok(Forged {
            transactions: tip.text.slice(end - text_bytes..end),
            count,
            tip,
        })
    }

    /// Counts pending transactions from `first` to before `end` as mined.
    fn mine_some(&mut self, first: i64, end: i64) -> rusqlite::Result<()> {
        let mut taken = self
            .connection
            .prepare("SELECT amount, recipient, sender FROM entries WHERE id >= ? AND id < ?")?;
        let mut rows = taken.query([first, end])?;
        while let Some(row) = rows.next()? {
            self.balance_changes.count_row(Move::Mine, row)?;
        }
        Ok(())
    }

    /// Adds peers. Those that are known stay as they are.
    pub(in crate::node) fn register(&self, nodes: &[String]) -> rusqlite::Result<()> {
        let mut insert = self
            .connection
            .prepare_cached("INSERT OR IGNORE INTO peers VALUES (?, ?)")?;
        for node in nodes {
            insert.execute(params![node, unix_time()])?;
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

    /// Reads the end of the chain again; `false` if the last block is damaged.
    pub(super) fn reload(&mut self) -> rusqlite::Result<bool> {
        let (end, is_intact) = load(&self.connection)?;
        self.end = end;
        Ok(is_intact)
    }
}

/// Reads the end of the chain, and whether the last block is intact. In place of
/// a damaged one the tip has a first block, with the number of the damaged.
fn load(connection: &Connection) -> rusqlite::Result<(ChainEnd, bool)> {
    let (number, text, hash, last_entry_in_block) = connection
        .prepare_cached(
            "SELECT number, text, hash, last_entry FROM blocks ORDER BY number DESC LIMIT 1",
        )?
        .query_row([], |row| {
            let text: String = row.get(1)?;
            let hash: String = row.get(2)?;
            Ok((row.get::<_, i64>(0)? as u64, text, hash, row.get(3)?))
        })?;
    let tip = if is_canonical(text.as_bytes()) {
        TipBlock::of_text(text.into_bytes())
    } else {
        None
    };
    let intact = tip.filter(|tip| tip.index == number && tip.hash.to_string() == hash);
    let is_intact = intact.is_some();
    let tip = intact.unwrap_or_else(|| TipBlock {
        index: number,
        ..TipBlock::of_block(Block::genesis(0.0))
    });
    let last_entry: Option<i64> = connection
        .prepare_cached("SELECT max(id) FROM entries")?
        .query_row([], |row| row.get(0))?;
    let end = ChainEnd {
        tip,
        generation: schema::generation(connection)?,
        last_entry_in_block,
        last_entry: last_entry.unwrap_or(0).max(last_entry_in_block),
        next: load_next(connection, last_entry_in_block)?,
    };
    Ok((end, is_intact))
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
        write_entry(row, &mut text)?;
        if next.text_bytes() + text.len() > BLOCK_TEXT_BYTES && !next.is_empty() {
            break;
        }
        next.push_view(View::of(&text), Strictness::Presence)
            .expect("an entry has its three fields");
    }
    Ok(next)
}

#[cfg(test)]
mod tests;
