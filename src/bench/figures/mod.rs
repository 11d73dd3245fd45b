//! The figures that the engine is held to, measured by the program itself:
//! [`mine_figures`] and [`verify_figures`].
//!
//! A figure is a ratio wherever it can be one, of two things measured side by
//! side in the same round: machines differ, and so do the moments of one
//! machine. Its value is the median of the rounds; of what must not lie far
//! apart, it is how far the sizes' best rates or median peaks do.

mod least;
mod mine;
mod proportion;
mod queues;
mod verify;

use std::error::Error;
use std::io;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use serde::{Serialize, Serializer};
use thiserror::Error;

pub use self::mine::mine_figures;
pub use self::verify::verify_figures;

use super::rate::Calibration;
use super::sample::SampleQueue;
use super::sha2_rate::sha2_bytes_per_second;
use super::task::{Measured, Task};
use super::turns::Turns;
use crate::batch::{MineError, MineOptions, MineSummary, NamedQueue, OutputError, mine};
use crate::chain::Format;
use crate::pow::{Control, SearchError, Searcher};

/// What a figure must be.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Bound {
    /// This or more.
    AtLeast(f64),
    /// This or less.
    AtMost(f64),
}

impl std::fmt::Display for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AtLeast(least) => write!(f, ">= {least}"),
            Self::AtMost(most) => write!(f, "<= {most}"),
        }
    }
}

impl Serialize for Bound {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One figure.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Figure {
    /// What it is of.
    pub name: String,
    /// `MB/s`, `MH/s`, `MB`, or empty for a ratio.
    pub unit: &'static str,
    /// The median of the rounds.
    pub median: f64,
    /// The best round.
    pub best: f64,
    /// What it must be, if anything is asked of it.
    pub target: Option<Bound>,
    /// Whether the median is what it must be.
    pub holds: Option<bool>,
}

impl Figure {
    fn new(
        name: impl Into<String>,
        unit: &'static str,
        turns: &Turns,
        target: Option<Bound>,
    ) -> Self {
        let median = turns.median();
        let (best, holds) = match target {
            Some(Bound::AtMost(most)) => (turns.least(), Some(median <= most)),
            Some(Bound::AtLeast(least)) => (turns.best(), Some(median >= least)),
            None => (turns.best(), None),
        };
        Self {
            name: name.into(),
            unit,
            median,
            best,
            target,
            holds,
        }
    }

    /// A figure of which nothing is asked, but that should be small.
    fn of_cost(name: impl Into<String>, unit: &'static str, turns: &Turns) -> Self {
        Self {
            best: turns.least(),
            ..Self::new(name, unit, turns, None)
        }
    }
}

/// What the `sha2` crate hashed in the same run.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Sha2Rate {
    /// Threads that hashed.
    pub threads: NonZeroUsize,
    /// Bytes a second, the median of the rounds.
    pub median: f64,
    /// Bytes a second of the best round.
    pub best: f64,
}

/// All figures of a run.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Figures {
    /// The yardstick.
    pub sha2: Vec<Sha2Rate>,
    /// The figures.
    pub figures: Vec<Figure>,
}

/// How figures are measured.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FiguresPlan {
    /// Threads that search, and threads that check. What is asked of the
    /// figures is asked on two.
    pub threads: NonZeroUsize,
    /// How often each is measured.
    pub rounds: NonZeroUsize,
    /// Transactions in the chain that is compared with the yardstick.
    pub transactions: u64,
    /// The chains that must cost in proportion, in megabytes, about.
    pub megabytes: Vec<u64>,
    /// Where the data is made. It stays there.
    pub folder: PathBuf,
}

/// Runs a task in a process of its own.
pub type RunTask<'a> = dyn FnMut(&Task) -> Result<Measured, Box<dyn Error + Send + Sync>> + 'a;

