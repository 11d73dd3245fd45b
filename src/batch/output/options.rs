//! Where a chain is written, and how.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::OutputError;
use crate::batch::destination::{Destination, FileError, Overwrite};
use crate::batch::journal::file::journal_path;
use crate::batch::options::MineOptions;
use crate::chain::Format;

/// Whether a finished chain is verified before it gets its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ReadBack {
    /// It is read back and verified.
    #[default]
    Verify,
    /// It is not read back.
    Skip,
}

/// What to do about the journal of an interrupted run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Resume {
    /// Fail if there is one.
    #[default]
    Never,
    /// Resume from it, if there is one. Its rewards must go to the recipient
    /// that the options name.
    SameRecipient,
    /// Resume from it, if there is one. Further rewards go to the recipient in
    /// the journal, not to the one that the options name.
    JournalsRecipient,
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
    /// What to do about the journal of an interrupted run.
    pub resume: Resume,
}

impl OutputOptions {
    /// Checks whether the file can be written now, without creating anything.
    ///
    /// # Errors
    /// If the file exists and must not be replaced, if its name is not that of a
    /// plain file, or if there is a journal that must not be resumed from.
    pub fn check(&self) -> Result<(), OutputError> {
        let paths = OutputPaths::new(&self.path)?;
        let journal_bytes = paths.journal_bytes();
        let may_be_finished = self.resume != Resume::Never && journal_bytes == 0;
        if paths.chain.exists && self.overwrite == Overwrite::Never && !may_be_finished {
            return Err(paths.chain.exists_error().into());
        }
        self.check_journal(&paths, journal_bytes)
    }

    /// The recipient of the rewards in a journal, if it must be a certain one.
    pub(super) fn expected_recipient<'a>(&self, options: &'a MineOptions) -> Option<&'a str> {
        (self.resume != Resume::JournalsRecipient).then_some(&options.recipient)
    }

    /// Fails if there is a journal that must not be resumed from.
    pub(super) fn check_journal(&self, paths: &OutputPaths, bytes: u64) -> Result<(), OutputError> {
        if bytes == 0 || self.resume != Resume::Never {
            return Ok(());
        }
        let journal = paths.journal.clone();
        Err(OutputError::JournalExists { journal, bytes })
    }
}

/// The chain file and its journal.
#[derive(Debug)]
pub(super) struct OutputPaths {
    pub(super) chain: Destination,
    pub(super) journal: PathBuf,
}

impl OutputPaths {
    pub(super) fn new(named: &Path) -> Result<Self, FileError> {
        let chain = Destination::new(named)?;
        Ok(Self {
            journal: journal_path(&chain.path),
            chain,
        })
    }

    pub(super) fn journal_bytes(&self) -> u64 {
        fs::metadata(&self.journal).map_or(0, |journal| journal.len())
    }
}
