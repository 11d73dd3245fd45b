//! The sweep: the hashrate of kernels under rules on numbers of threads.
//!
//! Every combination is sampled [`SAMPLES`] times, and the combinations
//! alternate: one sample of each, then again in reverse order. A slow moment of
//! the machine thus affects all of them alike.

use std::num::NonZeroUsize;
use std::panic;
use std::thread;
use std::time::Duration;

use super::affinity::Cores;
use super::hashrate::{EndlessSearch, ProofChain, SAMPLES, TimedHashes, median};
use super::report::{Partial, SweepRun};
use crate::pow::{Control, Rule, SearchError, Searcher, Target};
use crate::sha256::{KernelChoice, Variant};

/// The combinations to measure, and how.
#[derive(Clone, PartialEq, Debug)]
pub struct SweepPlan {
    /// The kernels.
    pub kernels: Vec<KernelChoice>,
    /// The rules.
    pub rules: Vec<Rule>,
    /// The numbers of threads. One thread is always measured, because the
    /// results of the others refer to it.
    pub threads: Vec<NonZeroUsize>,
    /// The difficulty of the blocks that are counted.
    pub target: Target,
    /// The time for all samples of a combination together.
    pub duration: Duration,
    /// The cores that threads are pinned to.
    pub cores: Cores,
}

/// A finished sample.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct SweepProgress {
    /// The kernel.
    pub kernel: Variant,
    /// The rule.
    pub rule: Rule,
    /// The number of threads.
    pub threads: NonZeroUsize,
    /// Hashes per second of this sample.
    pub hashrate: f64,
    /// The number of finished samples.
    pub done: usize,
    /// The number of samples in the sweep.
    pub total: usize,
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
    (1..=logical_cores)
        .filter(|count| count.is_power_of_two() || [physical_cores, logical_cores].contains(count))
        .filter_map(NonZeroUsize::new)
        .collect()
}

/// The results of a sweep.
#[derive(Clone, PartialEq, Debug)]
pub struct Sweep {
    /// One for each combination that has a finished sample.
    pub runs: Vec<SweepRun>,
    /// Set if the sweep was cancelled before its end.
    pub partial: Option<Partial>,
}

/// Measures all combinations of `plan`, and calls `observe` after each sample.
/// `control` counts hashes and cancels: what was measured until then is
/// returned.
///
/// # Errors
/// If a candidate fails its self-test, threads cannot be started, or `control`
/// is cancelled before the first sample is finished.
pub fn sweep(
    plan: &SweepPlan,
    control: &Control,
    observe: &mut (dyn FnMut(SweepProgress) + Send),
) -> Result<Sweep, SearchError> {
    // The thread that asks for a search works on it and is pinned too. The
    // caller's thread must not stay pinned, so this is a new one.
    thread::scope(|scope| {
        thread::Builder::new()
            .name("bench".into())
            .spawn_scoped(scope, || measure(plan, control, observe))
            .map_err(|source| SearchError::Threads {
                threads: NonZeroUsize::MIN,
                source,
            })?
            .join()
            .unwrap_or_else(|panic| panic::resume_unwind(panic))
    })
}

fn measure(
    plan: &SweepPlan,
    control: &Control,
    observe: &mut dyn FnMut(SweepProgress),
) -> Result<Sweep, SearchError> {
    plan.cores.pin_current_thread(0);
    let mut threads = plan.threads.clone();
    threads.push(NonZeroUsize::MIN);
    threads.sort_unstable();
    threads.dedup();
    let mut points = Vec::new();
    for &rule in &plan.rules {
        for &kernel in &plan.kernels {
            for &threads in &threads {
                points.push(Point::new(plan, kernel, rule, threads)?);
            }
        }
    }
    let forth = 0..points.len();
    let back = forth.clone().rev();
    let rounds = (0..SAMPLES).flat_map(|round| match round % 2 {
        0 => forth.clone().collect::<Vec<_>>(),
        _ => back.clone().collect(),
    });
    let total = points.len() * SAMPLES as usize;
    let mut done = 0;
    for place in rounds {
        let point = &mut points[place];
        let hashrate = match point.sample(control) {
            Err(SearchError::Cancelled { .. }) if done > 0 => break,
            sampled => sampled?,
        };
        done += 1;
        observe(SweepProgress {
            kernel: point.search.variant,
            rule: point.rule,
            threads: point.searcher.threads(),
            hashrate,
            done,
            total,
        });
    }
    // One thread comes first among the points of a kernel and a rule.
    let mut one_thread = 0.0;
    let sampled = points.iter().filter(|point| !point.rates.is_empty());
    let runs = sampled.map(|point| {
        if point.searcher.threads() == NonZeroUsize::MIN {
            one_thread = best(&point.rates);
        }
        point.run(one_thread)
    });
    Ok(Sweep {
        runs: runs.collect(),
        partial: (done < total).then_some(Partial {
            samples: done,
            planned_samples: total,
        }),
    })
}

/// A combination of kernel, rule and number of threads while it is measured.
struct Point {
    searcher: Searcher,
    rule: Rule,
    target: Target,
    /// The time for a sample.
    duration: Duration,
    search: EndlessSearch,
    all: TimedHashes,
    rates: Vec<f64>,
    /// `None` if a proof takes too long for a sample. The first sample decides
    /// for all: the best of only some samples could not be compared.
    proofs: Option<ProofChain>,
    proof_rates: Vec<f64>,
}

