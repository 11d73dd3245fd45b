//! Files as the commands that read them name and open them, and what to do
//! about those that cannot be read.

use std::fs::File;
use std::io::{self, Read, Stdin};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use fourzero::chain::json::ForeignFormat;
use fourzero::chain::{Fault, FaultKind, ReadError};
use fourzero::pow::Rule;

use super::print::shell_word;

const STANDARD_INPUT: &str = "standard input";

/// What messages call the file `path`, where `-` is standard input.
pub(super) fn name(path: &Path) -> String {
    if path == Path::new("-") {
        STANDARD_INPUT.to_owned()
    } else {
        path.display().to_string()
    }
}

/// Refuses to read standard input twice: the second time, it is empty.
///
/// # Errors
/// If more than one of the paths is `-`.
pub(super) fn check_stdin(paths: &[PathBuf]) -> anyhow::Result<()> {
    let count = paths.iter().filter(|path| *path == Path::new("-")).count();
    ensure!(count < 2, "standard input (-) is named twice");
    Ok(())
}

/// What is behind a path.
pub(super) enum Opened {
    Stdin(Stdin),
    File(File),
}

impl Read for Opened {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Stdin(stdin) => stdin.read(buffer),
            Self::File(file) => file.read(buffer),
        }
    }
}

/// Opens it, and tells its size if it has one.
///
/// # Errors
/// If the system refuses.
pub(super) fn open(path: &Path) -> anyhow::Result<(Opened, Option<u64>)> {
    if path == Path::new("-") {
        return Ok((Opened::Stdin(io::stdin()), None));
    }
    let opened = File::open(path).and_then(|file| Ok((file.metadata()?, file)));
    let (metadata, file) = opened.with_context(|| format!("cannot open {}", path.display()))?;
    let size = metadata.is_file().then_some(metadata.len());
    Ok((Opened::File(file), size))
}

/// What to do about a chain file that `fourzero COMMAND` cannot read, to follow
/// the error; empty if that is plain.
pub(super) fn hint(error: &ReadError, path: &Path, command: &str) -> String {
    let is_journal = path.extension().is_some_and(|ending| ending == "journal");
    match error {
        ReadError::Foreign(format) => unpack(*format, &name(path), command),
        error if error.is_unexpected_end() && is_journal => {
            "; an unfinished chain: mine --resume goes on with it".to_owned()
        }
        _ => String::new(),
    }
}

/// What to ask about the chain `name` whose proof is at fault under `rule`, or
/// under each where none was named: perhaps it was held to the wrong options.
pub(super) fn question(fault: &Fault, name: &str, rule: Option<Rule>) -> Option<String> {
    let options = match (&fault.kind, rule) {
        (FaultKind::Proof { .. }, Some(_)) => "--rule or --difficulty",
        (FaultKind::Proof { .. }, None) => "--difficulty",
        _ => return None,
    };
    Some(format!("was {name} mined under another {options}?"))
}

/// How to unpack the file called `name`, to follow the error.
pub(super) fn unpack(format: ForeignFormat, name: &str, command: &str) -> String {
    let unpacker = match format {
        ForeignFormat::Gzip => "gunzip -c",
        ForeignFormat::Bzip2 => "bunzip2 -c",
        ForeignFormat::Xz => "xz -dc",
        ForeignFormat::Zstd => "zstd -dc",
        // It cannot unpack what it cannot seek in.
        ForeignFormat::Zip if name == STANDARD_INPUT => return "; unpack it first".to_owned(),
        ForeignFormat::Zip => "unzip -p",
        _ => return String::new(),
    };
    let file = match name {
        STANDARD_INPUT => String::new(),
        name => format!(" {}", shell_word(name)),
    };
    format!("; try: {unpacker}{file} | fourzero {command} -")
}
