//! Opening the database: the data folder, its lock, connections.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rusqlite::{Connection, OpenFlags};
use url::Url;

use super::open_files::{OpenFiles, log_path};
use super::schema;
use crate::node::config::NodeConfig;
use crate::node::database_problem::DatabaseProblem;
use crate::node::error::NodeError;
use crate::pow::Target;

/// The database's name in the data folder.
pub(in crate::node) const FILE_NAME: &str = "node.sqlite3";

/// Locked by the process that writes.
const LOCK_NAME: &str = "node.lock";

/// Files of earlier versions, which kept the balances outside the database.
const OLD_FILES: [&str; 3] = [
    "balances.sqlite3",
    "balances.sqlite3-wal",
    "balances.sqlite3-shm",
];

/// Opens the database for writing and creates it if it does not exist. The lock
/// is held until the returned file is dropped.
pub(super) fn open_writer(
    config: &NodeConfig,
) -> Result<(Connection, OpenFiles, PathBuf, File), NodeError> {
    let data = &config.data;
    let io_error = |path: &Path| {
        let path = path.to_owned();
        move |source| NodeError::Io { path, source }
    };
    fs::create_dir_all(data).map_err(|error| {
        io_error(data)(match error.kind() {
            io::ErrorKind::AlreadyExists => io::Error::new(error.kind(), "it is not a folder"),
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
    let open = || {
        let connection = Connection::open(&path)?;
        schema::prepare(&connection)?;
        let files = OpenFiles::of(&connection, &path, &lock_path)?;
        Ok((connection, files))
    };
    let (connection, files) = open().map_err(|problem| NodeError::Database {
        path: path.clone(),
        problem,
    })?;
    for name in OLD_FILES {
        // Nothing reads them, so a failure does no harm.
        let _ = fs::remove_file(data.join(name));
    }
    check_rule(&connection, &path, config)?;
    Ok((connection, files, path, lock))
}

/// Opens the database of a running node for reading.
pub(in crate::node) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = open_existing(path)?;
    // SQLite opens the log at the first read. After that, the names of the
    // files are not used any more.
    schema::generation(&connection)?;
    Ok(connection)
}

fn open_existing(path: &Path) -> rusqlite::Result<Connection> {
    // A reader may have to create the index of the write-ahead log, so the
    // file is not opened read-only.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.busy_timeout(schema::BUSY_TIMEOUT)?;
    Ok(connection)
}

/// The time of a file's last change, its length, and the length of its log.
#[derive(PartialEq, Eq, Debug)]
pub(in crate::node) struct FileState(SystemTime, u64, u64);

impl FileState {
    pub(in crate::node) fn of(path: &Path) -> io::Result<Self> {
        let file = fs::metadata(path)?;
        let log = match fs::metadata(log_path(path)?) {
            Ok(log) => log.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        Ok(Self(file.modified()?, file.len(), log))
    }
}

/// Opens an existing database for reading, also where nothing can be written.
/// A database that could not be locked must still have the returned state once
/// it was read.
pub(in crate::node) fn open_for_export(
    path: &Path,
) -> Result<(Connection, i64, Option<FileState>), DatabaseProblem> {
    let connection = open_existing(path)?;
    match schema::version(&connection) {
        Ok(version) => return Ok((connection, version, None)),
        Err(DatabaseProblem::ReadOnly | DatabaseProblem::CannotOpen) => {}
        Err(problem) => return Err(problem),
    }
    // SQLite needs a log and its index, and cannot create them here. Without a
    // log, the file holds everything, and can be read as one that never changes.
    let state = FileState::of(path).map_err(|_| DatabaseProblem::CannotOpen)?;
    if state.2 > 0 {
        return Err(DatabaseProblem::LogNeedsFolder);
    }
    let absolute = std::path::absolute(path).map_err(|_| DatabaseProblem::CannotOpen)?;
    let mut url = Url::from_file_path(absolute).map_err(|()| DatabaseProblem::CannotOpen)?;
    url.set_query(Some("immutable=1"));
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(url.as_str(), flags)?;
    let version = schema::version(&connection)?;
    Ok((connection, version, Some(state)))
}

/// Checks that the chain was made under this rule and difficulty. A new
/// database stores them.
fn check_rule(connection: &Connection, path: &Path, config: &NodeConfig) -> Result<(), NodeError> {
    let path = path.to_owned();
    let stored = |key, value: &str| {
        schema::meta_or_insert(connection, key, value).map_err(|error| NodeError::Database {
            path: path.clone(),
            problem: error.into(),
        })
    };
    let (rule, target) = (config.rule, config.target);
    let found = stored("rule", rule.name())?;
    if found != rule.name() {
        let asked = rule;
        return Err(NodeError::OtherRule { path, found, asked });
    }
    let bits = stored("difficulty bits", &target.bits().to_string())?;
    match bits.parse().map(Target::from_bits) {
        Ok(Ok(found)) if found == target => Ok(()),
        Ok(Ok(found)) => Err(NodeError::OtherDifficulty {
            path,
            found,
            asked: target,
        }),
        _ => Err(NodeError::Damaged {
            path,
            what: format!("its difficulty is {bits:?}"),
        }),
    }
}
