//! The database: one SQLite file in the data folder.
//!
//! The write-ahead log is synced at every commit (`synchronous = FULL`), so
//! what was committed survives the process and the power. One connection
//! writes, others read beside it.

mod balances;
mod read;
mod replace;
mod schema;
mod sound;
mod staged;
mod write;

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

pub(super) use self::balances::Balances;
pub(super) use self::read::{PART_BYTES, Readers, chain_part};
pub(super) use self::replace::{Replacement, Replacing};
pub(super) use self::schema::Folding;
pub(super) use self::sound::first_unsound;
pub(super) use self::staged::{Compare, ReplaceError, Staged, check_start};
pub(super) use self::write::{Forged, NewTransaction, Store};

use super::error::NodeError;
use crate::pow::{Rule, Target};

/// The database's name in the data folder.
pub(super) const FILE_NAME: &str = "node.sqlite3";

/// Held by the process that writes.
const LOCK_NAME: &str = "node.lock";

/// Moves what was committed from the log into the database, as far as no
/// reader is in the way, without holding up whoever writes.
pub(super) fn checkpoint(connection: &Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
}

/// Opens the database for writing, and makes it if it is not there. The lock
/// is held until the file is dropped.
fn open(data: &Path) -> Result<(Connection, PathBuf, File), NodeError> {
    let io_error = |path: &Path| {
        let path = path.to_owned();
        move |source| NodeError::Io { path, source }
    };
    fs::create_dir_all(data).map_err(|error| {
        io_error(data)(match error.kind() {
            io::ErrorKind::AlreadyExists => io::Error::new(error.kind(), "it is no folder"),
            _ => error,
        })
    })?;
    let lock_path = data.join(LOCK_NAME);
    let lock = File::create(&lock_path).map_err(io_error(&lock_path))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(NodeError::InUse {
                path: data.to_owned(),
            });
        }
        Err(TryLockError::Error(source)) => return Err(io_error(&lock_path)(source)),
    }
    let path = data.join(FILE_NAME);
    let connection = Connection::open(&path)
        .and_then(|connection| schema::prepare(&connection).map(|()| connection))
        .map_err(|source| NodeError::Database {
            path: path.clone(),
            source,
        })?;
    Ok((connection, path, lock))
}

/// Opens the database for reading. It must be there.
pub(super) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    // A reader of a write-ahead log must be able to make its index file, so
    // the file is not opened read-only.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.busy_timeout(schema::BUSY_TIMEOUT)?;
    Ok(connection)
}

/// Checks that the chain was made under this rule and difficulty. A new
/// database stores them.
fn check_rule(
    connection: &Connection,
    path: &Path,
    rule: Rule,
    target: Target,
) -> Result<(), NodeError> {
    let stored = |key, value: &str| {
        schema::meta_or_insert(connection, key, value).map_err(|source| NodeError::Database {
            path: path.to_owned(),
            source,
        })
    };
    let found = stored("rule", rule.name())?;
    if found != rule.name() {
        return Err(NodeError::OtherRule {
            path: path.to_owned(),
            found,
            asked: rule,
        });
    }
    let bits = stored("difficulty bits", &target.bits().to_string())?;
    match bits.parse().map(Target::from_bits) {
        Ok(Ok(found)) if found == target => Ok(()),
        Ok(Ok(found)) => Err(NodeError::OtherDifficulty {
            path: path.to_owned(),
            found,
            asked: target,
        }),
        _ => Err(NodeError::Damaged {
            path: path.to_owned(),
            what: format!("its difficulty is {bits:?}"),
        }),
    }
}
