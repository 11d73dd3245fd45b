//! The arguments of `fourzero search`.

use std::time::Duration;

use clap::Args;
use fourzero::pow::{Nonce, Target};

use super::common::{Difficulty, Engine, Printing, group};
use super::values::{self, NonceEnd};

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
    #[arg(allow_negative_numbers = true)]
    pub(in crate::cli) prefix: String,
    /// Text after the nonce
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true,
        help_heading = group::SEARCH
    )]
    pub(in crate::cli) suffix: String,
    #[command(flatten, next_help_heading = group::SEARCH)]
    difficulty: Difficulty,
    /// Leading zero bits that the digest needs, 1 to 256, instead of
    /// --difficulty
    #[arg(long, value_name = "ZEROS", value_parser = values::zero_bits, conflicts_with = "target", help_heading = group::SEARCH)]
    bits: Option<Target>,
    /// First nonce to try
    #[arg(long, value_name = "N", default_value = "0", value_parser = values::nonce, help_heading = group::SEARCH)]
    pub(in crate::cli) start: Nonce,
    /// Nonce to stop before, 2^64 at most
    #[arg(long, value_name = "N", default_value = "18446744073709551616", value_parser = values::nonce_end, help_heading = group::SEARCH)]
    pub(in crate::cli) end: NonceEnd,
    /// Accept the first nonce that any thread finds, even if it is not the
    /// smallest
    #[arg(long, help_heading = group::SEARCH)]
    pub(in crate::cli) any: bool,
    /// Give up after this many seconds
    #[arg(long, value_name = "SECONDS", value_parser = values::duration, help_heading = group::SEARCH)]
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
