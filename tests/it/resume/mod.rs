//! `mine --resume` continues an interrupted run to the same bytes, or refuses and
//! changes nothing.

mod continues;
#[cfg(unix)]
mod kills;
mod outputs;
mod refused;

use std::fs;

use crate::support::{Ends as _, Folder, Run, fourzero, queue};

pub(super) const SAME: [&str; 8] = [
    "--rule",
    "last-hash",
    "--difficulty",
    "1",
    "--timestamp",
    "1700000000",
    "--recipient",
    "me",
];

/// Mines `queue.jsonl` of the folder into `chain.json` with the options that
/// make it the same each time.
#[track_caller]
pub(super) fn mine(folder: &Folder, options: &[&str], code: i32) -> Run {
    fourzero()
        .current_dir(folder.path(""))
        .args(["mine", "queue.jsonl", "-o", "chain.json"])
        .args(SAME)
        .args(options)
        .ends_with(code)
}

/// A folder with a queue of 35 transactions and the journal of its first
/// blocks, as many as a journal of `bytes` bytes holds; and the whole chain.
pub(super) fn interrupted(bytes: impl Fn(&str) -> usize) -> (Folder, String) {
    let folder = Folder::new();
    folder.write("queue.jsonl", queue(35));
    mine(&folder, &[], 0);
    let chain = folder.read("chain.json");
    fs::remove_file(folder.path("chain.json")).unwrap();
    folder.write("chain.json.journal", &chain[..bytes(&chain)]);
    (folder, chain)
}

/// Where the last of `blocks` blocks ends.
pub(super) fn end_of_block(blocks: usize) -> impl Fn(&str) -> usize {
    move |chain| {
        let next = format!(", {{\"index\": {}, ", blocks + 1);
        chain.find(&next).unwrap_or(chain.rfind("], ").unwrap())
    }
}

/// Asserts that mining is refused and changes nothing, and returns the error.
#[track_caller]
pub(super) fn is_refused(folder: &Folder, options: &[&str]) -> String {
    let journal = folder.read("chain.json.journal");
    let names = folder.names();
    let run = mine(folder, options, 2);
    assert_eq!(run.stdout, "");
    assert_eq!(folder.read("chain.json.journal"), journal);
    assert_eq!(folder.names(), names);
    run.stderr
}
