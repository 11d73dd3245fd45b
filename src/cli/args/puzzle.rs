//! The arguments of `fourzero puzzle`.

use clap::Args;

use super::common::Printing;

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
    #[command(flatten)]
    pub(in crate::cli) printing: Printing,
}

fn factor(text: &str) -> Result<i64, String> {
    text.parse()
        .map_err(|_| format!("expected a whole number from {} to {}", i64::MIN, i64::MAX))
}
