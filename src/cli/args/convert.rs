//! The arguments of `fourzero convert`.

use std::path::PathBuf;

use clap::Args;
use fourzero::chain::Format;
use fourzero::pow::Target;

use super::{Printing, RuleChoice, hex_zeros, named};

/// Write a chain in another shape
///
/// Reads a node's /chain answer, a bare array of blocks, or JSON Lines, and
/// writes any of the three. Each block is written as Python's
/// json.dumps(block, sort_keys=True) does, the text that its hash is taken of:
/// white space, the order of keys and the spelling of numbers and escapes may
/// change, what they say and the hash do not. Keys that the tutorial does not
/// know are kept; what an object holds beside "chain" is not, and "length"
/// becomes the number of blocks.
///
/// The chain need not be valid, only JSON; --verify asks for more. The output
/// appears under its name only when it is whole.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fourzero convert chain.json -o chain.jsonl
  fourzero convert chain.jsonl -o blocks.json --format array --verify
  curl -s http://localhost:5000/chain | fourzero convert - -o chain.jsonl
  fourzero convert chain.json -o - --format jsonl | grep '\"sender\": \"alice\"'")]
pub(in crate::cli) struct ConvertArgs {
    /// The chain file to read; - is standard input
    #[arg(value_name = "IN")]
    pub(in crate::cli) input: PathBuf,
    /// The chain file to write; - is standard output
    #[arg(short, long, value_name = "OUT")]
    pub(in crate::cli) output: PathBuf,
    /// json ({"chain": [...], "length": N}), jsonl (a block a line) or array
    /// [default: jsonl for an output that ends in .jsonl or .ndjson, else json]
    #[arg(long, value_parser = named::format(), hide_possible_values = true)]
    pub(in crate::cli) format: Option<Format>,
    /// Replace the output if it exists
    #[arg(long)]
    pub(in crate::cli) force: bool,
    /// Write nothing unless the chain is valid
    #[arg(long)]
    pub(in crate::cli) verify: bool,
    /// With --verify, the rule: last-proof, previous-hash, last-hash, or auto
    /// to find it [default: auto]
    #[arg(long, requires = "verify", value_parser = named::rule_choice(), hide_possible_values = true)]
    pub(in crate::cli) rule: Option<RuleChoice>,
    /// With --verify, hex zeros in front of each proof's digest, 1 to 64
    /// [default: 4]
    #[arg(long, value_name = "ZEROS", requires = "verify", value_parser = hex_zeros)]
    pub(in crate::cli) difficulty: Option<Target>,
    #[command(flatten)]
    pub(in crate::cli) printing: Printing,
}
