//! Search threads that stay warm between searches.
//!
//! At four zeros a search takes about a millisecond, too little to wake
//! sleeping threads for each one. So the helpers are started once, look for
//! the next job for a moment before they sleep, and whoever brings a job works
//! on it too: it starts at once, and helpers join as they see it.
//!
//! Against helpers that sleep at once, on two threads of a Zen 3 EPYC at four
//! zeros (medians of hundreds of alternating turns of eight searches), this
//! gains 2.7 % under `last-proof`, where a search takes 0.65 ms, and nothing
//! that stands out of the noise under `last-hash`, where it takes 1.3 ms.
//! Looking ten times as long gained nothing more.

use std::error::Error as _;
use std::io;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long an idle helper looks for a job before it sleeps. The gap between
/// two searches of a chain is some microseconds.
const ALERT: Duration = Duration::from_micros(50);

/// Work that any number of threads can do together.
pub(super) trait Job: Send + Sync + 'static {
    /// Does work until there is none left. It may be called after other
    /// threads did all of it, and then returns at once.
    fn work(&self);
}

/// A number of threads, the caller's own included.
#[derive(Debug)]
pub(super) struct Crew {
    threads: NonZeroUsize,
    helpers: Option<Helpers>,
}

#[derive(Debug)]
struct Helpers {
    board: Arc<Board>,
    /// Keeps the threads; they leave when the board is closed.
    _pool: rayon::ThreadPool,
    /// Held by the job at hand: there is one at a time.
    turn: Mutex<()>,
}

/// Where jobs are posted.
#[derive(Default)]
struct Board {
    post: Mutex<Post>,
    posted: Condvar,
    /// Goes up with every change of `post`, to be watched without its lock.
    changes: AtomicU64,
}

#[derive(Default)]
struct Post {
    job: Option<Arc<Posted>>,
    is_closed: bool,
}

struct Posted {
    job: Arc<dyn Job>,
    /// Helpers that may be at work on it.
    helpers: AtomicUsize,
}

impl std::fmt::Debug for Board {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Board").finish_non_exhaustive()
    }
}

impl Crew {
    /// Starts one thread fewer than `threads`. Each calls `setup` first, with
    /// its number from 1: the caller of [`Self::run`] is number 0.
    pub(super) fn new(
        threads: NonZeroUsize,
        setup: impl Fn(usize) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let count = threads.get() - 1;
        if count == 0 {
            return Ok(Self {
                threads,
                helpers: None,
            });
        }
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(count)
            .thread_name(|index| format!("search-{}", index + 1))
            .start_handler(move |index| setup(index + 1))
            .build()
            .map_err(refusal)?;
        let board = Arc::new(Board::default());
        let shared = Arc::clone(&board);
        pool.spawn_broadcast(move |_| shared.serve());
        Ok(Self {
            threads,
            helpers: Some(Helpers {
                board,
                _pool: pool,
                turn: Mutex::new(()),
            }),
        })
    }

    pub(super) const fn threads(&self) -> NonZeroUsize {
        self.threads
    }

    /// Does `job` on all threads, and returns when none is at work on it.
    pub(super) fn run<J: Job>(&self, job: &Arc<J>) {
        let Some(Helpers { board, turn, .. }) = &self.helpers else {
            return job.work();
        };
        let _turn = lock(turn);
        let posted = Arc::new(Posted {
            job: Arc::<J>::clone(job),
            helpers: AtomicUsize::new(0),
        });
        board.change(|post| post.job = Some(Arc::clone(&posted)));
        job.work();
        board.change(|post| post.job = None);
        // A helper that took the job is counted from then on: see `take`.
        // What it still does is its last piece.
        let mut wait = Wait::new();
        while posted.helpers.load(Ordering::Acquire) > 0 {
            wait.a_moment();
        }
    }
}

impl Drop for Helpers {
    fn drop(&mut self) {
        self.board.change(|post| post.is_closed = true);
    }
}

impl Board {
    fn change(&self, change: impl FnOnce(&mut Post)) {
        let mut post = lock(&self.post);
        change(&mut post);
        self.changes.fetch_add(1, Ordering::Release);
        drop(post);
        self.posted.notify_all();
    }

    /// Does every job that is posted until the board is closed.
    fn serve(&self) {
        let mut seen = 0;
        while let Some(posted) = self.take(&mut seen) {
            posted.job.work();
            posted.helpers.fetch_sub(1, Ordering::Release);
        }
    }

