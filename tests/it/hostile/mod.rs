//! Input that was made to hurt: what each reader says of it, within 200 MB of
//! memory. [`small`] and [`large`] are the table, a row each; what a table
//! cannot hold is in the other files.

mod files;
mod large;
mod pieces;
mod pythons;
mod small;
mod truncated;

use std::io::{Read as _, Write as _};
use std::process::{ChildStdin, Command, Stdio};
use std::thread;

use self::pieces::Pieces;
use crate::support::Folder;

/// What no input may make a command take.
const MOST_MEGABYTES: f64 = 200.0;

/// One row of the table.
struct Row {
    name: &'static str,
    reader: Reader,
    input: Pieces,
    outcome: Outcome,
}

/// Which reader gets the input.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Reader {
    /// `verify -`.
    Chain,
    /// `mine -`.
    Queue,
}

/// What must come of it. A text that ends in an ellipsis (U+2026) is the
/// start of one.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Outcome {
    /// A chain of so many blocks, which is valid.
    Valid(u64),
    /// A chain with this fault.
    Invalid(String),
    /// So many transactions were mined.
    Mined(u64),
    /// This was said on stderr, and nothing else.
    Error(String),
}

impl Outcome {
    fn is_met_by(&self, found: &Self) -> bool {
        match (self, found) {
            (Self::Invalid(expected), Self::Invalid(found))
            | (Self::Error(expected), Self::Error(found)) => {
                match expected.strip_suffix('\u{2026}') {
                    Some(start) => found.starts_with(start),
                    None => found == expected,
                }
            }
            _ => self == found,
        }
    }
}

fn row(name: &'static str, reader: Reader, input: impl Into<Pieces>, outcome: Outcome) -> Row {
    Row {
        name,
        reader,
        input: input.into(),
        outcome,
    }
}

fn invalid(fault: &str) -> Outcome {
    Outcome::Invalid(fault.to_owned())
}

fn error(message: &str) -> Outcome {
    Outcome::Error(message.to_owned())
}

/// Runs every row and reports all that differ.
fn check(rows: Vec<Row>) {
    let mut wrong = String::new();
    for Row {
        name,
        reader,
        input,
        outcome,
    } in rows
    {
        let (found, megabytes) = feed(reader, input);
        if !outcome.is_met_by(&found) {
            wrong += &format!("{name}: found {found:?}\n    expected {outcome:?}\n");
        }
        if megabytes > MOST_MEGABYTES {
            wrong += &format!("{name}: took {megabytes} MB\n");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// Feeds a reader through a pipe, and tells what it made of it and the most
/// memory, in megabytes, that it had.
fn feed(reader: Reader, input: Pieces) -> (Outcome, f64) {
    let folder = Folder::new();
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("fourzero"));
    match reader {
        Reader::Chain => command.args(["verify", "-"]),
        Reader::Queue => command
            .args(["mine", "-", "--block-size", "1000", "-o"])
            .arg(folder.path("chain.json")),
    };
    command.args(["--verbose", "--quiet", "--json", "--difficulty", "1"]);
    // Each thread has blocks of its own at hand; a machine may have many.
    command.args(["--threads", "4"]);
    run(command, reader, move |mut pipe| {
        for piece in input {
            // A reader that has seen enough closes the pipe.
            if pipe.write_all(&piece).is_err() {
                break;
            }
        }
    })
}

/// Runs `command`, which is a `reader`, while `write` writes what it reads.
fn run(
    mut command: Command,
    reader: Reader,
    write: impl FnOnce(ChildStdin) + Send,
) -> (Outcome, f64) {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let pipe = child.stdin.take().unwrap();
    let (mut stdout, mut stderr) = (String::new(), String::new());
    thread::scope(|scope| {
        scope.spawn(|| write(pipe));
        let mut out = child.stdout.take().unwrap();
        let stdout = &mut stdout;
        scope.spawn(move || out.read_to_string(stdout).unwrap());
        let mut err = child.stderr.take().unwrap();
        err.read_to_string(&mut stderr).unwrap();
    });
    let code = child.wait().unwrap().code();
    let (notes, said): (Vec<_>, Vec<_>) =
        stderr.lines().partition(|line| line.starts_with("note: "));
    let megabytes = notes.iter().find_map(|note| megabytes(note));
    let megabytes = megabytes.unwrap_or_else(|| panic!("no memory in {stderr}"));
    (outcome(reader, code, &stdout, &said.join("\n")), megabytes)
}

fn outcome(reader: Reader, code: Option<i32>, stdout: &str, said: &str) -> Outcome {
    let json = || -> serde_json::Value { serde_json::from_str(stdout).unwrap() };
    match (reader, code) {
        (Reader::Chain, Some(0)) => Outcome::Valid(json()["blocks"].as_u64().unwrap()),
        (Reader::Chain, Some(1)) => {
            let fault = &json()["fault"];
            let words = |key: &str| fault[key].as_str().unwrap().to_owned();
            Outcome::Invalid(format!(
                "block {}: {}: {}",
                fault["block"],
                words("kind"),
                words("message")
            ))
        }
        (Reader::Queue, Some(0)) => Outcome::Mined(json()["transactions"].as_u64().unwrap()),
        (_, Some(2)) => {
            let start = match reader {
                Reader::Chain => "error: standard input: ",
                Reader::Queue => "error: cannot read the queue standard input: ",
            };
            Outcome::Error(said.strip_prefix(start).unwrap_or(said).to_owned())
        }
        // A panic is 101, and an abort has no code.
        (_, code) => Outcome::Error(format!("ended with {code:?}: {said}")),
    }
}

/// The megabytes in `note: 0.012 s in all, at most 7.30 MiB of memory`.
fn megabytes(note: &str) -> Option<f64> {
    let (_, amount) = note.split_once(", at most ")?;
    let (number, unit) = amount.strip_suffix(" of memory")?.split_once(' ')?;
    let unit = match unit {
        "KiB" => 1024.0,
        "MiB" => 1024.0 * 1024.0,
        "GiB" => 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    Some(number.parse::<f64>().ok()? * unit / 1e6)
}
