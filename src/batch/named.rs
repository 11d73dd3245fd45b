//! Queues with the names that messages give them.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::detached::{Detached, Readiness};
use crate::pow::Control;

/// A queue and what to call it in messages.
#[derive(Debug)]
pub struct NamedQueue {
    pub(super) name: String,
    pub(super) source: Source,
}

/// Where a queue's text comes from.
pub(super) enum Source {
    /// A plain file, opened when its turn comes: there may be more queues than
    /// files that may be open at once.
    Path(PathBuf),
    /// Anything else.
    Reader(Box<dyn Read + Send>),
}

impl NamedQueue {
    /// A queue that is read from `source`, which need not be buffered.
    pub fn new(name: impl Into<String>, source: impl Read + Send + 'static) -> Self {
        Self {
            name: name.into(),
            source: Source::Reader(Box::new(source)),
        }
    }

    /// The same queue to be read once more, if that can be had.
    pub(super) fn again(&self) -> Option<Self> {
        match &self.source {
            Source::Path(path) => Some(Self {
                name: self.name.clone(),
                source: Source::Path(path.clone()),
            }),
            Source::Reader(_) => None,
        }
    }

    /// The queue in a file, which is called as its path.
    ///
    /// # Errors
    /// If the file cannot be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        Ok(Self {
            name: path.display().to_string(),
            // A pipe must not be closed again: whoever writes it would fail.
            source: if file.metadata()?.is_file() {
                Source::Path(path.to_owned())
            } else {
                Source::Reader(Box::new(file))
            },
        })
    }
}

impl Source {
    /// What is no plain file is read by a thread of its own: reads of it fail
    /// once the work that `control` controls is to wind down.
    pub(super) fn open(self, control: &Control) -> io::Result<Opened> {
        match self {
            Self::Path(path) => Ok((Box::new(File::open(path)?), None)),
            Self::Reader(reader) => {
                let detached = Detached::new(reader, control)?;
                let readiness = detached.readiness();
                Ok((Box::new(detached), Some(readiness)))
            }
        }
    }
}

/// A source, and what says whether reading it would wait; a file does not.
pub(super) type Opened = (Box<dyn Read + Send>, Option<Readiness>);

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => f.debug_tuple("Path").field(path).finish(),
            Self::Reader(_) => f.write_str("Reader"),
        }
    }
}
