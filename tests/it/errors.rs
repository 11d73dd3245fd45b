//! The wording of every error, warning and hint. This is the only place that
//! asserts it: `errors.txt` is a shell session in a folder with a few files. An
//! error names the file and the place, what was found and what was expected,
//! and says what to do if that is not obvious.
//!
//! `UPDATE_ERRORS=1 cargo test errors` records what is printed now; read the
//! difference before you keep it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{Ends as _, Folder, data, fourzero};

const SESSION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/errors.txt");

/// Runs each line of the session that starts with `$ ` in a new folder, and
/// appends what it prints and its exit code. Lines that start with `# ` stay.
fn play(session: &str) -> String {
    let journal = interrupted();
    let mut played = String::new();
    for line in session.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            writeln!(played, "{line}").unwrap();
            played += &run(command, &journal);
            played.push('\n');
        } else if line.starts_with("# ") {
            writeln!(played, "{line}\n").unwrap();
        }
    }
    played
}

/// The journal of an interrupted run on `queue.jsonl`: four blocks of the chain
/// that `--rule last-hash --timestamp 0 --recipient me` gives.
fn interrupted() -> String {
    let folder = Folder::new();
    fourzero()
        .args(["mine", "--rule", "last-hash", "--timestamp", "0"])
        .args(["--recipient", "me", "-o"])
        .args([&folder.path("chain.json"), &data("queue.jsonl")])
        .ends_with(0);
    let mut chain = folder.read("chain.json");
    chain.truncate(chain.find(", {\"index\": 5, ").unwrap());
    chain
}

fn run(command: &str, journal: &str) -> String {
    let folder = Folder::new();
    folder.write("half.json.journal", journal);
    fs::copy(data("queue.jsonl"), folder.path("queue.jsonl")).unwrap();
    fs::copy(data("chain-last-hash.json"), folder.path("chain.json")).unwrap();
    fs::create_dir(folder.path("folder")).unwrap();
    let binary = assert_cmd::cargo::cargo_bin!("fourzero");
    let programs = Path::new(&binary).parent().unwrap();
    let path = std::env::join_paths(
        std::iter::once(programs.to_owned())
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    // No command takes long; a loop in one might not end if `fourzero` fails.
    let output = Command::new("timeout")
        .args(["120", "sh", "-c", &format!("{command} 2>&1")])
        .current_dir(folder.path(""))
        .env("PATH", path.unwrap())
        .env_remove("FOURZERO_TOKEN")
        .env_remove("CLICOLOR_FORCE")
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    // A blank line from clap would end the entry.
    let printed: String = printed
        .lines()
        .filter(|line| !line.trim().is_empty())
        .fold(String::new(), |text, line| text + line + "\n");
    let code = output.status.code().unwrap();
    format!("{printed}exit status {code}\n")
}

#[test]
fn every_message_is_worded_as_in_the_session() {
    let expected = fs::read_to_string(SESSION).unwrap();
    let played = play(&expected);
    if std::env::var_os("UPDATE_ERRORS").is_some() {
        fs::write(SESSION, &played).unwrap();
        return;
    }
    let entries = |text: &str| text.split("\n\n").map(str::to_owned).collect::<Vec<_>>();
    for (played, expected) in entries(&played).iter().zip(entries(&expected)) {
        assert_eq!(*played, expected);
    }
    assert_eq!(played, expected);
}
