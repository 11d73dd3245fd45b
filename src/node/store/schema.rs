//! The tables.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, params};

/// How long a connection waits for another's lock.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Pages in the log at which whoever writes folds it into the database and
/// begins it anew. Few, because to write over a log is quicker than to make
/// it longer: syncing a file that grew waits for the file system's journal
/// (8 KiB at a time on ext4, medians of 0.2 to 0.5 ms against 0.8 to 2.9 ms).
const LOG_PAGES: i64 = 1000;

/// As many while a large change is folded in beside the writing; a last resort
/// for a log that would grow without end.
const LOG_PAGES_MEANWHILE: i64 = 32_768;

/// What is left of a log that was longer, in bytes.
const LOG_BYTES: i64 = 64 << 20;

/// Goes up when the tables change.
const VERSION: i64 = 1;

/// Entries stand in the order in which they were taken, and blocks name the
/// ranges they hold: forging a block moves no row. What follows the last
/// block's range is pending.
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

/// Sets a connection up to write, and makes the tables of a new database.
pub(super) fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES)?;
    set_folding(connection, Folding::ByWriter)?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    match version {
        0 => connection.execute_batch(&format!(
            "BEGIN IMMEDIATE; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;"
        )),
        VERSION => Ok(()),
        other => Err(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_SCHEMA),
            Some(format!(
                "its tables are of version {other}, but this program knows version {VERSION}"
            )),
        )),
    }
}

/// Who folds the log into the database.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::node) enum Folding {
    /// Whoever writes, bit by bit.
    ByWriter,
    /// Somebody else, beside the writing.
    Beside,
}

pub(super) fn set_folding(connection: &Connection, folding: Folding) -> rusqlite::Result<()> {
    let pages = match folding {
        Folding::ByWriter => LOG_PAGES,
        Folding::Beside => LOG_PAGES_MEANWHILE,
    };
    connection.pragma_update(None, "wal_autocheckpoint", pages)
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

/// What stands under `key`; `value` if nothing stood there, and from now on.
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
