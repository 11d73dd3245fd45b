//! Options that several commands share.

use std::num::NonZeroUsize;

use clap::Args;
use fourzero::chain::Strictness;
use fourzero::pow::{SearchError, Searcher, Target};
use fourzero::sha256::KernelChoice;

use super::values;

#[derive(Debug, Args)]
pub(in crate::cli) struct Difficulty {
    /// Leading hex zeros that a proof's digest needs, 1 to 64
    #[arg(
        long = "difficulty",
        value_name = "ZEROS",
        default_value = "4",
        value_parser = values::hex_zeros,
        allow_negative_numbers = true,
    )]
    pub(in crate::cli) target: Target,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Threads {
    /// Number of threads [default: one per logical core]
    #[arg(long = "threads", value_name = "N", value_parser = values::thread_count, allow_negative_numbers = true)]
    pub(in crate::cli) given: Option<NonZeroUsize>,
}

impl Threads {
    pub(in crate::cli) fn count(&self) -> NonZeroUsize {
        self.given.unwrap_or_else(logical_cores)
    }
}

/// The number of logical cores.
pub(in crate::cli) fn logical_cores() -> NonZeroUsize {
    NonZeroUsize::new(num_cpus::get()).unwrap_or(NonZeroUsize::MIN)
}

/// The threads and the kernel of a search.
#[derive(Debug, Args)]
pub(in crate::cli) struct Engine {
    #[command(flatten)]
    pub(in crate::cli) threads: Threads,
    /// SHA-256 implementation [default: the fastest, as measured at start]
    #[arg(long, value_name = "NAME", value_parser = values::kernel())]
    kernel: Option<KernelChoice>,
}

impl Engine {
    pub(in crate::cli) fn start(&self) -> Result<Searcher, SearchError> {
        Searcher::new(self.threads(), self.kernel())
    }

    pub(in crate::cli) fn threads(&self) -> NonZeroUsize {
        self.threads.count()
    }

    pub(in crate::cli) fn kernel(&self) -> KernelChoice {
        self.kernel.unwrap_or_default()
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Strict {
    /// Require names that are not blank and amounts above 0
    ///
    /// Senders and recipients must be strings, and amounts numbers. By default
    /// they only have to be present.
    #[arg(long)]
    strict: bool,
}

impl Strict {
    pub(in crate::cli) const fn strictness(&self) -> Strictness {
        if self.strict {
            Strictness::Strict
        } else {
            Strictness::Presence
        }
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Printing {
    /// Print each result as a JSON object on one line
    #[arg(long)]
    pub(in crate::cli) json: bool,
    /// Do not show progress
    #[arg(short, long)]
    pub(in crate::cli) quiet: bool,
}
