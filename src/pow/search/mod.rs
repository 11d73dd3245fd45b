//! Searches one range of nonces on several threads.
//!
//! Threads claim pieces of the range in increasing order from a shared counter,
//! and scan each to its first hit or to its end. A hit only rules out what is
//! above it: pieces below were claimed earlier and may contain a smaller hit. So
//! the result is the smallest nonce on any number of threads. When a search is
//! cancelled, everything below the next piece has been tried, so it can continue
//! from there.

use std::io;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use thiserror::Error;

use crate::pow::scan::Scanner;
use crate::pow::worker_pool::{Job, WorkerPool};
use crate::pow::{Control, Nonce, NonceRange, Target, Template};
use crate::sha256::{Digest, KernelChoice, KernelError, Variant};

/// A nonce whose digest meets the target, checked with the `sha2` crate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hit {
    /// The nonce.
    pub nonce: Nonce,
    /// Its digest.
    pub digest: Digest,
}

/// How a search ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// A nonce whose digest meets the target, or `None` if the range has none.
    pub hit: Option<Hit>,
    /// Nonces tried, including those above the hit.
    pub hashes: u64,
}

/// Why a search has no result.
#[derive(Debug, Error)]
pub enum SearchError {
    /// Its [`Control`] was cancelled first.
    #[error("the search was cancelled; no nonce below {next} meets the target")]
    Cancelled {
        /// Where to continue: every nonce of the range below it was tried.
        next: Nonce,
    },
    /// The threads cannot be started.
    #[error("cannot start {threads} search threads")]
    Threads {
        /// The requested number of threads.
        threads: NonZeroUsize,
        /// The system's error.
        source: io::Error,
    },
    /// The kernel failed its self-test.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// A kernel found a nonce that the `sha2` crate rejects. No result of this
    /// kernel on this CPU can be trusted.
    #[error(
        "the kernel {kernel} found the nonce {nonce}, but its digest {digest} does not start with \
         {target}; this CPU or this build cannot be trusted"
    )]
    KernelFault {
        /// The variant.
        kernel: Variant,
        /// The nonce.
        nonce: Nonce,
        /// Its digest by the `sha2` crate.
        digest: Digest,
        /// The target of the search.
        target: Target,
    },
}

/// Search threads and the kernels they may run, for any number of searches.
///
/// If there are several candidates, the first search of each [`Shape`] measures
/// them for one or two milliseconds.
///
/// [`Shape`]: super::Shape
///
/// ```
/// use std::num::NonZeroUsize;
/// use fourzero::pow::{Control, Nonce, NonceRange, Searcher, Target, Template};
/// use fourzero::sha256::KernelChoice;
///
/// let searcher = Searcher::new(NonZeroUsize::new(2).unwrap(), KernelChoice::Measured)?;
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
    pool: WorkerPool<SearchJob>,
    choice: KernelChoice,
}

impl Searcher {
    /// Tests the candidates and starts one thread fewer than `threads`, because
    /// the thread that starts a search works on it too.
    ///
    /// # Errors
    /// [`SearchError::Kernel`] if a candidate fails its self-test, and
    /// [`SearchError::Threads`] if the threads cannot be started.
    pub fn new(threads: NonZeroUsize, choice: KernelChoice) -> Result<Self, SearchError> {
        Self::with_thread_setup(threads, choice, |_| {})
    }

