//! Threads that carry bundles of blocks through the stages, in order.

use std::convert::Infallible;
use std::panic::resume_unwind;
use std::sync::{Mutex, MutexGuard, OnceLock};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};

use super::chain_sink::ChainSink;
use super::error::MineError;
use super::miner::BlockMiner;
use super::queue_blocks::QueueBlocks;
use super::{Bundle, ChainText};
use crate::pow::Control;

/// Three gained nothing on two cores (AMD EPYC, Zen 3); more cores were not
/// measured.
const WORKERS: usize = 2;
/// How often [`ChainSink::keep_up`] is called.
const KEEP_UP_TIME: Duration = Duration::from_millis(20);

/// The stages, each for one thread at a time.
pub(super) struct Stages<'a, 't> {
    blocks: Mutex<QueueBlocks>,
    miner: Mutex<BlockMiner<'a, 't>>,
    sink: Mutex<&'a mut dyn ChainSink>,
    /// The first error.
    failure: OnceLock<MineError>,
    control: &'a Control,
}

impl<'a, 't> Stages<'a, 't> {
    pub(super) const fn new(
        blocks: QueueBlocks,
        miner: BlockMiner<'a, 't>,
        sink: &'a mut dyn ChainSink,
        control: &'a Control,
    ) -> Self {
        Self {
            blocks: Mutex::new(blocks),
            miner: Mutex::new(miner),
            sink: Mutex::new(sink),
            failure: OnceLock::new(),
            control,
        }
    }

    /// Mines until the queues end.
    pub(super) fn run(self) -> Result<(QueueBlocks, BlockMiner<'a, 't>), MineError> {
        let ended = thread::scope(|scope| {
            let (running, ended) = bounded(0);
            let work = |running| {
                let _abandon = AbandonOnPanic(self.control);
                // The error is in `failure`.
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
                    // One thread is enough.
                    Err(_) => break,
                }
            }
            drop(running);
            let _ = self.keep_up(&ended);
            let ended = workers.into_iter().map(thread::ScopedJoinHandle::join);
            ended.collect::<Vec<_>>()
        });
        // If a stage missed an interrupt, a part of a chain could be taken for the
        // whole. So an interrupted chain counts as unfinished even if it is whole.
        let interrupted = self.control.is_winding_down();
        let failure = self.failure.into_inner();
        let failure = failure.or(interrupted.then_some(MineError::Cancelled));
        let panic = ended.into_iter().find_map(Result::err);
        if (failure.is_some() || panic.is_some())
            && let Ok(sink) = self.sink.into_inner()
        {
            // Keep what was mined, if possible.
            let _ = sink.flush_blocks();
        }
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
        match failure {
            Some(failure) => Err(failure),
            None => Ok((unlocked(self.blocks), unlocked(self.miner))),
        }
    }

    /// Carries bundles from the queues to the sink. A thread locks the next
    /// stage before it unlocks the last one, so that no bundle overtakes
    /// another; and it notes an error before it unlocks, so that nothing is
    /// written after a gap.
    fn work(&self) -> Result<(), MineError> {
        let mut bundle = Bundle::default();
        loop {
            let mut blocks = self.lock(&self.blocks)?;
            if !blocks.read(&mut bundle) {
                return Ok(());
            }
            let mut miner = self.lock(&self.miner)?;
            drop(blocks);
            let write = |mined: &mut ChainText| match mined.ends.is_empty() {
                true => Ok(()),
                false => self.write(&mut **self.lock(&self.sink)?, mined),
            };
            self.note(miner.mine(&mut bundle, write))?;
            let mut sink = self.lock(&self.sink)?;
            drop(miner);
            self.note(self.write(&mut **sink, &mut bundle.mined))?;
            self.note(bundle.error.take().map_or(Ok(()), Err))?;
        }
    }

    /// Writes the blocks in `mined`, and removes them from it.
    fn write(&self, sink: &mut dyn ChainSink, mined: &mut ChainText) -> Result<(), MineError> {
        if !mined.ends.is_empty() {
            sink.write_blocks(&mined.text, &mined.ends)
                .map_err(MineError::Write)?;
            self.control.add_blocks(mined.ends.len() as u64);
            mined.clear();
        }
        Ok(())
    }

    /// Waits for a stage.
    fn lock<'s, T>(&self, stage: &'s Mutex<T>) -> Result<MutexGuard<'s, T>, MineError> {
        match (stage.lock(), self.failure.get()) {
            (Ok(stage), None) => Ok(stage),
            // Another thread failed or panicked.
            _ => Err(MineError::Cancelled),
        }
    }

    /// Keeps the first error, and makes the other thread stop.
    fn note(&self, result: Result<(), MineError>) -> Result<(), MineError> {
        result.map_err(|error| {
            let _ = self.failure.set(error);
            self.control.abandon();
            MineError::Cancelled
        })
    }

    /// Lets the sink keep up until all threads have ended.
    fn keep_up(&self, ended: &Receiver<Infallible>) -> Result<(), MineError> {
        while ended.recv_timeout(KEEP_UP_TIME) == Err(RecvTimeoutError::Timeout) {
            // If it is locked, a thread is writing, and the sink keeps up by itself.
            if let Ok(mut sink) = self.sink.try_lock() {
                self.note(sink.keep_up().map_err(MineError::Write))?;
            }
        }
        Ok(())
    }
}

