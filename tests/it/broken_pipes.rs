//! Whoever reads the results may leave: what was to be done is done, and the
//! exit status tells what came of it.

use std::io;
use std::process::Command;

use crate::support::{Folder, data_text};

/// The exit status and stderr of the command, of which nobody reads a line.
fn unread(folder: &Folder, arguments: &[&str]) -> (Option<i32>, String) {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let output = Command::new(assert_cmd::cargo::cargo_bin!("fourzero"))
        .current_dir(folder.path(""))
        .args(arguments)
        .stdout(writer)
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), stderr)
}

fn folder() -> Folder {
    let folder = Folder::new();
    let chain = data_text("chain-last-proof.json");
    folder.write("valid.json", &chain);
    folder.write("invalid.json", chain.replacen("\"proof\"", "\"proff\"", 1));
    folder.write("queue.jsonl", data_text("queue.jsonl"));
    folder.write("bad.jsonl", "bad");
    folder
}

#[test]
fn the_exit_status_is_that_of_all_that_was_asked() {
    let folder = folder();
    let cases: [(&[&str], i32); 9] = [
        (&["verify", "valid.json"], 0),
        (&["verify", "valid.json", "invalid.json"], 1),
        (&["verify", "valid.json", "nowhere.json"], 2),
        (&["verify", "--json", "nowhere.json", "valid.json"], 2),
        (&["inspect", "--json", "nowhere.json", "valid.json"], 2),
        (&["inspect", "valid.json", "nowhere.json"], 2),
        (&["search", "x", "--bits", "200", "--end", "5"], 1),
        (&["puzzle", "0"], 1),
        (&["puzzle", "5"], 0),
    ];
    for (arguments, status) in cases {
        let (found, stderr) = unread(&folder, arguments);
        assert_eq!(found, Some(status), "{arguments:?}: {stderr}");
        assert!(!stderr.contains("pipe"), "{arguments:?}: {stderr}");
    }
}

#[test]
fn a_queue_that_failed_is_no_success() {
    for json in [&[][..], &["--json"]] {
        let folder = folder();
        let arguments = ["mine", "queue.jsonl", "bad.jsonl", "--out-dir", "chains"];
        let (status, stderr) = unread(&folder, &[&arguments, json].concat());
        assert_eq!(status, Some(2), "{stderr}");
        assert!(stderr.contains("bad.jsonl"), "{stderr}");
        assert!(folder.path("chains/queue.json").exists());
    }
}
