//! Input files: their names, opening them, and hints for those that cannot be
//! read.

use std::fs::File;
use std::io::{self, Read, Stdin};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use fourzero::chain::json::ForeignFormat;
use fourzero::chain::{Difference, Fault, FaultKind, ReadError, Rename, TRANSACTION_FIELDS};
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
        ReadError::NotAChain { keys, list, .. } => {
            not_a_chain(keys, list.as_deref(), path, command)
        }
        _ => String::new(),
    }
}

/// What an object that is not a chain may be, and what to do with it.
fn not_a_chain(keys: &[String], list: Option<&str>, path: &Path, command: &str) -> String {
    let has = |key: &str| keys.iter().any(|found| found == key);
    if let Some(key) = list {
        let filter = shell_word(&format!(".[\"{key}\"]"));
        let file = file_word(&name(path));
        format!("; if \"{key}\" is the chain: jq {filter}{file} | fourzero {command} -")
    } else if TRANSACTION_FIELDS.into_iter().all(has) || has("transactions") {
        "; this looks like a queue, which fourzero mine reads".to_owned()
    } else if ["error", "message", "detail"].into_iter().any(has) {
        "; this looks like the answer to a request that failed".to_owned()
    } else {
        String::new()
    }
}

/// What to ask or to do about a fault in the chain at `path`. `rule` is `None`
/// if it was detected, and `renamed` are the keys that were renamed before.
pub(super) fn question(
    fault: &Fault,
    path: &Path,
    rule: Option<Rule>,
    renamed: &[Rename],
) -> Option<String> {
    let name = name(path);
    let options = match (&fault.kind, rule) {
        (FaultKind::Proof { .. }, Some(_)) => "--rule or --difficulty",
        (FaultKind::Proof { .. }, None) => "--difficulty",
        (FaultKind::MissingField { differences, .. }, _)
        | (FaultKind::Transaction { differences, .. }, _) => {
            return renames(differences, path, renamed);
        }
        // The second block is the first that quotes a hash.
        (FaultKind::PreviousHash { .. }, _) if fault.block == 2 => {
            return Some(format!(
                "were keys of {name} renamed, or does its program hash blocks in another way? a \
                 hash covers all names and values, as Python's json.dumps(block, sort_keys=True) \
                 writes them"
            ));
        }
        _ => return None,
    };
    Some(format!("was {name} mined with a different {options}?"))
}

/// The command that gives a chain the names that are read here, if it differs
/// only in names.
fn renames(differences: &[Difference], path: &Path, renamed: &[Rename]) -> Option<String> {
    let option = |from: &str, to| format!(" --rename {}", shell_word(&format!("{from}={to}")));
    let before = (renamed.iter()).map(|rename| Some(option(rename.from(), rename.to())));
    let now = differences.iter().map(|difference| match difference {
        Difference::Name { field, found } => Some(option(found, field)),
        _ => None,
    });
    if differences.is_empty() {
        return None;
    }
    let options: Option<String> = before.chain(now).collect();
    let options = options?;
    let file = shell_word(&path.display().to_string());
    Some(format!(
        "to rename: fourzero convert {file} -o renamed.json{options}; this makes the chain valid only \
         if its hashes are computed from the new names"
    ))
}

/// The file as a word after a command that reads standard input without one.
fn file_word(name: &str) -> String {
    match name {
        STANDARD_INPUT => String::new(),
        name => format!(" {}", shell_word(name)),
    }
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
        ForeignFormat::Html => {
            return "; check the address: a node answers with JSON".to_owned();
        }
        ForeignFormat::HttpResponse => {
            return "; run curl without -i, or delete the lines before the JSON".to_owned();
        }
        _ => return String::new(),
    };
    let file = file_word(name);
    format!("; try: {unpacker}{file} | fourzero {command} -")
}
