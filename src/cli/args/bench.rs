//! The arguments of `fourzero bench`.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PathBufValueParser, TypedValueParser as _};
use clap::{Args, Subcommand};
use fourzero::bench::{Pinning, Task, default_thread_counts};
use fourzero::pow::Rule;
use fourzero::sha256::{Kernel, KernelChoice};

use super::common::Difficulty;
use super::values::{self, OrKeyword, at_least_one, duration, thread_count};

/// Measure this machine's hashrate, and how it scales with threads
///
/// Each point (a kernel under a rule on so many threads) gets twelve short
/// turns, alternating with those of the other points; the table shows the best
/// and the median. One thread is always measured, for the others are told in
/// terms of it. Where a proof takes too long for a turn, no blocks are counted.
/// `bench mine` and `bench verify` measure what the engine makes of the
/// kernel's rate.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  fourzero bench
  fourzero bench --kernel all --threads all --json sweep.json --plot sweep.svg
  fourzero bench --baseline sweep.json
  fourzero bench mine"
)]
pub(in crate::cli) struct BenchArgs {
    #[command(subcommand)]
    pub(in crate::cli) command: Option<BenchCommand>,
    #[command(flatten)]
    pub(in crate::cli) sweep: SweepArgs,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum BenchCommand {
    /// Measure mining against the project's targets: the share of the threads'
    /// time that becomes proofs, and what text costs
    #[command(after_help = "\
Examples:
  fourzero bench mine
  fourzero bench mine --sizes 10,50 --rounds 11 --json")]
    Mine(FiguresArgs),
    /// Measure verifying against the project's targets: its share of what sha2
    /// hashes, and whether it costs in proportion
    #[command(after_help = "\
Examples:
  fourzero bench verify
  fourzero bench verify --full")]
    Verify(FiguresArgs),
    /// One measurement in a process of its own; `mine` and `verify` start it
    #[command(hide = true)]
    Task {
        /// What to measure, as JSON
        #[arg(value_parser = task)]
        task: Task,
    },
}

#[derive(Debug, Args)]
pub(in crate::cli) struct SweepArgs {
    /// Numbers of threads, such as 1,2,4, or all for every number up to the
    /// logical cores [default: 1, 2, 4 and so on, the physical cores, and the
    /// logical cores]
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = thread_count_or_all, allow_negative_numbers = true)]
    threads: Vec<OrKeyword<NonZeroUsize>>,
    /// Kernels, such as avx2,sha2, or all that this CPU runs [default: the
    /// fastest]
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = values::kernel_or("all"))]
    kernel: Vec<OrKeyword<KernelChoice>>,
    /// Rules, such as last-proof,last-hash, or all
    #[arg(long, value_name = "RULE", default_value = "last-proof", value_delimiter = ',', value_parser = values::rule_or("all"))]
    rule: Vec<OrKeyword<Rule>>,
    #[command(flatten)]
    pub(in crate::cli) difficulty: Difficulty,
    /// Seconds a point, all its turns together
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = point_time, allow_negative_numbers = true)]
    pub(in crate::cli) seconds: Duration,
    /// Leave threads where the system puts them, not each on a core of its own
    #[arg(long)]
    no_pin: bool,
    /// Write the result as JSON; - prints it in place of the table
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) json: Option<PathBuf>,
    /// Draw hashrate and efficiency over threads
    #[arg(long, value_name = "FILE.svg", value_parser = PathBufValueParser::new().try_map(svg_file))]
    pub(in crate::cli) plot: Option<PathBuf>,
    /// Replace these files if they exist
    #[arg(long)]
    pub(in crate::cli) force: bool,
    /// Compare with the JSON of an earlier run (- is standard input); in the
    /// table, * marks what exceeds the scatter of both runs' turns
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) baseline: Option<PathBuf>,
    /// Show no progress
    #[arg(short, long)]
    pub(in crate::cli) quiet: bool,
}

