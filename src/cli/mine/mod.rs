//! `fourzero mine`: mines all queues into one chain, or each into its own.

mod chain_per_queue;
mod one_chain;
mod resume;
mod setup;
mod summary;

use anyhow::bail;

use super::args::MineArgs;
use super::exit::Exit;
use super::explain;

pub(super) fn run(args: &MineArgs) -> anyhow::Result<Exit> {
    explain::mining(args);
    match (&args.output, &args.out_dir) {
        (Some(output), _) => one_chain::run(args, output),
        (None, Some(folder)) => chain_per_queue::run(args, folder),
        (None, None) => bail!("no output is named (--output or --out-dir)"),
    }
}
