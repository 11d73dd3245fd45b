//! The arguments of `fourzero bench`.

use std::fmt::Display;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use clap::builder::{PathBufValueParser, TypedValueParser as _};
use fourzero::bench::{Cores, Machine, SweepPlan, default_thread_counts};
use fourzero::pow::Rule;
use fourzero::sha256::{Kernel, KernelChoice};

use super::{Difficulty, duration, named, thread_count};

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
  fourzero bench --kernel all --threads all --json sweep.json --plot sweep.svg
  fourzero bench --baseline sweep.json")]
pub(in crate::cli) struct BenchArgs {
    /// Numbers of threads, such as 1,2,4, or all up to the logical cores
    /// [default: 1, 2, 4 and so on, the physical cores, and the logical cores]
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = thread_counts, allow_negative_numbers = true)]
    threads: Vec<OneOrAll<NonZeroUsize>>,
    /// Kernels, such as avx2,sha2, or all that this CPU runs [default: the
    /// fastest]
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = named::kernels(by_name::<KernelChoice>), hide_possible_values = true)]
    kernel: Vec<OneOrAll<KernelChoice>>,
    /// Rules, such as last-proof,last-hash, or all
    #[arg(long, value_name = "RULE", value_delimiter = ',', default_value = "last-proof", value_parser = named::rules(by_name::<Rule>), hide_possible_values = true)]
    rule: Vec<OneOrAll<Rule>>,
    #[command(flatten)]
    difficulty: Difficulty,
    /// Time for each combination, all its samples together
    #[arg(long, value_name = "SECONDS", default_value = "2", value_parser = seconds, allow_negative_numbers = true)]
    seconds: Duration,
    /// Do not pin threads to cores
    #[arg(long)]
    no_pin: bool,
    /// Write the result as JSON; - prints it instead of the table
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) json: Option<PathBuf>,
    /// Draw hashrate and efficiency over threads
    #[arg(long, value_name = "FILE.svg", value_parser = PathBufValueParser::new().try_map(svg_file))]
    pub(in crate::cli) plot: Option<PathBuf>,
    /// Replace these files if they exist
    #[arg(long)]
    pub(in crate::cli) force: bool,
    /// Compare with the JSON of an earlier run (- is standard input); in the
    /// table, * marks changes larger than the scatter of the samples
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) baseline: Option<PathBuf>,
    /// Show no progress
    #[arg(short, long)]
    pub(in crate::cli) quiet: bool,
}

impl BenchArgs {
    pub(in crate::cli) fn plan(&self, machine: &Machine) -> SweepPlan {
        let (physical, logical) = (machine.physical_cores, machine.logical_cores);
        let all_threads = || (1..=logical).filter_map(NonZeroUsize::new).collect();
        let all_kernels = || Kernel::available().into_iter().map(Into::into).collect();
        SweepPlan {
            kernels: match &self.kernel[..] {
                [] => vec![KernelChoice::Measured],
                kernels => chosen(kernels, all_kernels),
            },
            rules: chosen(&self.rule, || Rule::ALL.to_vec()),
            threads: match &self.threads[..] {
                [] => default_thread_counts(physical, logical),
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

/// An item of a list that may be `all`.
#[derive(Clone, Debug)]
enum OneOrAll<T> {
    One(T),
    All,
}

/// The items of a list, each once.
fn chosen<T: Copy + PartialEq>(items: &[OneOrAll<T>], all: impl FnOnce() -> Vec<T>) -> Vec<T> {
    let mut chosen = Vec::new();
    for item in items {
        match item {
            OneOrAll::All => return all(),
            OneOrAll::One(item) if !chosen.contains(item) => chosen.push(*item),
            OneOrAll::One(_) => {}
        }
    }
    chosen
}

fn one_or_all<T>(
    text: &str,
    one: impl FnOnce(&str) -> Result<T, String>,
) -> Result<OneOrAll<T>, String> {
    match text {
        "all" => Ok(OneOrAll::All),
        _ => one(text).map(OneOrAll::One),
    }
}

fn by_name<T: FromStr<Err: Display>>(text: &str) -> Result<OneOrAll<T>, String> {
    one_or_all(text, |name| {
        name.parse().map_err(|error: T::Err| error.to_string())
    })
}

fn thread_counts(text: &str) -> Result<OneOrAll<NonZeroUsize>, String> {
    one_or_all(text, thread_count)
}

/// Shorter samples would be too noisy, and more than an hour is a mistake.
fn seconds(text: &str) -> Result<Duration, String> {
    duration(text)
        .ok()
        .filter(|time| (0.01..=3600.0).contains(&time.as_secs_f64()))
        .ok_or_else(|| "expected 0.01 to 3600 seconds".to_owned())
}

/// Plots are SVG: another extension would mislead.
fn svg_file(path: PathBuf) -> Result<PathBuf, String> {
    match path.extension() {
        Some(extension) if extension.eq_ignore_ascii_case("svg") => Ok(path),
        _ => Err("plots are SVG; expected a name that ends in .svg".to_owned()),
    }
}
