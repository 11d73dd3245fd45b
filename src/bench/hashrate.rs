//! Hashrates, and the share of them that mining turns into proofs.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use crate::pow::{
    Control, LastBlock, Nonce, NonceRange, Rule, SearchError, Searcher, Target, Template,
};
use crate::sha256::{Digest, KernelChoice, Variant};

/// Samples of each rate.
pub(super) const SAMPLES: u32 = 12;

/// The first nonce of an endless search. Kernels are fastest from six digits
/// on.
const FIRST_NONCE: Nonce = Nonce(100_000);

/// The hashes per second of `choice` on one thread under `rule`, in a search
/// without an answer. Takes `duration`, but at least 6 ms and at most 120 ms,
/// and returns the median of a dozen samples.
///
/// ```
/// use std::time::Duration;
/// use fourzero::{bench::one_thread_rate, pow::Rule, sha256::KernelChoice};
///
/// assert!(one_thread_rate(KernelChoice::Measured, Rule::LastHash, Duration::ZERO)? > 0.0);
/// # Ok::<(), fourzero::pow::SearchError>(())
/// ```
///
/// # Errors
/// If a candidate fails its self-test.
pub fn one_thread_rate(
    choice: KernelChoice,
    rule: Rule,
    duration: Duration,
) -> Result<f64, SearchError> {
    const SHORTEST: Duration = Duration::from_micros(500);
    const LONGEST: Duration = Duration::from_millis(10);

    let searcher = Searcher::new(NonZeroUsize::MIN, choice)?;
    let (mut search, control) = (EndlessSearch::new(rule, &searcher), Control::new());
    let duration = (duration / SAMPLES).clamp(SHORTEST, LONGEST);
    let rates = (0..SAMPLES).map(|_| Ok(search.sample(&searcher, duration, &control)?.rate()));
    Ok(median(&rates.collect::<Result<Vec<_>, SearchError>>()?))
}

/// The share of the threads' time that went into hashes a chain needed:
/// `hashes_needed / (elapsed x threads x one_thread_rate)`.
///
/// The hashes needed are those of the nonces from 0 to each proof that was
/// searched. The rest of the time went into nonces past a proof, into
/// distributing work and waiting for it, and into reading, hashing and writing
/// blocks. `None` if no proof was searched or the divisor is 0.
///
/// ```
/// use std::num::NonZeroUsize;
/// use std::time::Duration;
/// use fourzero::bench::efficiency;
///
/// let two = NonZeroUsize::new(2).unwrap();
/// assert_eq!(efficiency(90, Duration::from_secs(1), two, 50.0), Some(0.9));
/// assert_eq!(efficiency(0, Duration::from_secs(1), two, 50.0), None);
/// ```
pub fn efficiency(
    hashes_needed: u64,
    elapsed: Duration,
    threads: NonZeroUsize,
    one_thread_rate: f64,
) -> Option<f64> {
    let possible = elapsed.as_secs_f64() * threads.get() as f64 * one_thread_rate;
    (hashes_needed > 0 && possible > 0.0).then(|| hashes_needed as f64 / possible)
}

/// The median of at least one rate.
pub(super) fn median(rates: &[f64]) -> f64 {
    let mut sorted = rates.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    f64::midpoint(sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2])
}

/// Hashes and the time they took.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TimedHashes {
    pub(super) hashes: u64,
    pub(super) elapsed: Duration,
}

impl TimedHashes {
    /// Hashes per second.
    pub(super) fn rate(self) -> f64 {
        self.hashes as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }
}

/// Searches without an answer: the full rate of the kernel and the threads.
#[derive(Debug)]
pub(super) struct EndlessSearch {
    template: Template,
    /// The kernel that hashes the nonces.
    pub(super) variant: Variant,
    /// How many to try in the next sample.
    nonces: u64,
}

impl EndlessSearch {
    /// Searches messages as `rule` makes them in the middle of a chain with
    /// four zeros.
    pub(super) fn new(rule: Rule, searcher: &Searcher) -> Self {
        let hash = Digest::of(b"steady");
        let template = rule.template(&LastBlock {
            proof: b"35293",
            previous_hash: &hash.to_hex(),
            hash,
        });
        Self {
            // Chosen now, so that no sample includes the choice.
            variant: searcher.variant_for(&template, FIRST_NONCE),
            template,
            nonces: 1_000,
        }
    }

