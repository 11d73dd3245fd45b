//! The files of `fourzero bench`: results are kept if other output fails, and
//! a baseline is checked.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{Ends as _, Folder, fourzero, fourzero_process, wait_until};

const QUICK: [&str; 5] = ["bench", "--seconds", "0.02", "--threads", "1"];

#[test]
fn files_are_kept_if_the_table_cannot_be_printed() {
    let full = || File::options().write(true).open("/dev/full");
    if full().is_err() {
        println!("skipped: there is no /dev/full");
        return;
    }
    for (is_closed, code) in [(false, 2), (true, 0)] {
        let folder = Folder::new();
        let mut command = fourzero_process();
        command
            .args(QUICK)
            .args(["--export", "b.json", "--plot", "b.svg"])
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
        assert_eq!(folder.names(), ["b.json", "b.svg"], "{stderr}");
    }
}

#[test]
fn the_plot_and_the_table_are_kept_if_the_json_cannot_be_written() {
    let (folder, elsewhere) = (Folder::new(), Folder::new());
    let mut other = report();
    other["cpu"] = json!("Abacus 3000");
    let baseline = elsewhere.write("other.json", other.to_string());
    // The command warns of the other CPU before it measures, and waits there
    // because its stderr is full.
    let (mut told, mut stderr) = UnixStream::pair().unwrap();
    stderr.set_nonblocking(true).unwrap();
    while stderr.write(b"\n").is_ok() {}
    stderr.set_nonblocking(false).unwrap();
    let measuring = fourzero_process()
        .args(QUICK)
        .args(["--export", "b.json", "--plot", "b.svg", "--baseline"])
        .arg(baseline)
        .current_dir(folder.path(""))
        .stdout(Stdio::piped())
        .stderr(OwnedFd::from(stderr))
        .spawn()
        .unwrap();
    // Both hidden files are there, so the names have been checked.
    wait_until(|| folder.names().len() == 2);
    folder.write("b.json", "precious");
    let mut stderr = String::new();
    told.read_to_string(&mut stderr).unwrap();
    let ended = measuring.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(2), "{stderr}");
    assert!(String::from_utf8_lossy(&ended.stdout).contains("MH/s"));
    assert_eq!(folder.names(), ["b.json", "b.svg"]);
    assert_eq!(folder.read("b.json"), "precious");
}

fn report() -> Value {
    let mut command = fourzero();
    command.args(QUICK).arg("--json");
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
}

#[test]
fn an_endless_baseline_is_refused() {
    if fs::metadata("/dev/zero").is_err() {
        println!("skipped: there is no /dev/zero");
        return;
    }
    let mut command = fourzero();
    command.args(QUICK).args(["--baseline", "/dev/zero"]);
    command.ends_with(2);
}

#[test]
fn a_baseline_without_a_positive_rate_is_refused() {
    let folder = Folder::new();
    let report = report();
    for key in ["best", "median"] {
        for rate in [json!(0), json!(-1.5)] {
            let mut changed = report.clone();
            changed["runs"][0][key] = rate.clone();
            let baseline = folder.write("baseline.json", changed.to_string());
            let mut command = fourzero();
            command.args(QUICK).arg("--baseline").arg(&baseline);
            command.ends_with(2);
        }
    }
}
