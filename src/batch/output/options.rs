//! Where a chain is written, and what may be in the way.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::OutputError;
use crate::batch::destination::{Destination, FileError, Overwrite};
use crate::batch::journal::file::journal_path;
use crate::batch::journal::replay::Rewards;
use crate::chain::Format;

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
        if target.chain.exists && self.overwrite == Overwrite::Never && !may_be_finished {
            return Err(target.chain.exists_error().into());
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
    pub(super) chain: Destination,
    pub(super) journal: PathBuf,
}

impl Target {
    pub(super) fn of(named: &Path) -> Result<Self, OutputError> {
        let chain = Destination::of(named)?;
        Ok(Self {
            journal: journal_path(&chain.path),
            chain,
        })
    }

    pub(super) fn differs_error(&self, queues: String) -> OutputError {
        OutputError::Differs {
            path: self.chain.named().to_owned(),
            queues,
        }
    }

    /// The chain that is there cannot be read.
    pub(super) fn compare_error(&self, source: io::Error) -> OutputError {
        OutputError::Compare {
            path: self.chain.named().to_owned(),
            source,
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
            path: self.chain.named().to_owned(),
            journal: self.journal.clone(),
        }
    }

    /// The journal cannot be read or written.
    pub(super) fn io_error(&self, source: io::Error) -> OutputError {
        let path = self.journal.clone();
        FileError::Io { path, source }.into()
    }
}
