//! The sweep: kernels, rules and thread counts, measured in turns.
//!
//! Every point gets [`TURNS`] turns, and the points alternate: a turn of each,
//! then again, every other round backwards. So a bad moment of the machine
//! hits all points alike, and the best of the turns are from its good moments.

use std::num::NonZeroUsize;
use std::thread;
use std::time::Duration;

use thiserror::Error;

use super::affinity::Cores;
use super::rate::{Proofs, Steady};
use super::report::Run;
use super::turns::Turns;
use crate::pow::{Control, Rule, SearchError, Searcher, Target};
use crate::sha256::{KernelChoice, Variant};

/// Turns of each point.
const TURNS: u32 = 12;

/// Whether threads are bound to cores.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Pinning {
    /// To a core each, physical cores first, where the system allows it.
    #[default]
    Pinned,
    /// The system moves them as it likes.
    Free,
}

/// What is measured.
#[derive(Clone, PartialEq, Debug)]
pub struct SweepPlan {
    /// The kernels.
    pub kernels: Vec<KernelChoice>,
    /// The rules.
    pub rules: Vec<Rule>,
    /// The numbers of threads. One thread is measured whether or not it is
    /// among them: the others are told in terms of it.
    pub threads: Vec<NonZeroUsize>,
    /// The difficulty at which blocks are counted.
    pub target: Target,
    /// How long each point is measured, all its turns together.
    pub per_point: Duration,
    /// Whether threads are bound to cores.
    pub pinning: Pinning,
}

impl SweepPlan {
    /// The points, those of one kernel and rule together, threads ascending.
    fn points(&self) -> Vec<(KernelChoice, Rule, NonZeroUsize)> {
        let mut threads = self.threads.clone();
        threads.push(NonZeroUsize::MIN);
        threads.sort_unstable();
        threads.dedup();
        let mut points = Vec::new();
        for &rule in &self.rules {
            for &choice in &self.kernels {
                points.extend(threads.iter().map(|&threads| (choice, rule, threads)));
            }
        }
        points
    }
}

/// A turn that is over.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TurnDone {
    /// What hashed.
    pub kernel: Variant,
    /// The rule.
    pub rule: Rule,
    /// The number of threads.
    pub threads: NonZeroUsize,
    /// Hashes a second of this turn.
    pub hashrate: f64,
    /// Turns that are over, of all points together.
    pub done: usize,
    /// Turns there are.
    pub of: usize,
}

