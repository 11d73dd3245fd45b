//! How the command behaves: what goes where, what it says of bad arguments,
//! and what it does when nobody listens.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::support::{EXPORTED, Ends as _, Folder, data, fourzero};

#[test]
fn an_unknown_rule_is_named_with_the_rules_there_are() {
    let folder = Folder::new();
    let output = folder.path("chain.json");
    for command in ["mine", "verify"] {
        let mut call = fourzero();
        call.args([command, "-", "--rule", "first-proof"]);
        if command == "mine" {
            call.arg("-o").arg(&output);
        }
        let run = call.ends_with(2);
        for name in [
            "--rule",
            "first-proof",
            "last-proof",
            "previous-hash",
            "last-hash",
        ] {
            assert!(run.stderr.contains(name), "{name} in {}", run.stderr);
        }
        assert_eq!(run.stdout, "");
    }
    // Mining must know the rule.
    let run = fourzero()
        .args(["mine", "-", "--rule", "auto", "-o"])
        .arg(&output)
        .ends_with(2);
    assert!(run.stderr.contains("auto"), "{}", run.stderr);
    assert!(folder.names().is_empty());
}

#[test]
fn an_unknown_kernel_is_named_with_the_kernels_there_are() {
    let folder = Folder::new();
    let run = fourzero()
        .args(["mine", "-", "--kernel", "gpu", "-o"])
        .arg(folder.path("chain.json"))
        .ends_with(2);
    for name in ["--kernel", "gpu", "sha2", "portable"] {
        assert!(run.stderr.contains(name), "{name} in {}", run.stderr);
    }
    assert!(folder.names().is_empty());
}

#[test]
fn values_without_meaning_are_usage_errors_that_name_the_option() {
    let folder = Folder::new();
    let output = folder.path("chain.json");
    for (option, value) in [
        ("--difficulty", "0"),
        ("--difficulty", "65"),
        ("--difficulty", "-1"),
        ("--difficulty", "four"),
        ("--difficulty", "70000"),
        ("--threads", "0"),
        ("--threads", "many"),
        ("--block-size", "0"),
        ("--timestamp", "NaN"),
        ("--timestamp", "inf"),
        ("--timestamp", "-inf"),
        ("--timestamp", "noon"),
        ("--format", "xml"),
    ] {
        let run = fourzero()
            .args(["mine", "-", "-o"])
            .arg(&output)
            .arg(format!("{option}={value}"))
            .ends_with(2);
        assert!(
            run.stderr.contains(option),
            "{option} {value}: {}",
            run.stderr
        );
        assert!(
            run.stderr.contains(value),
            "{option} {value}: {}",
            run.stderr
        );
        assert_eq!(run.stdout, "");
    }
    for option in ["--difficulty=0", "--difficulty=65", "--threads=0"] {
        let run = fourzero().args(["verify", "-", option]).ends_with(2);
        let (name, _) = option.split_once('=').unwrap();
        assert!(run.stderr.contains(name), "{option}: {}", run.stderr);
    }
    assert!(folder.names().is_empty());
}

#[test]
fn what_is_missing_is_a_usage_error() {
    for arguments in [
        &[][..],
        &["mine"],
        &["mine", "-"],
        &["mine", "-o", "chain.json"],
        &["verify"],
        &["forge"],
        &["verify", "--forge", "-"],
    ] {
        let run = fourzero().args(arguments).ends_with(2);
        assert_eq!(run.stdout, "", "{arguments:?}");
        assert!(
            run.stderr.contains("Usage: "),
            "{arguments:?}: {}",
            run.stderr
        );
    }
}

#[test]
fn help_and_version_are_results() {
    let run = fourzero().arg("--version").ends_with(0);
    let first_line = concat!("fourzero ", env!("CARGO_PKG_VERSION"));
    assert_eq!(run.stdout.lines().next(), Some(first_line));
    assert!(run.stdout.contains("\ncpu features: "), "{}", run.stdout);
    assert!(run.stdout.contains("\nkernels: "), "{}", run.stdout);
    for command in ["mine", "verify", "search", "puzzle"] {
        let run = fourzero().args([command, "--help"]).ends_with(0);
        assert!(run.stdout.contains("Examples") || run.stdout.contains("Example"));
        assert_eq!(run.stderr, "");
    }
}

#[test]
fn nothing_but_results_comes_out_when_nobody_is_at_a_terminal() {
    let folder = Folder::new();
    let runs = [
        fourzero()
            .args(["mine", "--difficulty", "3", "-o"])
            .args([&folder.path("chain.json"), &data("queue.jsonl")])
            .ends_with(0),
        fourzero()
            .arg("verify")
            .args(EXPORTED.map(|(name, _)| data(name)))
            .ends_with(0),
        fourzero()
            .args(["verify", "--rule", "last-hash"])
            .arg(data(EXPORTED[0].0))
            .ends_with(1),
        fourzero().args(["puzzle", "5"]).ends_with(0),
        fourzero()
            .args(["verify", "-"])
            .write_stdin("x")
            .ends_with(2),
        fourzero().args(["verify", "--rule", "x", "-"]).ends_with(2),
        fourzero().arg("--help").ends_with(0),
    ];
    for (place, run) in runs.iter().enumerate() {
        for text in [&run.stdout, &run.stderr] {
            assert!(
                !text.contains(['\x1b', '\r', '\x08']),
                "run {place}: {text:?}"
            );
        }
        // One of the two is silent.
        assert_ne!(run.stdout.is_empty(), run.stderr.is_empty(), "{run:?}");
    }
}

#[test]
fn quiet_changes_nothing_of_the_results() {
    let verify = |options: &[&str]| {
        fourzero()
            .arg("verify")
            .args(options)
            .arg(data("chain-last-hash.json"))
            .ends_with(0)
            .stdout
    };
    assert_eq!(verify(&["--quiet"]), verify(&[]));
    assert_eq!(verify(&["-q", "--json"]), verify(&["--json"]));
}

#[test]
fn a_closed_stdout_ends_every_command_quietly() {
    let folder = Folder::new();
    let chain = data("chain-last-proof.json").display().to_string();
    let output = folder.path("chain.json").display().to_string();
    let queue = data("queue.jsonl").display().to_string();
    // More than a pipe and a buffer hold.
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
        let mut child = Command::new(assert_cmd::cargo::cargo_bin!("fourzero"))
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
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("fourzero"));
        command
            .args(arguments)
            .arg("--data")
            .arg(folder.path("data"));
        command
    };
    let import = ["node", "import", "--rule", "last-hash"];
    let imported = in_folder(&import).arg(chain).output().unwrap();
    assert!(imported.status.success(), "{imported:?}");
    // Closed before it starts: a pipe would hold all of so short a chain.
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
fn a_verdict_stands_although_nobody_reads_it() {
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("fourzero"))
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
fn a_closed_stderr_stops_nothing() {
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("fourzero"))
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

#[test]
fn counts_that_make_no_sense_are_usage_errors() {
    for arguments in [
        ["--threads", "0"],
        ["--threads", "1025"],
        ["--threads", "18446744073709551615"],
        ["--block-size", "0"],
    ] {
        let run = fourzero()
            .args(["mine", "queue", "-o", "chain"])
            .args(arguments)
            .ends_with(2);
        assert!(run.stderr.contains("it must be at "), "{}", run.stderr);
    }
}
