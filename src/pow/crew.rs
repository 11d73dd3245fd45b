//! Search threads that stay warm between searches.
//!
//! At four zeros a search takes about a millisecond, and on many cores some
//! microseconds: too little to wake sleeping threads for each one. So the
//! helpers are started once, look for the next job for a moment before they
//! sleep, and the caller works on its job too: it starts at once, and helpers
//! join as they see it.
//!
//! The helpers are the threads of a rayon pool. Rayon's own scope with a
//! broadcast for each search leaves twice the gap between two searches, because
//! the caller sleeps until the last helper has left.

use std::fmt;
use std::io;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{
    Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockWriteGuard, TryLockError,
};
use std::thread;
use std::time::{Duration, Instant};

use super::thread_pool;

/// How long an idle helper looks for a job before it sleeps. The gap between
/// two searches of a chain is some microseconds, and where blocks are handed
/// to the system or the next ones are taken up, up to 0.2 ms.
const ALERT: Duration = Duration::from_micros(200);

/// Work that any number of threads can do together.
pub(super) trait Job: Send + Sync + 'static {
    /// Does work until there is none left. It may be called after other
    /// threads did all of it, and then returns at once.
    fn work(&self);
}

/// A number of threads, the caller's own included.
pub(super) struct Crew<J> {
    threads: NonZeroUsize,
    helpers: Option<Helpers<J>>,
}

struct Helpers<J> {
    board: Arc<Board<J>>,
    /// Keeps the threads. They leave when the board is closed.
    _pool: rayon::ThreadPool,
    /// Held by the job at hand: there is one at a time.
    turn: Mutex<()>,
}

/// Where jobs are posted.
struct Board<J> {
    /// The current job. Threads hold the read lock while they work on it, so it
    /// changes only when none does.
    job: RwLock<Option<J>>,
    /// Jobs that were posted so far, or [`CLOSED`].
    posted: AtomicU64,
    /// Whether a thread panicked at work: the job was not done then.
    has_failed: AtomicBool,
    /// Helpers that sleep or are about to, and what they sleep on.
    sleepers: AtomicUsize,
    bed: Mutex<()>,
    bell: Condvar,
}

/// There will be no more jobs.
const CLOSED: u64 = u64::MAX;

impl<J> fmt::Debug for Crew<J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut crew = f.debug_struct("Crew");
        crew.field("threads", &self.threads).finish_non_exhaustive()
    }
}

impl<J: Job> Crew<J> {
    /// Starts one thread fewer than `threads`. Each calls `setup` first, with
    /// its number from 1: the caller of [`Self::run`] is number 0.
    pub(super) fn new(
        threads: NonZeroUsize,
        setup: impl Fn(usize) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        if threads.get() == 1 {
            return Ok(Self {
                threads,
                helpers: None,
            });
        }
        let builder = rayon::ThreadPoolBuilder::new()
            .num_threads(threads.get() - 1)
            .thread_name(|index| format!("search-{}", index + 1))
            .start_handler(move |index| setup(index + 1))
            // The board notes it, and the caller panics.
            .panic_handler(|_| {});
        let pool = thread_pool::build(builder)?;
        let board = Arc::new(Board::new());
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

    /// Does `job` on all threads, and gives it back when none is at work on it.
    ///
    /// # Panics
    /// If a thread panics at work, now or in an earlier job.
    pub(super) fn run(&self, job: J) -> J {
        let Some(Helpers { board, turn, .. }) = &self.helpers else {
            job.work();
            return job;
        };
        let _turn = lock(turn);
        *board.alone() = Some(job);
        board.post(|posted| posted + 1);
        board.work();
        // What a helper still does is its last piece.
        let job = board.alone().take();
        assert!(
            !board.has_failed.load(Ordering::Relaxed),
            "a search thread panicked"
        );
        job.expect("who has the turn alone posts and takes jobs")
    }
}

impl<J> Drop for Helpers<J> {
    fn drop(&mut self) {
        self.board.post(|_| CLOSED);
    }
}

impl<J> Board<J> {
    fn new() -> Self {
        Self {
            job: RwLock::new(None),
            posted: AtomicU64::new(0),
            has_failed: AtomicBool::new(false),
            sleepers: AtomicUsize::new(0),
            bed: Mutex::new(()),
            bell: Condvar::new(),
        }
    }

    /// Tells the helpers. Waking one is a system call, so it happens only if one
    /// sleeps. A helper counts itself as a sleeper and then reads `posted`; the
    /// caller changes `posted` and then reads the sleepers. So one of the two
    /// always sees the other.
    fn post(&self, change: impl FnOnce(u64) -> u64) {
        let posted = self.posted.load(Ordering::Relaxed);
        self.posted.store(change(posted), Ordering::SeqCst);
        if self.sleepers.load(Ordering::SeqCst) > 0 {
            drop(lock(&self.bed));
            self.bell.notify_all();
        }
    }

