//! The input of verification: a stream, or a file that many threads can read at
//! once.

use std::fs::File;
use std::io::{self, Read};

/// A regular file that threads can read at any offset, independently.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PositionalFile<'a> {
    file: &'a File,
    size: u64,
}

pub(crate) enum Input<'a> {
    /// A source that can only be read in order.
    Stream(Box<dyn Read + Send + 'a>),
    /// A file that is read in order from `offset` on, and in parts.
    File {
        file: PositionalFile<'a>,
        offset: u64,
    },
}

impl<'a> PositionalFile<'a> {
    /// `None` for a pipe, a device or the like, or if the system cannot read
    /// at an offset.
    fn of(file: &'a File) -> Option<Self> {
        let metadata = file.metadata().ok()?;
        let has_parts = cfg!(any(unix, windows)) && metadata.is_file();
        has_parts.then_some(Self {
            file,
            size: metadata.len(),
        })
    }

    pub(crate) const fn size(self) -> u64 {
        self.size
    }

    pub(crate) fn read_exact_at(self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        Input::File { file: self, offset }.read_exact(buffer)
    }

    #[cfg(unix)]
    fn read_at(self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(self.file, buffer, offset)
    }

    #[cfg(windows)]
    fn read_at(self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_read(self.file, buffer, offset)
    }

    #[cfg(not(any(unix, windows)))]
    fn read_at(self, _: &mut [u8], _: u64) -> io::Result<usize> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl<'a> Input<'a> {
    /// All of a regular file, or the rest of any other file.
    pub(crate) fn of_file(file: &'a File) -> Self {
        match PositionalFile::of(file) {
            Some(file) => Self::File { file, offset: 0 },
            None => Self::Stream(Box::new(file)),
        }
    }

    /// Continues a file at `offset`; does nothing to a stream.
    pub(crate) const fn seek(&mut self, to: u64) {
        if let Self::File { offset, .. } = self {
            *offset = to;
        }
    }

    pub(crate) const fn file(&self) -> Option<PositionalFile<'a>> {
        match self {
            Self::Stream(_) => None,
            Self::File { file, .. } => Some(*file),
        }
    }
}

impl Read for Input<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Stream(stream) => stream.read(buffer),
            Self::File { file, offset } => {
                let count = file.read_at(buffer, *offset)?;
                *offset += count as u64;
                Ok(count)
            }
        }
    }
}
