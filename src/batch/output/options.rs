//! Where a chain is written, and what may be in the way.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::OutputError;
use crate::batch::journal::file::journal_path;
use crate::batch::journal::replay::Rewards;
use crate::chain::Format;

/// What to do about a file that already has the output's name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Overwrite {
    /// Refuse.
    #[default]
    Never,
    /// Replace it, once the new file is whole.
    Replace,
}

/// Whether a finished chain is read back before it gets its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ReadBack {
    /// Read back and verified.
    #[default]
    Verify,
    /// Trusted.
    Skip,
}

/// What to do about the journal of interrupted work.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Resume {
    /// Refuse to start where there is one.
    #[default]
    Never,
    /// Go on with it, if there is one: its rewards must go to the recipient
    /// that the options name.
    SameRecipient,
    /// Go on with it, if there is one: further rewards go to whoever got
    /// those that are in it, instead of the recipient that the options name.
    JournalsRecipient,
}

impl Resume {
    pub(super) const fn rewards(self) -> Rewards {
        match self {
            Self::Never | Self::SameRecipient => Rewards::AsOptions,
            Self::JournalsRecipient => Rewards::AsJournal,
        }
    }
}

/// Where a chain is written, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutputOptions {
    /// The file.
    pub path: PathBuf,
    /// Its format.
    pub format: Format,
    /// What to do if it exists.
    pub overwrite: Overwrite,
    /// Whether to verify it.
    pub read_back: ReadBack,
    /// What to do if interrupted work left a journal.
    pub resume: Resume,
}

impl OutputOptions {
    /// Whether the file could be made now, by all that can be told without
    /// making it.
    ///
    /// # Errors
    /// If it exists and may not be replaced, if something else has its name,
    /// or if there is a journal that is not to be gone on with.
    pub fn check(&self) -> Result<(), OutputError> {
        let target = Target::of(&self.path)?;
        let journal_bytes = fs::metadata(&target.journal).map_or(0, |journal| journal.len());
        let may_be_finished = self.resume != Resume::Never && journal_bytes == 0;
        if target.exists && self.overwrite == Overwrite::Never && !may_be_finished {
            return Err(target.exists_error());
        }
        if journal_bytes > 0 && self.resume == Resume::Never {
            return Err(target.journal_error(journal_bytes));
        }
        Ok(())
    }
}

/// The file that is to become the chain.
#[derive(Debug)]
pub(super) struct Target {
    /// As it was named.
    named: PathBuf,
    /// The file itself: a link is followed, for what it points to is
    /// replaced, not the link.
    pub(super) path: PathBuf,
    pub(super) journal: PathBuf,
    pub(super) exists: bool,
}

impl Target {
    pub(super) fn of(named: &Path) -> Result<Self, OutputError> {
        let not_a_file = |what| OutputError::NotAFile {
            path: named.to_owned(),
            what,
        };
        let fail = |source| OutputError::Io {
            path: named.to_owned(),
            source,
        };
        let (path, exists) = match fs::metadata(named) {
            Ok(metadata) if metadata.is_dir() => return Err(not_a_file("a directory")),
            Ok(metadata) if !metadata.is_file() => return Err(not_a_file("a device or a pipe")),
            Ok(_) => (fs::canonicalize(named).map_err(fail)?, true),
            // The link is there, what it points to is not.
            Err(_) if fs::symlink_metadata(named).is_ok_and(|link| link.is_symlink()) => {
                return Err(not_a_file("a link that leads nowhere"));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => (named.to_owned(), false),
            Err(error) => return Err(fail(error)),
        };
        let ends_in_separator = named.as_os_str().as_encoded_bytes().last() == Some(&b'/');
        if path.file_name().is_none() || ends_in_separator {
            let error = io::Error::new(io::ErrorKind::InvalidInput, "it names no file");
            return Err(fail(error));
        }
        let folder = folder_of(&path);
        if !folder.is_dir() {
            let problem = format!("there is no folder {}", folder.display());
            return Err(fail(io::Error::new(io::ErrorKind::NotFound, problem)));
        }
        Ok(Self {
            named: named.to_owned(),
            journal: journal_path(&path),
            path,
            exists,
        })
    }

    pub(super) fn exists_error(&self) -> OutputError {
        OutputError::Exists {
            path: self.named.clone(),
        }
    }

    pub(super) fn journal_error(&self, bytes: u64) -> OutputError {
        OutputError::JournalExists {
            journal: self.journal.clone(),
            bytes,
        }
    }

    pub(super) fn in_use_error(&self) -> OutputError {
        OutputError::InUse {
            path: self.named.clone(),
            journal: self.journal.clone(),
        }
    }

    pub(super) fn io_error(&self, source: io::Error) -> OutputError {
        OutputError::Io {
            path: self.named.clone(),
            source,
        }
    }
}

/// The folder of a file.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