    /// The job, once nobody works on it.
    fn alone(&self) -> RwLockWriteGuard<'_, Option<J>> {
        let mut wait = Wait::new();
        loop {
            match self.job.try_write() {
                Ok(job) => return job,
                Err(TryLockError::Poisoned(job)) => return job.into_inner(),
                Err(TryLockError::WouldBlock) => wait.a_moment(),
            }
        }
    }

    /// Waits until something else than `seen` was posted.
    fn next(&self, seen: u64) -> u64 {
        let posted = || Some(self.posted.load(Ordering::SeqCst)).filter(|posted| *posted != seen);
        let mut wait = Wait::new();
        let idle_since = Instant::now();
        while wait.is_keen() || idle_since.elapsed() < ALERT {
            if let Some(posted) = posted() {
                return posted;
            }
            wait.a_moment();
        }
        let mut bed = lock(&self.bed);
        self.sleepers.fetch_add(1, Ordering::SeqCst);
        let posted = loop {
            if let Some(posted) = posted() {
                break posted;
            }
            bed = self.bell.wait(bed).unwrap_or_else(PoisonError::into_inner);
        };
        self.sleepers.fetch_sub(1, Ordering::SeqCst);
        posted
    }
}

impl<J: Job> Board<J> {
    /// Works on every job that is posted until the board is closed.
    fn serve(&self) {
        let mut seen = 0;
        loop {
            seen = self.next(seen);
            if seen == CLOSED {
                return;
            }
            self.work();
        }
    }

    /// Works on the job, if it is not done by now.
    fn work(&self) {
        let job = self.job.read().unwrap_or_else(PoisonError::into_inner);
        let _note = NotePanic(&self.has_failed);
        if let Some(job) = &*job {
            job.work();
        }
    }
}

/// Sets the flag in a panic.
struct NotePanic<'a>(&'a AtomicBool);

impl Drop for NotePanic<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.store(true, Ordering::Relaxed);
        }
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
}

impl Wait {
    /// Moments before other threads are let in, about a microsecond.
    const KEEN_MOMENTS: u32 = 32;

    const fn new() -> Self {
        Self { moments: 0 }
    }

    const fn is_keen(&self) -> bool {
        self.moments < Self::KEEN_MOMENTS
    }

    fn a_moment(&mut self) {
        if self.is_keen() {
            self.moments += 1;
            std::hint::spin_loop();
        } else {
            thread::yield_now();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Weak;

    use super::*;

    /// Waits for what should happen at once.
    fn comes_true(condition: impl Fn() -> bool) -> bool {
        let started = Instant::now();
        while !condition() && started.elapsed() < Duration::from_secs(60) {
            thread::yield_now();
        }
        condition()
    }

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
                let job = crew.run(Count {
                    next: AtomicU64::new(0),
                    end,
                    done: AtomicU64::new(0),
                });
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
            comes_true(|| self.present.load(Ordering::Relaxed) >= self.expected);
        }
    }

    #[test]
    fn all_threads_work_on_a_job() {
        for expected in [1, 2, 5] {
            let crew = Crew::new(NonZeroUsize::new(expected).unwrap(), |_| {}).unwrap();
            // The helpers are alert, and asleep.
            for are_asleep in [false, true] {
                if are_asleep && let Some(Helpers { board, .. }) = &crew.helpers {
                    let all = || board.sleepers.load(Ordering::SeqCst) == expected - 1;
                    assert!(comes_true(all), "idle helpers burn time");
                }
                let job = crew.run(Meeting {
                    expected,
                    present: AtomicUsize::new(0),
                });
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
                        let job = crew.run(Lonely {
                            number: caller * 100 + turn,
                            under_way: Arc::clone(under_way),
                            has_met_another: AtomicBool::new(false),
                        });
                        assert!(!job.has_met_another.load(Ordering::Relaxed));
                    }
                });
            }
        });
    }

    #[test]
    fn the_threads_leave_with_the_crew() {
        let crew = Crew::<Count>::new(NonZeroUsize::new(5).unwrap(), |_| {}).unwrap();
        let board = crew.helpers.as_ref().map(|helpers| &helpers.board);
        let board: Weak<_> = Arc::downgrade(board.unwrap());
        drop(crew);
        assert!(comes_true(|| board.strong_count() == 0));
    }

    /// Panics on helpers, when the caller and one of them have met.
    struct Broken {
        caller: thread::ThreadId,
        has_helper: AtomicBool,
    }

    impl Job for Broken {
        fn work(&self) {
            if thread::current().id() == self.caller {
                assert!(comes_true(|| self.has_helper.load(Ordering::Relaxed)));
            } else {
                self.has_helper.store(true, Ordering::Relaxed);
                panic!("a bug");
            }
        }
    }

    #[test]
    fn a_panic_of_a_helper_is_the_callers_too() {
        let crew = Crew::new(NonZeroUsize::new(2).unwrap(), |_| {}).unwrap();
        let run = || {
            crew.run(Broken {
                caller: thread::current().id(),
                has_helper: AtomicBool::new(false),
            })
        };
        let panic = catch_unwind(AssertUnwindSafe(run)).err().unwrap();
        assert_eq!(panic.downcast_ref(), Some(&"a search thread panicked"));
    }
}
