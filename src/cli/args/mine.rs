//! The arguments of `fourzero mine`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{ArgGroup, Args};
use fourzero::chain::Format;
use fourzero::pow::Rule;

use super::common::{Difficulty, Engine, Printing, Strict};
use super::values;

/// Mine queued transactions into a chain file and verify it
///
/// A queue is a JSON Lines file, a JSON array, or a CSV file with the columns
/// sender, recipient and amount. In JSON Lines, a line that contains an array
/// of transactions becomes one block. Several queues are mined in order into
/// one chain or, with --out-dir, in parallel into one chain each.
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
  fourzero mine queue.jsonl -o chain.json --resume")]
pub(in crate::cli) struct MineArgs {
    /// Queue files; - is standard input
    #[arg(required = true, value_name = "QUEUE")]
    pub(in crate::cli) queues: Vec<PathBuf>,
    /// Chain file to write
    #[arg(short, long, value_name = "CHAIN", group = "destination")]
    pub(in crate::cli) output: Option<PathBuf>,
    /// Mine each queue into its own chain file in this folder
    #[arg(long, value_name = "DIR", group = "destination")]
    pub(in crate::cli) out_dir: Option<PathBuf>,
    /// Rule for valid proofs: which parts of the last block are hashed
    #[arg(long, default_value_t, value_parser = values::rule())]
    pub(in crate::cli) rule: Rule,
    #[command(flatten)]
    pub(in crate::cli) difficulty: Difficulty,
    /// Transactions per block, not counting the reward
    #[arg(long, value_name = "N", default_value = "10", value_parser = values::at_least_one, allow_negative_numbers = true)]
    pub(in crate::cli) block_size: NonZeroUsize,
    /// Recipient of the block rewards [default: a new node id]
    #[arg(long, value_name = "ID", value_parser = values::name)]
    pub(in crate::cli) recipient: Option<String>,
    #[command(flatten)]
    pub(in crate::cli) engine: Engine,
    /// Do not reuse remembered proofs
    ///
    /// Under last-proof, a proof depends only on the proof before it, so a proof
    /// that was found once is normally reused.
    #[arg(long)]
    pub(in crate::cli) no_proof_cache: bool,
    /// Give block i the timestamp T + (i - 1)
    ///
    /// With --recipient, repeated runs then write identical files.
    #[arg(long, value_name = "T", value_parser = values::timestamp, allow_negative_numbers = true)]
    pub(in crate::cli) timestamp: Option<f64>,
    /// Format of the chain file [default: jsonl if its name ends in .jsonl or
    /// .ndjson, else json]
    #[arg(long, value_parser = values::format())]
    pub(in crate::cli) format: Option<Format>,
    /// Overwrite existing chain files
    #[arg(long)]
    pub(in crate::cli) force: bool,
    /// Continue an interrupted run from its journal
    ///
    /// Options that affect the chain must match; --recipient may be omitted.
    #[arg(long)]
    pub(in crate::cli) resume: bool,
    /// Do not verify the finished file
    #[arg(long)]
    pub(in crate::cli) no_verify: bool,
    #[command(flatten)]
    pub(in crate::cli) strict: Strict,
    #[command(flatten)]
    pub(in crate::cli) printing: Printing,
}
