//! A file that is whole under its name, or not there at all.
//!
//! What is written goes to a hidden file beside the one that was named, which
//! is synced and only then renamed. Whatever ends the program before that
//! leaves the named file as it was.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use thiserror::Error;

use super::Overwrite;

/// Why there is no such file.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WholeFileError {
    /// It exists, and may not be replaced.
    #[error("{} exists; --force replaces it", .0.display())]
    Exists(PathBuf),
    /// Something that is no plain file has its name.
    #[error("{} is {what}, not a plain file", path.display())]
    NotAFile {
        /// The name.
        path: PathBuf,
        /// What is there.
        what: &'static str,
    },
    /// The system refuses.
    #[error("cannot write {}", path.display())]
    Io {
        /// The name.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A file that is being written.
///
/// ```
/// use std::io::Write as _;
/// use fourzero::batch::{Overwrite, WholeFile};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("out.txt");
/// let file = WholeFile::create(&path, Overwrite::Never)?;
/// file.as_file().write_all(b"all of it")?;
/// assert!(!path.exists());
/// file.commit()?;
/// assert_eq!(std::fs::read(&path)?, b"all of it");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct WholeFile {
    /// As it was named.
    named: PathBuf,
    /// What gets the new contents: the end of the links, if it is one.
    target: PathBuf,
    temporary: NamedTempFile,
    overwrite: Overwrite,
}

impl WholeFile {
    /// Starts a file that is to be called `named`. A link is followed: what it
    /// leads to is replaced, not the link.
    ///
    /// # Errors
    /// If the name is taken by something that may not be replaced, or the
    /// system refuses.
    pub fn create(named: &Path, overwrite: Overwrite) -> Result<Self, WholeFileError> {
        let fail = |source| WholeFileError::Io {
            path: named.to_owned(),
            source,
        };
        let target = target(named, overwrite)?;
        let is_folder = named.as_os_str().as_encoded_bytes().ends_with(b"/");
        let Some(name) = target.file_name().filter(|_| !is_folder) else {
            let kind = io::ErrorKind::InvalidInput;
            return Err(fail(io::Error::new(kind, "it names no file")));
        };
        let folder = folder(&target);
        if !folder.is_dir() {
            let problem = format!("there is no folder {}", folder.display());
            return Err(fail(io::Error::new(io::ErrorKind::NotFound, problem)));
        }
        // A part of the name is enough to know it by, and leaves room for the
        // rest where names may take 255 bytes.
        let name: String = name.to_string_lossy().chars().take(32).collect();
        let prefix = format!(".{name}.");
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).suffix(".partial");
        #[cfg(unix)]
        {
            // As for any new file; the umask applies.
            use std::os::unix::fs::PermissionsExt as _;
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        let temporary = builder
            .tempfile_in(folder)
            // Without the name of the hidden file, which nobody gave.
            .map_err(|error| fail(error.kind().into()))?;
        Ok(Self {
            named: named.to_owned(),
            target,
            temporary,
            overwrite,
        })
    }

    /// What is to be written to.
    pub fn as_file(&self) -> &File {
        self.temporary.as_file()
    }

    /// Opens what was written so far for reading.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn reopen(&self) -> Result<File, WholeFileError> {
        self.temporary.reopen().map_err(|error| self.failed(error))
    }

    /// Makes what was written last, and gives it its name.
    ///
    /// # Errors
    /// If the system refuses, or the name was taken in the meantime and may
    /// not be replaced.
    pub fn commit(self) -> Result<(), WholeFileError> {
        let Self {
            named,
            target,
            temporary,
            overwrite,
        } = self;
        let fail = |source| WholeFileError::Io {
            path: named.clone(),
            source,
        };
        temporary.as_file().sync_all().map_err(fail)?;
        let renamed = match overwrite {
            Overwrite::Replace => temporary.persist(&target),
            Overwrite::Never => temporary.persist_noclobber(&target),
        };
        match renamed {
            Ok(_) => sync_folder(folder(&target)).map_err(fail),
            Err(failure) if failure.error.kind() == io::ErrorKind::AlreadyExists => {
                Err(WholeFileError::Exists(named))
            }
            Err(failure) => Err(fail(failure.error)),
        }
    }

    fn failed(&self, source: io::Error) -> WholeFileError {
        WholeFileError::Io {
            path: self.named.clone(),
            source,
        }
    }
}

/// The file that `named` stands for.
fn target(named: &Path, overwrite: Overwrite) -> Result<PathBuf, WholeFileError> {
    let no_file = |what| WholeFileError::NotAFile {
        path: named.to_owned(),
        what,
    };
    let fail = |source| WholeFileError::Io {
        path: named.to_owned(),
        source,
    };
    match fs::metadata(named) {
        Ok(found) if found.is_dir() => Err(no_file("a directory")),
        Ok(found) if !found.is_file() => Err(no_file("a device or a pipe")),
        Ok(_) if overwrite == Overwrite::Never => Err(WholeFileError::Exists(named.to_owned())),
        Ok(_) => fs::canonicalize(named).map_err(fail),
        // The link is there, what it leads to is not.
        Err(_) if fs::symlink_metadata(named).is_ok_and(|link| link.is_symlink()) => {
            Err(no_file("a link that leads nowhere"))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(named.to_owned()),
        Err(error) => Err(fail(error)),
    }
}

/// The folder of a file.
fn folder(file: &Path) -> &Path {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Makes a rename last through a power cut.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Other systems have no such call.
#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}
