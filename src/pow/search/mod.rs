//! The parallel search: one range of nonces over a crew of threads.
//!
//! Workers claim pieces of the range in increasing order from one shared
//! counter, and scan every piece they claim to its end or to its first hit.
//! A hit cancels only what lies above it: pieces below were claimed before it
//! and may still hold a smaller one. Hence the answer is the smallest nonce
//! of the range, whatever the number of threads; and where a search is
//! cancelled, all before the next piece was tried, so it can go on from there.

use std::io;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use thiserror::Error;

use crate::pow::crew::{Crew, Job};
use crate::pow::scan::Scanner;
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
    /// A nonce that meets the target, or `None` if the range has none.
    pub hit: Option<Hit>,
    /// Nonces really tried, those above the hit included.
    pub hashes: u64,
}

/// Why a search gave no answer.
#[derive(Debug, Error)]
pub enum SearchError {
    /// Its [`Control`] was cancelled before there was an answer.
    #[error("the search was cancelled; no nonce below {next} is an answer")]
    Cancelled {
        /// Where it would have gone on: every nonce of the range below this
        /// one was tried.
        next: Nonce,
    },
    /// The operating system refused to start the worker threads.
    #[error("cannot start {threads} search threads")]
    Threads {
        /// How many were asked for.
        threads: NonZeroUsize,
        /// What the system said.
        source: io::Error,
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
        /// The variant that erred.
        kernel: Variant,
        /// The nonce it named.
        nonce: Nonce,
        /// The digest by `sha2`.
        digest: Digest,
        /// What was asked for.
        target: Target,
    },
}

/// A pool of search threads and the kernels they may run, kept for many
/// searches.
///
/// Where there are several candidates, the first search of each [`Shape`]
/// measures them, for some two milliseconds.
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
    crew: Crew<Hunt>,
    choice: KernelChoice,
}

impl Searcher {
    /// Tests the candidates and starts the threads, one fewer than `threads`: the
    /// thread that asks for a search works on it too.
    ///
    /// # Errors
    /// [`SearchError::Kernel`] if a candidate fails its self-test, and
    /// [`SearchError::Threads`] if the system has no threads to give.
    pub fn new(threads: NonZeroUsize, choice: KernelChoice) -> Result<Self, SearchError> {
        Self::with_thread_setup(threads, choice, |_| {})
    }