/// Why there are no figures.
#[derive(Debug, Error)]
pub enum FiguresError {
    /// The data cannot be written.
    #[error("cannot make the data to measure with")]
    Data(#[source] io::Error),
    /// Mining failed.
    #[error(transparent)]
    Mine(MineError),
    /// A chain cannot be written.
    #[error(transparent)]
    Output(OutputError),
    /// A search failed.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// A task failed.
    #[error("a measurement in a process of its own failed")]
    Task(#[source] Box<dyn Error + Send + Sync>),
    /// The [`Control`] was cancelled.
    #[error("the measurement was cancelled")]
    Cancelled,
}

impl From<MineError> for FiguresError {
    fn from(error: MineError) -> Self {
        match error {
            MineError::Cancelled => Self::Cancelled,
            other => Self::Mine(other),
        }
    }
}

/// What `sha2` hashed in one turn, in bytes a second.
struct Sha2Turn {
    /// On one thread,
    one: f64,
    /// and on all.
    all: f64,
}

/// What the measurements have at hand.
struct Bench<'a> {
    plan: &'a FiguresPlan,
    run_task: &'a mut RunTask<'a>,
    observe: &'a mut dyn FnMut(&str),
    control: &'a Control,
    sha2: Vec<(NonZeroUsize, Turns)>,
}

impl<'a> Bench<'a> {
    fn new(
        plan: &'a FiguresPlan,
        run_task: &'a mut RunTask<'a>,
        observe: &'a mut dyn FnMut(&str),
        control: &'a Control,
    ) -> Self {
        let mut threads = vec![NonZeroUsize::MIN, plan.threads];
        threads.dedup();
        Self {
            plan,
            run_task,
            observe,
            control,
            sha2: threads
                .into_iter()
                .map(|threads| (threads, Turns::default()))
                .collect(),
        }
    }

    /// The rounds of a step, each told to whoever watches.
    fn rounds(&self) -> std::ops::RangeInclusive<usize> {
        1..=self.plan.rounds.get()
    }

    fn tell(&mut self, step: &str, round: usize) -> Result<(), FiguresError> {
        self.check()?;
        (self.observe)(&format!("{step}: round {round} of {}", self.plan.rounds));
        Ok(())
    }

    fn check(&self) -> Result<(), FiguresError> {
        if self.control.is_cancelled() {
            Err(FiguresError::Cancelled)
        } else {
            Ok(())
        }
    }

    fn task(&mut self, task: &Task) -> Result<Measured, FiguresError> {
        let measured = (self.run_task)(task);
        self.check()?;
        measured.map_err(FiguresError::Task)
    }

    /// Mines so many sample blocks into memory.
    fn mine_in_memory(
        &self,
        blocks: u64,
        options: &MineOptions,
        searcher: &Searcher,
    ) -> Result<MineSummary, FiguresError> {
        let queue = SampleQueue::new(blocks * options.block_size.get() as u64);
        let queue = NamedQueue::new("sample", queue);
        let format = Format::JsonLines;
        let out = Vec::new();
        let (_, mined) = mine(vec![queue], out, format, options, searcher, self.control)?;
        Ok(mined)
    }

    /// A turn of the yardstick on each number of threads.
    fn sha2_turn(&mut self) -> Sha2Turn {
        let rates = self.sha2.iter_mut().map(|(threads, turns)| {
            let rate = sha2_bytes_per_second(*threads, Calibration::TURN * 10);
            turns.push(rate);
            rate
        });
        let rates: Vec<_> = rates.collect();
        Sha2Turn {
            one: rates[0],
            all: rates[rates.len() - 1],
        }
    }

