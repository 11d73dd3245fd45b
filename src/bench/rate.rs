//! Hashrates, and what share of them the engine turns into proofs.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use super::turns::Turns;
use crate::pow::{
    Control, LastBlock, Nonce, NonceRange, Outcome, Rule, SearchError, Searcher, Target, Template,
};
use crate::sha256::{Digest, KernelChoice, Variant};

/// The first nonce of a steady search: six digits and more, as the kernels'
/// own figures are made.
const FIRST_NONCE: u64 = 100_000;

/// How long and how often the one-thread rate is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Calibration {
    /// How long a turn takes.
    pub turn: Duration,
    /// How many there are.
    pub turns: NonZeroUsize,
}

impl Calibration {
    /// The longest turn that is of use.
    pub(super) const TURN: Duration = Duration::from_millis(10);

    const TURNS: u32 = 12;

    /// A dozen turns of 10 ms.
    pub fn usual() -> Self {
        Self {
            turn: Self::TURN,
            turns: NonZeroUsize::new(Self::TURNS as usize).expect("twelve is not zero"),
        }
    }

    /// For work that took `elapsed`: turns that take a tenth of it together,
    /// but 6 ms at least and [`Self::usual`] at most.
    pub fn after(elapsed: Duration) -> Self {
        Self {
            turn: (elapsed / 10 / Self::TURNS).clamp(Duration::from_micros(500), Self::TURN),
            ..Self::usual()
        }
    }
}

/// The hashes a second that `choice` makes on one thread under `rule`, in a
/// search that neither finds anything nor waits for anybody. The median of
/// the turns, for it is to be compared with work that had its good and its bad
/// moments, too.
///
/// ```
/// use std::time::Duration;
/// use fourzero::{bench::{Calibration, one_thread_rate}, pow::Rule, sha256::KernelChoice};
///
/// let calibration = Calibration::after(Duration::ZERO);
/// assert!(one_thread_rate(KernelChoice::Measured, Rule::LastHash, calibration)? > 0.0);
/// # Ok::<(), fourzero::pow::SearchError>(())
/// ```
///
/// # Errors
/// If a candidate fails its self-test.
pub fn one_thread_rate(
    choice: KernelChoice,
    rule: Rule,
    calibration: Calibration,
) -> Result<f64, SearchError> {
    let searcher = Searcher::new(NonZeroUsize::MIN, choice)?;
    let mut steady = Steady::new(rule);
    let control = Control::new();
    (0..calibration.turns.get())
        .map(|_| Ok(steady.turn(&searcher, calibration.turn, &control)?.rate()))
        .collect::<Result<Turns, SearchError>>()
        .map(|turns| turns.median())
}

/// What share of the time of all threads went into the hashes that a chain
/// needed: `hashes_needed / (elapsed x threads x one_thread_rate)`.
///
/// Needed are the nonces from 0 to each proof that was searched. What is left
/// of 1 went into nonces past a proof, into handing out work and waiting for
/// it, and into everything else that mining does: reading, hashing and writing
/// blocks. `None` if no proof was searched or nothing can be divided by.
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

/// What a turn did.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    pub(super) hashes: u64,
    pub(super) elapsed: Duration,
}

impl Turn {
    /// Hashes a second.
    pub(super) fn rate(self) -> f64 {
        self.hashes as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }
}

/// Searches that find nothing: what the kernel and the threads can do.
#[derive(Debug)]
pub(super) struct Steady {
    template: Template,
    /// The rate of the turn before.
    expected: Option<f64>,
}

impl Steady {
    /// A message of the shape that `rule` has in the middle of a chain at four
    /// zeros.
    pub(super) fn new(rule: Rule) -> Self {
        let hash = Digest::of(b"steady");
        let template = rule.template(&LastBlock {
            proof: b"35293",
            previous_hash: &hash.to_hex(),
            hash,
        });
        Self {
            template,
            expected: None,
        }
    }

    /// What hashes the nonces of a turn.
    pub(super) fn variant(&self, searcher: &Searcher) -> Variant {
        searcher.variant_for(&self.template, Nonce(FIRST_NONCE))
    }