/// Stops the other threads when this one panics.
struct AbandonOnPanic<'a>(&'a Control);

impl Drop for AbandonOnPanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.abandon();
        }
    }
}

fn unlocked<T>(stage: Mutex<T>) -> T {
    stage
        .into_inner()
        .expect("no thread panicked while it held the lock")
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
    /// A limit for what should happen at once.
    const PATIENCE: Duration = Duration::from_secs(60);

    /// Accepts the genesis block, then calls the function.
    struct TestSink<F>(F);

    impl<F: FnMut(&[u8]) -> io::Result<usize>> Write for TestSink<F> {
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

    /// A queue of some text, then of what the function reads.
    struct TestQueue<F>(io::Cursor<String>, F);

    impl<F: FnMut() -> io::Result<usize>> Read for TestQueue<F> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.read(buffer)? {
                0 => (self.1)(),
                count => Ok(count),
            }
        }
    }

    /// Mines `blocks` blocks of one transaction each.
    fn mine_blocks<R, W>(blocks: usize, end: R, out: W) -> Result<(), MineError>
    where
        R: FnMut() -> io::Result<usize> + Send + 'static,
        W: FnMut(&[u8]) -> io::Result<usize> + Send,
    {
        let options = MineOptions {
            block_size: NonZeroUsize::MIN,
            ..MineOptions::default()
        };
        let queue = TestQueue(io::Cursor::new(LINE.repeat(blocks)), end);
        mine(
            vec![NamedQueue::new("lines", queue)],
            TestSink(out),
            Format::JsonLines,
            &options,
            &Searcher::new(NonZeroUsize::MIN, KernelChoice::Measured).unwrap(),
            &Control::new(),
        )
        .map(drop)
    }

    #[test]
    fn nothing_is_written_after_a_failed_write() {
        for _ in 0..20 {
            let mut failed = false;
            let mut written_after = 0;
            let result = mine_blocks(
                20_000,
                || Ok(0),
                |bytes| {
                    if !std::mem::replace(&mut failed, true) {
                        // Meanwhile the other thread waits for the same stage.
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
    fn blocks_are_written_while_the_queue_is_silent() {
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

    /// Asserts that mining ends although its queue never does.
    fn ends_before_its_queue(mut out: impl FnMut(&[u8]) -> io::Result<usize> + Send + 'static) {
        let silent = || loop {
            thread::park();
        };
        let (ended, is_over) = bounded::<Infallible>(0);
        let mining = thread::spawn(move || {
            let _ended = ended;
            mine_blocks(1, silent, |bytes| {
                // Meanwhile the other thread waits for the queue.
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
    fn a_panic_does_not_wait_for_a_silent_queue() {
        ends_before_its_queue(|_| panic!("a bug"));
    }
}
