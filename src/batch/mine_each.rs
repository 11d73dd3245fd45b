//! Mines several queues at once, each into its own chain.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::thread;

use crossbeam_channel::{bounded, unbounded};

use super::named_queue::NamedQueue;
use super::options::MineOptions;
use super::output::{OutputError, OutputOptions, Unfinished, mine_to_file_with};
use super::pipeline::{MineError, MineSummary};
use super::thread_shares::{SearchThreads, ThreadShares};
use crate::pow::{Control, SearchError};
use crate::sha256::KernelChoice;

/// A chain to be mined.
#[derive(Debug)]
pub struct ChainJob {
    /// Its transactions.
    pub queue: NamedQueue,
    /// Its file.
    pub output: OutputOptions,
}

/// Mines each of `jobs` into its own file, as
/// [`mine_to_file`](super::mine_to_file) does, on `threads` threads: one per
/// chain while there are enough chains, all of them on the last chain.
///
/// Calls `report` on this thread for each finished job, with its index in
/// `jobs`. A job that fails does not stop the others. Once `control` is
/// cancelled, unfinished jobs fail with [`MineError::Cancelled`].
///
/// ```
/// use std::num::NonZeroUsize;
/// use fourzero::batch::{
///     ChainJob, MineOptions, NamedQueue, OutputOptions, Overwrite, ReadBack, Resume, mine_each,
/// };
/// use fourzero::chain::Format;
/// use fourzero::pow::Control;
/// use fourzero::sha256::KernelChoice;
///
/// let folder = tempfile::tempdir()?;
/// let csv = "sender,recipient,amount\nalice,bob,5\n";
/// let jobs = ["one.json", "two.json"].map(|name| ChainJob {
///     queue: NamedQueue::new("example", csv.as_bytes()),
///     output: OutputOptions {
///         path: folder.path().join(name),
///         format: Format::Json,
///         overwrite: Overwrite::Never,
///         read_back: ReadBack::Verify,
///         resume: Resume::Never,
///     },
/// });
/// let mut blocks = [0; 2];
/// mine_each(
///     jobs.into(),
///     &MineOptions::default(),
///     NonZeroUsize::MIN,
///     KernelChoice::Measured,
///     &Control::new(),
///     |place, mined| blocks[place] = mined.map_or(0, |summary| summary.blocks),
/// )?;
/// assert_eq!(blocks, [2, 2]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the threads cannot be started; nothing is mined then.
pub fn mine_each(
    jobs: Vec<ChainJob>,
    options: &MineOptions,
    threads: NonZeroUsize,
    kernel: KernelChoice,
    control: &Control,
    mut report: impl FnMut(usize, Result<MineSummary, Unfinished>),
) -> Result<(), SearchError> {
    // One more than threads: a chain that is synced or read back does not search.
    let count = (threads.get() + 1).min(jobs.len());
    let shares = ThreadShares::new(threads, kernel, count);
    let taken: Vec<_> = (0..count)
        .map(|number| shares.take(number))
        .collect::<Result<_, _>>()?;
    let waiting = Mutex::new(jobs.into_iter().enumerate());
    let next = || {
        // A panic cannot leave the list half changed.
        let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.next()
    };
    let (done_sender, done) = unbounded();
    // No thread begins before all are started.
    let (begin, may_begin) = bounded(count);
    thread::scope(|scope| {
        for share in taken {
            let (next, done, may_begin) = (&next, done_sender.clone(), may_begin.clone());
            let work = move || {
                if may_begin.recv().is_err() {
                    return;
                }
                let mut threads = SearchThreads::Shared(share);
                while let Some((index, ChainJob { queue, output })) = next() {
                    let mined = if control.is_winding_down() {
                        Err(OutputError::Mine(MineError::Cancelled).into())
                    } else {
                        mine_to_file_with(vec![queue], &output, options, &mut threads, control)
                    };
                    // The receiver outlives this thread.
                    let _ = done.send((index, mined));
                }
            };
            if let Err(source) = thread::Builder::new().spawn_scoped(scope, work) {
                // The threads that wait return.
                drop(begin);
                return Err(SearchError::Threads { threads, source });
            }
        }
        for _ in 0..count {
            // The channel has room for all.
            let _ = begin.send(());
        }
        drop(done_sender);
        for (index, mined) in done {
            report(index, mined);
        }
        Ok(())
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::Command;
    use std::{env, io};

    use super::*;
    use crate::batch::{Overwrite, ReadBack, Resume, mine};
    use crate::chain::Format;
    use crate::pow::Searcher;

    /// More than any address space: no thread gets such a stack.
    const STACK_BYTES: u64 = 1 << 60;
    /// The standard library reads it once per process.
    const STACK_VARIABLE: &str = "RUST_MIN_STACK";

    /// Runs itself in a process that cannot start threads.
    #[test]
    fn refused_threads_are_an_error() {
        if env::var(STACK_VARIABLE) != Ok(STACK_BYTES.to_string()) {
            let ended = Command::new(env::current_exe().unwrap())
                .args(["--exact", "--test-threads=1"])
                .arg("batch::mine_each::tests::refused_threads_are_an_error")
                .env(STACK_VARIABLE, STACK_BYTES.to_string())
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&ended.stdout);
            assert!(ended.status.success(), "{said}");
            assert!(said.contains("1 passed"), "{said}");
            return;
        }
        let queue = || NamedQueue::new("empty", io::empty());
        let searcher = Searcher::new(NonZeroUsize::MIN, KernelChoice::Measured).unwrap();
        let (options, control) = (MineOptions::default(), Control::new());
        let format = Format::JsonLines;
        let mined = mine(
            vec![queue()],
            Vec::new(),
            format,
            &options,
            &searcher,
            &control,
        );
        assert!(matches!(mined, Err(MineError::Threads(_))), "{mined:?}");

        let folder = tempfile::tempdir().unwrap();
        let output = OutputOptions {
            path: folder.path().join("chain.jsonl"),
            format,
            overwrite: Overwrite::Never,
            read_back: ReadBack::Verify,
            resume: Resume::Never,
        };
        let job = ChainJob {
            queue: queue(),
            output,
        };
        let (kernel, one) = (KernelChoice::Measured, NonZeroUsize::MIN);
        let mined = mine_each(vec![job], &options, one, kernel, &control, |_, _| {
            panic!("it is mined")
        });
        assert!(
            matches!(mined, Err(SearchError::Threads { .. })),
            "{mined:?}"
        );
    }
}