    /// Searches for about `duration`.
    pub(super) fn sample(
        &mut self,
        searcher: &Searcher,
        duration: Duration,
        control: &Control,
    ) -> Result<TimedHashes, SearchError> {
        let unreachable = Target::from_bits(256).expect("a digest has 256 bits");
        loop {
            let range = NonceRange::new(FIRST_NONCE, Nonce(FIRST_NONCE.0 + self.nonces));
            let started = Instant::now();
            let outcome = searcher.find(&self.template, unreachable, range, control)?;
            let sample = TimedHashes {
                hashes: outcome.hashes,
                elapsed: started.elapsed(),
            };
            let tried = self.nonces;
            self.nonces = (sample.rate() * duration.as_secs_f64()).max(1.0) as u64;
            // The rate of a much shorter search is only good to estimate how
            // many nonces take that long.
            if tried >= self.nonces / 2 {
                return Ok(sample);
            }
        }
    }
}

/// Searches that each continue from the proof found before, as in a chain.
#[derive(Debug)]
pub(super) struct ProofChain {
    rule: Rule,
    target: Target,
    proof: Nonce,
    previous_hash: Digest,
    hash: Digest,
}

impl ProofChain {
    pub(super) fn new(rule: Rule, target: Target) -> Self {
        Self {
            rule,
            target,
            proof: Nonce(100),
            previous_hash: Digest::of(b"proofs"),
            hash: Digest::of(b"of a chain"),
        }
    }

    /// Searches proofs until `duration` is over, and counts the hashes that
    /// they needed.
    pub(super) fn sample(
        &mut self,
        searcher: &Searcher,
        duration: Duration,
        control: &Control,
    ) -> Result<TimedHashes, SearchError> {
        let started = Instant::now();
        let mut hashes = 0;
        loop {
            let template = self.rule.template(&LastBlock {
                proof: self.proof.to_string().as_bytes(),
                previous_hash: &self.previous_hash.to_hex(),
                hash: self.hash,
            });
            let outcome = searcher.find(&template, self.target, NonceRange::ALL, control)?;
            self.previous_hash = self.hash;
            if let Some(hit) = outcome.hit {
                hashes += hit.nonce.0.saturating_add(1);
                (self.proof, self.hash) = (hit.nonce, hit.digest);
            } else {
                // A chain would end here. Samples continue from its start.
                hashes += outcome.hashes;
                self.proof = Nonce(100);
            }
            let elapsed = started.elapsed();
            if elapsed >= duration {
                return Ok(TimedHashes { hashes, elapsed });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_does_not_depend_on_the_order() {
        assert_eq!(median(&[3.0, 1.0, 2.0, 4.0]), 2.5);
        assert_eq!(median(&[4.0, 3.0, 2.0, 1.0]), 2.5);
        assert_eq!(median(&[5.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[5.0]), 5.0);
    }

    #[test]
    fn a_chain_of_proofs_counts_the_hashes_up_to_each() {
        let searcher =
            Searcher::new(NonZeroUsize::new(2).unwrap(), KernelChoice::Measured).unwrap();
        let mut proofs = ProofChain::new(Rule::LastProof, Target::FOUR_ZEROS);
        for proof in [35293, 35089, 119678] {
            let sample = proofs
                .sample(&searcher, Duration::ZERO, &Control::new())
                .unwrap();
            assert_eq!(sample.hashes, proof + 1);
        }
    }

    #[test]
    fn an_endless_search_tries_the_nonces_it_counts_and_can_be_cancelled() {
        let searcher = Searcher::new(NonZeroUsize::MIN, KernelChoice::Measured).unwrap();
        let mut search = EndlessSearch::new(Rule::PreviousHash, &searcher);
        let control = Control::new();
        let millisecond = Duration::from_millis(1);
        let sample = search.sample(&searcher, millisecond, &control).unwrap();
        assert!(sample.hashes > 0 && sample.hashes <= control.hashes());
        control.cancel();
        assert!(matches!(
            search.sample(&searcher, millisecond, &control),
            Err(SearchError::Cancelled { .. })
        ));
    }
}