    /// As [`Self::new`]; each thread that is started calls `setup` before it
    /// searches, with its number from 1. Number 0 is whoever asks for a
    /// search.
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
        let crew =
            Crew::new(threads, setup).map_err(|source| SearchError::Threads { threads, source })?;
        Ok(Self { crew, choice })
    }

    /// The number of search threads.
    pub const fn threads(&self) -> NonZeroUsize {
        self.crew.threads()
    }

    /// What they run.
    pub const fn choice(&self) -> KernelChoice {
        self.choice
    }

    /// The variant that hashes nonces with as many digits as `nonce`. If it is
    /// not chosen yet, the candidates are measured now.
    pub fn variant_for(&self, template: &Template, nonce: Nonce) -> Variant {
        let any = Target::FOUR_ZEROS;
        Scanner::new(self.choice, template.clone(), any).variant_for(nonce)
    }

    /// Finds the smallest nonce of `range` whose digest meets `target`.
    ///
    /// # Errors
    /// [`SearchError::Cancelled`] if `control` is cancelled before there is an
    /// answer, and [`SearchError::KernelFault`] if `sha2` contradicts the
    /// kernel.
    pub fn find(
        &self,
        template: &Template,
        target: Target,
        range: NonceRange,
        control: &Control,
    ) -> Result<Outcome, SearchError> {
        self.hunt(template, target, range, control, Wanted::Smallest)
    }

    /// Finds any nonce of `range` whose digest meets `target`: the first that
    /// a thread comes upon, which ends the work of all.
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
        self.hunt(template, target, range, control, Wanted::Any)
    }

    fn hunt(
        &self,
        template: &Template,
        target: Target,
        range: NonceRange,
        control: &Control,
        wanted: Wanted,
    ) -> Result<Outcome, SearchError> {
        let hunt = self.crew.run(Hunt {
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

        let hashes = hunt.tried.load(Ordering::Relaxed);
        if hunt.found.load(Ordering::Relaxed) {
            let nonce = Nonce(hunt.best.load(Ordering::Relaxed));
            let digest = template.digest(nonce);
            if !target.is_met_by(&digest) {
                let kernel = hunt.scanner.variant_for(nonce);
                return Err(SearchError::KernelFault {
                    kernel,
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
        // Without a hit, workers stop at the end of the range or because they
        // were told to.
        match range.piece(hunt.next_piece.load(Ordering::Relaxed), hunt.piece_size) {
            Some(next) if control.is_cancelled() => Err(SearchError::Cancelled {
                next: Nonce(next.first),
            }),
            _ => Ok(Outcome { hit: None, hashes }),
        }
    }
}

/// Which hit a search is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Wanted {
    Smallest,
    Any,
}

/// One search in flight, shared by its workers.
///
/// All its counters are relaxed: a stale value costs work, never the answer,
/// and the crew's return orders the final reads.
struct Hunt {
    scanner: Scanner,
    range: NonceRange,
    wanted: Wanted,
    control: Control,
    piece_size: u64,
    next_piece: AtomicU64,
    /// The smallest hit so far.
    best: AtomicU64,
    /// Whether `best` is a hit: its first value is a nonce too.
    found: AtomicBool,
    tried: AtomicU64,
}

impl Hunt {
    /// Whether no further piece is worth a claim, whatever lies in it.
    fn is_over(&self) -> bool {
        self.control.is_cancelled()
            || (self.wanted == Wanted::Any && self.found.load(Ordering::Relaxed))
    }
}

impl Job for Hunt {
    fn work(&self) {
        let mut tried = 0;
        while !self.is_over() {
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
}

/// Nonces a worker claims at once.
///
/// With pieces of `p` nonces a search of `n` hashes on `t` threads pays `n / p`
/// claims, and past its hit half a piece a thread. With a claim worth `c`
/// hashes the two are least together at `p = sqrt(2 c n / t)`. How far the
/// search has come plays no part, for it is no nearer to its hit after many
/// misses. One thread has nobody to wait for, and does nothing past a hit.
fn piece_size(
    template: &Template,
    target: Target,
    range: NonceRange,
    threads: NonZeroUsize,
    choice: KernelChoice,
) -> u64 {
    /// What a claim costs, in hashes of one block: the set-up of a group of
    /// nonces, and lanes that stay empty at its end.
    const CLAIM: f64 = 16.0;
    /// Blocks hashed in a piece at most, so that cancelling takes
    /// milliseconds. Where a group has a hundred variants, a piece of 2,000
    /// nonces would leave a third of the widest kernel's lanes empty.
    const MOST_BLOCKS: u64 = 100_000;
    /// Pieces of a range for each thread at least, where there are several.
    const LEAST_PIECES: u128 = 4;
    let hashes_groups = |candidate: &Variant| candidate.hashes_groups();
    let hashed_prefix = match choice.candidates().iter().all(hashes_groups) {
        true => 0,
        false => template.prefix().len() as u64,
    };
    let blocks = (hashed_prefix + template.suffix().len() as u64 + 92) / 64;
    let mut most = (MOST_BLOCKS / blocks) as f64;
    if threads.get() > 1 {
        let share = range.len() / (threads.get() as u128 * LEAST_PIECES);
        most = most.min(share.max(1) as f64);
    }
    let best = match threads.get() {
        1 => f64::INFINITY,
        threads => (2.0 * CLAIM * target.expected_hashes() / threads as f64).sqrt(),
    };
    // 1, 2 or 5 with zeros: counted from zero, such pieces are whole parts of
    // the groups of 1,000, 10,000 and more that kernels scan, or whole groups.
    let sizes = (0..=4).flat_map(|exponent| [1, 2, 5].map(|digit| digit * 10u64.pow(exponent)));
    let aim = best.min(most);
    // The nearest of them by ratio. This is done before every search, so it
    // takes no logarithms.
    let mut piece_size = 1;
    for size in sizes.skip(1) {
        if size as f64 > most || (piece_size * size) as f64 >= aim * aim {
            break;
        }
        piece_size = size;
    }
    piece_size
}

#[cfg(test)]
mod tests;
