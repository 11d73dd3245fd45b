//! Why there is no output file.

use std::fmt;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::batch::destination::FileError;
use crate::batch::journal::error::ResumeError;
use crate::batch::pipeline::MineError;
use crate::chain::{Fault, VerifyError};

/// Why there is no output file.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OutputError {
    /// It cannot be made.
    #[error(transparent)]
    File(#[from] FileError),
    /// It exists, may not be replaced, and is not what work that goes on would
    /// come to.
    #[error(
        "{} exists, and is not what mining {queues} gives; --force replaces it",
        path.display()
    )]
    Differs {
        /// The file.
        path: PathBuf,
        /// What it was compared with, in words.
        queues: String,
    },
    /// It exists, and cannot be compared with what work that goes on would
    /// come to.
    #[error("cannot read {}, to compare it with the queues", path.display())]
    Compare {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is a journal, and it is not to be gone on with.
    #[error(
        "{} holds {} bytes of interrupted work; --resume goes on with it; to start over, \
         delete it", journal.display(), grouped(*bytes)
    )]
    JournalExists {
        /// The journal.
        journal: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// Somebody else is at work on it.
    #[error("another process is mining into {}: it holds {}", path.display(), journal.display())]
    InUse {
        /// The file.
        path: PathBuf,
        /// The journal, which the other has locked.
        journal: PathBuf,
    },
    /// The journal cannot be gone on with.
    #[error(
        "cannot go on with {}, which is left as it is (to start over, delete it)",
        journal.display()
    )]
    Resume {
        /// The journal.
        journal: PathBuf,
        /// What is wrong.
        source: ResumeError,
    },
    /// Mining failed.
    #[error(transparent)]
    Mine(MineError),
    /// The file that was written cannot be read back as a chain.
    #[error("what was written to {} cannot be read back", path.display())]
    ReadBack {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: VerifyError,
    },
    /// The chain that was read back is not valid: the disk or the memory
    /// failed.
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

impl OutputError {
    /// Whether the work was cancelled, which is nobody's fault.
    pub const fn is_cancelled(&self) -> bool {
        matches!(
            self,
            Self::Mine(MineError::Cancelled)
                | Self::ReadBack {
                    source: VerifyError::Cancelled,
                    ..
                }
        )
    }
}

/// A chain that was not finished: why, and what is kept of it.
#[derive(Debug)]
pub struct Unfinished {
    /// Why.
    pub error: Box<OutputError>,
    /// The journal, if there is one with anything in it that took work.
    pub kept: Option<Kept>,
}

impl Unfinished {
    /// Whether the work was cancelled, which is nobody's fault.
    pub fn is_cancelled(&self) -> bool {
        self.error.is_cancelled()
    }
}

/// A journal to go on from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kept {
    /// The journal's file.
    pub journal: PathBuf,
    /// Whole blocks in it, the genesis block included; `None` if it was not
    /// read to its end, and is as it was.
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

/// A number with a comma before every three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_are_readable() {
        let shown = [0, 999, 1000, 61_196, 611_960, 1_234_567].map(grouped);
        assert_eq!(
            shown,
            ["0", "999", "1,000", "61,196", "611,960", "1,234,567"]
        );
    }
}
