//! The arguments of `fourzero bench`.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use clap::builder::{PathBufValueParser, TypedValueParser as _};
use fourzero::bench::{AvailableCores, Cores, SweepPlan, default_thread_counts};
use fourzero::pow::Rule;
use fourzero::sha256::{Kernel, KernelChoice};

use super::common::{Difficulty, Printing, group};
use super::values::{self, OrKeyword, duration, thread_count};

/// The options that say what is measured.
const MEASUREMENT: &str = "Measurement";

/// Measure this machine's hashrate, and how it scales with threads
///
/// Each combination of kernel, rule and number of threads is sampled twelve
/// times, alternating with the others. The table shows the best and the median
/// sample. One thread is always measured, because the results of the others
/// refer to it. Blocks are not counted if a proof takes too long for a sample.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fourzero bench
  fourzero bench --kernel all --threads all --export sweep.json --plot sweep.svg
  fourzero bench --baseline sweep.json")]
pub(in crate::cli) struct BenchArgs {
    /// Numbers of threads, such as 1,2,4, or all up to the logical cores or the
    /// CPU quota [default: 1, 2, 4 and so on, the physical cores, and as
    /// many as other commands use]
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = thread_counts, help_heading = MEASUREMENT)]
    threads: Vec<OrKeyword<NonZeroUsize>>,
    /// SHA-256 implementations, such as avx2,sha2, or all that this CPU runs
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "fastest", value_parser = values::kernel_or("all"), help_heading = MEASUREMENT)]
    kernel: Vec<OrKeyword<KernelChoice>>,
    /// Rules, such as last-proof,last-hash, or all
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "last-proof", value_parser = values::rule_or("all"), help_heading = MEASUREMENT)]
    rule: Vec<OrKeyword<Rule>>,
    #[command(flatten, next_help_heading = MEASUREMENT)]
    difficulty: Difficulty,
    /// Time for each combination, all its samples together
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = seconds, help_heading = MEASUREMENT)]
    seconds: Duration,
    /// Do not pin threads to cores
    #[arg(long, help_heading = MEASUREMENT)]
    no_pin: bool,
    /// Write the result to a file, as --json prints it
    #[arg(long, value_name = "FILE", value_parser = PathBufValueParser::new().try_map(not_stdout), help_heading = group::FILES)]
    pub(in crate::cli) export: Option<PathBuf>,
    /// Draw hashrate and efficiency over threads
    #[arg(long, value_name = "FILE.svg", value_parser = PathBufValueParser::new().try_map(svg_file), help_heading = group::FILES)]
    pub(in crate::cli) plot: Option<PathBuf>,
    /// Replace these files if they exist
    #[arg(long, help_heading = group::FILES)]
    pub(in crate::cli) force: bool,
    /// Compare with an earlier run's --export (- is standard input); in the
    /// table, * marks changes larger than the scatter of the samples
    #[arg(long, value_name = "FILE", help_heading = group::FILES)]
    pub(in crate::cli) baseline: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) printing: Printing,
}

impl BenchArgs {
    pub(in crate::cli) fn plan(&self, cores: &AvailableCores) -> SweepPlan {
        let most = cores.threads().get();
        let all_threads = || (1..=most).filter_map(NonZeroUsize::new).collect();
        let all_kernels = || Kernel::available().into_iter().map(Into::into).collect();
        SweepPlan {
            kernels: chosen(&self.kernel, all_kernels),
            rules: chosen(&self.rule, || Rule::ALL.to_vec()),
            threads: match &self.threads[..] {
                [] => default_thread_counts(cores.physical, most),
                threads => chosen(threads, all_threads),
            },
            target: self.difficulty.target,
            duration: self.seconds,
            cores: match self.no_pin {
                true => Cores::default(),
                false => Cores::allowed(),
            },
        }
    }
}

/// The values of a list, each once; `all` of them if the list has the keyword.
fn chosen<T: Copy + PartialEq>(list: &[OrKeyword<T>], all: impl FnOnce() -> Vec<T>) -> Vec<T> {
    let mut chosen = Vec::new();
    for value in list {
        match value.0 {
            None => return all(),
            Some(value) if !chosen.contains(&value) => chosen.push(value),
            Some(_) => {}
        }
    }
    chosen
}

fn thread_counts(text: &str) -> Result<OrKeyword<NonZeroUsize>, String> {
    match text {
        "all" => Ok(OrKeyword(None)),
        count => thread_count(count).map(|count| OrKeyword(Some(count))),
    }
}

/// Shorter samples would be too noisy, and more than an hour is a mistake.
fn seconds(text: &str) -> Result<Duration, String> {
    duration(text)
        .ok()
        .filter(|time| (0.01..=3600.0).contains(&time.as_secs_f64()))
        .ok_or_else(|| "expected 0.01 to 3600 seconds".to_owned())
}

fn not_stdout(path: PathBuf) -> Result<PathBuf, String> {
    match path == Path::new("-") {
        true => Err("expected a file; --json prints the result".to_owned()),
        false => Ok(path),
    }
}

/// Plots are SVG: another extension would mislead.
fn svg_file(path: PathBuf) -> Result<PathBuf, String> {
    match path.extension() {
        Some(extension) if extension.eq_ignore_ascii_case("svg") => Ok(path),
        _ => Err("plots are SVG; expected a name that ends in .svg".to_owned()),
    }
}
