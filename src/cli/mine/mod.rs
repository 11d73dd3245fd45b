//! `fourzero mine`: mines all queues into one chain, or each into its own.

mod chain_per_queue;
mod chain_to_stdout;
mod one_chain;
mod resume;
mod setup;
mod summary;

#[cfg(unix)]
use anyhow::Context as _;
use anyhow::bail;

use super::args::MineArgs;
use super::exit::Exit;
use super::{explain, print};

pub(super) fn run(args: &MineArgs) -> anyhow::Result<Exit> {
    explain::mining(args);
    #[cfg(unix)]
    if let Some(increment) = args.nice {
        lower_priority(increment)?;
    }
    match (&args.output, &args.out_dir) {
        (Some(output), _) if print::is_stdout(output) => chain_to_stdout::run(args),
        (Some(output), _) => one_chain::run(args, output),
        (None, Some(folder)) => chain_per_queue::run(args, folder),
        (None, None) => bail!("no output is named (--output or --out-dir)"),
    }
}

/// Lowers the priority of this thread, and so of all threads that it starts.
#[cfg(unix)]
fn lower_priority(increment: i32) -> anyhow::Result<()> {
    rustix::process::nice(increment).context("cannot lower the priority (--nice)")?;
    Ok(())
}