    fn finish(self, figures: Vec<Figure>) -> Figures {
        let sha2 = self.sha2.into_iter().map(|(threads, turns)| Sha2Rate {
            threads,
            median: turns.median(),
            best: turns.best(),
        });
        Figures {
            sha2: sha2.collect(),
            figures,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_held_to_its_median_and_shows_its_best() {
        let turns: Turns = [0.8, 0.9, 1.0].into_iter().collect();
        let holds = |target| {
            let figure = Figure::new("x", "", &turns, target);
            (figure.median, figure.best, figure.holds)
        };
        assert_eq!(holds(None), (0.9, 1.0, None));
        assert_eq!(holds(Some(Bound::AtLeast(0.9))), (0.9, 1.0, Some(true)));
        assert_eq!(holds(Some(Bound::AtLeast(0.95))), (0.9, 1.0, Some(false)));
        assert_eq!(holds(Some(Bound::AtMost(0.85))), (0.9, 0.8, Some(false)));
        assert_eq!(holds(Some(Bound::AtMost(0.9))), (0.9, 0.8, Some(true)));
    }

    #[test]
    fn the_best_peak_memory_is_the_least() {
        let folder = tempfile::tempdir().unwrap();
        let plan = FiguresPlan {
            threads: NonZeroUsize::MIN,
            rounds: NonZeroUsize::new(3).unwrap(),
            transactions: 10,
            megabytes: vec![1],
            folder: folder.path().to_owned(),
        };
        let mut megabytes = 0;
        let mut run_task = |_: &Task| {
            megabytes += 1;
            Ok(Measured {
                bytes: 1_000_000,
                hashes_needed: 0,
                seconds: 1.0,
                peak_bytes: Some(megabytes * 1_000_000),
            })
        };
        let figures = verify_figures(&plan, &mut run_task, &mut |_| {}, &Control::new()).unwrap();
        let peak = figures
            .figures
            .iter()
            .find(|figure| figure.name.ends_with("peak memory"))
            .unwrap();
        // The last three tasks are of the chain of 1 MB.
        let last = megabytes as f64;
        assert_eq!((peak.median, peak.best), (last - 1.0, last - 2.0));
    }

    /// Runs tasks here: what a process of its own adds is its peak memory.
    fn measured_here<F>(figures: F) -> Figures
    where
        F: FnOnce(&FiguresPlan, &mut RunTask<'_>) -> Result<Figures, FiguresError>,
    {
        let folder = tempfile::tempdir().unwrap();
        let plan = FiguresPlan {
            threads: NonZeroUsize::new(2).unwrap(),
            rounds: NonZeroUsize::MIN,
            transactions: 1_000,
            megabytes: vec![1, 2],
            folder: folder.path().to_owned(),
        };
        figures(&plan, &mut |task| Ok(task.run(&Control::new())?)).unwrap()
    }

    fn names_with_target(figures: &Figures) -> Vec<&str> {
        for figure in &figures.figures {
            assert!(
                figure.median >= 0.0 && figure.best.is_finite(),
                "{figure:?}"
            );
            assert_eq!(
                figure.target.is_some(),
                figure.holds.is_some(),
                "{figure:?}"
            );
        }
        let all = figures.figures.iter();
        all.filter(|figure| figure.target.is_some())
            .map(|figure| figure.name.as_str())
            .collect()
    }

    #[test]
    fn every_figure_of_verification_is_measured() {
        let figures = measured_here(|plan, run_task| {
            verify_figures(plan, run_task, &mut |_| {}, &Control::new())
        });
        let names = names_with_target(&figures);
        assert_eq!(names.len(), 4, "{names:?}");
        assert!(names[1].contains("Flask"), "{names:?}");
        assert_eq!(figures.sha2.len(), 2);
        assert!(
            figures
                .sha2
                .iter()
                .all(|rate| rate.best >= rate.median && rate.median > 0.0)
        );
    }

    #[test]
    fn every_figure_of_mining_is_measured() {
        let figures = measured_here(|plan, run_task| {
            mine_figures(plan, run_task, &mut |_| {}, &Control::new())
        });
        let names = names_with_target(&figures);
        assert_eq!(names.len(), 9, "{names:?}");
        assert!(names[0].contains("efficiency, 1 thread"), "{names:?}");
        assert!(names[1].contains("efficiency, 2 threads"), "{names:?}");
        assert!(names[2].contains("searches, median"), "{names:?}");
        assert!(names[3].contains("searches, 99 in 100"), "{names:?}");
        assert!(names[4].contains("whole process"), "{names:?}");
        assert!(names[5].contains("16 queues"), "{names:?}");
    }

    #[test]
    fn a_cancelled_measurement_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let plan = FiguresPlan {
            threads: NonZeroUsize::MIN,
            rounds: NonZeroUsize::MIN,
            transactions: 10,
            megabytes: vec![],
            folder: folder.path().to_owned(),
        };
        let control = Control::new();
        control.cancel();
        for figures in [mine_figures, verify_figures] {
            let result = figures(&plan, &mut |_| unreachable!(), &mut |_| {}, &control);
            assert!(matches!(result, Err(FiguresError::Cancelled)), "{result:?}");
        }
    }
}
