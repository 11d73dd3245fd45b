//! Threads that stay alert between jobs.
//!
//! A search may take only microseconds, which is too short to wake sleeping
//! threads. So the caller starts on its job at once, and helpers, the threads of
//! a rayon pool, poll for the next job for a moment before they sleep. A rayon
//! scope for each search would double the gap between two searches, because its
//! caller sleeps until the last helper has left.

use std::io;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockWriteGuard};
use std::thread;
use std::time::{Duration, Instant};

use super::rayon_pool;

/// How long an idle helper polls before it sleeps. Two searches of a chain are
/// microseconds apart, or up to 0.2 ms if blocks are read or written between.
const ALERT: Duration = Duration::from_micros(200);

/// Work that any number of threads can do together.
pub(super) trait Job: Send + Sync + 'static {
    /// Works until nothing is left. Returns at once if other threads have done
    /// everything.
    fn work(&self);
}

#[derive(Debug)]
pub(super) struct WorkerPool<J> {
    threads: NonZeroUsize,
    shared: Arc<Shared<J>>,
    /// The number of jobs so far. Locked while a job runs: one runs at a time.
    jobs: Mutex<u64>,
    /// `None` for one thread.
    helpers: Option<rayon::ThreadPool>,
}

#[derive(Debug)]
struct Shared<J> {
    /// The current job. Threads hold the read lock while they work on it, so it
    /// is replaced only when nobody does.
    job: RwLock<Option<J>>,
    /// The number of the current job, or [`CLOSED`].
    posted: AtomicU64,
    has_panicked: AtomicBool,
    sleepers: Mutex<usize>,
    wake: Condvar,
}

const CLOSED: u64 = u64::MAX;

impl<J: Job> WorkerPool<J> {
    /// Starts one thread fewer than `threads`. Each calls `setup` first, with
    /// its number from 1: the caller of [`Self::run`] is number 0.
    pub(super) fn new(
        threads: NonZeroUsize,
        setup: impl Fn(usize) + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            job: RwLock::new(None),
            posted: AtomicU64::new(0),
            has_panicked: AtomicBool::new(false),
            sleepers: Mutex::new(0),
            wake: Condvar::new(),
        });
        let mut helpers = None;
        if threads.get() > 1 {
            let builder = rayon::ThreadPoolBuilder::new()
                .num_threads(threads.get() - 1)
                .thread_name(|index| format!("search-{}", index + 1))
                .start_handler(move |index| setup(index + 1))
                // Without it, a panic in `setup` would abort the process.
                .panic_handler(|_| {});
            let pool = rayon_pool::build(builder)?;
            let shared = Arc::clone(&shared);
            pool.spawn_broadcast(move |_| shared.serve());
            helpers = Some(pool);
        }
        Ok(Self {
            threads,
            shared,
            jobs: Mutex::new(0),
            helpers,
        })
    }

    pub(super) const fn threads(&self) -> NonZeroUsize {
        self.threads
    }

    /// Does `job` on all threads, and returns it when all have left it.
    ///
    /// # Panics
    /// If a thread panics while it works.
    pub(super) fn run(&self, job: J) -> J {
        if self.helpers.is_none() {
            job.work();
            return job;
        }
        let mut jobs = lock(&self.jobs);
        *jobs += 1;
        *self.shared.unused_job() = Some(job);
        self.shared.post(*jobs);
        self.shared.work();
        let job = self.shared.unused_job().take();
        let has_panicked = self.shared.has_panicked.swap(false, Ordering::Relaxed);
        assert!(!has_panicked, "a search thread panicked");
        job.expect("only the running job's caller takes it")
    }
}

impl<J> Drop for WorkerPool<J> {
    fn drop(&mut self) {
        self.shared.post(CLOSED);
    }
}

impl<J> Shared<J> {
    /// Announces a job or the end. Waking threads is a system call, so it is
    /// skipped if none sleeps.
    fn post(&self, number: u64) {
        let sleepers = {
            let sleepers = lock(&self.sleepers);
            self.posted.store(number, Ordering::Release);
            *sleepers
        };
        if sleepers > 0 {
            self.wake.notify_all();
        }
    }

    /// The job, as soon as no thread works on it.
    fn unused_job(&self) -> RwLockWriteGuard<'_, Option<J>> {
        let mut pauses = 0;
        loop {
            // Never poisoned: nothing panics while it holds the write lock.
            if let Ok(job) = self.job.try_write() {
                return job;
            }
            pause(&mut pauses);
        }
    }

    /// Waits for a job other than number `seen`.
    fn next(&self, seen: u64) -> u64 {
        let posted = || self.posted.load(Ordering::Acquire);
        let (mut pauses, idle_since) = (0, Instant::now());
        while posted() == seen && (pauses < SPINS || idle_since.elapsed() < ALERT) {
            pause(&mut pauses);
        }
        if posted() == seen {
            let mut sleepers = lock(&self.sleepers);
            *sleepers += 1;
            let woken = self.wake.wait_while(sleepers, |_| posted() == seen);
            *woken.unwrap_or_else(PoisonError::into_inner) -= 1;
        }
        posted()
    }
}

