//! `fourzero completions` and `fourzero man`.

use std::fs;
use std::io::{self, Write as _};

use anyhow::Context as _;
use clap::Command;
use clap_mangen::Man;

use super::args::{CompletionsArgs, ManArgs};
use super::exit::Exit;
use super::print;

/// Prints the completion script of one shell for `command`.
pub(super) fn completions(args: &CompletionsArgs, mut command: Command) -> anyhow::Result<Exit> {
    // The generator panics if it cannot write, so it writes to memory.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "fourzero", &mut script);
    io::stdout().write_all(&script).context(print::FAILED)?;
    Ok(Exit::Yes)
}

/// Prints the manual page of `command`, or writes it and those of its
/// subcommands to a folder.
pub(super) fn man(args: &ManArgs, command: Command) -> anyhow::Result<Exit> {
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
