//! The arguments. Parsing only validates: no file is touched and no thread
//! started before a command asks for it.

mod bench;
mod convert;
mod inspect;
pub(super) mod named;
mod shell;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::Styles;
use clap::{ArgGroup, Args, ColorChoice, Parser, Subcommand};
use fourzero::chain::{Format, Strictness};
use fourzero::pow::{Nonce, Rule, SearchError, Searcher, Target};
use fourzero::sha256::{Kernel, KernelChoice, Variant};

pub(super) use self::bench::{BenchArgs, BenchCommand, FiguresArgs, SweepArgs};
pub(super) use self::convert::ConvertArgs;
pub(super) use self::inspect::InspectArgs;
pub(super) use self::shell::{CompletionsArgs, ManArgs};

/// Mine and verify the tutorial blockchain, byte for byte as its Python
/// programs do.
#[derive(Debug, Parser)]
#[command(version, long_version = version(), styles = Styles::styled(), max_term_width = 100, after_help = EXAMPLES_AND_EXIT_STATUS)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
    #[command(flatten)]
    pub(super) global: Global,
}

/// What every command takes.
#[derive(Debug, Args)]
pub(super) struct Global {
    /// Say on stderr what is chosen and why, and what it costs
    #[arg(short, long, global = true, display_order = 900)]
    pub(super) verbose: bool,
    /// Colour messages: auto, always or never
    #[arg(
        long,
        global = true,
        display_order = 901,
        value_name = "WHEN",
        default_value = "auto",
        hide_possible_values = true
    )]
    color: ColorChoice,
}

/// `--version`: also what a bug report about speed should say.
fn version() -> String {
    let variants = Kernel::available().into_iter().flat_map(Kernel::variants);
    let kernels: Vec<_> = variants.map(Variant::name).collect();
    format!(
        "{}\ncpu features: {}\nkernels: {}",
        env!("CARGO_PKG_VERSION"),
        fourzero::sha256::cpu_features().join(" "),
        kernels.join(", "),
    )
}

const EXAMPLES_AND_EXIT_STATUS: &str = "\
Examples:
  fourzero mine queue.csv -o chain.json
  fourzero verify chain.json
  fourzero inspect chain.json

Exit status:
  0    success
  1    the answer is no: an invalid chain, a search or puzzle without an answer
  2    usage, input or output error
  130  interrupted";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Mine(MineArgs),
    Verify(VerifyArgs),
    Search(SearchArgs),
    Puzzle(PuzzleArgs),
    Convert(ConvertArgs),
    Inspect(InspectArgs),
    Bench(BenchArgs),
    #[cfg(feature = "node")]
    Node(Box<super::node::NodeArgs>),
    Completions(CompletionsArgs),
    Man(ManArgs),
}

