//! The tables, and the versions they had.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::balances;
use crate::node::database_problem::DatabaseProblem;

/// How long a connection waits for a lock of another.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The size to which a long write-ahead log is cut, in bytes.
const LOG_BYTES: i64 = 64 << 20;

/// Version 2 added the balances.
const VERSION: i64 = 2;

/// The tables of version 1. Entries are stored in the order in which they
/// arrived, and each block names the range of entries it holds, so mining a
/// block moves no row. The entries after the last block's range are pending.
const TABLES: &str = "
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE entries (
    id INTEGER PRIMARY KEY,
    amount NOT NULL,
    recipient NOT NULL,
    sender NOT NULL
);
CREATE TABLE blocks (
    number INTEGER PRIMARY KEY,
    hash TEXT NOT NULL,
    previous_hash TEXT NOT NULL,
    proof NOT NULL,
    timestamp REAL NOT NULL,
    first_entry INTEGER NOT NULL,
    last_entry INTEGER NOT NULL,
    text TEXT NOT NULL
);
CREATE TABLE peers (
    node TEXT PRIMARY KEY,
    registered REAL NOT NULL
) WITHOUT ROWID;
CREATE VIEW transactions AS
    SELECT blocks.number AS block, entries.id - blocks.first_entry + 1 AS place,
        entries.sender, entries.recipient, entries.amount
    FROM blocks JOIN entries
        ON entries.id BETWEEN blocks.first_entry AND blocks.last_entry;
CREATE VIEW pending AS
    SELECT id, sender, recipient, amount FROM entries
    WHERE id > (SELECT last_entry FROM blocks ORDER BY number DESC LIMIT 1);
INSERT INTO meta VALUES ('generation', '0');
";

/// The version of the tables, or 0 in an empty database.
pub(super) fn version(connection: &Connection) -> Result<i64, DatabaseProblem> {
    let version = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let (ours, all): (i64, i64) = connection.query_row(
        "SELECT count(*) FILTER (WHERE type = 'table'
             AND name IN ('meta', 'entries', 'blocks', 'peers')), count(*)
         FROM sqlite_schema",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    match version {
        0 if all == 0 => Ok(0),
        1..=VERSION if ours == 4 => Ok(version),
        _ if version > VERSION && ours == 4 => Err(DatabaseProblem::Newer {
            found: version,
            known: VERSION,
        }),
        _ => Err(DatabaseProblem::Foreign),
    }
}

/// Configures the connection that writes, and creates or migrates the tables.
/// Changes nothing in a file that is not a node's.
pub(super) fn prepare(connection: &Connection) -> Result<(), DatabaseProblem> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    let version = version(connection)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES)?;
    if version == VERSION {
        return Ok(());
    }
    // After an error the connection is dropped, which rolls back.
    connection.execute_batch("BEGIN IMMEDIATE")?;
    if version == 0 {
        connection.execute_batch(TABLES)?;
    }
    connection.execute_batch(balances::TABLE)?;
    balances::rebuild(connection)?;
    connection.execute_batch(&format!("PRAGMA user_version = {VERSION}; COMMIT"))?;
    Ok(())
}

pub(super) fn meta(connection: &Connection, key: &str) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached("SELECT value FROM meta WHERE key = ?")?
        .query_row([key], |row| row.get(0))
        .optional()
}

pub(super) fn set_meta(connection: &Connection, key: &str, value: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT OR REPLACE INTO meta VALUES (?, ?)")?
        .execute(params![key, value])?;
    Ok(())
}

pub(super) fn remove_meta(connection: &Connection, key: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM meta WHERE key = ?")?
        .execute([key])?;
    Ok(())
}

/// The value of `key`, which becomes `value` if it has none.
pub(super) fn meta_or_insert(
    connection: &Connection,
    key: &str,
    value: &str,
) -> rusqlite::Result<String> {
    match meta(connection, key)? {
        Some(found) => Ok(found),
        None => {
            set_meta(connection, key, value)?;
            Ok(value.to_owned())
        }
    }
}

/// How often the chain was replaced.
pub(super) fn generation(connection: &Connection) -> rusqlite::Result<u64> {
    Ok(meta(connection, "generation")?
        .and_then(|text| text.parse().ok())
        .unwrap_or(0))
}
