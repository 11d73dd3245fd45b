//! The parallel search: one range of nonces over a pool of threads.
//!
//! Workers claim pieces of the range in increasing order from one shared
//! counter. A hit cancels only what lies above it: pieces below may still hold
//! a smaller one, so they are finished. Every piece below the hit was claimed
//! before it and is scanned to its end or to a smaller hit, hence the answer
//! is the smallest nonce of the range, whatever the number of threads.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use thiserror::Error;

use crate::pow::scan::Scanner;
use crate::pow::{Control, Nonce, NonceRange, Target, Template};
use crate::sha256::{Digest, Kernel, KernelError};

/// A nonce whose digest meets the target, checked with the `sha2` crate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hit {
    /// The smallest such nonce of the range.
    pub nonce: Nonce,
    /// Its digest.
    pub digest: Digest,
}

/// How a search ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// The smallest nonce that meets the target, or `None` if the range has
    /// none.
    pub hit: Option<Hit>,
    /// Nonces really tried, those above the hit included.
    pub hashes: u64,
}

/// Why a search gave no answer.
#[derive(Debug, Error)]
pub enum SearchError {
    /// Its [`Control`] was cancelled.
    #[error("the search was cancelled")]
    Cancelled,
    /// The operating system refused to start the worker threads.
    #[error("cannot start {threads} search threads")]
    Threads {
        /// How many were asked for.
        threads: NonZeroUsize,
        /// What rayon said.
        #[source]
        source: rayon::ThreadPoolBuildError,
    },
    /// The kernel failed its self-test.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// A kernel named a nonce that `sha2` does not accept: the CPU or the
    /// kernel is broken, and nothing it says can be used.
    #[error(
        "the kernel {kernel} named the nonce {nonce}, but its digest {digest} does not start with \
         {target}; this CPU or this build cannot be trusted (try --kernel sha2)"
    )]
    KernelFault {
        /// The kernel that erred.
        kernel: Kernel,
        /// The nonce it named.
        nonce: Nonce,
        /// The digest by `sha2`.
        digest: Digest,
        /// What was asked for.
        target: Target,
    },
}

/// A pool of search threads and the kernel they run, kept for many searches.
///
/// ```
/// use std::num::NonZeroUsize;
/// use fourzero::pow::{Control, Nonce, NonceRange, Searcher, Target, Template};
/// use fourzero::sha256::Kernel;
///
/// let searcher = Searcher::new(NonZeroUsize::new(2).unwrap(), Kernel::best())?;
/// let outcome = searcher.find(
///     &Template::new("100", ""),
///     Target::FOUR_ZEROS,
///     NonceRange::ALL,
///     &Control::new(),
/// )?;
/// assert_eq!(outcome.hit.unwrap().nonce, Nonce(35293));
/// # Ok::<(), fourzero::pow::SearchError>(())
/// ```
#[derive(Debug)]
pub struct Searcher {
    /// `None` for one thread, which is the caller's own.
    pool: Option<rayon::ThreadPool>,
    threads: NonZeroUsize,
    kernel: Kernel,
}

impl Searcher {
    /// Tests the kernel and starts the threads.
    ///
    /// # Errors
    /// [`SearchError::Kernel`] if the kernel fails its self-test, and
    /// [`SearchError::Threads`] if the system has no threads to give.
    pub fn new(threads: NonZeroUsize, kernel: Kernel) -> Result<Self, SearchError> {
        kernel.self_test()?;
        let pool = match threads.get() {
            1 => None,
            count => Some(
                rayon::ThreadPoolBuilder::new()
                    .num_threads(count)
                    .thread_name(|index| format!("search-{index}"))
                    .build()
                    .map_err(|source| SearchError::Threads { threads, source })?,
            ),
        };
        Ok(Self {
            pool,
            threads,
            kernel,
        })
    }

    /// The number of search threads.
    pub const fn threads(&self) -> NonZeroUsize {
        self.threads
    }

