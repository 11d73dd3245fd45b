//! Checks whether a file can be written, and what already has its name.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// What to do if the file exists.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Overwrite {
    /// Fail.
    #[default]
    Never,
    /// Replace it once the new file is complete.
    Replace,
}

impl Overwrite {
    /// [`Self::Replace`] if `is_forced`.
    pub const fn forced(is_forced: bool) -> Self {
        if is_forced {
            Self::Replace
        } else {
            Self::Never
        }
    }
}

/// Why a file cannot be written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FileError {
    /// It exists and must not be replaced.
    #[error("{} exists", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Something other than a plain file has the name.
    #[error("{} is {what}, not a plain file", path.display())]
    NotAFile {
        /// The name.
        path: PathBuf,
        /// What is there.
        what: &'static str,
    },
    /// The name is that of a journal.
    #[error(
        "{} is the name of a journal, and journals are never overwritten; name another file",
        path.display()
    )]
    Journal {
        /// The name.
        path: PathBuf,
    },
    /// The system reports an error.
    #[error("cannot write {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file is written, but its folder was not synced.
    #[error(
        "{} is written, but after a power cut it may be gone: its folder cannot be synced",
        path.display()
    )]
    NameNotSynced {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

/// A plain file that may not exist yet, in a folder that exists.
#[derive(Debug)]
pub(super) struct Destination {
    /// The name as it was given.
    pub(super) named: PathBuf,
    /// The file itself. A link is followed, so that the file it points to is
    /// replaced, not the link.
    pub(super) path: PathBuf,
    pub(super) exists: bool,
}

impl Destination {
    pub(super) fn new(named: &Path) -> Result<Self, FileError> {
        let not_a_file = |what| FileError::NotAFile {
            path: named.to_owned(),
            what,
        };
        let fail = |source| FileError::Io {
            path: named.to_owned(),
            source,
        };
        let (path, exists) = match fs::metadata(named) {
            Ok(found) if found.is_dir() => return Err(not_a_file("a directory")),
            Ok(found) if !found.is_file() => return Err(not_a_file("a device or a pipe")),
            Ok(_) => (fs::canonicalize(named).map_err(fail)?, true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // The link exists, its target does not.
                if fs::symlink_metadata(named).is_ok_and(|link| link.is_symlink()) {
                    return Err(not_a_file("a link that leads nowhere"));
                }
                (named.to_owned(), false)
            }
            Err(error) => return Err(fail(error)),
        };
        let is_folder = named.as_os_str().as_encoded_bytes().ends_with(b"/");
        if path.file_name().is_none() || is_folder {
            let kind = io::ErrorKind::InvalidInput;
            return Err(fail(io::Error::new(kind, "it names no file")));
        }
        // Even if it does not exist yet: a chain may be mined beside it later.
        let ending = path.extension();
        if ending.is_some_and(|ending| ending.eq_ignore_ascii_case("journal")) {
            let path = named.to_owned();
            return Err(FileError::Journal { path });
        }
        let folder = folder_of(&path);
        if !folder.is_dir() {
            let problem = format!("there is no folder {}", folder.display());
            return Err(fail(io::Error::new(io::ErrorKind::NotFound, problem)));
        }
        Ok(Self {
            named: named.to_owned(),
            path,
            exists,
        })
    }

    pub(super) fn exists_error(&self) -> FileError {
        FileError::Exists {
            path: self.named.clone(),
        }
    }

    pub(super) fn io_error(&self, source: io::Error) -> FileError {
        FileError::Io {
            path: self.named.clone(),
            source,
        }
    }

    /// The error of renaming a file to this one.
    pub(super) fn rename_error(&self, error: io::Error) -> FileError {
        match error.kind() {
            // It was created meanwhile.
            io::ErrorKind::AlreadyExists => self.exists_error(),
            _ => self.io_error(error),
        }
    }

    /// Gives `file` the permissions of the existing file, if there is one, plus
    /// those in the mode `further`.
    #[cfg(unix)]
    pub(super) fn copy_permissions(&self, file: &File, further: u32) -> io::Result<()> {
        use std::os::unix::fs::PermissionsExt as _;

        // Without setuid, setgid and sticky bits.
        let mode_of = |found: fs::Metadata| found.permissions().mode() & 0o777;
        let mode = match fs::metadata(&self.path) {
            Ok(replaced) => mode_of(replaced) | further,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        // File systems without permissions fail to change them.
        if mode_of(file.metadata()?) == mode {
            return Ok(());
        }
        file.set_permissions(fs::Permissions::from_mode(mode))
    }

    /// Elsewhere, the folder decides about permissions.
    #[cfg(not(unix))]
    pub(super) fn copy_permissions(&self, _file: &File, _further: u32) -> io::Result<()> {
        Ok(())
    }

    /// Makes the name survive a power cut.
    pub(super) fn sync_name(&self) -> Result<(), FileError> {
        sync_folder(folder_of(&self.path)).map_err(|source| FileError::NameNotSynced {
            path: self.named.clone(),
            source,
        })
    }
}

/// The folder of a file.
pub(super) fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Makes the names in a folder survive a power cut, if the system can do that.
#[cfg(unix)]
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        Err(error) if cannot_sync_folders(error.kind()) => Ok(()),
        synced => synced,
    }
}

/// Whether the error means that the folder may not be opened for reading, or
/// that its file system does not sync folders.
#[cfg(unix)]
const fn cannot_sync_folders(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    matches!(kind, PermissionDenied | InvalidInput | Unsupported)
}

/// Other systems cannot sync a folder.
#[cfg(not(unix))]
pub(super) fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_to_a_missing_file_differs_from_a_loop() {
        let folder = tempfile::tempdir().unwrap();
        let link = |from, to| {
            let path = folder.path().join(from);
            symlink(to, &path).unwrap();
            Destination::new(&path).unwrap_err()
        };
        let error = link("astray", "nothing");
        assert!(matches!(error, FileError::NotAFile { .. }), "{error:?}");
        let error = link("loop", "loop");
        assert!(matches!(error, FileError::Io { .. }), "{error:?}");
    }

    #[test]
    fn folders_that_cannot_be_synced_are_no_error() {
        // The same on all of Unix: EPERM, EIO, EACCES, EINVAL.
        let kinds = [1, 5, 13, 22].map(|code| io::Error::from_raw_os_error(code).kind());
        assert_eq!(kinds.map(cannot_sync_folders), [true, false, true, true]);
        assert!(cannot_sync_folders(io::ErrorKind::Unsupported));
    }

    #[test]
    fn the_error_of_syncing_the_folder_says_that_the_file_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chain.json");
        let destination = Destination::new(&path).unwrap();
        destination.sync_name().unwrap();
        folder.close().unwrap();
        let said = destination.sync_name().unwrap_err().to_string();
        let start = format!("{} is written, but ", path.display());
        assert!(said.starts_with(&start), "{said}");
    }
}
