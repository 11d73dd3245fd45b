//! Queues with the names that messages give them.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::background_reader::{BackgroundReader, Readiness};
use crate::pow::Control;

/// A queue and its name in messages.
pub struct NamedQueue {
    pub(super) name: String,
    pub(super) source: QueueSource,
}

/// Where a queue's text comes from.
pub(super) enum QueueSource {
    /// A plain file. It is opened when it is read: there may be more queues than
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
            source: QueueSource::Reader(Box::new(source)),
        }
    }

    /// A copy, if the queue can be read twice.
    pub(super) fn try_clone(&self) -> Option<Self> {
        match &self.source {
            QueueSource::Path(path) => Some(Self {
                name: self.name.clone(),
                source: QueueSource::Path(path.clone()),
            }),
            QueueSource::Reader(_) => None,
        }
    }

    /// The queue in a file, named after its path.
    ///
    /// # Errors
    /// If the file cannot be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        Ok(Self {
            name: path.display().to_string(),
            // A pipe must stay open, or its writer would fail.
            source: if file.metadata()?.is_file() {
                QueueSource::Path(path.to_owned())
            } else {
                QueueSource::Reader(Box::new(file))
            },
        })
    }
}

impl fmt::Debug for NamedQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NamedQueue").field(&self.name).finish()
    }
}

impl QueueSource {
    /// Opens the source. Anything but a file is read on another thread, and its
    /// reads fail once `control` is winding down.
    pub(super) fn open(self, control: &Control) -> io::Result<OpenSource> {
        match self {
            Self::Path(path) => Ok((Box::new(File::open(path)?), None)),
            Self::Reader(reader) => {
                let reader = BackgroundReader::new(reader, control)?;
                let readiness = reader.readiness();
                Ok((Box::new(reader), Some(readiness)))
            }
        }
    }
}

/// A source, and whether reading it may block, if it is not a file.
pub(super) type OpenSource = (Box<dyn Read + Send>, Option<Readiness>);
