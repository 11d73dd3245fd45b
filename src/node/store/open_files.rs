//! Whether the files under the database's names are still the open ones.
//!
//! A system keeps a file that was removed or replaced while it is open. SQLite
//! would go on committing to it, and nobody would find those commits again.
//! The names are only looked up: if this process opened and closed a file itself,
//! it would drop the POSIX locks that SQLite has on it.

use std::fs;
use std::io;
use std::path::{self, Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::{Connection, ffi};

use crate::node::database_problem::DatabaseProblem;

/// Tells a file from all others that exist.
type Identity = [u64; 2];

/// The open files of the database: the database itself and its log.
#[derive(Debug)]
pub(in crate::node) struct OpenFiles {
    files: Vec<(PathBuf, Identity)>,
    /// Never cleared, because a file that is put back may lack what was
    /// committed meanwhile.
    is_lost: AtomicBool,
}

impl OpenFiles {
    /// The files of the database at `path`, which `connection` has read. SQLite
    /// then keeps both open, and removes the log only when it closes the last
    /// connection.
    pub(super) fn of(connection: &Connection, path: &Path) -> rusqlite::Result<Self> {
        let mut paths = vec![path::absolute(path).map_err(|error| unknown(path, &error))?];
        // Where the file system has no shared memory, SQLite uses no log.
        let journal: String = connection.pragma_query_value(None, "journal_mode", |r| r.get(0))?;
        if journal == "wal" {
            paths.push(log_path(path).map_err(|error| unknown(path, &error))?);
        }
        let files = paths
            .into_iter()
            .map(|path| match identity(&path) {
                Ok(identity) => Ok((path, identity)),
                Err(error) => Err(unknown(&path, &error)),
            })
            .collect::<rusqlite::Result<_>>()?;
        Ok(Self {
            files,
            is_lost: AtomicBool::new(false),
        })
    }

    /// Fails if a file is no longer the one under its name, and from then on
    /// always. The first failure is logged.
    pub(in crate::node) fn check(&self) -> rusqlite::Result<()> {
        if self.is_lost() {
            return Err(lost());
        }
        for (path, identity) in &self.files {
            match self::identity(path) {
                Ok(found) if found == *identity => {}
                // The name cannot be looked up, which proves nothing.
                Err(error) if !is_absent(&error) => return Err(unknown(path, &error)),
                _ => {
                    if !self.is_lost.swap(true, Ordering::Relaxed) {
                        tracing::error!(
                            file = %path.display(),
                            "the file was removed or replaced while it was open; changes get 503 \
                             from now on; save the chain with GET /chain, then start the node again"
                        );
                    }
                    return Err(lost());
                }
            }
        }
        Ok(())
    }

    pub(in crate::node) fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::Relaxed)
    }

    /// Whether the database itself is under its name.
    pub(super) fn has_database(&self) -> bool {
        let (path, known) = &self.files[0];
        identity(path).is_ok_and(|found| found == *known)
    }
}

/// The name of the database's log. SQLite follows links before it appends to
/// the name.
pub(super) fn log_path(database: &Path) -> io::Result<PathBuf> {
    let mut path = fs::canonicalize(database)?.into_os_string();
    path.push("-wal");
    Ok(path.into())
}

#[cfg(unix)]
fn identity(path: &Path) -> io::Result<Identity> {
    use std::os::unix::fs::MetadataExt as _;

    let file = fs::metadata(path)?;
    Ok([file.dev(), file.ino()])
}

/// Windows neither removes nor renames files that SQLite has open.
#[cfg(not(unix))]
fn identity(path: &Path) -> io::Result<Identity> {
    fs::metadata(path).map(|_| [0; 2])
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

fn lost() -> rusqlite::Error {
    let code = ffi::Error::new(DatabaseProblem::LOST);
    rusqlite::Error::SqliteFailure(code, None)
}

fn unknown(path: &Path, error: &io::Error) -> rusqlite::Error {
    let code = ffi::Error::new(ffi::SQLITE_IOERR_FSTAT);
    let text = format!("looking up {}: {error}", path.display());
    rusqlite::Error::SqliteFailure(code, Some(text))
}
