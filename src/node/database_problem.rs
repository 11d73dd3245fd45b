//! What is wrong with the database, in one line that says what to do.

use rusqlite::ffi::{self, ErrorCode};
use thiserror::Error;

/// Why the database of a node cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum DatabaseProblem {
    /// The file is not an SQLite database.
    #[error("it is not an SQLite database")]
    NotADatabase,
    /// The tables are not those of a node.
    #[error("it is the database of another program")]
    Foreign,
    /// A newer version wrote it.
    #[error(
        "a newer version of this program wrote it (its tables have version {found}, and this \
         program knows {known}); use that version"
    )]
    Newer {
        /// The version of its tables.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
    /// SQLite cannot open it, or a file beside it.
    #[error("it cannot be opened; check the permissions of the file and its folder")]
    CannotOpen,
    /// It can only be read.
    #[error("it cannot be written; check the permissions of the file and its folder")]
    ReadOnly,
    /// Changes are in the write-ahead log that cannot be read where nothing can
    /// be written.
    #[error(
        "its log, the file that ends in -wal, may hold blocks, and reading them needs a \
         writable folder"
    )]
    LogNeedsFolder,
    /// It changed during an export that could not lock it.
    #[error("it changed while it was read; try again")]
    Changed,
    /// The disk is full.
    #[error("the disk is full; free some space")]
    DiskFull,
    /// Another program has locked it.
    #[error("another program has locked it; close that program")]
    Locked,
    /// The disk failed.
    #[error("the disk failed ({0}); check it and its file system")]
    Disk(String),
    /// The file is damaged.
    #[error("it is damaged ({0}); restore a backup, or import a copy of the chain elsewhere")]
    Damaged(String),
    /// The file, or its log, was removed or replaced while it was open.
    #[error("its files were removed or replaced while it was open, so changes are no longer saved")]
    Lost,
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl DatabaseProblem {
    /// SQLite's code for [`DatabaseProblem::Lost`].
    pub(super) const LOST: i32 = ffi::SQLITE_READONLY_DBMOVED;
}

impl From<rusqlite::Error> for DatabaseProblem {
    fn from(error: rusqlite::Error) -> Self {
        Self::from(&error)
    }
}

impl From<&rusqlite::Error> for DatabaseProblem {
    fn from(error: &rusqlite::Error) -> Self {
        let (code, text) = match error {
            // Without a message, the text would start with the number of the code.
            rusqlite::Error::SqliteFailure(code, text) => {
                let known = || ffi::code_to_str(code.extended_code).to_owned();
                (code, text.clone().unwrap_or_else(known))
            }
            // Its own text ends with the whole SQL.
            rusqlite::Error::SqlInputError { error, msg, .. } => (error, msg.clone()),
            other => return Self::Other(other.to_string()),
        };
        match code.code {
            _ if code.extended_code == Self::LOST => Self::Lost,
            ErrorCode::NotADatabase => Self::NotADatabase,
            ErrorCode::CannotOpen => Self::CannotOpen,
            ErrorCode::ReadOnly | ErrorCode::PermissionDenied => Self::ReadOnly,
            ErrorCode::DiskFull => Self::DiskFull,
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::Locked,
            ErrorCode::SystemIoFailure => Self::Disk(text),
            ErrorCode::DatabaseCorrupt => Self::Damaged(text),
            _ => Self::Other(text),
        }
    }
}
