//! What every name received and sent, kept up in the background, so that no
//! question for a balance passes over all transactions.
//!
//! It is a file of its own beside the database, `balances.sqlite3`, and costs
//! whoever writes nothing. It follows the chain from behind and says up to
//! which block, by that block's hash; whoever reads adds what came since. If
//! the chain no longer holds that block, or the file is lost, the sums are
//! made anew from the chain, and until then read without them.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, TransactionBehavior, params};

use super::open_reader;
use super::schema::BUSY_TIMEOUT;
use crate::chain::Amount;
use crate::chain::json::write_float;

/// The file's name in the data folder.
const FILE_NAME: &str = "balances.sqlite3";

/// Goes up when the tables or the meaning of a sum change.
const VERSION: i64 = 1;

/// Transactions that are added up before they are stored, within one block
/// more.
const STEP: i64 = 20_000;

/// Sums are exact decimal numbers, of any length, as text. `progress` has one
/// row.
const TABLES: &str = "
CREATE TABLE progress (block INTEGER NOT NULL, hash TEXT NOT NULL, last_entry INTEGER NOT NULL);
INSERT INTO progress VALUES (0, '', 0);
CREATE TABLE balances (
    name TEXT PRIMARY KEY,
    received TEXT NOT NULL,
    sent TEXT NOT NULL,
    transactions INTEGER NOT NULL
) WITHOUT ROWID;
";

/// What one name received and sent in all blocks.
#[derive(Clone, PartialEq, Debug, Default)]
pub(in crate::node) struct Sums {
    pub(in crate::node) received: Amount,
    pub(in crate::node) sent: Amount,
    pub(in crate::node) transactions: u64,
}

/// Up to where the chain is in the sums.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Progress {
    /// The last block that is; 0 for none.
    block: i64,
    hash: String,
    last_entry: i64,
}

/// The sums, for the one thread that keeps them up.
#[derive(Debug)]
pub(in crate::node) struct Balances {
    data: PathBuf,
    /// `None` if what was in the file could not be read.
    connection: Option<Connection>,
}

pub(super) fn path(data: &Path) -> PathBuf {
    data.join(FILE_NAME)
}

impl Balances {
    /// Opens the sums; if they cannot be used, new ones begin.
    pub(in crate::node) fn open(data: &Path) -> rusqlite::Result<Self> {
        let path = path(data);
        prepare(&path)
            .or_else(|error| {
                tracing::warn!(%error, "the balances are counted anew");
                Self::forget(data);
                prepare(&path)
            })
            .map(|connection| Self {
                data: data.to_owned(),
                connection: Some(connection),
            })
    }

    /// Removes the sums, which nobody may have open.
    pub(in crate::node) fn forget(data: &Path) {
        for suffix in ["", "-wal", "-shm"] {
            let mut name = path(data).into_os_string();
            name.push(suffix);
            // What is left of it shows when it is opened again.
            let _ = fs::remove_file(name);
        }
    }

    /// Adds some more blocks of the chain that `chain` reads. `false`: there
    /// were none. If the file is lost or damaged, it is made anew.
    pub(in crate::node) fn catch_up(&mut self, chain: &Connection) -> rusqlite::Result<bool> {
        // What is written to a file that was removed goes nowhere.
        if !path(&self.data).exists() {
            self.connection = None;
        }
        let connection = match &mut self.connection {
            Some(connection) => connection,
            None => {
                tracing::warn!("the balances are counted anew");
                Self::forget(&self.data);
                self.connection.insert(prepare(&path(&self.data))?)
            }
        };
        let added = add(connection, chain);
        if let Err(error) = &added
            && let Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) =
                error.sqlite_error_code()
        {
            self.connection = None;
        }
        added
    }
}