    /// The kernel they run.
    pub const fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// Finds the smallest nonce of `range` whose digest meets `target`.
    ///
    /// # Errors
    /// [`SearchError::Cancelled`] once `control` is cancelled, and
    /// [`SearchError::KernelFault`] if `sha2` contradicts the kernel.
    pub fn find(
        &self,
        template: &Template,
        target: Target,
        range: NonceRange,
        control: &Control,
    ) -> Result<Outcome, SearchError> {
        let hunt = Hunt {
            template,
            target,
            range,
            control,
            kernel: self.kernel,
            scanner: Scanner::new(self.kernel, template, target),
            piece_size: piece_size(template, target, self.threads),
            next_piece: AtomicU64::new(0),
            best: AtomicU64::new(u64::MAX),
            found: AtomicBool::new(false),
            tried: AtomicU64::new(0),
        };
        match &self.pool {
            None => hunt.work(),
            Some(pool) => {
                pool.broadcast(|_| hunt.work());
            }
        }
        hunt.outcome()
    }
}

/// One search in flight, shared by its workers.
struct Hunt<'a> {
    template: &'a Template,
    target: Target,
    range: NonceRange,
    control: &'a Control,
    kernel: Kernel,
    scanner: Scanner<'a>,
    piece_size: u64,
    next_piece: AtomicU64,
    /// The smallest hit so far. Relaxed is enough: a stale value costs work,
    /// never the answer, and the pool's join orders the final read.
    best: AtomicU64,
    /// Whether `best` is a hit: its first value is a nonce too.
    found: AtomicBool,
    tried: AtomicU64,
}

impl Hunt<'_> {
    fn work(&self) {
        let mut tried = 0;
        while !self.control.is_cancelled() {
            let index = self.next_piece.fetch_add(1, Ordering::Relaxed);
            let Some(span) = self.range.piece(index, self.piece_size) else {
                break;
            };
            if span.first > self.best.load(Ordering::Relaxed) {
                break;
            }
            let scanned = self.scanner.scan(span);
            tried += scanned.tried;
            self.control.add_hashes(scanned.tried);
            if let Some(nonce) = scanned.hit {
                self.best.fetch_min(nonce.0, Ordering::Relaxed);
                self.found.store(true, Ordering::Relaxed);
                // Later pieces lie above this hit.
                break;
            }
        }
        self.tried.fetch_add(tried, Ordering::Relaxed);
    }

    fn outcome(self) -> Result<Outcome, SearchError> {
        // A hit found while being cancelled may not be the smallest.
        if self.control.is_cancelled() {
            return Err(SearchError::Cancelled);
        }
        let hashes = self.tried.into_inner();
        if !self.found.into_inner() {
            return Ok(Outcome { hit: None, hashes });
        }
        let nonce = Nonce(self.best.into_inner());
        let digest = self.template.digest(nonce);
        if !self.target.is_met_by(&digest) {
            return Err(SearchError::KernelFault {
                kernel: self.kernel,
                nonce,
                digest,
                target: self.target,
            });
        }
        Ok(Outcome {
            hit: Some(Hit { nonce, digest }),
            hashes,
        })
    }
}

