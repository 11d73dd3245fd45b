//! If the reader of stdout or stderr stops reading, the work is still done and
//! the exit status is the same.

use std::io::{self, Write as _};
use std::process::Stdio;

use crate::support::{Ends as _, Folder, data, data_text, fourzero, fourzero_process};

/// The exit status and stderr of a command whose stdout is closed.
fn unread(folder: &Folder, arguments: &[&str]) -> (Option<i32>, String) {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let output = fourzero_process()
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
fn the_exit_status_is_the_worst_of_all_files() {
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
fn a_queue_that_fails_is_an_error() {
    for json in [&[][..], &["--json"]] {
        let folder = folder();
        let arguments = ["mine", "queue.jsonl", "bad.jsonl", "--out-dir", "chains"];
        let (status, stderr) = unread(&folder, &[&arguments, json].concat());
        assert_eq!(status, Some(2), "{stderr}");
        assert!(folder.path("chains/queue.json").exists());
    }
}

#[test]
fn a_closed_stdout_ends_every_command_quietly() {
    let folder = Folder::new();
    let chain = data("chain-last-proof.json").display().to_string();
    let output = folder.path("chain.json").display().to_string();
    let queue = data("queue.jsonl").display().to_string();
    // More than a pipe and a buffer can hold.
    let many = vec![chain.as_str(); 2000];
    for arguments in [
        &["puzzle", "5"][..],
        &["puzzle", "5", "--json"],
        &["--help"],
        &["verify", &chain],
        &["verify", "--json", &chain],
        &[
            "mine",
            "--difficulty",
            "1",
            "--force",
            "-o",
            &output,
            &queue,
        ],
        &[
            "mine",
            "--json",
            "--difficulty",
            "1",
            "--force",
            "-o",
            &output,
            &queue,
        ],
        &[&["verify", "--json"][..], &many].concat(),
    ] {
        let mut child = fourzero_process()
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let ended = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&ended.stderr);
        let shown = &arguments[..arguments.len().min(5)];
        assert_eq!(stderr, "", "{shown:?}");
        assert_eq!(ended.status.code(), Some(0), "{shown:?}");
    }
    // The chain was whole before its summary could not be printed.
    fourzero()
        .args(["verify", "--difficulty", "1", &output])
        .ends_with(0);
}

#[cfg(feature = "node")]
#[test]
fn a_closed_stdout_ends_an_export_quietly() {
    let folder = Folder::new();
    let chain = data("chain-last-hash.json");
    let in_folder = |arguments: &[&str]| {
        let mut command = fourzero_process();
        command
            .args(arguments)
            .arg("--data")
            .arg(folder.path("data"));
        command
    };
    let import = ["node", "import", "--rule", "last-hash"];
    let imported = in_folder(&import).arg(chain).output().unwrap();
    assert!(imported.status.success(), "{imported:?}");
    // Closed before it starts, because a pipe could hold the whole chain.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ended = in_folder(&["node", "export", "-o", "-"])
        .stdout(writer)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
    assert_eq!(ended.status.code(), Some(0));
}

#[test]
fn an_invalid_chain_exits_with_1() {
    let mut child = fourzero_process()
        .args(["verify", "--rule", "last-hash"])
        .arg(data("chain-last-proof.json"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(1));
}

#[test]
fn a_closed_stderr_does_not_stop_the_work() {
    let mut child = fourzero_process()
        .args(["verify", "-"])
        .arg(data("chain-last-hash.json"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stderr.take());
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"no chain").unwrap();
    drop(stdin);
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(2));
    let stdout = String::from_utf8_lossy(&ended.stdout);
    assert!(stdout.contains(": valid: 41 blocks"), "{stdout}");
}