impl SweepArgs {
    pub(in crate::cli) fn threads(&self, physical: usize, logical: usize) -> Vec<NonZeroUsize> {
        if self.threads.is_empty() {
            return default_thread_counts(physical, logical);
        }
        distinct(&self.threads, (1..=logical).filter_map(NonZeroUsize::new))
    }

    pub(in crate::cli) fn kernels(&self) -> Vec<KernelChoice> {
        if self.kernel.is_empty() {
            return vec![KernelChoice::Measured];
        }
        let all = Kernel::available().into_iter().map(KernelChoice::Kernel);
        distinct(&self.kernel, all)
    }

    pub(in crate::cli) fn rules(&self) -> Vec<Rule> {
        distinct(&self.rule, Rule::ALL)
    }

    pub(in crate::cli) const fn pinning(&self) -> Pinning {
        if self.no_pin {
            Pinning::Free
        } else {
            Pinning::Pinned
        }
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct FiguresArgs {
    /// Threads that search or check; the targets are for two
    #[arg(long, value_name = "N", default_value = "2", value_parser = thread_count, allow_negative_numbers = true)]
    pub(in crate::cli) threads: NonZeroUsize,
    /// How often each figure is measured
    #[arg(long, value_name = "N", default_value = "7", value_parser = at_least_one, allow_negative_numbers = true)]
    pub(in crate::cli) rounds: NonZeroUsize,
    /// Transactions in the chain that is compared with sha2
    #[arg(long, value_name = "N", default_value = "1000000", value_parser = at_least_one, allow_negative_numbers = true)]
    pub(in crate::cli) transactions: NonZeroUsize,
    /// Chains that must cost in proportion, in megabytes
    #[arg(
        long,
        value_name = "MB",
        value_delimiter = ',',
        default_value = "10,100",
        value_parser = at_least_one
    )]
    pub(in crate::cli) sizes: Vec<NonZeroUsize>,
    /// A chain of 1 GB, too: --sizes 10,100,1000
    #[arg(long, conflicts_with = "sizes")]
    full: bool,
    /// Print one JSON object in place of the table
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// Show no progress
    #[arg(short, long)]
    pub(in crate::cli) quiet: bool,
}

impl FiguresArgs {
    pub(in crate::cli) fn megabytes(&self) -> Vec<u64> {
        if self.full {
            return vec![10, 100, 1000];
        }
        self.sizes.iter().map(|size| size.get() as u64).collect()
    }
}

fn thread_count_or_all(text: &str) -> Result<OrKeyword<NonZeroUsize>, String> {
    match text {
        "all" => Ok(OrKeyword(None)),
        count => thread_count(count).map(|count| OrKeyword(Some(count))),
    }
}

/// The values of a list, each once, in their order; `all` of them if the list
/// contains the keyword.
fn distinct<T: Copy + PartialEq>(
    list: &[OrKeyword<T>],
    all: impl IntoIterator<Item = T>,
) -> Vec<T> {
    let listed: Option<Vec<_>> = list.iter().map(|value| value.0).collect();
    let mut distinct = Vec::new();
    for value in listed.unwrap_or_else(|| all.into_iter().collect()) {
        if !distinct.contains(&value) {
            distinct.push(value);
        }
    }
    distinct
}

/// Below this the turns are too short to tell anything; above an hour, a
/// mistake is likelier than patience.
fn point_time(text: &str) -> Result<Duration, String> {
    duration(text)
        .ok()
        .filter(|time| (0.01..=3600.0).contains(&time.as_secs_f64()))
        .ok_or_else(|| "expected 0.01 to 3600 seconds".to_owned())
}

/// A plot is SVG, whatever its file is called: another ending would mislead.
fn svg_file(path: PathBuf) -> Result<PathBuf, String> {
    if path
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("svg"))
    {
        Ok(path)
    } else {
        Err("plots are SVG; expected a name that ends in .svg".to_owned())
    }
}

fn task(text: &str) -> Result<Task, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}
