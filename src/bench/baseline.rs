//! A sweep beside an earlier one.

use super::report::{Report, Run};

/// How a point differs from the same point of an earlier sweep.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Change {
    /// The earlier sweep has no such point.
    New,
    /// The difference is no larger than the scatter of the turns of either.
    WithinScatter {
        /// The best turn now by the best then, less 1.
        by: f64,
    },
    /// Faster by more than the scatter.
    Faster {
        /// As above.
        by: f64,
    },
    /// Slower by more than the scatter.
    Slower {
        /// As above; negative.
        by: f64,
    },
}

/// How each run of `now` differs from `then`, in the order of `now`.
///
/// The best turns are compared, since neighbours only ever slow a turn; and
/// the larger scatter of the two runs is what a difference must exceed to be
/// more than chance.
pub fn compare(now: &Report, then: &Report) -> Vec<Change> {
    let change = |run: &Run| {
        let Some(before) = then
            .runs
            .iter()
            .find(|before| before.is_same_point(run) && before.best > 0.0)
        else {
            return Change::New;
        };
        let by = run.best / before.best - 1.0;
        let scatter = run.scatter().max(before.scatter());
        if by > scatter {
            Change::Faster { by }
        } else if by < -scatter {
            Change::Slower { by }
        } else {
            Change::WithinScatter { by }
        }
    };
    now.runs.iter().map(change).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::Machine;

    fn run(threads: usize, best: f64, median: f64) -> Run {
        Run {
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

    fn report(runs: Vec<Run>) -> Report {
        Report {
            machine: Machine::here(),
            runs,
            chosen: Vec::new(),
        }
    }

    #[test]
    fn only_what_exceeds_the_scatter_of_both_is_a_change() {
        let then = report(vec![run(1, 100.0, 95.0), run(2, 200.0, 160.0)]);
        let by = |best, median| compare(&report(vec![run(1, best, median)]), &then)[0];
        assert!(matches!(by(104.0, 103.0), Change::WithinScatter { by } if by > 0.03));
        assert!(matches!(by(107.0, 106.0), Change::Faster { by } if by > 0.06));
        assert!(matches!(by(93.0, 92.0), Change::Slower { by } if by < -0.06));
        // Our own turns scatter by more than that.
        assert!(matches!(by(107.0, 90.0), Change::WithinScatter { .. }));
        // The earlier turns on two threads scattered by a fifth.
        let two = report(vec![run(2, 230.0, 229.0), run(4, 1.0, 1.0)]);
        let changes = compare(&two, &then);
        assert!(matches!(changes[0], Change::WithinScatter { .. }));
        assert_eq!(changes[1], Change::New);
    }
}