/// Nonces a worker claims at once.
///
/// Small enough that little work lies above a hit (an eighth of an average
/// search a thread) and that cancelling takes milliseconds, large enough that
/// the claim costs nothing beside the hashing.
fn piece_size(template: &Template, target: Target, threads: NonZeroUsize) -> u64 {
    const LEAST: u64 = 1_000;
    const MOST: u64 = 64_000;
    let share = target.expected_hashes() / (8.0 * threads.get() as f64);
    let blocks = (template.suffix().len() as u64 + 92) / 64;
    let size = ((share as u64).clamp(LEAST, MOST) / blocks).max(1);
    // Whole groups of nonces leave no lane of a kernel idle.
    size.next_multiple_of(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn searcher(threads: usize, kernel: Kernel) -> Searcher {
        Searcher::new(NonZeroUsize::new(threads).unwrap(), kernel).unwrap()
    }

    fn find(threads: usize, template: &Template, bits: u16, range: NonceRange) -> Option<u64> {
        searcher(threads, Kernel::best())
            .find(
                template,
                Target::from_bits(bits).unwrap(),
                range,
                &Control::new(),
            )
            .unwrap()
            .hit
            .map(|hit| hit.nonce.0)
    }

    #[test]
    fn the_first_proofs_are_the_known_ones_with_every_kernel_and_thread_count() {
        for kernel in Kernel::available() {
            for threads in [1, 2, 3, 7] {
                let searcher = searcher(threads, kernel);
                let mut last = 100;
                for expected in [35293, 35089, 119678, 146502, 43538] {
                    let template = Template::new(last.to_string(), "");
                    let outcome = searcher
                        .find(
                            &template,
                            Target::FOUR_ZEROS,
                            NonceRange::ALL,
                            &Control::new(),
                        )
                        .unwrap();
                    assert_eq!(outcome.hit.unwrap().nonce, Nonce(expected));
                    assert!(outcome.hashes > expected);
                    last = expected;
                }
            }
        }
    }

    #[test]
    fn one_thread_tries_no_nonce_above_the_hit() {
        let outcome = searcher(1, "portable".parse().unwrap())
            .find(
                &Template::new("100", ""),
                Target::FOUR_ZEROS,
                NonceRange::ALL,
                &Control::new(),
            )
            .unwrap();
        assert_eq!(outcome.hashes, 35294);
    }

    #[test]
    fn a_range_without_an_answer_says_so() {
        for threads in [1, 3] {
            let range = NonceRange::new(Nonce(0), Nonce(35293));
            assert_eq!(find(threads, &Template::new("100", ""), 16, range), None);
            let range = NonceRange::new(Nonce(0), Nonce(35294));
            assert_eq!(
                find(threads, &Template::new("100", ""), 16, range),
                Some(35293)
            );
            let empty = NonceRange::new(Nonce(5), Nonce(5));
            assert_eq!(find(threads, &Template::new("100", ""), 1, empty), None);
        }
    }

    #[test]
    fn the_largest_nonce_can_be_the_answer() {
        // The suffix is the first that makes u64::MAX a hit at eight bits.
        let suffix = (0..)
            .map(|n: u32| n.to_string())
            .find(|suffix| {
                let digest = Template::new("", suffix.as_str()).digest(Nonce(u64::MAX));
                Target::from_bits(8).unwrap().is_met_by(&digest)
            })
            .unwrap();
        let range = NonceRange::starting_at(Nonce(u64::MAX));
        for threads in [1, 2] {
            let template = Template::new("", suffix.as_str());
            assert_eq!(find(threads, &template, 8, range), Some(u64::MAX));
        }
        assert_eq!(find(2, &Template::new("", "no"), 250, range), None);
    }

    #[test]
    fn a_cancelled_search_ends_without_an_answer() {
        for threads in [1, 2] {
            let control = Control::new();
            control.cancel();
            let result = searcher(threads, Kernel::best()).find(
                &Template::new("", ""),
                Target::from_bits(256).unwrap(),
                NonceRange::ALL,
                &control,
            );
            assert!(matches!(result, Err(SearchError::Cancelled)));
        }
    }

    #[test]
    fn an_endless_search_is_cancelled_from_another_thread() {
        let control = Control::new();
        let watcher = control.clone();
        let canceller = std::thread::spawn(move || {
            while watcher.hashes() == 0 {
                std::thread::yield_now();
            }
            watcher.cancel();
        });
        let result = searcher(2, Kernel::best()).find(
            &Template::new("", ""),
            Target::from_bits(256).unwrap(),
            NonceRange::ALL,
            &control,
        );
        canceller.join().unwrap();
        assert!(matches!(result, Err(SearchError::Cancelled)));
    }
}
