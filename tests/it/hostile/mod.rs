//! Hostile input: every reader accepts or refuses it within 200 MB of memory,
//! and names the place. [`small`] and [`large`] are tables with a row per
//! input; the other files hold what does not fit in a table.

mod cpython;
mod files;
mod large;
mod pieces;
mod small;
mod truncated;

use std::io::{Read as _, Write as _};
use std::process::{ChildStdin, Command, Stdio};
use std::thread;

use self::pieces::Pieces;
use crate::support::Folder;

/// The memory limit for every input.
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

/// What the reader must report.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Outcome {
    /// A valid chain with this number of blocks.
    Valid(u64),
    /// An invalid chain: the block and the kind of its fault.
    Invalid(String),
    /// This number of transactions was mined.
    Mined(u64),
    /// The input cannot be read, and the error names this place; empty if the
    /// problem has no place.
    Error(String),
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

fn error(place: &str) -> Outcome {
    Outcome::Error(place.to_owned())
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
        if outcome != found {
            wrong += &format!("{name}: found {found:?}\n    expected {outcome:?}\n");
        }
        if megabytes > MOST_MEGABYTES {
            wrong += &format!("{name}: took {megabytes} MB\n");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// Feeds a reader through a pipe and returns its outcome and its peak memory in
/// megabytes.
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
    // Every thread holds blocks, and a machine may have many cores.
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

/// Runs `command`, which is a `reader`, while `write` writes its input.
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
            let kind = fault["kind"].as_str().unwrap();
            Outcome::Invalid(format!("block {}: {kind}", fault["block"]))
        }
        (Reader::Queue, Some(0)) => {
            let count = |key: &str| json()[key].as_u64().unwrap();
            Outcome::Mined(count("transactions") - count("rewards"))
        }
        (_, Some(2)) => {
            let (_, problem) = said.split_once("standard input: ").unwrap();
            let place = problem.split(": ").next().unwrap();
            let has_place = problem.starts_with("line ");
            Outcome::Error(if has_place { place } else { "" }.to_owned())
        }
        // A panic is 101, and an abort has no code.
        (_, code) => Outcome::Error(format!("ended with {code:?}: {said}")),
    }
}

/// The megabytes in `note: 0.012 s in total, at most 7.30 MiB of memory`.
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
