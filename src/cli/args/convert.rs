//! The arguments of `fourzero convert`.

use std::path::PathBuf;

use clap::Args;
use fourzero::chain::{Format, Rename};
use fourzero::pow::{Rule, Target};

use super::common::{Printing, group};
use super::values::{self, OrKeyword};

/// Convert a chain file to another format
///
/// Reads a node's /chain response, an array of blocks, or JSON Lines, and
/// writes any of the three. Each block is written as Python's
/// json.dumps(block, sort_keys=True) writes it, which is the text that its hash
/// is computed from. White space, the order of keys and the spelling of numbers
/// and escapes may change; values and hashes do not. Unknown keys in blocks and
/// transactions are kept. Other keys next to "chain" are dropped, and "length"
/// becomes the number of blocks.
///
/// With --rename, a chain of another program gets the names that verify reads.
/// A hash is computed from the names too: if the hashes in the chain were
/// computed from the old names, the new chain is not valid.
///
/// The chain only has to be valid JSON; use --verify to check its hashes and
/// proofs. The output file appears only when it is complete.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fourzero convert chain.json -o chain.jsonl
  fourzero convert chain.jsonl -o blocks.json --format array --verify
  fourzero convert fork.json -o chain.json --rename nonce=proof
  curl -s http://localhost:5000/chain | fourzero convert - -o chain.jsonl
  fourzero convert chain.json -o - --format jsonl | grep '\"sender\": \"alice\"'")]
pub(in crate::cli) struct ConvertArgs {
    /// Chain file to read; - is standard input
    #[arg(value_name = "IN")]
    pub(in crate::cli) input: PathBuf,
    /// Chain file to write; - is standard output
    #[arg(short, long, value_name = "OUT", help_heading = group::FILES)]
    pub(in crate::cli) output: PathBuf,
    /// Output format: json is {"chain": [...], "length": N}, jsonl is one block
    /// per line [default: jsonl if OUT ends in .jsonl or .ndjson, else json]
    #[arg(long, value_parser = values::format(), help_heading = group::FILES)]
    pub(in crate::cli) format: Option<Format>,
    /// Rename a key of every block to index, timestamp, transactions, proof or
    /// previous_hash, or a key of every transaction to sender, recipient or
    /// amount; can be repeated
    #[arg(long = "rename", value_name = "OLD=NEW", help_heading = group::CHAIN)]
    pub(in crate::cli) renames: Vec<Rename>,
    /// Overwrite an existing output file
    #[arg(long, help_heading = group::FILES)]
    pub(in crate::cli) force: bool,
    /// Verify the chain, and write nothing if it is invalid
    #[arg(long, help_heading = group::CHAIN)]
    pub(in crate::cli) verify: bool,
    /// Rule for --verify; auto detects it [default: auto]
    #[arg(long, requires = "verify", value_parser = values::rule_or("auto"), help_heading = group::CHAIN)]
    pub(in crate::cli) rule: Option<OrKeyword<Rule>>,
    /// Leading hex zeros for --verify, 1 to 64 [default: 4]
    #[arg(long, value_name = "ZEROS", requires = "verify", value_parser = values::hex_zeros, help_heading = group::CHAIN)]
    pub(in crate::cli) difficulty: Option<Target>,
    #[command(flatten)]
    pub(in crate::cli) printing: Printing,
}
