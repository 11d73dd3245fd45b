//! The arguments of `fourzero inspect`.

use std::path::PathBuf;

use clap::Args;

use super::common::Printing;
use super::values::whole;

/// Show statistics of a chain
///
/// Shows its size, the time it spans, the balances, the distribution and the
/// difficulty of its proofs, and whether they repeat. Sums are exact.
///
/// The chain is not verified; use `fourzero verify` for that. Memory use grows
/// by 12 bytes per block and by 100 to 300 bytes per name.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fourzero inspect chain.json
  fourzero inspect --top 100 chain.json
  fourzero inspect --json *.json
  curl -s http://localhost:5000/chain | fourzero inspect -")]
pub(in crate::cli) struct InspectArgs {
    /// Chain files; - is standard input
    #[arg(required = true, value_name = "CHAIN")]
    pub(in crate::cli) chains: Vec<PathBuf>,
    /// Number of names to list, largest balances first
    #[arg(long, value_name = "N", default_value = "10", value_parser = whole::<usize>)]
    pub(in crate::cli) top: usize,
    #[command(flatten)]
    pub(in crate::cli) printing: Printing,
}
