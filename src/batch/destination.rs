//! Where a file is to be written, and what may be in the way.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// What to do about a file that already has the name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Overwrite {
    /// Refuse.
    #[default]
    Never,
    /// Replace it, once the new file is whole.
    Replace,
}

impl Overwrite {
    /// What an option `--force` asks for, given or not.
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
    /// It exists, and may not be replaced.
    #[error("{} exists; --force replaces it", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Something that is no plain file has its name.
    #[error("{} is {what}, not a plain file", path.display())]
    NotAFile {
        /// The name.
        path: PathBuf,
        /// What is there.
        what: &'static str,
    },
    /// It has the name of a journal.
    #[error(
        "{} is the name of a journal, and journals are never overwritten; name another file",
        path.display()
    )]
    Journal {
        /// The name.
        path: PathBuf,
    },
    /// The system refuses.
    #[error("cannot write {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is there, but its folder was not synced.
    #[error(
        "{} is written, but after a power cut it may be gone: its folder cannot be synced",
        path.display()
    )]
    NameNotSynced {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// What a name stands for: a plain file, there or not, in a folder that is.
#[derive(Debug)]
pub(super) struct Destination {
    /// As it was given.
    named: PathBuf,
    /// The file itself: a link is followed, for what it leads to is replaced,
    /// not the link.
    pub(super) path: PathBuf,
    pub(super) exists: bool,
}

impl Destination {
    pub(super) fn of(named: &Path) -> Result<Self, FileError> {
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
                // The link is there, what it leads to is not.
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
        // Even if nothing has the name yet: somebody may be about to mine there.
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

    /// The name as it was given.
    pub(super) fn named(&self) -> &Path {
        &self.named
    }

    pub(super) fn folder(&self) -> &Path {
        folder_of(&self.path)
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

    /// Why the file did not get its name.
    pub(super) fn rename_error(&self, error: io::Error) -> FileError {
        match error.kind() {
            // It came to be in the meantime.
            io::ErrorKind::AlreadyExists => self.exists_error(),
            _ => self.io_error(error),
        }
    }

    /// Gives `file` the permissions of the file that is there, if there is one,
    /// and those in the mode `further`.
    #[cfg(unix)]
    pub(super) fn hand_on_permissions(&self, file: &File, further: u32) -> io::Result<()> {
        use std::os::unix::fs::PermissionsExt as _;

        // Without the bits that change what a program may do.
        let mode_of = |found: fs::Metadata| found.permissions().mode() & 0o777;
        let mode = match fs::metadata(&self.path) {
            Ok(replaced) => mode_of(replaced) | further,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        // File systems without permissions refuse to change them.
        if mode_of(file.metadata()?) == mode {
            return Ok(());
        }
        file.set_permissions(fs::Permissions::from_mode(mode))
    }

    /// Elsewhere, the folder decides who may do what.
    #[cfg(not(unix))]
    pub(super) fn hand_on_permissions(&self, _file: &File, _further: u32) -> io::Result<()> {
        Ok(())
    }

    /// Makes the name last through a power cut.
    pub(super) fn sync_name(&self) -> Result<(), FileError> {
        sync_folder(self.folder()).map_err(|source| FileError::NameNotSynced {
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

/// Makes what was named in a folder last through a power cut, as far as that
/// can be asked for: the file itself is as good without it.
#[cfg(unix)]
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        Err(error) if cannot_be_asked(error.kind()) => Ok(()),
        synced => synced,
    }
}

/// Whether it says that a folder may be written but not read, and so not
/// opened, or that its file system syncs none.
#[cfg(unix)]
const fn cannot_be_asked(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    matches!(kind, PermissionDenied | InvalidInput | Unsupported)
}

/// Other systems have no such call.
#[cfg(not(unix))]
pub(super) fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_leads_nowhere_only_if_nothing_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let link = |from, to| {
            let path = folder.path().join(from);
            symlink(to, &path).unwrap();
            Destination::of(&path).unwrap_err()
        };
        let error = link("astray", "nothing");
        assert!(matches!(error, FileError::NotAFile { .. }), "{error:?}");
        let error = link("loop", "loop");
        assert!(matches!(error, FileError::Io { .. }), "{error:?}");
    }

    #[test]
    fn a_folder_whose_sync_fails_is_told_apart_from_one_that_has_none() {
        // The same on all of Unix: EPERM, EIO, EACCES, EINVAL.
        let kinds = [1, 5, 13, 22].map(|code| io::Error::from_raw_os_error(code).kind());
        assert_eq!(kinds.map(cannot_be_asked), [true, false, true, true]);
        assert!(cannot_be_asked(io::ErrorKind::Unsupported));
    }

    #[test]
    fn a_file_whose_folder_cannot_be_synced_is_said_to_be_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chain.json");
        let destination = Destination::of(&path).unwrap();
        destination.sync_name().unwrap();
        folder.close().unwrap();
        let said = destination.sync_name().unwrap_err().to_string();
        let start = format!("{} is written, but ", path.display());
        assert!(said.starts_with(&start), "{said}");
    }
}
