//! `fourzero man`.

use std::fs;
use std::io::{self, Write as _};

use anyhow::Context as _;
use clap::Command;
use clap_mangen::Man;
use fourzero::batch::{Overwrite, WholeFile};

use super::args::ManArgs;
use super::exit::Exit;
use super::print;

pub(super) fn run(args: &ManArgs, command: Command) -> anyhow::Result<Exit> {
    // The long version describes this CPU.
    let command = command
        .long_version(env!("CARGO_PKG_VERSION"))
        .disable_help_subcommand(true);
    if let Some(folder) = &args.out_dir {
        fs::create_dir_all(folder).with_context(|| {
            let folder = folder.display();
            format!("cannot create the folder {folder} for manual pages")
        })?;
        for (name, page) in pages(command)? {
            let file = WholeFile::create(&folder.join(name), Overwrite::Replace)?;
            file.write_all(&page)?;
            file.commit()?;
        }
    } else {
        let page = rendered(&Man::new(command))?;
        io::stdout().write_all(&page).context(print::FAILED)?;
    }
    Ok(Exit::Yes)
}

/// The names and texts of the pages of all commands.
fn pages(mut command: Command) -> io::Result<Vec<(String, Vec<u8>)>> {
    // Names the commands inside commands, such as fourzero-node-import.
    command.build();
    let mut pages = Vec::new();
    let mut left = vec![command];
    while let Some(command) = left.pop() {
        left.extend(command.get_subcommands().cloned());
        let page = Man::new(command);
        pages.push((page.get_filename(), rendered(&page)?));
    }
    Ok(pages)
}

fn rendered(page: &Man) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    page.render(&mut text)?;
    Ok(text)
}
