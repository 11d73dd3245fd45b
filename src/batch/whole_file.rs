//! A file that is whole under its name, or not there at all.
//!
//! What is written goes to a hidden file beside the one that was named, which
//! is synced and only then renamed. Whatever ends the program before that
//! leaves the named file as it was.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use tempfile::NamedTempFile;

use super::destination::{Destination, FileError, Overwrite};

/// A file that is being written.
///
/// ```
/// use fourzero::batch::{Overwrite, WholeFile};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("out.txt");
/// let file = WholeFile::create(&path, Overwrite::Never)?;
/// file.write_all(b"all of it")?;
/// assert!(!path.exists());
/// file.commit()?;
/// assert_eq!(std::fs::read(&path)?, b"all of it");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct WholeFile {
    destination: Destination,
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
    pub fn create(named: &Path, overwrite: Overwrite) -> Result<Self, FileError> {
        let destination = Destination::of(named)?;
        if destination.exists && overwrite == Overwrite::Never {
            return Err(destination.exists_error());
        }
        // A part of the name is enough to know it by, and leaves room for the
        // rest where names may take 255 bytes.
        let name = destination.path.file_name().unwrap_or_default();
        let name: String = name.to_string_lossy().chars().take(32).collect();
        let prefix = format!(".{name}.");
        let mut options = File::options();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        if destination.exists {
            // Until it gets the permissions of the file that it replaces, which
            // may be private. A new one is made as any file; the umask applies.
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let temporary = tempfile::Builder::new()
            .prefix(&prefix)
            .suffix(".partial")
            // Made by ourselves, for an error that is the system's own, without
            // the name of the hidden file, which nobody gave.
            .make_in(destination.folder(), |hidden| options.open(hidden))
            .map_err(|error| destination.io_error(error))?;
        Ok(Self {
            destination,
            temporary,
            overwrite,
        })
    }

    /// The name that it is to get, as it was given.
    pub fn named(&self) -> &Path {
        self.destination.named()
    }

    /// The hidden file that is written to until then. It goes with this value;
    /// whoever ends the program otherwise is to remove it.
    pub fn hidden(&self) -> &Path {
        self.temporary.path()
    }

    /// What is to be written to.
    pub fn as_file(&self) -> &File {
        self.temporary.as_file()
    }

    /// Appends `contents`.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn write_all(&self, contents: &[u8]) -> Result<(), FileError> {
        self.as_file()
            .write_all(contents)
            .map_err(|error| self.destination.io_error(error))
    }

    /// Opens what was written so far for reading.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn reopen(&self) -> Result<File, FileError> {
        self.temporary
            .reopen()
            .map_err(|error| self.destination.io_error(error))
    }

    /// Makes what was written last, and gives it its name, and the permissions
    /// of the file that it replaces.
    ///
    /// # Errors
    /// If the system refuses, or the name was taken in the meantime and may
    /// not be replaced. With [`FileError::NameNotSynced`] alone, the file is
    /// there.
    pub fn commit(self) -> Result<(), FileError> {
        let fail = |error| self.destination.io_error(error);
        if self.overwrite == Overwrite::Replace {
            let file = self.temporary.as_file();
            self.destination
                .hand_on_permissions(file, 0)
                .map_err(fail)?;
        }
        self.temporary.as_file().sync_all().map_err(fail)?;
        let renamed = match self.overwrite {
            Overwrite::Replace => self.temporary.persist(&self.destination.path),
            Overwrite::Never => self.temporary.persist_noclobber(&self.destination.path),
        };
        renamed.map_err(|failure| self.destination.rename_error(failure.error))?;
        self.destination.sync_name()
    }
}
