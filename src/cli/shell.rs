//! `fourzero completions` and `fourzero man`: the arguments, as shells and
//! `man` want them described.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Command, CommandFactory as _};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use fourzero::batch::{Overwrite, WholeFile};

use super::args::{Cli, CompletionsArgs, ManArgs};
use super::{Exit, print};

/// What the command is called.
const NAME: &str = "fourzero";

pub(super) fn completions(args: &CompletionsArgs) -> anyhow::Result<Exit> {
    // Into memory first: the generator panics if what it writes to fails.
    let mut script = Vec::new();
    let mut command = visible(&Cli::command());
    clap_complete::generate(args.shell, &mut command, NAME, &mut script);
    write_out(&script)
}

pub(super) fn man(args: &ManArgs) -> anyhow::Result<Exit> {
    let Some(folder) = &args.out_dir else {
        return write_out(&page(&command())?);
    };
    for page in write_pages(folder)? {
        print::line(&page.display().to_string()).context(print::FAILED)?;
    }
    Ok(Exit::Yes)
}

/// What of a command is anybody's to call: the generators describe hidden
/// commands, too.
fn visible(command: &Command) -> Command {
    let below = command
        .get_subcommands()
        .filter(|below| !below.is_hide_set());
    let mut copy = Command::new(command.get_name().to_owned())
        .args(command.get_arguments().cloned())
        .subcommands(below.map(visible));
    if let Some(about) = command.get_about() {
        copy = copy.about(about.clone());
    }
    if let Some(version) = command.get_version() {
        copy = copy.version(version.to_owned());
    }
    copy
}

/// The whole command, every name in it settled.
fn command() -> Command {
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    command
}

fn write_out(text: &[u8]) -> anyhow::Result<Exit> {
    io::stdout().lock().write_all(text).context(print::FAILED)?;
    Ok(Exit::Yes)
}

/// Writes a page for the command and each of those below it.
fn write_pages(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    fs::create_dir_all(folder).with_context(|| format!("cannot write to {}", folder.display()))?;
    let mut pages = Vec::new();
    let mut left = vec![command()];
    while let Some(command) = left.pop() {
        let name = command.get_display_name().unwrap_or(NAME);
        let path = folder.join(format!("{name}.1"));
        // A page that is there must not be lost to one that cannot be written.
        let file = WholeFile::create(&path, Overwrite::Replace)?;
        file.write_all(&page(&command)?)?;
        file.commit()?;
        pages.push(path);
        let below = command.get_subcommands();
        left.extend(below.filter(|below| !below.is_hide_set()).cloned());
    }
    pages.sort();
    Ok(pages)
}

/// The manual page of one command.
fn page(command: &Command) -> io::Result<Vec<u8>> {
    // What `--version` adds is about this CPU.
    let man = Man::new(command.clone()).source(concat!("fourzero ", env!("CARGO_PKG_VERSION")));
    let mut out = Vec::new();
    man.render_title(&mut out)?;
    out.extend_from_slice(LEFT_ADJUSTED);
    man.render_name_section(&mut out)?;
    synopsis(command, &mut out);
    man.render_description_section(&mut out)?;
    man.render_options_section(&mut out)?;
    if command.get_subcommands().any(|below| !below.is_hide_set()) {
        man.render_subcommands_section(&mut out)?;
    }
    if let Some(text) = command.get_after_help() {
        sections(&text.to_string(), &mut out);
    }
    Ok(out)
}

/// Asks for no hyphens in words and no blanks to fill lines with, which would
/// look like a part of what is typed.
const LEFT_ADJUSTED: &[u8] = b".nh\n.ad l\n";

/// The usage that the help shows. What the generator makes of a command lacks
/// the options' values, and what must be given looks like what may be.
fn synopsis(command: &Command, out: &mut Vec<u8>) {
    let usage = command.clone().render_usage().to_string();
    let mut roff = Roff::new();
    roff.control("SH", ["SYNOPSIS"]);
    roff.control("nf", []);
    for line in usage.trim_start_matches("Usage:").lines() {
        let line = line.trim();
        let name = line.find(['[', '<']).unwrap_or(line.len());
        let (name, arguments) = line.split_at(name);
        roff.text([bold(name), roman(arguments)]);
    }
    roff.control("fi", []);
    out.extend_from_slice(roff.to_roff().as_bytes());
}

/// What stands behind the options in the help, a section for each line that
/// is not indented; the lines below it are kept as they are.
fn sections(text: &str, out: &mut Vec<u8>) {
    let mut roff = Roff::new();
    for line in text.lines() {
        match line.strip_prefix("  ") {
            None if line.is_empty() => {}
            None => {
                roff.control("fi", []);
                roff.control("SH", [line.trim_end_matches(':').to_uppercase().as_str()]);
                roff.control("nf", []);
            }
            Some(line) => {
                roff.text([roman(line)]);
            }
        }
    }
    roff.control("fi", []);
    out.extend_from_slice(roff.to_roff().as_bytes());
}
