//! Protects work whose messages nobody reads: a full pipe or a paused terminal
//! on stderr stops no command, and signals still end it.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Command, Stdio};

use crate::full_pipe::full_pipe;
use crate::python::has_python;
use crate::support::{
    Folder, data, data_text, fourzero_process, queue, shown, wait_for_bytes, wait_until,
};

/// Options that make two runs write the same bytes.
const SAME: [&str; 6] = [
    "--timestamp",
    "0",
    "--recipient",
    "me",
    "--rule",
    "last-hash",
];

/// The exit status of a command whose stderr is a full pipe.
#[track_caller]
fn status(command: &mut Command) -> Option<i32> {
    let (_unread, stderr) = full_pipe();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(stderr)
        .spawn()
        .unwrap();
    wait_until(|| child.try_wait().unwrap().is_some());
    child.wait().unwrap().code()
}

fn mine(folder: &Folder, queue: &str, output: &str) -> Command {
    let mut command = fourzero_process();
    command
        .current_dir(folder.path(""))
        .args(["mine", queue, "-o", output])
        .args(SAME);
    command
}

#[test]
fn mining_with_a_full_stderr_writes_the_same_chain() {
    let folder = Folder::new();
    folder.write("queue.jsonl", queue(500));
    let expected = mine(&folder, "queue.jsonl", "read.json").output().unwrap();
    assert!(expected.status.success(), "{expected:?}");
    let status = status(mine(&folder, "queue.jsonl", "unread.json").arg("-v"));
    assert_eq!(status, Some(0));
    assert!(folder.read("unread.json") == folder.read("read.json"));
}

#[test]
fn mining_on_a_paused_terminal_writes_the_same_chain() {
    if !has_python() {
        return;
    }
    let folder = Folder::new();
    folder.write("queue.jsonl", queue(500));
    let mine = |output| mine(&folder, "queue.jsonl", output);
    let expected = mine("read.json").output().unwrap();
    assert!(expected.status.success(), "{expected:?}");
    let mined = mine("paused.json");
    // TCOOFF is what Ctrl-S does.
    let paused = "import os, pty, subprocess, sys, termios\n\
                  _, terminal = pty.openpty()\n\
                  termios.tcflow(terminal, termios.TCOOFF)\n\
                  run = subprocess.run(sys.argv[1:], stderr=terminal, timeout=100)\n\
                  sys.exit(run.returncode)";
    let output = Command::new("python3")
        .current_dir(folder.path(""))
        .env("TERM", "xterm")
        .args(["-c", paused])
        .arg(mined.get_program())
        .args(mined.get_args())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(folder.read("paused.json") == folder.read("read.json"));
}

#[test]
fn sigterm_ends_mining_with_a_full_stderr_and_it_can_be_resumed() {
    let folder = Folder::new();
    let lines = queue(4_000);
    let (_unread, stderr) = full_pipe();
    let mut child = mine(&folder, "-", "chain.json")
        .arg("-v")
        .stdin(Stdio::piped())
        .stderr(stderr)
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(lines.as_bytes()).unwrap();
    let journal = folder.path("chain.json.journal");
    wait_for_bytes(&journal, 20_000);
    let kill = format!("kill -TERM {}", child.id());
    assert!(
        Command::new("sh")
            .args(["-c", &kill])
            .status()
            .unwrap()
            .success()
    );
    wait_until(|| child.try_wait().unwrap().is_some());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    // The queue has not ended, so nothing but the signal could end the run.
    drop(stdin);
    let kept = fs::read(&journal).unwrap();
    assert!(kept.ends_with(b"]}"));

    let queue = folder.write("queue.jsonl", &lines);
    let resumed = mine(&folder, "-", "chain.json")
        .arg("--resume")
        .stdin(fs::File::open(queue).unwrap())
        .output()
        .unwrap();
    assert!(resumed.status.success(), "{resumed:?}");
    let whole = mine(&folder, "queue.jsonl", "whole.json").output().unwrap();
    assert!(whole.status.success(), "{whole:?}");
    let whole = fs::read(folder.path("whole.json")).unwrap();
    assert!(whole.starts_with(&kept));
    assert!(fs::read(folder.path("chain.json")).unwrap() == whole);
}

