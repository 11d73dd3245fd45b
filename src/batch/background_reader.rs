//! Reads on a separate thread that is abandoned if it blocks, as reading a
//! terminal or a pipe may.

use std::io::{self, Read};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use crate::pow::Control;

/// As much as a pipe holds.
const CHUNK_BYTES: usize = 64 << 10;
/// Chunks that the thread reads ahead.
const CHUNKS: usize = 4;
/// How often a waiting read checks whether the work is winding down.
const CANCEL_POLL: Duration = Duration::from_millis(20);

/// Reads a source on a separate thread. Its reads fail once the work is winding
/// down.
pub(super) struct BackgroundReader {
    chunks: Receiver<Chunk>,
    chunk: io::Cursor<Vec<u8>>,
    is_at_end: bool,
    control: Control,
}

/// What one read returned; empty at the end.
type Chunk = io::Result<Vec<u8>>;

/// Whether reading a [`BackgroundReader`] may block.
pub(super) struct Readiness(Receiver<Chunk>);

impl Readiness {
    pub(super) fn may_block(&self) -> bool {
        self.0.is_empty()
    }
}

impl BackgroundReader {
    pub(super) fn new(source: Box<dyn Read + Send>, control: &Control) -> io::Result<Self> {
        let (sender, chunks) = bounded(CHUNKS);
        thread::Builder::new()
            .name("mine-read".into())
            .spawn(move || read(source, &sender))?;
        Ok(Self {
            chunks,
            chunk: io::Cursor::default(),
            is_at_end: false,
            control: control.clone(),
        })
    }

    pub(super) fn readiness(&self) -> Readiness {
        Readiness(self.chunks.clone())
    }

    fn next_chunk(&self) -> io::Result<Vec<u8>> {
        loop {
            if self.control.is_winding_down() {
                return Err(io::Error::other("cancelled"));
            }
            match self.chunks.recv_timeout(CANCEL_POLL) {
                Ok(chunk) => return chunk,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(io::Error::other("the thread that reads it is gone"));
                }
            }
        }
    }
}

impl Read for BackgroundReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.chunk.position() == self.chunk.get_ref().len() as u64 && !self.is_at_end {
            self.chunk = io::Cursor::new(self.next_chunk()?);
            self.is_at_end = self.chunk.get_ref().is_empty();
        }
        self.chunk.read(buffer)
    }
}

/// Sends chunks until the end, an error, or until the receiver is dropped.
fn read(mut source: Box<dyn Read + Send>, chunks: &Sender<Chunk>) {
    loop {
        let mut chunk = vec![0; CHUNK_BYTES];
        let result = match source.read(&mut chunk) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            result => result.map(|count| {
                chunk.truncate(count);
                chunk
            }),
        };
        let is_last = !matches!(&result, Ok(chunk) if !chunk.is_empty());
        if chunks.send(result).is_err() || is_last {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns its chunks one after another, then what the function returns.
    struct TestSource<F>(Vec<io::Result<Vec<u8>>>, F);

    impl<F: FnMut() -> io::Result<usize>> Read for TestSource<F> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return (self.1)();
            }
            let part = self.0.remove(0)?;
            buffer[..part.len()].copy_from_slice(&part);
            Ok(part.len())
        }
    }

    fn read_all<F>(parts: Vec<io::Result<Vec<u8>>>, then: F, control: &Control) -> (Vec<u8>, String)
    where
        F: FnMut() -> io::Result<usize> + Send + 'static,
    {
        let mut source = BackgroundReader::new(Box::new(TestSource(parts, then)), control).unwrap();
        let mut read = Vec::new();
        let end = source.read_to_end(&mut read);
        (
            read,
            end.map_or_else(|error| error.to_string(), |_| String::new()),
        )
    }

    #[test]
    fn everything_arrives_in_order_up_to_the_end_or_an_error() {
        let parts = || {
            let part = |number: u8| Ok(vec![number; usize::from(number) * 1000]);
            let mut parts: Vec<_> = (1..60).map(part).collect();
            parts.insert(7, Err(io::ErrorKind::Interrupted.into()));
            parts
        };
        let expected: Vec<_> = parts().into_iter().flatten().flatten().collect();
        let control = Control::new();
        let (read, end) = read_all(parts(), || Ok(0), &control);
        assert_eq!((&read, end.as_str()), (&expected, ""));
        let fail = || Err(io::Error::other("the disk is gone"));
        let (read, end) = read_all(parts(), fail, &control);
        assert_eq!((&read, end.as_str()), (&expected, "the disk is gone"));
    }

    #[test]
    fn a_read_may_block_while_no_chunk_is_there() {
        let (let_go, gate) = bounded::<()>(0);
        let gated = move || gate.recv().map(|()| 0).or(Ok(0));
        let source = Box::new(TestSource(vec![Ok(b"a".to_vec())], gated));
        let mut source = BackgroundReader::new(source, &Control::new()).unwrap();
        let readiness = source.readiness();
        assert_eq!(source.read(&mut [0; 8]).unwrap(), 1);
        assert!(readiness.may_block());
        let_go.send(()).unwrap();
        while readiness.may_block() {
            thread::yield_now();
        }
        assert_eq!(source.read(&mut [0; 8]).unwrap(), 0);
    }

    #[test]
    fn a_panic_of_the_thread_is_an_error() {
        let (read, end) = read_all(vec![Ok(b"a".to_vec())], || panic!("a bug"), &Control::new());
        assert_eq!(read, b"a");
        assert_eq!(end, "the thread that reads it is gone");
    }

    #[test]
    fn a_silent_source_is_abandoned_once_the_work_winds_down() {
        let control = Control::new();
        let silent = {
            let control = control.clone();
            move || {
                control.wind_down();
                loop {
                    thread::park();
                }
            }
        };
        let (read, end) = read_all(vec![Ok(b"a".to_vec())], silent, &control);
        // The first chunk may have been read by then.
        assert!(b"a".starts_with(&read[..]));
        assert_eq!(end, "cancelled");
    }
}
