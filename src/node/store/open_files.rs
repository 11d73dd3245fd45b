//! Whether the files under the database's names are still the open ones.
//!
//! A removed or replaced file stays usable while it is open. SQLite would keep
//! committing to it, and those commits would be lost.
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

/// A name and what it must stand for.
#[derive(Debug)]
struct OpenFile {
    path: PathBuf,
    /// Whether a link may have the name.
    links: Links,
    identity: Identity,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Links {
    Followed,
    /// A link that takes the place of a file does not stand for it: SQLite looks
    /// for the log beside the file that the link points to.
    NotFollowed,
}

/// The open files of the database: the database itself, its log, and the lock
/// that keeps other nodes away.
#[derive(Debug)]
pub(in crate::node) struct OpenFiles {
    files: Vec<OpenFile>,
    /// Never cleared, because a file that is put back may lack what was
    /// committed meanwhile.
    is_lost: AtomicBool,
}

impl OpenFiles {
    /// The files of the database at `path`, which `connection` has read. SQLite
    /// then keeps both open, and removes the log only when it closes the last
    /// connection.
    pub(super) fn of(connection: &Connection, path: &Path, lock: &Path) -> rusqlite::Result<Self> {
        // Where the file system has no shared memory, SQLite uses no log.
        let journal: String = connection.pragma_query_value(None, "journal_mode", |r| r.get(0))?;
        let files = || {
            let mut files = vec![
                OpenFile::new(path::absolute(path)?, Links::Followed)?,
                OpenFile::new(fs::canonicalize(path)?, Links::NotFollowed)?,
                OpenFile::new(path::absolute(lock)?, Links::Followed)?,
            ];
            if journal == "wal" {
                files.push(OpenFile::new(log_path(path)?, Links::NotFollowed)?);
            }
            Ok(files)
        };
        Ok(Self {
            files: files().map_err(|error| unknown(path, &error))?,
            is_lost: AtomicBool::new(false),
        })
    }

    /// Fails once a file was removed or replaced, and then every time. The first
    /// failure is logged.
    pub(in crate::node) fn check(&self) -> rusqlite::Result<()> {
        if self.is_lost() {
            return Err(lost());
        }
        for OpenFile {
            path,
            links,
            identity,
        } in &self.files
        {
            match identity_of(path, *links) {
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
        let database = &self.files[0];
        identity_of(&database.path, database.links).is_ok_and(|found| found == database.identity)
    }
}

impl OpenFile {
    fn new(path: PathBuf, links: Links) -> io::Result<Self> {
        let identity = identity_of(&path, links)?;
        Ok(Self {
            path,
            links,
            identity,
        })
    }
}

/// The name of the database's log. SQLite follows links before it appends to
/// the name.
pub(super) fn log_path(database: &Path) -> io::Result<PathBuf> {
    let mut path = fs::canonicalize(database)?.into_os_string();
    path.push("-wal");
    Ok(path.into())
}

fn identity_of(path: &Path, links: Links) -> io::Result<Identity> {
    let file = match links {
        Links::Followed => fs::metadata(path)?,
        Links::NotFollowed => fs::symlink_metadata(path)?,
    };
    Ok(identity(&file))
}

#[cfg(unix)]
fn identity(file: &fs::Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt as _;

    [file.dev(), file.ino()]
}

/// Windows neither removes nor renames files that SQLite has open.
#[cfg(not(unix))]
fn identity(_: &fs::Metadata) -> Identity {
    [0; 2]
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
