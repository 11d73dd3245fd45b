//! The arguments of `fourzero puzzle`.

use clap::Args;

/// Solve the tutorial's first puzzle
///
/// Finds the smallest y >= 0 such that the SHA-256 of x * y, as decimal text,
/// ends in the hex digit 0.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  fourzero puzzle 5")]
pub(in crate::cli) struct PuzzleArgs {
    /// The factor x
    #[arg(allow_negative_numbers = true, value_parser = factor)]
    pub(in crate::cli) x: i64,
    /// Print the result as a JSON object
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

fn factor(text: &str) -> Result<i64, String> {
    text.parse()
        .map_err(|_| format!("expected a whole number from {} to {}", i64::MIN, i64::MAX))
}
