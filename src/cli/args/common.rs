//! Options that several commands share.

use std::num::NonZeroUsize;

use clap::Args;
use fourzero::bench::AvailableCores;
use fourzero::chain::Strictness;
use fourzero::pow::{SearchError, Searcher, Target};
use fourzero::sha256::KernelChoice;

use super::values;

/// The groups of options in the help.
pub(in crate::cli) mod group {
    pub(in crate::cli) const FILES: &str = "Files";
    pub(in crate::cli) const CHAIN: &str = "Chain";
    pub(in crate::cli) const SEARCH: &str = "Search";
    pub(in crate::cli) const SPEED: &str = "Speed";
    /// That of the options which every command has. Without it, an option joins
    /// the group of the struct before it.
    pub(in crate::cli) const GENERAL: Option<&str> = None;
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Difficulty {
    /// Leading hex zeros that a proof's digest needs, 1 to 64
    #[arg(
        long = "difficulty",
        value_name = "ZEROS",
        default_value = "4",
        value_parser = values::hex_zeros,
    )]
    pub(in crate::cli) target: Target,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Threads {
    /// Number of threads [default: the logical cores that the process may use,
    /// or its CPU quota if that is less]
    #[arg(long = "threads", value_name = "N", value_parser = values::thread_count, help_heading = group::SPEED)]
    pub(in crate::cli) given: Option<NonZeroUsize>,
}

impl Threads {
    pub(in crate::cli) fn count(&self) -> NonZeroUsize {
        self.given
            .unwrap_or_else(|| AvailableCores::here().threads())
    }
}

/// The threads and the kernel of a search.
#[derive(Debug, Args)]
pub(in crate::cli) struct Engine {
    #[command(flatten)]
    pub(in crate::cli) threads: Threads,
    /// SHA-256 implementation; fastest is found by measuring
    #[arg(long, value_name = "NAME", default_value_t, value_parser = values::kernel(), help_heading = group::SPEED)]
    kernel: KernelChoice,
}

impl Engine {
    pub(in crate::cli) fn start(&self) -> Result<Searcher, SearchError> {
        Searcher::new(self.threads(), self.kernel())
    }

    pub(in crate::cli) fn threads(&self) -> NonZeroUsize {
        self.threads.count()
    }

    pub(in crate::cli) const fn kernel(&self) -> KernelChoice {
        self.kernel
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Strict {
    /// Require names that are not blank and amounts above 0
    ///
    /// Senders and recipients must be strings, and amounts numbers. By default
    /// they only have to be present.
    #[arg(long, help_heading = group::CHAIN)]
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
    #[arg(long, help_heading = group::GENERAL)]
    pub(in crate::cli) json: bool,
}
