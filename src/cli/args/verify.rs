//! The arguments of `fourzero verify`.

use std::path::PathBuf;

use clap::Args;
use fourzero::pow::Rule;

use super::common::{Difficulty, Printing, Strict, Threads, group};
use super::values::{self, OrKeyword};

/// Verify chain files
///
/// Reads a node's /chain response, an array of blocks, or JSON Lines. Every
/// block must contain the hash of the block before it, and every proof must
/// satisfy the rule.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fourzero verify chain.json
  fourzero verify --rule last-hash --json *.json
  curl -s http://localhost:5000/chain | fourzero verify -")]
pub(in crate::cli) struct VerifyArgs {
    /// Chain files; - is standard input
    #[arg(required = true, value_name = "CHAIN")]
    pub(in crate::cli) chains: Vec<PathBuf>,
    /// Rule for valid proofs; auto detects it
    #[arg(long, default_value = "auto", value_parser = values::rule_or("auto"), help_heading = group::CHAIN)]
    pub(in crate::cli) rule: OrKeyword<Rule>,
    #[command(flatten, next_help_heading = group::CHAIN)]
    pub(in crate::cli) difficulty: Difficulty,
    #[command(flatten)]
    pub(in crate::cli) threads: Threads,
    #[command(flatten)]
    pub(in crate::cli) strict: Strict,
    #[command(flatten)]
    pub(in crate::cli) printing: Printing,
}
