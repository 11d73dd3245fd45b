//! The results of a sweep, as they are kept in a file, and the comparison of
//! two sweeps.

use serde::{Deserialize, Serialize};

use super::machine::Machine;
use crate::pow::{Measurement, measurements};

/// The results of a sweep and the machine it ran on.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(expecting = "the measurements of a sweep")]
pub struct SweepReport {
    /// The machine.
    #[serde(flatten)]
    pub machine: Machine,
    /// Set if the sweep was stopped before its end. The results are those of the
    /// samples until then.
    #[serde(default)]
    pub partial: Option<Partial>,
    /// One result for each combination of kernel, rule and number of threads.
    pub runs: Vec<SweepRun>,
    /// The kernels that were chosen by measurement.
    #[serde(default)]
    pub chosen: Vec<Chosen>,
}

/// How much of a sweep was done before it was stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Partial {
    /// Finished samples.
    pub samples: usize,
    /// The samples of the whole sweep.
    pub planned_samples: usize,
}

/// A kernel that was chosen by measurement, and the next fastest. Rates are
/// hashes per second on one thread, in the best of a few samples of microseconds.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Chosen {
    /// The shape of the messages it was measured for.
    pub messages: String,
    /// The variant's name.
    pub kernel: String,
    /// Its rate.
    pub hashrate: f64,
    /// The name of the next fastest.
    pub runner_up: String,
    /// Its rate.
    pub runner_up_hashrate: f64,
}

impl Chosen {
    /// The choices that this process has made so far.
    pub fn so_far() -> Vec<Self> {
        let chosen = |measured: Measurement| match measured.rates[..] {
            [(first, hashrate), (second, runner_up_hashrate), ..] => Some(Self {
                messages: measured.shape.to_string(),
                kernel: first.to_string(),
                hashrate,
                runner_up: second.to_string(),
                runner_up_hashrate,
            }),
            _ => None,
        };
        measurements().into_iter().filter_map(chosen).collect()
    }
}

/// The result for a kernel under a rule on a number of threads.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(expecting = "the measurement of a kernel")]
pub struct SweepRun {
    /// The kernel's name.
    pub kernel: String,
    /// The rule's name.
    pub rule: String,
    /// The number of threads.
    pub threads: usize,
    /// Hashes of all samples.
    pub hashes: u64,
    /// Seconds of all samples.
    pub seconds: f64,
    /// Hashes per second over all samples.
    pub hashrate: f64,
    /// Hashes per second of the best sample.
    pub best: f64,
    /// Hashes per second of the median sample.
    pub median: f64,
    /// `best` as a multiple of `best` on one thread.
    pub speedup: f64,
    /// `speedup / threads`.
    pub efficiency: f64,
    /// Blocks per second if each takes the average number of hashes; `None` if a
    /// proof takes too long for a sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocks_per_second: Option<f64>,
    /// The difficulty of these blocks, in zero bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zero_bits: Option<u16>,
}

/// The change of a rate since an earlier sweep.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Change {
    /// The rate now divided by the rate then, less 1.
    pub by: f64,
    /// Whether the change is larger than the scatter of both runs, and so
    /// hardly chance.
    pub exceeds_scatter: bool,
}

impl SweepRun {
    /// The share of the best sample by which the median lies below it.
    pub fn scatter(&self) -> f64 {
        (self.best - self.median) / self.best
    }

    /// The change since the same run in `baseline`, if there is one. Compares
    /// the best samples: other programs only ever make a sample slower.
    pub fn change_since(&self, baseline: &SweepReport) -> Option<Change> {
        let same = |run: &&Self| {
            (&run.kernel, &run.rule, run.threads) == (&self.kernel, &self.rule, self.threads)
        };
        let before = baseline.runs.iter().find(same)?;
        let by = self.best / before.best - 1.0;
        Some(Change {
            by,
            exceeds_scatter: by.abs() > self.scatter().max(before.scatter()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(threads: usize, best: f64, median: f64) -> SweepRun {
        SweepRun {
            kernel: "portable".into(),
            rule: "last-proof".into(),
            threads,
            hashes: 1,
            seconds: 1.0,
            hashrate: median,
            best,
            median,
            speedup: 1.0,
            efficiency: 1.0,
            blocks_per_second: None,
            zero_bits: None,
        }
    }

    #[test]
    fn only_a_change_beyond_the_scatter_of_both_runs_counts() {
        let baseline = SweepReport {
            machine: Machine::here(),
            partial: None,
            runs: vec![run(1, 100.0, 95.0), run(2, 200.0, 160.0)],
            chosen: Vec::new(),
        };
        for (now, by, exceeds_scatter) in [
            (run(1, 104.0, 103.0), 0.04, false),
            (run(1, 107.0, 106.0), 0.07, true),
            (run(1, 93.0, 92.0), -0.07, true),
            // The samples now scatter by more than the change.
            (run(1, 107.0, 90.0), 0.07, false),
            // The samples of the baseline scattered by a fifth.
            (run(2, 230.0, 229.0), 0.15, false),
        ] {
            let change = now.change_since(&baseline).unwrap();
            assert!((change.by - by).abs() < 1e-9, "{change:?}");
            assert_eq!(change.exceeds_scatter, exceeds_scatter, "{now:?}");
        }
        assert_eq!(run(4, 1.0, 1.0).change_since(&baseline), None);
    }
}
