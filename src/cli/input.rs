//! Input files: their names, opening them, and hints for those that cannot be
//! read.

use std::fs::File;
use std::io::{self, Read, Stdin};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use fourzero::chain::json::ForeignFormat;
use fourzero::chain::{Fault, FaultKind, ReadError};
use fourzero::pow::Rule;
use serde::Serialize;

use super::print::shell_word;

const STANDARD_INPUT: &str = "standard input";

/// What `--json` prints for a file that could not be read.
#[derive(Serialize)]
pub(super) struct Unreadable<'a> {
    pub(super) file: &'a str,
    pub(super) error: String,
}

/// The name of the file `path` in messages; `-` is standard input.
pub(super) fn name(path: &Path) -> String {
    if path == Path::new("-") {
        STANDARD_INPUT.to_owned()
    } else {
        path.display().to_string()
    }
}

/// Refuses to read standard input twice, because it is empty the second time.
///
/// # Errors
/// If more than one of the paths is `-`.
pub(super) fn check_stdin(paths: &[PathBuf]) -> anyhow::Result<()> {
    let count = paths.iter().filter(|path| *path == Path::new("-")).count();
    ensure!(count < 2, "standard input (-) can be read only once");
    Ok(())
}

/// An open input file.
pub(super) enum InputFile {
    Stdin(Stdin),
    File(File),
}

impl Read for InputFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Stdin(stdin) => stdin.read(buffer),
            Self::File(file) => file.read(buffer),
        }
    }
}

/// Opens a file and returns its size if it has one.
///
/// # Errors
/// If the system refuses.
pub(super) fn open(path: &Path) -> anyhow::Result<(InputFile, Option<u64>)> {
    if path == Path::new("-") {
        return Ok((InputFile::Stdin(io::stdin()), None));
    }
    let opened = File::open(path).and_then(|file| Ok((file.metadata()?, file)));
    let (metadata, file) = opened.with_context(|| format!("cannot open {}", path.display()))?;
    let size = metadata.is_file().then_some(metadata.len());
    Ok((InputFile::File(file), size))
}

/// The text of a small file, without a byte order mark.
///
/// # Errors
/// If it is not UTF-8.
pub(super) fn text(bytes: Vec<u8>) -> anyhow::Result<String> {
    if let Some(format) = ForeignFormat::of(&bytes) {
        bail!(format);
    }
    let text = String::from_utf8(bytes).context("this is not UTF-8; save the file as UTF-8")?;
    match text.strip_prefix('\u{feff}') {
        Some(text) => Ok(text.to_owned()),
        None => Ok(text),
    }
}

/// Advice to print after the error, for a chain file that `fourzero COMMAND`
/// cannot read. Empty if there is nothing to add.
pub(super) fn hint(error: &ReadError, path: &Path, command: &str) -> String {
    let is_journal = path.extension().is_some_and(|ending| ending == "journal");
    match error {
        ReadError::Foreign(format) => unpack(*format, &name(path), command),
        error if error.is_unexpected_end() && is_journal => {
            "; this is an unfinished chain, which mine --resume continues".to_owned()
        }
        _ => String::new(),
    }
}

/// The question to ask about an invalid proof in the chain `name`: perhaps it
/// was verified with the wrong options. `rule` is `None` if it was detected.
pub(super) fn question(fault: &Fault, name: &str, rule: Option<Rule>) -> Option<String> {
    let options = match (&fault.kind, rule) {
        (FaultKind::Proof { .. }, Some(_)) => "--rule or --difficulty",
        (FaultKind::Proof { .. }, None) => "--difficulty",
        _ => return None,
    };
    Some(format!("was {name} mined with a different {options}?"))
}

/// The command that unpacks the file called `name`, to follow the error.
pub(super) fn unpack(format: ForeignFormat, name: &str, command: &str) -> String {
    let unpacker = match format {
        ForeignFormat::Gzip => "gunzip -c",
        ForeignFormat::Bzip2 => "bunzip2 -c",
        ForeignFormat::Xz => "xz -dc",
        ForeignFormat::Zstd => "zstd -dc",
        // unzip must be able to seek.
        ForeignFormat::Zip if name == STANDARD_INPUT => return "; unpack it first".to_owned(),
        ForeignFormat::Zip => "unzip -p",
        ForeignFormat::OfficeDocument if command == "mine" => {
            return "; save it as CSV in UTF-8".to_owned();
        }
        _ => return String::new(),
    };
    let file = match name {
        STANDARD_INPUT => String::new(),
        name => format!(" {}", shell_word(name)),
    };
    format!("; try: {unpacker}{file} | fourzero {command} -")
}
