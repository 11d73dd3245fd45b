//! Files that exist under their name only when they are complete.
//!
//! The text is written to a hidden file beside the named one, which is synced
//! and then renamed. Whatever ends the program before that leaves the named file
//! unchanged.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use tempfile::NamedTempFile;

use super::destination::{Destination, FileError, Overwrite, folder_of};

/// A file that exists under its name only when it is complete.
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
    /// Starts the file `named`. A link is followed: the file it points to is
    /// replaced, not the link.
    ///
    /// # Errors
    /// If something has the name that must not be replaced, or the system
    /// reports an error.
    pub fn create(named: &Path, overwrite: Overwrite) -> Result<Self, FileError> {
        let destination = Destination::new(named)?;
        if destination.exists && overwrite == Overwrite::Never {
            return Err(destination.exists_error());
        }
        // Part of the name is enough to recognize it, and leaves room for the rest
        // where a name may have 255 bytes.
        let name = destination.path.file_name().unwrap_or_default();
        let name: String = name.to_string_lossy().chars().take(32).collect();
        let prefix = format!(".{name}.");
        let mut options = File::options();
        options.read(true).write(true).create_new(true);
        #[cfg(unix)]
        if destination.exists {
            // The file that it replaces may be private. It gets that file's
            // permissions when it is complete.
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let temporary = tempfile::Builder::new()
            .prefix(&prefix)
            .suffix(".partial")
            // The default error would name the hidden file.
            .make_in(folder_of(&destination.path), |hidden| options.open(hidden))
            .map_err(|error| destination.io_error(error))?;
        Ok(Self {
            destination,
            temporary,
            overwrite,
        })
    }

    /// Its name, as it was given.
    pub fn named(&self) -> &Path {
        &self.destination.named
    }

    /// The hidden file that is written to. It is removed when this value is
    /// dropped, but not when the process exits.
    pub fn hidden(&self) -> &Path {
        self.temporary.path()
    }

    /// The hidden file, for writing.
    pub fn as_file(&self) -> &File {
        self.temporary.as_file()
    }

    /// Appends `contents`.
    ///
    /// # Errors
    /// If the system reports an error.
    pub fn write_all(&self, contents: &[u8]) -> Result<(), FileError> {
        self.as_file()
            .write_all(contents)
            .map_err(|error| self.destination.io_error(error))
    }

    /// Opens the hidden file for reading.
    ///
    /// # Errors
    /// If the system reports an error.
    pub fn reopen(&self) -> Result<File, FileError> {
        self.temporary
            .reopen()
            .map_err(|error| self.destination.io_error(error))
    }

    /// Syncs the file, and gives it its name and the permissions of the file that
    /// it replaces.
    ///
    /// # Errors
    /// If the system reports an error, or a file was created meanwhile that must
    /// not be replaced. Only with [`FileError::NameNotSynced`] is the file there.
    pub fn commit(self) -> Result<(), FileError> {
        let fail = |error| self.destination.io_error(error);
        if self.overwrite == Overwrite::Replace {
            let file = self.temporary.as_file();
            self.destination.copy_permissions(file, 0).map_err(fail)?;
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
