//! Why a chain file was not written.

use std::fmt;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::batch::commas::with_commas;
use crate::batch::destination::FileError;
use crate::batch::journal::error::ResumeError;
use crate::batch::pipeline::MineError;
use crate::chain::{Fault, VerifyError};

/// Why a chain file was not written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OutputError {
    /// The file cannot be created.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file exists, must not be replaced, and is not the chain of these
    /// queues.
    #[error("{} exists, and is not what mining {queues} gives", path.display())]
    Differs {
        /// The file.
        path: PathBuf,
        /// The name of the queue, or "these queues".
        queues: String,
    },
    /// The file exists and cannot be compared with the queues.
    #[error("cannot read {}, to compare it with the queues", path.display())]
    Compare {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// There is a journal, and the options say not to resume.
    #[error("{} holds {} bytes of interrupted work", journal.display(), with_commas(&bytes.to_string()))]
    JournalExists {
        /// The journal.
        journal: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// Another process, or another thread, is writing the file.
    #[error("another process is mining into {}: it holds {}", path.display(), journal.display())]
    InUse {
        /// The file.
        path: PathBuf,
        /// Its journal, which is locked.
        journal: PathBuf,
    },
    /// Mining cannot resume from the journal.
    #[error("cannot resume from {}", journal.display())]
    Resume {
        /// The journal, which was not changed.
        journal: PathBuf,
        /// What is wrong.
        source: Box<ResumeError>,
    },
    /// Mining failed.
    #[error(transparent)]
    Mine(MineError),
    /// What was written cannot be read back as a chain.
    #[error("what was written to {} cannot be read back", path.display())]
    ReadBack {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: VerifyError,
    },
    /// The chain that was read back is not valid: the disk or the memory failed.
    #[error("what was written to {} does not verify: {fault}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        fault: Fault,
    },
    /// The threads that verify cannot be started.
    #[error("cannot start the threads that verify")]
    Threads(#[source] io::Error),
}

/// Why a chain was not finished, and what is kept of it.
#[derive(Debug)]
pub struct Unfinished {
    /// The reason.
    pub error: Box<OutputError>,
    /// The journal, if it holds more than the genesis block.
    pub kept: Option<KeptJournal>,
}

impl Unfinished {
    /// Whether the work was cancelled.
    pub fn is_cancelled(&self) -> bool {
        matches!(
            *self.error,
            OutputError::Mine(MineError::Cancelled)
                | OutputError::ReadBack {
                    source: VerifyError::Cancelled,
                    ..
                }
        )
    }
}

/// A journal to resume from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeptJournal {
    /// The journal's file.
    pub journal: PathBuf,
    /// Whole blocks in it, including the genesis block; `None` if it was not
    /// read to its end. Then it was not changed.
    pub blocks: Option<u64>,
}

impl From<OutputError> for Unfinished {
    /// Nothing is kept.
    fn from(error: OutputError) -> Self {
        Self {
            error: Box::new(error),
            kept: None,
        }
    }
}

impl fmt::Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Unfinished {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}
