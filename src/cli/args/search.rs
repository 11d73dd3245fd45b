//! The arguments of `fourzero search`.

use std::time::Duration;

use clap::Args;
use fourzero::pow::{Nonce, Target};

use super::common::{Difficulty, Engine, Printing};
use super::values;

/// Find a nonce for any text: sha256(PREFIX + nonce + SUFFIX)
///
/// Finds the smallest decimal nonce whose digest starts with enough zeros. The
/// range includes START and excludes END.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fourzero search 100
  fourzero search \"$challenge\" --difficulty 5 --any
  fourzero search block --suffix ';v1' --bits 30 --start 1000000 --time-limit 60")]
pub(in crate::cli) struct SearchArgs {
    /// Text before the nonce
    pub(in crate::cli) prefix: String,
    /// Text after the nonce
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    pub(in crate::cli) suffix: String,
    #[command(flatten)]
    difficulty: Difficulty,
    /// Leading zero bits that the digest needs, 1 to 256, instead of
    /// --difficulty
    #[arg(long, value_name = "ZEROS", value_parser = values::zero_bits, allow_negative_numbers = true, conflicts_with = "target")]
    bits: Option<Target>,
    /// First nonce to try
    #[arg(long, value_name = "N", default_value = "0", value_parser = values::nonce, allow_negative_numbers = true)]
    pub(in crate::cli) start: Nonce,
    /// Nonce to stop before, up to 2^64 - 1 [default: 2^64]
    #[arg(long, value_name = "N", value_parser = values::nonce, allow_negative_numbers = true)]
    pub(in crate::cli) end: Option<Nonce>,
    /// Accept the first nonce that any thread finds, even if it is not the
    /// smallest
    #[arg(long)]
    pub(in crate::cli) any: bool,
    /// Give up after this many seconds
    #[arg(long, value_name = "SECONDS", value_parser = values::duration, allow_negative_numbers = true)]
    pub(in crate::cli) time_limit: Option<Duration>,
    #[command(flatten)]
    pub(in crate::cli) engine: Engine,
    #[command(flatten)]
    pub(in crate::cli) printing: Printing,
}

impl SearchArgs {
    pub(in crate::cli) fn target(&self) -> Target {
        self.bits.unwrap_or(self.difficulty.target)
    }
}