    /// As [`Self::new`], and each started thread first calls `setup` with its
    /// number, from 1. Number 0 is the thread that starts a search.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_thread_setup(
        threads: NonZeroUsize,
        choice: KernelChoice,
        setup: impl Fn(usize) + Send + Sync + 'static,
    ) -> Result<Self, SearchError> {
        for candidate in choice.candidates() {
            candidate.self_test()?;
        }
        let pool = WorkerPool::new(threads, setup)
            .map_err(|source| SearchError::Threads { threads, source })?;
        Ok(Self { pool, choice })
    }

    /// The number of search threads.
    pub const fn threads(&self) -> NonZeroUsize {
        self.pool.threads()
    }

    /// What the threads run.
    pub const fn choice(&self) -> KernelChoice {
        self.choice
    }

    /// The variant that hashes nonces with as many digits as `nonce`. Measures the
    /// candidates if that has not been done yet.
    pub fn variant_for(&self, template: &Template, nonce: Nonce) -> Variant {
        let any = Target::FOUR_ZEROS;
        Scanner::new(self.choice, template.clone(), any).variant_for(nonce)
    }

    /// Finds the smallest nonce of `range` whose digest meets `target`.
    ///
    /// # Errors
    /// [`SearchError::Cancelled`] if `control` is cancelled first, and
    /// [`SearchError::KernelFault`] if the `sha2` crate rejects the nonce.
    pub fn find(
        &self,
        template: &Template,
        target: Target,
        range: NonceRange,
        control: &Control,
    ) -> Result<Outcome, SearchError> {
        self.search(template, target, range, control, Wanted::Smallest)
    }

    /// Finds any nonce of `range` whose digest meets `target`.
    ///
    /// # Errors
    /// As [`Self::find`].
    pub fn find_any(
        &self,
        template: &Template,
        target: Target,
        range: NonceRange,
        control: &Control,
    ) -> Result<Outcome, SearchError> {
        self.search(template, target, range, control, Wanted::Any)
    }

    fn search(
        &self,
        template: &Template,
        target: Target,
        range: NonceRange,
        control: &Control,
        wanted: Wanted,
    ) -> Result<Outcome, SearchError> {
        let job = self.pool.run(SearchJob {
            scanner: Scanner::new(self.choice, template.clone(), target),
            range,
            wanted,
            control: control.clone(),
            piece_size: piece_size(template, target, range, self.threads(), self.choice),
            next_piece: AtomicU64::new(0),
            best: AtomicU64::new(u64::MAX),
            found: AtomicBool::new(false),
            tried: AtomicU64::new(0),
        });

        let hashes = job.tried.load(Ordering::Relaxed);
        if job.found.load(Ordering::Relaxed) {
            let nonce = Nonce(job.best.load(Ordering::Relaxed));
            let digest = template.digest(nonce);
            if !target.is_met_by(&digest) {
                return Err(SearchError::KernelFault {
                    kernel: job.scanner.variant_for(nonce),
                    nonce,
                    digest,
                    target,
                });
            }
            return Ok(Outcome {
                hit: Some(Hit { nonce, digest }),
                hashes,
            });
        }
        // Without a hit, threads stop at the end of the range or when cancelled.
        match range.piece(job.next_piece.load(Ordering::Relaxed), job.piece_size) {
            Some(piece) if control.is_cancelled() => Err(SearchError::Cancelled {
                next: Nonce(*piece.start()),
            }),
            _ => Ok(Outcome { hit: None, hashes }),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wanted {
    Smallest,
    Any,
}

/// A running search.
///
/// Its counters are relaxed: a stale value costs work but changes no result, and
/// [`WorkerPool::run`] orders the final reads.
#[derive(Debug)]
struct SearchJob {
    scanner: Scanner,
    range: NonceRange,
    wanted: Wanted,
    control: Control,
    piece_size: u64,
    next_piece: AtomicU64,
    best: AtomicU64,
    /// Whether `best` is a hit, because its initial value is a nonce too.
    found: AtomicBool,
    tried: AtomicU64,
}

impl SearchJob {
    fn is_over(&self) -> bool {
        self.control.is_cancelled()
            || (self.wanted == Wanted::Any && self.found.load(Ordering::Relaxed))
    }
}

impl Job for SearchJob {
    fn work(&self) {
        let mut tried = 0;
        while !self.is_over() {
            let index = self.next_piece.fetch_add(1, Ordering::Relaxed);
            let Some(piece) = self.range.piece(index, self.piece_size) else {
                break;
            };
            if *piece.start() > self.best.load(Ordering::Relaxed) {
                break;
            }
            let scanned = self.scanner.scan(piece);
            tried += scanned.tried;
            self.control.add_hashes(scanned.tried);
            if let Some(nonce) = scanned.hit {
                self.best.fetch_min(nonce.0, Ordering::Relaxed);
                self.found.store(true, Ordering::Relaxed);
                // Later pieces are above this hit.
                break;
            }
        }
        self.tried.fetch_add(tried, Ordering::Relaxed);
    }
}

/// The number of nonces in a piece.
///
/// With pieces of `p` nonces, a search of `n` hashes on `t` threads claims `n / p`
/// pieces, and each thread hashes half a piece past the hit. If a claim costs as
/// much as `c` hashes, the total is least at `p = sqrt(2 c n / t)`. It stays
/// the same during a search, because misses bring a hit no closer. A single thread
/// hashes nothing past the hit.
fn piece_size(
    template: &Template,
    target: Target,
    range: NonceRange,
    threads: NonZeroUsize,
    choice: KernelChoice,
) -> u64 {
    /// The cost of a claim in hashes of one block: setting up a group of nonces,
    /// and lanes that stay empty at its end.
    const CLAIM: f64 = 16.0;
    /// At most this many blocks in a piece, so that cancelling takes milliseconds.
    /// Much smaller pieces would leave lanes of the widest kernels empty.
    const MOST_BLOCKS: u64 = 100_000;
    /// At least this many pieces of the range for each of several threads.
    const LEAST_PIECES: u128 = 4;
    /// Aligned with the groups of 1,000 or 10,000 nonces that kernels scan.
    const SIZES: [u64; 14] = [
        50_000, 20_000, 10_000, 5_000, 2_000, 1_000, 500, 200, 100, 50, 20, 10, 5, 2,
    ];
    let hashes_groups = |candidate: &Variant| candidate.hashes_groups();
    let hashed_prefix = match choice.candidates().iter().all(hashes_groups) {
        true => 0,
        false => template.prefix().len() as u64,
    };
    let blocks = (hashed_prefix + template.suffix().len() as u64 + 92) / 64;
    let mut most = (MOST_BLOCKS / blocks) as f64;
    if threads.get() > 1 {
        let count = threads.get() as f64;
        let share = range.len() / (threads.get() as u128 * LEAST_PIECES);
        // Larger by sqrt(2), because the size is rounded down.
        let best = 2.0 * (CLAIM * target.expected_hashes() / count).sqrt();
        most = most.min(share as f64).min(best);
    }
    let fits = |size: &u64| *size as f64 <= most;
    SIZES.into_iter().find(fits).unwrap_or(1)
}

#[cfg(test)]
mod tests;