impl<J: Job> Shared<J> {
    fn serve(&self) {
        let mut number = self.next(0);
        while number != CLOSED {
            self.work();
            number = self.next(number);
        }
    }

    fn work(&self) {
        let job = self.job.read().unwrap_or_else(PoisonError::into_inner);
        let work = || job.as_ref().map(J::work);
        if catch_unwind(AssertUnwindSafe(work)).is_err() {
            self.has_panicked.store(true, Ordering::Relaxed);
        }
    }
}

/// Locks a number, which is whole even if its last holder panicked.
fn lock<T>(number: &Mutex<T>) -> MutexGuard<'_, T> {
    number.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Pauses that spin, about a microsecond in all. Later ones let other threads
/// run, which may be more than there are cores.
const SPINS: u32 = 32;

fn pause(pauses: &mut u32) {
    if *pauses < SPINS {
        *pauses += 1;
        std::hint::spin_loop();
    } else {
        thread::yield_now();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    fn pool<J: Job>(threads: usize) -> WorkerPool<J> {
        WorkerPool::new(NonZeroUsize::new(threads).unwrap(), |_| {}).unwrap()
    }

    /// Waits until `condition` holds, but not forever.
    fn comes_true(condition: impl Fn() -> bool) -> bool {
        let started = Instant::now();
        while !condition() && started.elapsed() < Duration::from_secs(60) {
            thread::yield_now();
        }
        condition()
    }

    /// Counts to a number, one step at a time.
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
            let pool = pool(threads);
            for end in 0..500 {
                let job = pool.run(Count {
                    next: AtomicU64::new(0),
                    end,
                    done: AtomicU64::new(0),
                });
                assert_eq!(job.done.load(Ordering::Relaxed), end);
            }
        }
    }

    /// Waits until `expected` threads work on it.
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
            let pool = pool(expected);
            for are_asleep in [false, true] {
                if are_asleep {
                    let all_sleep = || *lock(&pool.shared.sleepers) == expected - 1;
                    assert!(comes_true(all_sleep), "idle helpers use the CPU");
                }
                let job = pool.run(Meeting {
                    expected,
                    present: AtomicUsize::new(0),
                });
                assert_eq!(job.present.load(Ordering::Relaxed), expected);
            }
        }
    }

    /// Checks that no other job runs at the same time.
    struct Lonely {
        number: u64,
        /// The running job, and how many threads work on it.
        running: Arc<Mutex<(u64, usize)>>,
        has_met_another: AtomicBool,
    }

    impl Job for Lonely {
        fn work(&self) {
            let mut running = lock(&self.running);
            if running.1 > 0 && running.0 != self.number {
                self.has_met_another.store(true, Ordering::Relaxed);
            }
            *running = (self.number, running.1 + 1);
            drop(running);
            thread::yield_now();
            lock(&self.running).1 -= 1;
        }
    }

    #[test]
    fn jobs_of_several_callers_run_one_after_another() {
        let pool = pool(3);
        let running = Arc::new(Mutex::new((0, 0)));
        thread::scope(|scope| {
            for caller in 0..4 {
                let (pool, running) = (&pool, &running);
                scope.spawn(move || {
                    for turn in 0..100 {
                        let job = pool.run(Lonely {
                            number: caller * 100 + turn,
                            running: Arc::clone(running),
                            has_met_another: AtomicBool::new(false),
                        });
                        assert!(!job.has_met_another.load(Ordering::Relaxed));
                    }
                });
            }
        });
    }

    #[test]
    fn the_threads_end_with_the_pool() {
        let pool = pool::<Count>(5);
        let shared = Arc::downgrade(&pool.shared);
        drop(pool);
        assert!(comes_true(|| shared.strong_count() == 0));
    }

    /// Waits for a helper, which may panic.
    struct Fragile {
        caller: thread::ThreadId,
        has_helper: AtomicBool,
        panics: bool,
    }

    impl Job for Fragile {
        fn work(&self) {
            if thread::current().id() == self.caller {
                assert!(comes_true(|| self.has_helper.load(Ordering::Relaxed)));
            } else {
                self.has_helper.store(true, Ordering::Relaxed);
                assert!(!self.panics, "a bug");
            }
        }
    }

    #[test]
    fn a_panic_of_a_helper_reaches_the_caller_and_spoils_no_later_job() {
        let pool = pool(2);
        for panics in [true, false, true] {
            let run = || {
                pool.run(Fragile {
                    caller: thread::current().id(),
                    has_helper: AtomicBool::new(false),
                    panics,
                })
            };
            assert_eq!(catch_unwind(AssertUnwindSafe(run)).is_err(), panics);
        }
    }
}
