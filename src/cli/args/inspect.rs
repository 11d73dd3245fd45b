//! The arguments of `fourzero inspect`.

use std::path::PathBuf;

use clap::Args;

use super::Printing;

/// Show what a chain holds
///
/// Its size, the time it spans, who owns how much, what its proofs look like,
/// how hard they were, and whether they run in a cycle. Sums are exact.
///
/// Nothing of that says whether the chain is valid; `fourzero verify` does.
/// Memory grows with the chain: by 12 bytes a block, and by 100 to 300 for each
/// name that stands in a transaction.
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
    /// How many names to show, those that own the most (in the JSON, "top")
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(in crate::cli) top: usize,
    #[command(flatten)]
    pub(in crate::cli) printing: Printing,
}
