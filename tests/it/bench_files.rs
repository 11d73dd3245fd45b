//! The files of `fourzero bench`: what is measured is kept.

use std::fs::File;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use crate::support::{Folder, PATIENCE};

const QUICK: [&str; 6] = ["bench", "--quiet", "--seconds", "0.02", "--threads", "1"];

#[test]
fn a_table_that_cannot_be_printed_takes_no_file_with_it() {
    let full = || File::options().write(true).open("/dev/full");
    if full().is_err() {
        println!("skipped: there is no /dev/full");
        return;
    }
    for (is_closed, code) in [(false, 2), (true, 0)] {
        let folder = Folder::new();
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("fourzero"));
        command
            .args(QUICK)
            .args(["--json", "b.json", "--plot", "b.svg"])
            .current_dir(folder.path(""))
            .stderr(Stdio::piped());
        command.stdout(match is_closed {
            true => Stdio::piped(),
            false => Stdio::from(full().unwrap()),
        });
        let mut measuring = command.spawn().unwrap();
        // As `head -0` does.
        drop(measuring.stdout.take());
        let ended = measuring.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(code), "{stderr}");
        assert_eq!(stderr.contains("cannot print the result"), code == 2);
        assert_eq!(folder.names(), ["b.json", "b.svg"], "{stderr}");
    }
}

#[test]
fn a_file_that_cannot_be_written_takes_nothing_else_with_it() {
    let folder = Folder::new();
    let measuring = Command::new(assert_cmd::cargo::cargo_bin!("fourzero"))
        .args(["bench", "--quiet", "--seconds", "1", "--threads", "1"])
        .args(["--json", "b.json", "--plot", "b.svg"])
        .current_dir(folder.path(""))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Both hidden files are there: the first looks at the names are over.
    let started = Instant::now();
    while folder.names().len() < 2 {
        assert!(started.elapsed() < PATIENCE);
        thread::yield_now();
    }
    folder.write("b.json", "precious");
    let ended = measuring.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(2), "{stderr}");
    let expected = "error: b.json exists; --force replaces it\n";
    assert!(stderr.ends_with(expected), "{stderr}");
    assert!(String::from_utf8_lossy(&ended.stdout).contains("MH/s"));
    assert_eq!(folder.names(), ["b.json", "b.svg"]);
    assert_eq!(folder.read("b.json"), "precious");
}