impl Point {
    fn new(
        plan: &SweepPlan,
        kernel: KernelChoice,
        rule: Rule,
        threads: NonZeroUsize,
    ) -> Result<Self, SearchError> {
        let cores = plan.cores.clone();
        let pin = move |index| cores.pin_current_thread(index);
        let searcher = Searcher::with_thread_setup(threads, kernel, pin)?;
        Ok(Self {
            search: EndlessSearch::new(rule, &searcher),
            searcher,
            rule,
            target: plan.target,
            duration: plan.duration / SAMPLES,
            all: TimedHashes::default(),
            rates: Vec::new(),
            proofs: None,
            proof_rates: Vec::new(),
        })
    }

    /// Spends half of a sample on hashing alone, and the other half on proofs
    /// if they are short enough. Returns the rate of hashing alone. A sample that
    /// fails counts for nothing.
    fn sample(&mut self, control: &Control) -> Result<f64, SearchError> {
        let half = self.duration / 2;
        let hashed = self.search.sample(&self.searcher, half, control)?;
        let seconds_a_proof = self.target.expected_hashes() / hashed.rate();
        if self.rates.is_empty() && seconds_a_proof < self.duration.as_secs_f64() / 8.0 {
            self.proofs = Some(ProofChain::new(self.rule, self.target));
        }
        if let Some(proofs) = &mut self.proofs {
            let proofs = proofs.sample(&self.searcher, half, control)?;
            self.proof_rates.push(proofs.rate());
        }
        self.all.hashes += hashed.hashes;
        self.all.elapsed += hashed.elapsed;
        self.rates.push(hashed.rate());
        Ok(hashed.rate())
    }

    fn run(&self, one_thread: f64) -> SweepRun {
        let (best_rate, threads) = (best(&self.rates), self.searcher.threads().get());
        let speedup = best_rate / one_thread;
        let blocks = best(&self.proof_rates) / self.target.expected_hashes();
        SweepRun {
            kernel: self.search.variant.name().to_owned(),
            rule: self.rule.name().to_owned(),
            threads,
            hashes: self.all.hashes,
            seconds: self.all.elapsed.as_secs_f64(),
            hashrate: self.all.rate(),
            best: best_rate,
            median: median(&self.rates),
            speedup,
            efficiency: speedup / threads as f64,
            blocks_per_second: self.proofs.is_some().then_some(blocks),
            zero_bits: Some(self.target.bits()),
        }
    }
}

/// The highest rate; 0 if there is none.
fn best(rates: &[f64]) -> f64 {
    rates.iter().copied().fold(0.0, f64::max)
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
            duration: Duration::from_millis(24),
            cores: Cores::allowed(),
        }
    }

    #[test]
    fn every_combination_is_measured_and_compared_with_one_thread() {
        let mut samples = Vec::new();
        let mut observe = |sample| samples.push(sample);
        let Sweep { runs, partial } =
            sweep(&plan(&[3, 2, 3]), &Control::new(), &mut observe).unwrap();
        assert_eq!(partial, None);
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
        let counted: Vec<_> = samples.iter().map(|sample| sample.done).collect();
        assert_eq!(counted, (1..=6 * SAMPLES as usize).collect::<Vec<_>>());
        assert!(samples.iter().all(|sample| sample.total == samples.len()));
    }

    #[test]
    fn blocks_are_counted_only_where_they_were_searched() {
        let endless = SweepPlan {
            target: Target::from_bits(256).unwrap(),
            ..plan(&[1])
        };
        let runs = sweep(&endless, &Control::new(), &mut |_| {}).unwrap().runs;
        assert_eq!(runs.len(), 2);
        assert!(runs.iter().all(|run| run.blocks_per_second.is_none()));
    }

    #[test]
    fn the_first_sample_decides_whether_proofs_are_searched() {
        let control = Control::new();
        // Too short for a proof, and long enough.
        let durations = [8, 8_000_000].map(Duration::from_nanos);
        for [first, second] in [durations, [durations[1], durations[0]]] {
            let plan = plan(&[1]);
            let (kernel, rule) = (KernelChoice::Measured, Rule::LastHash);
            let mut point = Point::new(&plan, kernel, rule, NonZeroUsize::MIN).unwrap();
            for duration in [first, second] {
                point.duration = duration;
                point.sample(&control).unwrap();
            }
            let samples = if first > second { 2 } else { 0 };
            assert_eq!(point.proof_rates.len(), samples);
            assert_eq!(point.run(1.0).blocks_per_second.is_some(), samples > 0);
        }
    }

    #[test]
    fn a_cancelled_sweep_returns_its_finished_samples() {
        // In the first round, and on the way back through the points.
        for (samples, measured) in [(1, 1), (3, 3), (4, 4), (6, 4), (47, 4)] {
            let control = Control::new();
            let mut observe = |sample: SweepProgress| {
                if sample.done == samples {
                    control.cancel();
                }
            };
            let Sweep { runs, partial } = sweep(&plan(&[2]), &control, &mut observe).unwrap();
            let expected = Partial {
                samples,
                planned_samples: 4 * SAMPLES as usize,
            };
            assert_eq!(partial, Some(expected));
            assert_eq!(runs.len(), measured);
            let threads: Vec<_> = runs.iter().map(|run| run.threads).collect();
            assert_eq!(threads, [1, 2, 1, 2][..measured]);
            for run in &runs {
                assert!(run.best >= run.median && run.median > 0.0, "{run:?}");
                assert!(run.speedup > 0.0 && run.speedup.is_finite(), "{run:?}");
            }
        }
    }

    #[test]
    fn a_sweep_without_a_sample_is_cancelled() {
        let control = Control::new();
        control.cancel();
        let error = sweep(&plan(&[1]), &control, &mut |_| {}).unwrap_err();
        assert!(matches!(error, SearchError::Cancelled { .. }), "{error}");
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