    /// Waits for the next job. `seen` is the last change that was looked at.
    fn take(&self, seen: &mut u64) -> Option<Arc<Posted>> {
        loop {
            let mut wait = Wait::new();
            while self.changes.load(Ordering::Acquire) == *seen && !wait.is_longer_than(ALERT) {
                wait.a_moment();
            }
            let mut post = lock(&self.post);
            while self.changes.load(Ordering::Relaxed) == *seen {
                post = self
                    .posted
                    .wait(post)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            *seen = self.changes.load(Ordering::Relaxed);
            if post.is_closed {
                return None;
            }
            if let Some(posted) = &post.job {
                // Counted under the lock that takes the job down: once it is
                // down, no further helper comes.
                posted.helpers.fetch_add(1, Ordering::Relaxed);
                return Some(Arc::clone(posted));
            }
        }
    }
}

/// What the system said. Rayon's error says the same, and gives it for its
/// cause, too: a reader would be told twice.
fn refusal(error: rayon::ThreadPoolBuildError) -> io::Error {
    let cause = error
        .source()
        .and_then(|cause| cause.downcast_ref::<io::Error>())
        .and_then(io::Error::raw_os_error);
    match cause {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::other(error.to_string()),
    }
}

/// No code under these locks can panic halfway.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waiting without sleeping, politely: the processor is offered to other
/// threads, which matters when there are more threads than cores.
struct Wait {
    moments: u32,
    started: Instant,
}

impl Wait {
    /// Moments before other threads are let in, about a microsecond.
    const KEEN_MOMENTS: u32 = 32;

    fn new() -> Self {
        Self {
            moments: 0,
            started: Instant::now(),
        }
    }

    fn a_moment(&mut self) {
        self.moments = self.moments.saturating_add(1);
        if self.moments < Self::KEEN_MOMENTS {
            std::hint::spin_loop();
        } else {
            thread::yield_now();
        }
    }

    fn is_longer_than(&self, limit: Duration) -> bool {
        self.moments >= Self::KEEN_MOMENTS && self.started.elapsed() > limit
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;

    /// Counts to a number, one step at a time, on whatever threads come.
    struct Count {
        next: AtomicU64,
        end: u64,
        done: AtomicU64,
    }

    impl Job for Count {
        fn work(&self) {
            while self.next.fetch_add(1, Ordering::Relaxed) < self.end {
                self.done.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    #[test]
    fn every_job_is_done_when_run_returns() {
        for threads in [1, 2, 5] {
            let crew = Crew::new(NonZeroUsize::new(threads).unwrap(), |_| {}).unwrap();
            for end in 0..500 {
                let job = Arc::new(Count {
                    next: AtomicU64::new(0),
                    end,
                    done: AtomicU64::new(0),
                });
                crew.run(&job);
                assert_eq!(job.done.load(Ordering::Relaxed), end);
            }
        }
    }

    /// Waits until so many threads are at work on it.
    struct Meeting {
        expected: usize,
        present: AtomicUsize,
    }

    impl Job for Meeting {
        fn work(&self) {
            self.present.fetch_add(1, Ordering::Relaxed);
            let started = Instant::now();
            while self.present.load(Ordering::Relaxed) < self.expected
                && started.elapsed() < Duration::from_secs(60)
            {
                thread::yield_now();
            }
        }
    }

    #[test]
    fn all_threads_work_on_a_job() {
        for expected in [1, 2, 5] {
            let crew = Crew::new(NonZeroUsize::new(expected).unwrap(), |_| {}).unwrap();
            // The helpers are alert, and asleep.
            for pause in [Duration::ZERO, 100 * ALERT] {
                thread::sleep(pause);
                let job = Arc::new(Meeting {
                    expected,
                    present: AtomicUsize::new(0),
                });
                crew.run(&job);
                assert_eq!(job.present.load(Ordering::Relaxed), expected);
            }
        }
    }

    /// One of several jobs, which look whether another is under way.
    struct Lonely {
        number: u64,
        /// The job under way, and how many threads are at work on it.
        under_way: Arc<Mutex<(u64, usize)>>,
        has_met_another: AtomicBool,
    }

    impl Job for Lonely {
        fn work(&self) {
            let mut under_way = lock(&self.under_way);
            if under_way.1 > 0 && under_way.0 != self.number {
                self.has_met_another.store(true, Ordering::Relaxed);
            }
            *under_way = (self.number, under_way.1 + 1);
            drop(under_way);
            thread::yield_now();
            lock(&self.under_way).1 -= 1;
        }
    }

    #[test]
    fn jobs_of_several_callers_take_turns() {
        let crew = Crew::new(NonZeroUsize::new(3).unwrap(), |_| {}).unwrap();
        let under_way = Arc::new(Mutex::new((0, 0)));
        thread::scope(|scope| {
            for caller in 0..4 {
                let (crew, under_way) = (&crew, &under_way);
                scope.spawn(move || {
                    for turn in 0..100 {
                        let job = Arc::new(Lonely {
                            number: caller * 100 + turn,
                            under_way: Arc::clone(under_way),
                            has_met_another: AtomicBool::new(false),
                        });
                        crew.run(&job);
                        assert!(!job.has_met_another.load(Ordering::Relaxed));
                    }
                });
            }
        });
    }

    #[test]
    fn a_refusal_is_told_once() {
        let refused = rayon::ThreadPoolBuilder::new()
            .num_threads(1)
            .spawn_handler(|_| Err(io::Error::from_raw_os_error(11)))
            .build();
        let error = refusal(refused.unwrap_err());
        assert_eq!(error.raw_os_error(), Some(11));
        assert!(error.source().is_none());
    }
}