/// Mine queued transactions into a chain file, and verify it
///
/// A queue is JSON Lines, a JSON array, or CSV with a header that names
/// sender, recipient and amount. In JSON Lines, a line that is an array of
/// transactions is a block of its own. Several queues are mined one after
/// another into one chain or, with --out-dir, each into its own at the same
/// time.
///
/// While it is mined, CHAIN is kept as CHAIN.journal. Whatever interrupts the
/// work, the same command with --resume goes on from there.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("destination").required(true), after_help = "\
Examples:
  fourzero mine queue.jsonl -o chain.json
  fourzero mine monday.csv tuesday.csv -o week.jsonl --rule last-hash
  fourzero mine queues/*.csv --out-dir chains
  generate | fourzero mine - -o chain.json --timestamp 1700000000 --recipient me
  fourzero mine queue.jsonl -o chain.json --resume")]
pub(super) struct MineArgs {
    /// Queue files; - is standard input
    #[arg(required = true, value_name = "QUEUE")]
    pub(super) queues: Vec<PathBuf>,
    /// The chain file to write
    #[arg(short, long, value_name = "CHAIN", group = "destination")]
    pub(super) output: Option<PathBuf>,
    /// Mine each queue into a chain of its own in this folder
    #[arg(long, value_name = "DIR", group = "destination")]
    pub(super) out_dir: Option<PathBuf>,
    /// What a proof is hashed with: last-proof, previous-hash or last-hash
    #[arg(long, default_value_t, value_parser = named::rule(), hide_possible_values = true)]
    pub(super) rule: Rule,
    #[command(flatten)]
    pub(super) difficulty: Difficulty,
    /// Transactions a block, the reward not counted
    #[arg(long, value_name = "N", default_value = "10", value_parser = at_least_one, allow_negative_numbers = true)]
    pub(super) block_size: NonZeroUsize,
    /// Who gets the reward of each block [default: a fresh node id]
    #[arg(long, value_name = "ID")]
    pub(super) recipient: Option<String>,
    #[command(flatten)]
    pub(super) engine: Engine,
    /// Search every proof anew. Under last-proof a proof follows from the one
    /// before alone, so a proof found once is reused
    #[arg(long)]
    pub(super) no_proof_cache: bool,
    /// Give block i the time T + (i - 1); with --recipient, two runs then give
    /// the same bytes
    #[arg(long, value_name = "T", value_parser = seconds, allow_negative_numbers = true)]
    pub(super) timestamp: Option<f64>,
    /// json, jsonl or array [default: jsonl for an output that ends in .jsonl
    /// or .ndjson, else json]
    #[arg(long, value_parser = named::format(), hide_possible_values = true)]
    pub(super) format: Option<Format>,
    /// Replace the chain file if it exists
    #[arg(long)]
    pub(super) force: bool,
    /// Go on with the journal that interrupted work left, if there is one. What
    /// decides over the chain must be the same as before, but for --recipient,
    /// which need not be given; threads, kernel and the like may differ
    #[arg(long)]
    pub(super) resume: bool,
    /// Do not read the finished file back
    #[arg(long)]
    pub(super) no_verify: bool,
    #[command(flatten)]
    pub(super) strict: Strict,
    #[command(flatten)]
    pub(super) printing: Printing,
}

/// Verify chain files
///
/// Reads a node's /chain answer, a bare array of blocks, or JSON Lines. Each
/// block must quote the hash of the one before, and each proof must satisfy
/// the rule.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fourzero verify chain.json
  fourzero verify --rule last-hash --json *.json
  curl -s http://localhost:5000/chain | fourzero verify -")]
pub(super) struct VerifyArgs {
    /// Chain files; - is standard input
    #[arg(required = true, value_name = "CHAIN")]
    pub(super) chains: Vec<PathBuf>,
    /// last-proof, previous-hash, last-hash, or auto to find it
    #[arg(long, default_value = "auto", value_parser = named::rule_choice(), hide_possible_values = true)]
    pub(super) rule: RuleChoice,
    #[command(flatten)]
    pub(super) difficulty: Difficulty,
    #[command(flatten)]
    pub(super) threads: Threads,
    #[command(flatten)]
    pub(super) strict: Strict,
    #[command(flatten)]
    pub(super) printing: Printing,
}

/// Search a nonce for any text: sha256(PREFIX + nonce + SUFFIX)
///
/// Finds the smallest nonce, written in decimal, for which the digest starts
/// with enough zeros. START is included in the range, END is not.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fourzero search 100
  fourzero search \"$challenge\" --difficulty 5 --any
  fourzero search block --suffix ';v1' --bits 30 --start 1000000 --time-limit 60")]
pub(super) struct SearchArgs {
    /// The text before the nonce
    pub(super) prefix: String,
    /// The text after the nonce
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    pub(super) suffix: String,
    #[command(flatten)]
    pub(super) zeros: Zeros,
    /// The first nonce to try
    #[arg(long, value_name = "N", default_value = "0", value_parser = nonce, allow_negative_numbers = true)]
    pub(super) start: Nonce,
    /// The nonce to stop before, up to 2^64 - 1 [default: 2^64, behind the
    /// largest nonce]
    #[arg(long, value_name = "N", value_parser = nonce, allow_negative_numbers = true)]
    pub(super) end: Option<Nonce>,
    /// Take the first nonce that any thread finds, not the smallest
    #[arg(long)]
    pub(super) any: bool,
    /// Give up after this many seconds
    #[arg(long, value_name = "SECONDS", value_parser = duration, allow_negative_numbers = true)]
    pub(super) time_limit: Option<Duration>,
    #[command(flatten)]
    pub(super) engine: Engine,
    #[command(flatten)]
    pub(super) printing: Printing,
}

/// Solve the tutorial's first puzzle
///
/// Finds the smallest y >= 0 for which the SHA-256 of the text of x * y ends
/// in the hex digit 0.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  fourzero puzzle 5")]
pub(super) struct PuzzleArgs {
    /// The factor x
    #[arg(allow_negative_numbers = true, value_parser = factor)]
    pub(super) x: i64,
    /// Print one JSON object
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Difficulty {
    /// Hex zeros in front of the digest, 1 to 64
    #[arg(
        long = "difficulty",
        value_name = "ZEROS",
        default_value = "4",
        value_parser = hex_zeros,
        allow_negative_numbers = true,
    )]
    pub(super) target: Target,
}

/// A difficulty in one of its two units.
#[derive(Debug, Args)]
pub(super) struct Zeros {
    #[command(flatten)]
    difficulty: Difficulty,
    /// Zero bits in front of the digest, 1 to 256, in place of --difficulty
    #[arg(long, value_name = "ZEROS", value_parser = zero_bits, allow_negative_numbers = true, conflicts_with = "target")]
    bits: Option<Target>,
}

impl Zeros {
    pub(super) fn target(&self) -> Target {
        self.bits.unwrap_or(self.difficulty.target)
    }
}

#[derive(Debug, Args)]
pub(super) struct Threads {
    /// Threads that hash [default: one for each logical core]
    #[arg(long = "threads", value_name = "N", value_parser = thread_count, allow_negative_numbers = true)]
    count: Option<NonZeroUsize>,
}

impl Threads {
    pub(super) fn count(&self) -> NonZeroUsize {
        self.count.unwrap_or_else(all_cores)
    }

    /// Whether their number was given.
    pub(super) const fn is_given(&self) -> bool {
        self.count.is_some()
    }
}

/// As many threads as there are logical cores.
pub(super) fn all_cores() -> NonZeroUsize {
    NonZeroUsize::new(num_cpus::get()).unwrap_or(NonZeroUsize::MIN)
}

/// What searches run on.
#[derive(Debug, Args)]
pub(super) struct Engine {
    #[command(flatten)]
    threads: Threads,
    /// The implementation of SHA-256 to search with [default: the fastest here,
    /// by measurement]
    #[arg(long, value_name = "NAME", value_parser = named::kernel(), hide_possible_values = true)]
    kernel: Option<KernelChoice>,
}

impl Engine {
    pub(super) fn start(&self) -> Result<Searcher, SearchError> {
        Searcher::new(self.threads(), self.kernel())
    }

    pub(super) fn threads(&self) -> NonZeroUsize {
        self.threads.count()
    }

    pub(super) fn kernel(&self) -> KernelChoice {
        self.kernel.unwrap_or_default()
    }

    pub(super) const fn threads_args(&self) -> &Threads {
        &self.threads
    }
}

#[derive(Debug, Args)]
pub(super) struct Strict {
    /// Ask that sender and recipient be strings and amount a number; without
    /// it their presence is enough
    #[arg(long)]
    strict: bool,
}

impl Strict {
    pub(super) const fn strictness(&self) -> Strictness {
        if self.strict {
            Strictness::Typed
        } else {
            Strictness::Presence
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct Printing {
    /// Print one JSON object a result
    #[arg(long)]
    pub(super) json: bool,
    /// Show no progress
    #[arg(short, long)]
    pub(super) quiet: bool,
}

/// A rule, or the wish to find it.
#[derive(Clone, Copy, Debug)]
pub(super) struct RuleChoice(pub(super) Option<Rule>);

fn rule_or_auto(text: &str) -> Result<RuleChoice, String> {
    if text == "auto" {
        return Ok(RuleChoice(None));
    }
    match text.parse() {
        Ok(rule) => Ok(RuleChoice(Some(rule))),
        Err(error) => Err(format!("{error}; auto finds it")),
    }
}

/// A whole number, for options that do not take others.
pub(super) fn whole<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| {
        let is_whole = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty();
        let problem = if is_whole {
            "it is too large"
        } else {
            "expected a whole number, 0 or more"
        };
        problem.to_owned()
    })
}

fn hex_zeros(text: &str) -> Result<Target, String> {
    let zeros = whole::<u16>(text)?;
    Target::from_hex_zeros(zeros).map_err(|error| error.to_string())
}

pub(super) fn at_least_one(text: &str) -> Result<NonZeroUsize, String> {
    let number = whole::<usize>(text)?;
    NonZeroUsize::new(number).ok_or_else(|| "it must be at least 1".to_owned())
}

/// More threads than any machine has cores only take turns.
const MOST_THREADS: usize = 1024;

fn thread_count(text: &str) -> Result<NonZeroUsize, String> {
    let count = at_least_one(text)?;
    if count.get() > MOST_THREADS {
        return Err(format!("it must be at most {MOST_THREADS}"));
    }
    Ok(count)
}

fn nonce(text: &str) -> Result<Nonce, String> {
    whole(text).map(Nonce)
}

fn factor(text: &str) -> Result<i64, String> {
    text.parse()
        .map_err(|_| format!("expected a whole number from {} to {}", i64::MIN, i64::MAX))
}

/// A TCP port.
#[cfg(feature = "node")]
pub(super) fn port(text: &str) -> Result<u16, String> {
    text.parse()
        .map_err(|_| format!("expected a port, a whole number from 0 to {}", u16::MAX))
}

fn zero_bits(text: &str) -> Result<Target, String> {
    let bits = whole::<u16>(text)?;
    Target::from_bits(bits).map_err(|error| error.to_string())
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok();
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "expected a number of seconds, 0 or more".to_owned())
}

fn seconds(text: &str) -> Result<f64, String> {
    text.parse::<f64>()
        .ok()
        .filter(|seconds| seconds.is_finite())
        .ok_or_else(|| "expected a number of seconds since 1970, such as 1700000000".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    /// The words of a shell's command line up to a pipe, a redirection or a
    /// comment.
    fn words(line: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut quote = None;
        for character in line.chars() {
            match (quote, character) {
                (Some(open), _) if open == character => quote = None,
                (None, '\'' | '"') => quote = Some(character),
                (None, '|' | '>' | '#' | ')') => break,
                (None, ' ') => words.push(String::new()),
                _ => words.last_mut().unwrap().push(character),
            }
        }
        words.retain(|word| !word.is_empty());
        words
    }

    #[test]
    fn every_example_in_the_help_is_accepted() {
        let mut left = vec![Cli::command()];
        let mut examples = 0;
        while let Some(command) = left.pop() {
            left.extend(command.get_subcommands().cloned());
            let help = command.get_after_help().map(ToString::to_string);
            for line in help.unwrap_or_default().lines() {
                for (start, _) in line.match_indices("fourzero ") {
                    let before = &line[..start];
                    // Not a part of a path or an address.
                    if before.is_empty() || before.ends_with([' ', '(']) {
                        let words = words(&line[start..]);
                        if let Err(error) = Cli::try_parse_from(&words) {
                            panic!("{line}: {error}");
                        }
                        examples += 1;
                    }
                }
            }
        }
        assert!(examples > 20, "{examples}");
    }
}
