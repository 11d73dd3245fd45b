//! The files of `fourzero bench`: what is measured is kept, and a baseline is
//! what it should be.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::{Ends as _, Folder, fourzero, wait_until};

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
    let (folder, elsewhere) = (Folder::new(), Folder::new());
    let mut other = report();
    other["cpu"] = json!("Abacus 3000");
    let baseline = elsewhere.write("other.json", other.to_string());
    // It warns of the other CPU before it measures, and waits with that while
    // its stderr takes no more.
    let (mut told, mut stderr) = UnixStream::pair().unwrap();
    stderr.set_nonblocking(true).unwrap();
    while stderr.write(b"\n").is_ok() {}
    stderr.set_nonblocking(false).unwrap();
    let measuring = Command::new(assert_cmd::cargo::cargo_bin!("fourzero"))
        .args(QUICK)
        .args(["--json", "b.json", "--plot", "b.svg", "--baseline"])
        .arg(baseline)
        .current_dir(folder.path(""))
        .stdout(Stdio::piped())
        .stderr(OwnedFd::from(stderr))
        .spawn()
        .unwrap();
    // Both hidden files are there: the first looks at the names are over.
    wait_until(|| folder.names().len() == 2);
    folder.write("b.json", "precious");
    let mut stderr = String::new();
    told.read_to_string(&mut stderr).unwrap();
    let ended = measuring.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(2), "{stderr}");
    let expected = "error: b.json exists; --force replaces it\n";
    assert!(stderr.ends_with(expected), "{stderr}");
    assert!(String::from_utf8_lossy(&ended.stdout).contains("MH/s"));
    assert_eq!(folder.names(), ["b.json", "b.svg"]);
    assert_eq!(folder.read("b.json"), "precious");
}

fn report() -> Value {
    let mut command = fourzero();
    command.args(QUICK).args(["--json", "-"]);
    command.ends_with(0).one_json()
}

#[test]
fn a_baseline_comes_from_standard_input_too() {
    let run = fourzero()
        .args(QUICK)
        .args(["--baseline", "-"])
        .write_stdin(report().to_string())
        .ends_with(0);
    assert!(run.stdout.contains("since the baseline"), "{}", run.stdout);
    let run = fourzero()
        .args(QUICK)
        .args(["--baseline", "-"])
        .write_stdin("{")
        .ends_with(2);
    let start = "error: standard input is not what fourzero bench --json writes: ";
    assert!(run.stderr.starts_with(start), "{}", run.stderr);
}

#[test]
fn a_baseline_that_does_not_end_is_left() {
    if fs::metadata("/dev/zero").is_err() {
        println!("skipped: there is no /dev/zero");
        return;
    }
    let run = fourzero()
        .args(QUICK)
        .args(["--baseline", "/dev/zero"])
        .ends_with(2);
    assert_eq!(
        run.stderr,
        "error: /dev/zero is not what fourzero bench --json writes: it has over 16 MiB\n"
    );
}

#[test]
fn a_rate_of_a_baseline_is_above_0() {
    let folder = Folder::new();
    let report = report();
    for key in ["best", "median"] {
        for rate in [json!(0), json!(-1.5)] {
            let mut changed = report.clone();
            changed["runs"][0][key] = rate.clone();
            let baseline = folder.write("baseline.json", changed.to_string());
            let mut command = fourzero();
            let run = command
                .args(QUICK)
                .arg("--baseline")
                .arg(&baseline)
                .ends_with(2);
            let run_0 = &report["runs"][0];
            let (kernel, rule) = (&run_0["kernel"], &run_0["rule"]);
            let expected = format!(
                "baseline.json: the \"{key}\" of {} {} on 1 thread is {rate}, but a rate is above 0\n",
                kernel.as_str().unwrap(),
                rule.as_str().unwrap()
            );
            assert!(run.stderr.ends_with(&expected), "{}", run.stderr);
        }
    }
}
