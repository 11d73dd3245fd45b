//! Threads that take turns at the stages, hand over hand.

use std::convert::Infallible;
use std::panic::resume_unwind;
use std::sync::{Mutex, MutexGuard, OnceLock};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};

use super::error::MineError;
use super::miner::Miner;
use super::reader::Reader;
use super::writer::{Sink, Writer};
use super::{Bundle, Sealed};
use crate::pow::Control;

/// Three gained nothing on two cores (AMD EPYC, Zen 3); what they do on more
/// was not measured.
const WORKERS: usize = 2;
/// How often what was written is looked after while nothing is written.
const KEEP_UP_TIME: Duration = Duration::from_millis(20);

/// The stages, each for one thread at a time.
pub(super) struct Turns<'a, 'h, S: Sink> {
    reader: Mutex<Reader>,
    miner: Mutex<Miner<'a, 'h>>,
    writer: Mutex<Writer<S>>,
    /// Why the work came to nothing.
    failure: OnceLock<MineError>,
    control: &'a Control,
}

impl<'a, 'h, S: Sink> Turns<'a, 'h, S> {
    /// `control` is that of this work alone.
    pub(super) const fn new(
        reader: Reader,
        miner: Miner<'a, 'h>,
        writer: Writer<S>,
        control: &'a Control,
    ) -> Self {
        Self {
            reader: Mutex::new(reader),
            miner: Mutex::new(miner),
            writer: Mutex::new(writer),
            failure: OnceLock::new(),
            control,
        }
    }

    /// Mines until the queues end.
    pub(super) fn run(mut self) -> Result<(Reader, Miner<'a, 'h>, Writer<S>), MineError> {
        let ended = thread::scope(|scope| {
            let (running, ended) = bounded(0);
            let work = |running| {
                let _abandon = AbandonInPanic(self.control);
                // What failed was noted.
                let _ = self.work();
                drop(running);
            };
            let mut workers = Vec::with_capacity(WORKERS);
            for _ in 0..WORKERS {
                let running = running.clone();
                match thread::Builder::new().spawn_scoped(scope, move || work(running)) {
                    Ok(worker) => workers.push(worker),
                    Err(error) if workers.is_empty() => {
                        let _ = self.note(Err(MineError::Threads(error)));
                        break;
                    }
                    // One alone does the same, later.
                    Err(_) => break,
                }
            }
            drop(running);
            let _ = self.keep_up(&ended);
            let ended = workers.into_iter().map(thread::ScopedJoinHandle::join);
            ended.collect::<Vec<_>>()
        });
        // Every stage notes an interrupt that cuts it short. Should one not, a part
        // would pass for the whole; so whole work, too, is left to be gone on with.
        let failure = self.failure.into_inner();
        let failure = failure.or(self
            .control
            .is_winding_down()
            .then_some(MineError::Cancelled));
        let panic = ended.into_iter().find_map(Result::err);
        if (failure.is_some() || panic.is_some())
            && let Ok(writer) = self.writer.get_mut()
        {
            // What was mined is kept, if it can be.
            let _ = writer.flush();
        }
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
        match failure {
            Some(failure) => Err(failure),
            None => Ok((whole(self.reader), whole(self.miner), whole(self.writer))),
        }
    }

    /// Brings bundles from the queues to the file. A thread takes its next turn
    /// before it gives up the last, so none overtakes another; and notes what
    /// fails before it gives up its turn, so nothing is added after a gap.
    fn work(&self) -> Result<(), MineError> {
        let mut bundle = Bundle::default();
        loop {
            let mut reader = self.turn(&self.reader)?;
            if !reader.read(&mut bundle) {
                return Ok(());
            }
            let mut miner = self.turn(&self.miner)?;
            drop(reader);
            let write = |sealed: &mut Sealed| match sealed.ends.len() {
                0 => Ok(()),
                _ => self.turn(&self.writer)?.write(sealed),
            };
            self.note(miner.mine(&mut bundle, write))?;
            let mut writer = self.turn(&self.writer)?;
            drop(miner);
            self.note(writer.write(&mut bundle.sealed))?;
            self.note(bundle.error.take().map_or(Ok(()), Err))?;
        }
    }

    /// Waits for a stage.
    fn turn<'t, T>(&self, stage: &'t Mutex<T>) -> Result<MutexGuard<'t, T>, MineError> {
        match (stage.lock(), self.failure.get()) {
            (Ok(stage), None) => Ok(stage),
            // A failure that is noted, or a panic.
            _ => Err(MineError::Cancelled),
        }
    }

    /// Notes why the work fails, if that is not known yet, and has the other
    /// thread stop.
    fn note(&self, result: Result<(), MineError>) -> Result<(), MineError> {
        result.map_err(|error| {
            let _ = self.failure.set(error);
            self.control.abandon();
            MineError::Cancelled
        })
    }

    /// Looks after what was written, until all threads have ended.
    fn keep_up(&self, ended: &Receiver<Infallible>) -> Result<(), MineError> {
        while ended.recv_timeout(KEEP_UP_TIME) == Err(RecvTimeoutError::Timeout) {
            // Who writes now looks after it, too.
            if let Ok(mut writer) = self.writer.try_lock() {
                self.note(writer.keep_up())?;
            }
        }
        Ok(())
    }
}