/// Why a sweep ended early.
#[derive(Debug, Error)]
pub enum SweepError {
    /// A search failed or was cancelled.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// The thread that measures cannot be started.
    #[error("cannot start the thread that measures")]
    Thread(#[source] std::io::Error),
}

impl SweepError {
    /// Whether the [`Control`] was cancelled.
    pub const fn is_cancelled(&self) -> bool {
        matches!(self, Self::Search(SearchError::Cancelled { .. }))
    }
}

/// 1, 2, 4 and so on up to the number of logical cores, and the numbers of
/// physical and of logical cores.
///
/// ```
/// use fourzero::bench::default_thread_counts;
///
/// let counts: Vec<_> = default_thread_counts(6, 12).iter().map(|n| n.get()).collect();
/// assert_eq!(counts, [1, 2, 4, 6, 8, 12]);
/// ```
pub fn default_thread_counts(physical_cores: usize, logical_cores: usize) -> Vec<NonZeroUsize> {
    let powers = (0..usize::BITS).map(|exponent| 1 << exponent);
    let mut counts: Vec<_> = powers
        .take_while(|count| *count <= logical_cores)
        .chain([physical_cores, logical_cores])
        .filter_map(NonZeroUsize::new)
        .filter(|count| count.get() <= logical_cores)
        .collect();
    counts.sort_unstable();
    counts.dedup();
    counts
}

/// Measures every point of `plan`, and calls `observe` after each turn.
/// `control` counts hashes and cancels.
///
/// # Errors
/// If a candidate fails its self-test, threads cannot be started, or `control`
/// is cancelled.
pub fn sweep(
    plan: &SweepPlan,
    control: &Control,
    observe: &mut (dyn FnMut(TurnDone) + Send),
) -> Result<Vec<Run>, SweepError> {
    let cores = match plan.pinning {
        Pinning::Pinned => Cores::allowed(),
        Pinning::Free => None,
    };
    // In a thread of its own, for whoever asks for a search works on it, and
    // the caller's thread must not stay pinned.
    thread::scope(|scope| {
        let measuring = thread::Builder::new()
            .name("bench".into())
            .spawn_scoped(scope, || measure(plan, cores.as_ref(), control, observe))
            .map_err(SweepError::Thread)?;
        measuring
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn measure(
    plan: &SweepPlan,
    cores: Option<&Cores>,
    control: &Control,
    observe: &mut (dyn FnMut(TurnDone) + Send),
) -> Result<Vec<Run>, SweepError> {
    if let Some(cores) = cores {
        // What cannot be pinned still runs.
        cores.pin_current_thread(0);
    }
    let mut points = plan
        .points()
        .into_iter()
        .map(|(choice, rule, threads)| Point::new(plan, choice, rule, threads, cores))
        .collect::<Result<Vec<_>, SearchError>>()?;
    let of = points.len() * TURNS as usize;
    let mut done = 0;
    for round in 0..TURNS {
        let count = points.len();
        for step in 0..count {
            let index = if round % 2 == 0 {
                step
            } else {
                count - 1 - step
            };
            let point = &mut points[index];
            let hashrate = point.turn(plan.per_point / TURNS, control)?;
            done += 1;
            observe(TurnDone {
                kernel: point.variant,
                rule: point.rule,
                threads: point.searcher.threads(),
                hashrate,
                done,
                of,
            });
        }
    }
    Ok(runs(&points, plan.target))
}

/// A point while it is measured.
struct Point {
    searcher: Searcher,
    variant: Variant,
    rule: Rule,
    target: Target,
    steady: Steady,
    proofs: Proofs,
    /// Whether proofs are short enough to be counted in a turn. The first turn
    /// decides for all: what some turns measured and others did not would have
    /// no best.
    searches_proofs: Option<bool>,
    rates: Turns,
    proof_rates: Turns,
    hashes: u64,
    elapsed: Duration,
}

impl Point {
    fn new(
        plan: &SweepPlan,
        choice: KernelChoice,
        rule: Rule,
        threads: NonZeroUsize,
        cores: Option<&Cores>,
    ) -> Result<Self, SearchError> {
        let searcher = match cores.cloned() {
            None => Searcher::new(threads, choice)?,
            Some(cores) => Searcher::with_thread_setup(threads, choice, move |index| {
                cores.pin_current_thread(index);
            })?,
        };
        let steady = Steady::new(rule);
        Ok(Self {
            variant: steady.variant(&searcher),
            searcher,
            rule,
            target: plan.target,
            steady,
            proofs: Proofs::new(rule, plan.target),
            searches_proofs: None,
            rates: Turns::default(),
            proof_rates: Turns::default(),
            hashes: 0,
            elapsed: Duration::ZERO,
        })
    }

    /// Half a turn of steady hashing, and half a turn of proofs one after
    /// another where these are short enough to be counted in it.
    fn turn(&mut self, duration: Duration, control: &Control) -> Result<f64, SearchError> {
        let turn = self.steady.turn(&self.searcher, duration / 2, control)?;
        let rate = turn.rate();
        self.hashes += turn.hashes;
        self.elapsed += turn.elapsed;
        self.rates.push(rate);
        let seconds_a_proof = self.target.expected_hashes() / rate;
        let are_short = seconds_a_proof < duration.as_secs_f64() / 8.0;
        if *self.searches_proofs.get_or_insert(are_short) {
            let turn = self.proofs.turn(&self.searcher, duration / 2, control)?;
            self.proof_rates.push(turn.rate());
        }
        Ok(rate)
    }

    /// Average blocks a second in the best turn, if proofs were searched.
    fn blocks_per_second(&self) -> Option<f64> {
        let rate = self.proof_rates.best();
        (rate > 0.0).then(|| rate / self.target.expected_hashes())
    }
}

fn runs(points: &[Point], target: Target) -> Vec<Run> {
    let on_one_thread = |point: &Point| {
        let same = |other: &&Point| {
            other.searcher.threads() == NonZeroUsize::MIN
                && other.searcher.choice() == point.searcher.choice()
                && other.rule == point.rule
        };
        points
            .iter()
            .find(same)
            .map_or(point.rates.best(), |one| one.rates.best())
    };
    points
        .iter()
        .map(|point| {
            let threads = point.searcher.threads().get();
            let speedup = point.rates.best() / on_one_thread(point);
            Run {
                kernel: point.variant.name().to_owned(),
                rule: point.rule.name().to_owned(),
                threads,
                hashes: point.hashes,
                seconds: point.elapsed.as_secs_f64(),
                hashrate: point.hashes as f64 / point.elapsed.as_secs_f64(),
                best: point.rates.best(),
                median: point.rates.median(),
                speedup,
                efficiency: speedup / threads as f64,
                blocks_per_second: point.blocks_per_second(),
                zero_bits: Some(target.bits()),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(threads: &[usize]) -> SweepPlan {
        SweepPlan {
            kernels: vec![KernelChoice::Measured, "sha2".parse().unwrap()],
            rules: vec![Rule::LastHash],
            threads: threads
                .iter()
                .filter_map(|count| NonZeroUsize::new(*count))
                .collect(),
            target: Target::from_bits(4).unwrap(),
            per_point: Duration::from_millis(24),
            pinning: Pinning::Pinned,
        }
    }

    #[test]
    fn every_point_is_measured_and_told_in_terms_of_one_thread() {
        let mut turns = Vec::new();
        let runs = sweep(&plan(&[3, 2, 3]), &Control::new(), &mut |turn| {
            turns.push(turn);
        })
        .unwrap();
        let points: Vec<_> = runs
            .iter()
            .map(|run| (run.kernel.as_str(), run.threads))
            .collect();
        let chosen = runs[0].kernel.as_str();
        let candidates = KernelChoice::Measured.candidates();
        assert!(
            candidates
                .iter()
                .any(|candidate| candidate.name() == chosen)
        );
        let expected = [
            (chosen, 1),
            (chosen, 2),
            (chosen, 3),
            ("sha2", 1),
            ("sha2", 2),
            ("sha2", 3),
        ];
        assert_eq!(points, expected);
        for run in &runs {
            assert!(run.best >= run.median && run.median > 0.0, "{run:?}");
            assert!((run.speedup / run.threads as f64 - run.efficiency).abs() < 1e-9);
            assert!(run.hashes > 0, "{run:?}");
        }
        assert_eq!((runs[0].speedup, runs[3].speedup), (1.0, 1.0));
        assert_eq!(turns.len(), 6 * TURNS as usize);
        assert!(
            turns
                .iter()
                .enumerate()
                .all(|(index, turn)| (turn.done, turn.of) == (index + 1, 72))
        );
    }

    #[test]
    fn blocks_are_counted_only_where_they_were_searched() {
        let endless = SweepPlan {
            target: Target::from_bits(256).unwrap(),
            ..plan(&[1])
        };
        let runs = sweep(&endless, &Control::new(), &mut |_| {}).unwrap();
        assert_eq!(runs.len(), 2);
        assert!(runs.iter().all(|run| run.blocks_per_second.is_none()));
    }

    #[test]
    fn a_point_searches_proofs_in_all_of_its_turns_or_in_none() {
        let mut point = Point::new(
            &plan(&[1]),
            KernelChoice::Measured,
            Rule::LastHash,
            NonZeroUsize::MIN,
            None,
        )
        .unwrap();
        let control = Control::new();
        // A turn that is too short for a proof, and one that is not.
        point.turn(Duration::from_nanos(8), &control).unwrap();
        point.turn(Duration::from_millis(8), &control).unwrap();
        assert_eq!(point.blocks_per_second(), None);
        // As if the first turn had not been.
        point.searches_proofs = Some(true);
        for turn in [Duration::from_millis(8), Duration::from_nanos(8)] {
            point.turn(turn, &control).unwrap();
        }
        assert!(point.blocks_per_second().unwrap() > 0.0);
    }

    #[test]
    fn a_cancelled_sweep_says_so() {
        let control = Control::new();
        control.cancel();
        let error = sweep(&plan(&[1]), &control, &mut |_| {}).unwrap_err();
        assert!(error.is_cancelled(), "{error}");
    }

    #[test]
    fn default_thread_counts_never_exceed_the_logical_cores() {
        let counts = |physical, logical| -> Vec<usize> {
            let counts = default_thread_counts(physical, logical);
            counts.into_iter().map(NonZeroUsize::get).collect()
        };
        assert_eq!(counts(2, 2), [1, 2]);
        assert_eq!(counts(1, 1), [1]);
        assert_eq!(counts(24, 48), [1, 2, 4, 8, 16, 24, 32, 48]);
        // A container that may use three cores of a machine with 64.
        assert_eq!(counts(64, 3), [1, 2, 3]);
    }
}
