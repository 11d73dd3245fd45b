//! A pipe that nobody reads, for tests of programs that write to it.

use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

/// A pipe that is full of line breaks. Writing to it blocks until it is read.
pub(crate) fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, writer) = io::pipe().unwrap();
    // Of all types in std that can be switched, a socket is the nearest.
    let switch = UnixStream::from(OwnedFd::from(writer.try_clone().unwrap()));
    switch.set_nonblocking(true).unwrap();
    let mut filled = File::from(OwnedFd::from(writer.try_clone().unwrap()));
    while filled.write(b"\n").is_ok() {}
    switch.set_nonblocking(false).unwrap();
    (reader, writer)
}