/// Cancels the work of the others in a panic.
struct AbandonInPanic<'a>(&'a Control);

impl Drop for AbandonInPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.abandon();
        }
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
    use std::io::{self, Read, Write};
    use std::num::NonZeroUsize;

    use super::*;
    use crate::batch::{MineOptions, NamedQueue, mine};
    use crate::chain::Format;
    use crate::pow::Searcher;
    use crate::sha256::KernelChoice;

    const LINE: &str = "{\"sender\": \"a\", \"recipient\": \"b\", \"amount\": 1}\n";
    /// For what should happen at once.
    const PATIENCE: Duration = Duration::from_secs(60);

    /// Takes the genesis block; does something else with more.
    struct Out<F>(F);

    impl<F: FnMut(&[u8]) -> io::Result<usize>> Write for Out<F> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            match bytes.starts_with(b"{\"index\": 1,") || bytes == b"\n" {
                true => Ok(bytes.len()),
                false => (self.0)(bytes),
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Gives some text, then does something else.
    struct Queue<F>(io::Cursor<String>, F);

    impl<F: FnMut() -> io::Result<usize>> Read for Queue<F> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.read(buffer)? {
                0 => (self.1)(),
                count => Ok(count),
            }
        }
    }

    /// Mines so many blocks of one transaction.
    fn mine_blocks<R, W>(blocks: usize, end: R, out: W) -> Result<(), MineError>
    where
        R: FnMut() -> io::Result<usize> + Send + 'static,
        W: FnMut(&[u8]) -> io::Result<usize> + Send,
    {
        let options = MineOptions {
            block_size: NonZeroUsize::MIN,
            ..MineOptions::default()
        };
        let queue = Queue(io::Cursor::new(LINE.repeat(blocks)), end);
        mine(
            vec![NamedQueue::new("lines", queue)],
            Out(out),
            Format::JsonLines,
            &options,
            &Searcher::new(NonZeroUsize::MIN, KernelChoice::Measured).unwrap(),
            &Control::new(),
        )
        .map(drop)
    }

    #[test]
    fn nothing_is_written_after_what_could_not_be() {
        for _ in 0..20 {
            let mut failed = false;
            let mut written_after = 0;
            let result = mine_blocks(
                20_000,
                || Ok(0),
                |bytes| {
                    if !std::mem::replace(&mut failed, true) {
                        // Meanwhile the other thread comes to the same stage.
                        thread::sleep(Duration::from_millis(10));
                        return Err(io::Error::other("the disk is gone"));
                    }
                    written_after += bytes.len();
                    Ok(bytes.len())
                },
            );
            assert!(matches!(result, Err(MineError::Write(_))), "{result:?}");
            assert_eq!(written_after, 0);
        }
    }

    #[test]
    fn what_came_is_mined_while_the_queue_is_silent() {
        let (written, blocks) = bounded(100);
        let silent_until_written = move || {
            let mut left = 50;
            while left > 0 {
                left -= blocks.recv_timeout(PATIENCE).expect("no block was written");
            }
            Ok(0)
        };
        mine_blocks(50, silent_until_written, move |bytes| {
            let blocks = memchr::memchr_iter(b'\n', bytes).count();
            written.send(blocks).map_err(io::Error::other)?;
            Ok(bytes.len())
        })
        .unwrap();
    }

    /// Waits until mining ends, while the queue is silent for ever.
    fn ends_before_its_queue(mut out: impl FnMut(&[u8]) -> io::Result<usize> + Send + 'static) {
        let silent = || loop {
            thread::park();
        };
        let (ended, is_over) = bounded::<Infallible>(0);
        let mining = thread::spawn(move || {
            let _ended = ended;
            mine_blocks(1, silent, |bytes| {
                // Meanwhile the other thread comes to wait for the queue.
                thread::sleep(Duration::from_millis(10));
                out(bytes)
            })
        });
        let waited = is_over.recv_timeout(PATIENCE);
        assert_eq!(waited, Err(RecvTimeoutError::Disconnected));
        match mining.join() {
            Ok(result) => assert!(matches!(result, Err(MineError::Write(_))), "{result:?}"),
            Err(panic) => assert_eq!(panic.downcast_ref(), Some(&"a bug")),
        }
    }

    #[test]
    fn a_failure_does_not_wait_for_a_silent_queue() {
        ends_before_its_queue(|_| Err(io::Error::other("the disk is gone")));
    }

    #[test]
    fn nor_does_a_panic() {
        ends_before_its_queue(|_| panic!("a bug"));
    }
}