#[test]
fn every_command_has_its_exit_status_though_nobody_reads_its_messages() {
    let folder = Folder::new();
    folder.write("bad.json", "[1,");
    let valid = shown(&data("chain-last-hash.json"));
    let commands: [(&[&str], i32); 10] = [
        (&["mine", "-v", "bad.json", "-o", "chain.json"], 2),
        (&["mine", "bad.json", "bad.json", "--out-dir", "chains"], 2),
        (&["verify", "nowhere.json", "bad.json", &valid, "-v"], 2),
        (&["inspect", "bad.json"], 2),
        (&["convert", "bad.json", "-o", "lines.jsonl"], 2),
        (&["search", "x", "--bits", "200", "--end", "5", "-v"], 1),
        (&["bench", "--seconds", "0.1", "--threads", "1", "-v"], 0),
        (&["puzzle", "5", "-v"], 0),
        #[cfg(feature = "node")]
        (&["node", "import", "bad.json", "--data", "data"], 2),
        #[cfg(feature = "node")]
        (&["node", "export", "-o", "out.json", "--data", "none"], 2),
        #[cfg(not(feature = "node"))]
        (&["verify", &valid], 0),
        #[cfg(not(feature = "node"))]
        (&["puzzle", "0"], 1),
    ];
    for (arguments, code) in commands {
        let mut command = fourzero_process();
        command.current_dir(folder.path("")).args(arguments);
        assert_eq!(status(&mut command), Some(code), "{arguments:?}");
    }
}

#[test]
fn a_reader_that_comes_back_learns_how_many_messages_are_missing() {
    const FILES: usize = 3_000;
    let (unread, stderr) = full_pipe();
    let mut child = fourzero_process()
        .args(["verify", "--json"])
        .args(vec!["nowhere.json"; FILES])
        // Stays open, and holds the command until everything is read.
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(stderr)
        .spawn()
        .unwrap();
    let mut results = BufReader::new(child.stdout.take().unwrap()).lines();
    for _ in 0..FILES {
        results.next().expect("a result for each file").unwrap();
    }
    // The pipe was full of line breaks.
    let mut messages = BufReader::new(unread)
        .lines()
        .map(Result::unwrap)
        .filter(|line| !line.is_empty());
    let mut shown = 0;
    let notice = messages
        .find(|line| {
            let is_error = line.contains("nowhere.json");
            shown += usize::from(is_error);
            !is_error
        })
        .expect("a message that counts the others");
    let missing = notice.rsplit(' ').next().unwrap().parse::<usize>().unwrap();
    assert!(shown > 0 && missing > 0, "{notice}");
    assert_eq!(shown + missing, FILES);
    // It ends with the error about an empty standard input.
    drop(child.stdin.take());
    assert_eq!(messages.count(), 1);
    assert_eq!(child.wait().unwrap().code(), Some(2));
}

#[test]
fn results_and_messages_keep_their_order() {
    let valid = shown(&data("chain-last-hash.json"));
    let (mut reader, both) = io::pipe().unwrap();
    let mut child = fourzero_process()
        .arg("verify")
        .args([&valid, "nowhere.json"].repeat(100))
        .stdout(both.try_clone().unwrap())
        .stderr(both)
        .spawn()
        .unwrap();
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(2));
    let files = text.lines().map(|line| line.contains("nowhere.json"));
    assert!(files.eq([false, true].repeat(100)), "{text}");
}

#[test]
fn sigterm_ends_a_command_whose_results_nobody_reads() {
    let folder = Folder::new();
    folder.write("queue.jsonl", data_text("queue.jsonl"));
    let (_unread, stdout) = full_pipe();
    let mut child = mine(&folder, "queue.jsonl", "chain.json")
        .stdout(stdout)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Then only the summary is left, which the full pipe holds up.
    wait_until(|| folder.path("chain.json").exists());
    let kill = format!("kill -TERM {}", child.id());
    let killed = Command::new("sh").args(["-c", &kill]).status().unwrap();
    assert!(killed.success());
    wait_until(|| child.try_wait().unwrap().is_some());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(folder.names(), ["chain.json", "queue.jsonl"]);
}
