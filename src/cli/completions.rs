//! `fourzero completions`.

use std::io::{self, Write as _};

use anyhow::Context as _;
use clap::Command;

use super::args::CompletionsArgs;
use super::exit::Exit;
use super::print;

pub(super) fn run(args: &CompletionsArgs, mut command: Command) -> anyhow::Result<Exit> {
    // The generator panics if it cannot write, so it writes to memory.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "fourzero", &mut script);
    io::stdout().write_all(&script).context(print::FAILED)?;
    Ok(Exit::Yes)
}