/// See [`Balances::catch_up`].
fn add(sums: &mut Connection, chain: &Connection) -> rusqlite::Result<bool> {
    let chain = chain.unchecked_transaction()?;
    // SQLite waits for a lock at the start of a transaction, and not amid one.
    let sums = sums.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut progress = progress(&sums)?;
    if !is_in_chain(&chain, &progress)? {
        sums.execute("DELETE FROM balances", [])?;
        progress = Progress::default();
    }
    let before = progress.last_entry;
    let mut has_more = false;
    {
        let mut query = chain.prepare_cached(
            "SELECT number, hash, last_entry FROM blocks WHERE number > ? ORDER BY number",
        )?;
        let mut rows = query.query([progress.block])?;
        while progress.last_entry - before < STEP
            && let Some(row) = rows.next()?
        {
            progress = read_progress(row)?;
            has_more = true;
        }
    }
    if !has_more {
        return Ok(false);
    }
    for (name, new) in added_up(&chain, before, progress.last_entry)? {
        let mut total = known(&sums, &name)?;
        total.received.add(&new.received);
        total.sent.add(&new.sent);
        total.transactions += new.transactions;
        sums.prepare_cached("INSERT OR REPLACE INTO balances VALUES (?, ?, ?, ?)")?
            .execute(params![
                name,
                total.received.to_string(),
                total.sent.to_string(),
                total.transactions as i64
            ])?;
    }
    sums.execute(
        "UPDATE progress SET block = ?, hash = ?, last_entry = ?",
        params![progress.block, progress.hash, progress.last_entry],
    )?;
    sums.commit()?;
    Ok(true)
}

fn prepare(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // After a power cut the last steps may be missing, and are done again.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    match version {
        0 => connection.execute_batch(&format!(
            "BEGIN IMMEDIATE; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;"
        ))?,
        VERSION => {}
        // Reported, and then made anew.
        _ => return Err(rusqlite::Error::InvalidQuery),
    }
    Ok(connection)
}

/// What `name` received and sent in the chain that `connection` reads. The sums
/// in the file at `path` only make it quicker.
pub(super) fn read(connection: &Connection, path: &Path, name: &str) -> rusqlite::Result<Sums> {
    // The sums are read first: what they hold is in the chain by then, unless
    // that was replaced.
    let (mut progress, mut sums) = stored(path, name).unwrap_or_else(|error| {
        tracing::debug!(%error, "balances are counted without the sums");
        Default::default()
    });
    let transaction = connection.unchecked_transaction()?;
    if !is_in_chain(&transaction, &progress)? {
        (progress, sums) = Default::default();
    }
    let mut query = transaction.prepare_cached(
        "SELECT amount, recipient = ?1, sender = ?1 FROM entries
         WHERE id > ?2 AND id <= (SELECT last_entry FROM blocks ORDER BY number DESC LIMIT 1)
         AND (recipient = ?1 OR sender = ?1)",
    )?;
    let mut rows = query.query(params![name, progress.last_entry])?;
    while let Some(row) = rows.next()? {
        let amount = amount(row.get_ref(0)?);
        sums.count(amount.as_ref(), row.get(1)?, row.get(2)?);
    }
    Ok(sums)
}

/// Up to where the sums in the file go, and those of `name`. The file is opened
/// each time: it may be another one by now.
fn stored(path: &Path, name: &str) -> rusqlite::Result<(Progress, Sums)> {
    let connection = open_reader(path)?;
    let sums = connection.unchecked_transaction()?;
    Ok((progress(&sums)?, known(&sums, name)?))
}

impl Sums {
    /// Counts one transaction; an amount that is no number adds nothing.
    fn count(&mut self, amount: Option<&Amount>, is_recipient: bool, is_sender: bool) {
        self.transactions += 1;
        if let Some(amount) = amount {
            if is_recipient {
                self.received.add(amount);
            }
            if is_sender {
                self.sent.add(amount);
            }
        }
    }
}