    /// Searches for about `duration`.
    pub(super) fn turn(
        &mut self,
        searcher: &Searcher,
        duration: Duration,
        control: &Control,
    ) -> Result<Turn, SearchError> {
        let mut rate = match self.expected {
            Some(rate) => rate,
            None => self.probe(searcher, duration, control)?,
        };
        let nonces = (rate * duration.as_secs_f64()).max(1.0) as u64;
        let turn = self.search(searcher, nonces, control)?;
        rate = turn.rate();
        self.expected = Some(rate);
        Ok(turn)
    }

    /// Searches more and more until the time is long enough to tell a rate.
    fn probe(
        &self,
        searcher: &Searcher,
        duration: Duration,
        control: &Control,
    ) -> Result<f64, SearchError> {
        let enough = (duration / 4).min(Duration::from_millis(2));
        let mut nonces = 1_000;
        loop {
            let turn = self.search(searcher, nonces, control)?;
            if turn.elapsed >= enough {
                return Ok(turn.rate());
            }
            nonces *= 2;
        }
    }

    fn search(
        &self,
        searcher: &Searcher,
        nonces: u64,
        control: &Control,
    ) -> Result<Turn, SearchError> {
        let unreachable = Target::from_bits(256).expect("a digest has 256 bits");
        let range = NonceRange::new(Nonce(FIRST_NONCE), Nonce(FIRST_NONCE + nonces));
        let started = Instant::now();
        let Outcome { hashes, .. } = searcher.find(&self.template, unreachable, range, control)?;
        Ok(Turn {
            hashes,
            elapsed: started.elapsed(),
        })
    }
}

/// Searches that each start from the proof found before, as in a chain.
#[derive(Debug)]
pub(super) struct Proofs {
    rule: Rule,
    target: Target,
    proof: Nonce,
    previous_hash: Digest,
    hash: Digest,
}

impl Proofs {
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
    pub(super) fn turn(
        &mut self,
        searcher: &Searcher,
        duration: Duration,
        control: &Control,
    ) -> Result<Turn, SearchError> {
        let started = Instant::now();
        let mut hashes = 0;
        loop {
            let template = self.rule.template(&LastBlock {
                proof: self.proof.to_string().as_bytes(),
                previous_hash: &self.previous_hash.to_hex(),
                hash: self.hash,
            });
            let outcome = searcher.find(&template, self.target, NonceRange::ALL, control)?;
            // A chain would end here; a measurement starts over.
            let (nonce, digest) = outcome
                .hit
                .map_or((Nonce(100), self.hash), |hit| (hit.nonce, hit.digest));
            hashes += outcome
                .hit
                .map_or(outcome.hashes, |_| nonce.0.saturating_add(1));
            (self.previous_hash, self.hash, self.proof) = (self.hash, digest, nonce);
            let elapsed = started.elapsed();
            if elapsed >= duration {
                return Ok(Turn { hashes, elapsed });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_of_proofs_counts_the_hashes_up_to_each() {
        let searcher =
            Searcher::new(NonZeroUsize::new(2).unwrap(), KernelChoice::Measured).unwrap();
        let mut proofs = Proofs::new(Rule::LastProof, Target::FOUR_ZEROS);
        for proof in [35293, 35089, 119678] {
            let turn = proofs
                .turn(&searcher, Duration::ZERO, &Control::new())
                .unwrap();
            assert_eq!(turn.hashes, proof + 1);
        }
    }

    #[test]
    fn a_steady_search_tries_what_it_counts_and_can_be_cancelled() {
        let searcher = Searcher::new(NonZeroUsize::MIN, KernelChoice::Measured).unwrap();
        let mut steady = Steady::new(Rule::PreviousHash);
        let control = Control::new();
        let turn = steady
            .turn(&searcher, Duration::from_millis(1), &control)
            .unwrap();
        assert!(turn.hashes > 0 && turn.hashes <= control.hashes());
        control.cancel();
        assert!(matches!(
            steady.turn(&searcher, Duration::from_millis(1), &control),
            Err(SearchError::Cancelled { .. })
        ));
    }
}
