//! What a chain is verified from: a stream, or a file of which many threads
//! can read parts at once.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// A regular file that can be read at any place, whoever else reads it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PartedFile<'a> {
    file: &'a File,
    size: u64,
}

/// Where a chain comes from.
pub(crate) enum Input<'a> {
    /// It can only be read in order.
    Stream(Box<dyn Read + Send + 'a>),
    /// It is read in order from `offset` on, and from anywhere else.
    File { file: PartedFile<'a>, offset: u64 },
}

impl<'a> PartedFile<'a> {
    /// `None` if it is a pipe, a device or the like, or the system cannot read
    /// parts.
    fn of(file: &'a File) -> Option<Self> {
        let metadata = file.metadata().ok()?;
        let has_parts = cfg!(any(unix, windows)) && metadata.is_file();
        has_parts.then_some(Self {
            file,
            size: metadata.len(),
        })
    }

    /// Its size when it was opened.
    pub(crate) const fn size(self) -> u64 {
        self.size
    }

    /// Fills `buffer` with what stands at `offset`.
    ///
    /// # Errors
    /// If the file ends before, or cannot be read.
    pub(crate) fn read_exact_at(self, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
        while !buffer.is_empty() {
            match self.read_at(buffer, offset) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => {
                    buffer = &mut buffer[count..];
                    offset += count as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
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
    /// All of a regular file, or the rest of any other.
    pub(crate) fn of_file(file: &'a File) -> Self {
        match PartedFile::of(file) {
            Some(file) => Self::File { file, offset: 0 },
            None => Self::Stream(Box::new(file)),
        }
    }

    /// The file, if parts of it can be read.
    pub(crate) const fn file(&self) -> Option<PartedFile<'a>> {
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

/// Only a file, and only from its start.
impl Seek for Input<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match (self, to) {
            (Self::File { offset, .. }, SeekFrom::Start(start)) => {
                *offset = start;
                Ok(start)
            }
            _ => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}
