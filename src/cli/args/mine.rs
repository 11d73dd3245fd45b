//! The arguments of `fourzero mine`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{ArgGroup, Args};
use fourzero::chain::Format;
use fourzero::pow::Rule;

use super::common::{Difficulty, Engine, Printing, Strict, group};
use super::values;

/// Mine queued transactions into a chain file and verify it
///
/// A queue is a JSON Lines file, a JSON array, a node's list of pending
/// transactions, or a CSV file with the columns sender, recipient and amount. In
/// JSON Lines, a line that contains an array of transactions becomes one block.
/// Several queues are mined in order into one chain or, with --out-dir, in
/// parallel into one chain each.
///
/// Mined blocks are saved in CHAIN.journal until the chain is complete. If the
/// run is interrupted, repeat the command with --resume to continue it.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("destination").required(true), after_help = "\
Examples:
  fourzero mine queue.jsonl -o chain.json
  fourzero mine monday.csv tuesday.csv -o week.jsonl --rule last-hash
  fourzero mine queues/*.csv --out-dir chains
  generate | fourzero mine - -o chain.json --timestamp 1700000000 --recipient me
  fourzero mine queue.jsonl -o - --format jsonl | gzip > chain.jsonl.gz
  fourzero mine queue.jsonl -o chain.json --resume")]
pub(in crate::cli) struct MineArgs {
    /// Queue files; - is standard input
    #[arg(required = true, value_name = "QUEUE")]
    pub(in crate::cli) queues: Vec<PathBuf>,
    /// Chain file to write; - is standard output
    ///
    /// A chain on standard output has no journal and is not verified. Its
    /// summary goes to stderr.
    #[arg(short, long, value_name = "CHAIN", group = "destination", help_heading = group::FILES)]
    pub(in crate::cli) output: Option<PathBuf>,
    /// Mine each queue into its own chain file in this folder
    #[arg(long, value_name = "DIR", group = "destination", help_heading = group::FILES)]
    pub(in crate::cli) out_dir: Option<PathBuf>,
    /// Rule for valid proofs: which parts of the last block are hashed
    #[arg(long, default_value_t, value_parser = values::rule(), help_heading = group::CHAIN)]
    pub(in crate::cli) rule: Rule,
    #[command(flatten, next_help_heading = group::CHAIN)]
    pub(in crate::cli) difficulty: Difficulty,
    /// Transactions per block, not counting the reward
    #[arg(long, value_name = "N", default_value = "10", value_parser = values::at_least_one, help_heading = group::CHAIN)]
    pub(in crate::cli) block_size: NonZeroUsize,
    /// Recipient of the block rewards [default: a new node id]
    #[arg(long, value_name = "ID", value_parser = values::name, help_heading = group::CHAIN)]
    pub(in crate::cli) recipient: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) engine: Engine,
    /// Pin search threads to cores (on Linux)
    ///
    /// The first thread is not pinned, because it also reads queues and writes
    /// blocks; the others leave it the first core.
    #[arg(long, conflicts_with = "out_dir", help_heading = group::SPEED)]
    pub(in crate::cli) pin: bool,
    /// Lower the priority of this process by N, 0 to 19, as nice does
    #[cfg(unix)]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(0..=19), help_heading = group::SPEED)]
    pub(in crate::cli) nice: Option<i32>,
    /// Do not reuse remembered proofs
    ///
    /// Under last-proof, a proof depends only on the proof before it, so a proof
    /// that was found once is normally reused.
    #[arg(long, help_heading = group::SPEED)]
    pub(in crate::cli) no_proof_cache: bool,
    /// Give block i the timestamp T + (i - 1)
    ///
    /// With --recipient, repeated runs then write identical files.
    #[arg(long, value_name = "T", value_parser = values::timestamp, help_heading = group::CHAIN)]
    pub(in crate::cli) timestamp: Option<f64>,
    /// Format of the chain file [default: jsonl if its name ends in .jsonl or
    /// .ndjson, else json]
    #[arg(long, value_parser = values::format(), help_heading = group::FILES)]
    pub(in crate::cli) format: Option<Format>,
    /// Overwrite existing chain files
    #[arg(long, help_heading = group::FILES)]
    pub(in crate::cli) force: bool,
    /// Continue an interrupted run from its journal
    ///
    /// Options that affect the chain must match; --recipient may be omitted.
    #[arg(long, help_heading = group::FILES)]
    pub(in crate::cli) resume: bool,
    /// Do not verify the finished file
    #[arg(long, help_heading = group::FILES)]
    pub(in crate::cli) no_verify: bool,
    /// Read 1,5 as 1.5 in CSV queues
    ///
    /// Amounts with a point are then refused, because it may separate thousands.
    #[arg(long, help_heading = group::CHAIN)]
    pub(in crate::cli) decimal_comma: bool,
    #[command(flatten)]
    pub(in crate::cli) strict: Strict,
    #[command(flatten)]
    pub(in crate::cli) printing: Printing,
}
