//! `fourzero man`.

use std::fs;
use std::io::{self, Write as _};

use anyhow::Context as _;
use clap::Command;
use clap_mangen::Man;

use super::args::ManArgs;
use super::exit::Exit;
use super::print;

pub(super) fn run(args: &ManArgs, command: Command) -> anyhow::Result<Exit> {
    // The long version describes this CPU.
    let command = command.long_version(env!("CARGO_PKG_VERSION"));
    if let Some(folder) = &args.out_dir {
        let failed = || format!("cannot write manual pages to {}", folder.display());
        fs::create_dir_all(folder).with_context(failed)?;
        clap_mangen::generate_to(command, folder).with_context(failed)?;
    } else {
        let mut page = Vec::new();
        Man::new(command.disable_help_subcommand(true)).render(&mut page)?;
        io::stdout().write_all(&page).context(print::FAILED)?;
    }
    Ok(Exit::Yes)
}
