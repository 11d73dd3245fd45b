//! Shared by all tests: running the command, temporary folders and test data.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use assert_cmd::Command;
use tempfile::TempDir;

use crate::naive::{self, Json};

/// The exported chains and the rule that each follows.
pub(crate) const EXPORTED: [(&str, &str); 3] = [
    ("chain-last-proof.json", naive::LAST_PROOF),
    ("chain-last-hash.json", naive::LAST_HASH),
    ("chain-previous-hash.json", naive::PREVIOUS_HASH),
];

/// After this time a command is considered hung. No test depends on speed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Waits until a condition holds.
#[track_caller]
pub(crate) fn wait_until(mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < PATIENCE, "the condition never held");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Waits until a file exists and has at least `least` bytes.
#[track_caller]
pub(crate) fn wait_for_bytes(path: &Path, least: u64) {
    wait_until(|| fs::metadata(path).is_ok_and(|file| file.len() >= least));
}

/// The command, ready for arguments.
pub(crate) fn fourzero() -> Command {
    let mut command = assert_cmd::cargo::cargo_bin_cmd!("fourzero");
    command.timeout(PATIENCE);
    command
}

/// The same command, for tests that do something while it runs.
pub(crate) fn fourzero_process() -> std::process::Command {
    std::process::Command::new(assert_cmd::cargo::cargo_bin!("fourzero"))
}

/// The output of a command.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// The lines on stdout, each a JSON object.
    pub(crate) fn json(&self) -> Vec<serde_json::Value> {
        self.stdout
            .lines()
            .map(|line| serde_json::from_str(line).expect("each line is JSON"))
            .collect()
    }

    /// The one line on stdout, a JSON object.
    pub(crate) fn one_json(&self) -> serde_json::Value {
        let lines = self.json();
        assert_eq!(lines.len(), 1, "one line in {:?}", self.stdout);
        lines.into_iter().next().expect("there is one")
    }
}

/// Runs a command to its end.
pub(crate) trait Ends {
    /// Runs it and asserts its exit code.
    fn ends_with(&mut self, code: i32) -> Run;
}

impl Ends for Command {
    #[track_caller]
    fn ends_with(&mut self, code: i32) -> Run {
        let output = self.output().expect("the command starts");
        let run = Run {
            stdout: String::from_utf8(output.stdout).expect("stdout is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("stderr is UTF-8"),
        };
        assert_eq!(
            output.status.code(),
            Some(code),
            "the exit code of {:?}\nstdout: {}\nstderr: {}",
            self.get_args().collect::<Vec<&OsStr>>(),
            run.stdout,
            run.stderr
        );
        run
    }
}

/// A folder that is removed at the end of the test.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().expect("a temporary folder"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, contents).expect("the folder takes files");
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("the file can be read")
    }

    /// The sorted names of all files in it, including hidden ones.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.0.path())
            .expect("the folder can be listed")
            .map(|entry| entry.expect("an entry").file_name())
            .map(|name| name.into_string().expect("a name in UTF-8"))
            .collect();
        names.sort();
        names
    }
}

/// A file of `tests/data`.
pub(crate) fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

/// A queue of `count` transactions, each on its own line.
pub(crate) fn queue(count: usize) -> String {
    (0..count)
        .map(|number| {
            format!("{{\"sender\": \"a{number}\", \"recipient\": \"b\", \"amount\": {number}}}\n")
        })
        .collect()
}

pub(crate) fn data_text(name: &str) -> String {
    fs::read_to_string(data(name)).expect("the file is checked in")
}

/// The blocks of an exported chain.
pub(crate) fn exported_blocks(name: &str) -> Vec<Json> {
    let file = naive::parse(&data_text(name));
    file.get("chain").expect("it has a chain").list().to_vec()
}

/// A path as the command prints it.
pub(crate) fn shown(path: &Path) -> String {
    path.display().to_string()
}