/// The sums of the entries after `first` up to `last`, by name.
fn added_up(chain: &Connection, first: i64, last: i64) -> rusqlite::Result<HashMap<String, Sums>> {
    let mut query = chain.prepare_cached(
        "SELECT amount, recipient, sender FROM entries WHERE id > ? AND id <= ? ORDER BY id",
    )?;
    let mut rows = query.query([first, last])?;
    let mut all: HashMap<String, Sums> = HashMap::new();
    while let Some(row) = rows.next()? {
        let amount = amount(row.get_ref(0)?);
        // Only a text is a name.
        let [recipient, sender] = [row.get_ref(1)?, row.get_ref(2)?].map(|value| value.as_str());
        if let Ok(name) = recipient {
            let is_sender = sender == Ok(name);
            entry(&mut all, name).count(amount.as_ref(), true, is_sender);
        }
        if let Ok(name) = sender
            && recipient != Ok(name)
        {
            entry(&mut all, name).count(amount.as_ref(), false, true);
        }
    }
    Ok(all)
}

fn entry<'a>(all: &'a mut HashMap<String, Sums>, name: &str) -> &'a mut Sums {
    all.entry(name.to_owned()).or_default()
}

fn read_progress(row: &rusqlite::Row<'_>) -> rusqlite::Result<Progress> {
    Ok(Progress {
        block: row.get(0)?,
        hash: row.get(1)?,
        last_entry: row.get(2)?,
    })
}

fn progress(sums: &Connection) -> rusqlite::Result<Progress> {
    sums.prepare_cached("SELECT block, hash, last_entry FROM progress")?
        .query_row([], read_progress)
}

/// Whether the chain holds the block up to which the sums go. A hash stands
/// for all that is before it.
fn is_in_chain(chain: &Connection, progress: &Progress) -> rusqlite::Result<bool> {
    if progress.block == 0 {
        return Ok(true);
    }
    let found = chain
        .prepare_cached("SELECT number, hash, last_entry FROM blocks WHERE number = ?")?
        .query_row([progress.block], read_progress)
        .optional()?;
    Ok(found.as_ref() == Some(progress))
}

/// The stored sums of one name.
fn known(sums: &Connection, name: &str) -> rusqlite::Result<Sums> {
    let number = |row: &rusqlite::Row<'_>, column| {
        Amount::parse(row.get_ref(column)?.as_str()?).ok_or(rusqlite::Error::InvalidQuery)
    };
    let found = sums
        .prepare_cached("SELECT received, sent, transactions FROM balances WHERE name = ?")?
        .query_row([name], |row| {
            Ok(Sums {
                received: number(row, 0)?,
                sent: number(row, 1)?,
                transactions: row.get::<_, i64>(2)? as u64,
            })
        })
        .optional()?;
    Ok(found.unwrap_or_default())
}

/// The amount in a column; `None` if it is no number.
fn amount(value: ValueRef<'_>) -> Option<Amount> {
    match value {
        ValueRef::Integer(number) => Amount::parse(&number.to_string()),
        ValueRef::Real(number) => {
            let mut text = Vec::new();
            write_float(number, &mut text);
            Amount::parse(std::str::from_utf8(&text).ok()?)
        }
        ValueRef::Blob(json) => Amount::parse(std::str::from_utf8(json).ok()?),
        ValueRef::Text(_) | ValueRef::Null => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use super::*;
    use crate::node::config::NodeConfig;
    use crate::node::store::Store;

    /// The connection that holds the lock. In the node, a reader holds it for a
    /// moment if it finds the log's index being written.
    static HOLDER: Mutex<Option<Connection>> = Mutex::new(None);

    /// Lets go of the lock once somebody waits for it.
    fn let_go(_: i32) -> bool {
        let mut holder = HOLDER.lock().unwrap_or_else(PoisonError::into_inner);
        holder.take().is_some()
    }

    #[test]
    fn a_moments_lock_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&NodeConfig::new(folder.path())).unwrap();
        let mut balances = Balances::open(folder.path()).unwrap();
        let holder = Connection::open(path(folder.path())).unwrap();
        holder.execute_batch("BEGIN IMMEDIATE").unwrap();
        *HOLDER.lock().unwrap() = Some(holder);
        let connection = balances.connection.as_mut().unwrap();
        connection.busy_handler(Some(let_go)).unwrap();
        assert_eq!(balances.catch_up(&store.connection), Ok(true));
        assert_eq!(balances.catch_up(&store.connection), Ok(false));
    }
}
