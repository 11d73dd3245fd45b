//! Threads that take turns at the stages, hand over hand.

use std::convert::Infallible;
use std::panic::resume_unwind;
use std::sync::{Mutex, MutexGuard, OnceLock};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};

use super::Bundle;
use super::error::MineError;
use super::miner::Miner;
use super::reader::Reader;
use super::writer::{Sink, Writer};

/// A thread for each stage could do no more than two on two cores, and on more
/// cores there is hardly a chain whose stages take the same time.
const WORKERS: usize = 2;
/// How often what was written is looked after while nothing is written.
const KEEP_UP_TIME: Duration = Duration::from_millis(20);

/// The stages, each for one thread at a time.
pub(super) struct Turns<'a, 'h, S: Sink> {
    reader: Mutex<Reader>,
    miner: Mutex<Miner<'a, 'h>>,
    writer: Mutex<Writer<S>>,
    /// Why one thread has ended; the others then end, too.
    failure: OnceLock<MineError>,
}

impl<'a, 'h, S: Sink> Turns<'a, 'h, S> {
    pub(super) const fn new(reader: Reader, miner: Miner<'a, 'h>, writer: Writer<S>) -> Self {
        Self {
            reader: Mutex::new(reader),
            miner: Mutex::new(miner),
            writer: Mutex::new(writer),
            failure: OnceLock::new(),
        }
    }

    /// Mines until the queues end.
    pub(super) fn run(self) -> Result<(Reader, Miner<'a, 'h>, Writer<S>), MineError> {
        thread::scope(|scope| {
            let (running, ended) = bounded(0);
            let work = |running| {
                self.or_fail(self.work());
                drop(running);
            };
            let workers = [(); WORKERS].map(|()| {
                let running = running.clone();
                scope.spawn(move || work(running))
            });
            drop(running);
            self.or_fail(self.keep_up(&ended));
            for worker in workers {
                worker.join().unwrap_or_else(|panic| resume_unwind(panic));
            }
        });
        let reader = whole(self.reader);
        let miner = whole(self.miner);
        let mut writer = whole(self.writer);
        if let Some(failure) = self.failure.into_inner() {
            // What was mined is kept, if it can be.
            let _ = writer.flush();
            return Err(failure);
        }
        Ok((reader, miner, writer))
    }

    fn or_fail(&self, result: Result<(), MineError>) {
        if let Err(error) = result {
            // Only the first is the cause.
            let _ = self.failure.set(error);
        }
    }

    /// Brings bundles from the queues to the file. A thread takes its next turn
    /// before it gives up the last, so none overtakes another.
    fn work(&self) -> Result<(), MineError> {
        let mut bundle = Bundle::default();
        loop {
            let mut reader = self.turn(&self.reader)?;
            if !reader.read(&mut bundle) {
                return Ok(());
            }
            let mut miner = self.turn(&self.miner)?;
            drop(reader);
            miner.mine(&mut bundle, |sealed| self.turn(&self.writer)?.write(sealed))?;
            let mut writer = self.turn(&self.writer)?;
            drop(miner);
            writer.write(&mut bundle.sealed)?;
            drop(writer);
            bundle.error.take().map_or(Ok(()), Err)?;
        }
    }

    /// Waits for a stage.
    fn turn<'t, T>(&self, stage: &'t Mutex<T>) -> Result<MutexGuard<'t, T>, MineError> {
        match (stage.lock(), self.failure.get()) {
            (Ok(stage), None) => Ok(stage),
            // A failure or a panic, which is not this thread's to tell.
            _ => Err(MineError::Cancelled),
        }
    }

    /// Looks after what was written, until all threads have ended.
    fn keep_up(&self, ended: &Receiver<Infallible>) -> Result<(), MineError> {
        while ended.recv_timeout(KEEP_UP_TIME) == Err(RecvTimeoutError::Timeout) {
            // Who writes now looks after it, too.
            if let Ok(mut writer) = self.writer.try_lock() {
                writer.keep_up()?;
            }
        }
        Ok(())
    }
}

/// The stage, once all threads have ended, none in a panic.
fn whole<T>(stage: Mutex<T>) -> T {
    stage
        .into_inner()
        .expect("a panic would have been passed on")
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::num::NonZeroUsize;

    use super::*;
    use crate::batch::{MineOptions, NamedQueue, mine};
    use crate::chain::Format;
    use crate::pow::{Control, Searcher};
    use crate::sha256::Kernel;

    /// Takes the genesis block; does something else with more.
    struct Out<F>(F);

    impl<F: FnMut() -> io::Result<usize>> Write for Out<F> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            match memchr::memmem::find(bytes, b"\"index\": 2,") {
                None => Ok(bytes.len()),
                Some(_) => (self.0)(),
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Mines enough blocks for many bundles.
    fn mine_onto<F: FnMut() -> io::Result<usize> + Send>(out: F) -> Result<(), MineError> {
        let line = "{\"sender\": \"a\", \"recipient\": \"b\", \"amount\": 1}\n";
        mine(
            vec![NamedQueue::new(
                "lines",
                io::Cursor::new(line.repeat(50_000)),
            )],
            Out(out),
            Format::JsonLines,
            &MineOptions::default(),
            &Searcher::new(NonZeroUsize::MIN, Kernel::best()).unwrap(),
            &Control::new(),
        )
        .map(drop)
    }

    #[test]
    fn who_cannot_write_ends_the_others() {
        let error = mine_onto(|| Err(io::Error::other("the disk is gone"))).unwrap_err();
        assert!(matches!(error, MineError::Write(_)), "{error}");
    }

    #[test]
    #[should_panic(expected = "a bug")]
    fn a_panic_ends_the_others_and_is_passed_on() {
        let _ = mine_onto(|| panic!("a bug"));
    }
}
