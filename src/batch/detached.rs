//! Reading on a thread of its own, for reads that may never return: of a
//! terminal, or a pipe.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use crate::pow::Control;

/// As much as a pipe holds.
const CHUNK_BYTES: usize = 64 << 10;
/// Chunks that may wait to be taken.
const CHUNKS: usize = 4;
/// How often one who waits looks whether the work was cancelled.
const CANCEL_POLL: Duration = Duration::from_millis(20);

/// What a thread reads that is left behind if it is stuck. A read here fails
/// once the work is to wind down.
pub(super) struct Detached {
    chunks: Receiver<Chunk>,
    has_ended: Arc<AtomicBool>,
    chunk: io::Cursor<Vec<u8>>,
    is_at_end: bool,
    control: Control,
}

type Chunk = io::Result<Vec<u8>>;

/// Says whether a read would wait, for whoever does not hold the reader.
#[derive(Clone)]
pub(super) struct Readiness {
    chunks: Receiver<Chunk>,
    has_ended: Arc<AtomicBool>,
}

impl Readiness {
    /// Whether a read may have to wait.
    pub(super) fn may_wait(&self) -> bool {
        self.chunks.is_empty() && !self.has_ended.load(Ordering::Acquire)
    }
}

impl Detached {
    pub(super) fn new(source: Box<dyn Read + Send>, control: &Control) -> io::Result<Self> {
        let (sender, chunks) = bounded(CHUNKS);
        let has_ended = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&has_ended);
        thread::Builder::new()
            .name("mine-read".into())
            .spawn(move || {
                read(source, &sender);
                ended.store(true, Ordering::Release);
            })?;
        Ok(Self {
            chunks,
            has_ended,
            chunk: io::Cursor::default(),
            is_at_end: false,
            control: control.clone(),
        })
    }

    pub(super) fn readiness(&self) -> Readiness {
        Readiness {
            chunks: self.chunks.clone(),
            has_ended: Arc::clone(&self.has_ended),
        }
    }

    /// The next chunk; the last is empty.
    fn next(&self) -> io::Result<Vec<u8>> {
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

impl Read for Detached {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.chunk.position() == self.chunk.get_ref().len() as u64 && !self.is_at_end {
            self.chunk = io::Cursor::new(self.next()?);
            self.is_at_end = self.chunk.get_ref().is_empty();
        }
        self.chunk.read(buffer)
    }
}

/// Sends chunks until the last one, an error, or until nobody takes them.
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

    /// Gives its parts one after another, then says or does something else.
    struct Parts<F>(Vec<io::Result<Vec<u8>>>, F);

    impl<F: FnMut() -> io::Result<usize>> Read for Parts<F> {
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
        let mut source = Detached::new(Box::new(Parts(parts, then)), control).unwrap();
        let mut read = Vec::new();
        let end = source.read_to_end(&mut read);
        (
            read,
            end.map_or_else(|error| error.to_string(), |_| String::new()),
        )
    }

    #[test]
    fn all_comes_in_order_up_to_the_end_or_an_error() {
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
    fn a_read_may_wait_while_nothing_came_and_the_end_did_not() {
        let (let_go, gate) = bounded::<()>(0);
        let gated = move || gate.recv().map(|()| 0).or(Ok(0));
        let source = Box::new(Parts(vec![Ok(b"a".to_vec())], gated));
        let mut source = Detached::new(source, &Control::new()).unwrap();
        let readiness = source.readiness();
        assert_eq!(source.read(&mut [0; 8]).unwrap(), 1);
        assert!(readiness.may_wait());
        let_go.send(()).unwrap();
        assert_eq!(source.read(&mut [0; 8]).unwrap(), 0);
        while readiness.may_wait() {
            thread::yield_now();
        }
    }

    #[test]
    fn a_panic_is_no_end() {
        let (read, end) = read_all(vec![Ok(b"a".to_vec())], || panic!("a bug"), &Control::new());
        assert_eq!(read, b"a");
        assert_eq!(end, "the thread that reads it is gone");
    }

    #[test]
    fn a_source_that_is_silent_is_left_once_the_work_winds_down() {
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
        // What came before may have been read by then.
        assert!(b"a".starts_with(&read[..]));
        assert_eq!(end, "cancelled");
    }
}
