//! Invalid arguments exit with 2 and write nothing. Results go to stdout and
//! everything else to stderr, without control characters.

use crate::support::{EXPORTED, Ends as _, Folder, data, fourzero};

#[test]
fn invalid_values_are_usage_errors_and_write_nothing() {
    let folder = Folder::new();
    for (option, value) in [
        ("--rule", "first-proof"),
        ("--rule", "auto"),
        ("--kernel", "gpu"),
        ("--difficulty", "0"),
        ("--difficulty", "70000"),
        ("--threads", "1025"),
        ("--threads", "18446744073709551615"),
        ("--timestamp", "NaN"),
        ("--timestamp", "-inf"),
        ("--format", "xml"),
    ] {
        let run = fourzero()
            .args(["mine", "-", "-o"])
            .arg(folder.path("chain.json"))
            .arg(format!("{option}={value}"))
            .ends_with(2);
        assert_eq!(run.stdout, "", "{option} {value}");
    }
    for option in ["--difficulty=0", "--difficulty=65", "--threads=0"] {
        fourzero().args(["verify", "-", option]).ends_with(2);
    }
    assert!(folder.names().is_empty());
}

#[test]
fn the_version_names_the_kernels() {
    let run = fourzero().arg("--version").ends_with(0);
    let first_line = concat!("fourzero ", env!("CARGO_PKG_VERSION"));
    assert_eq!(run.stdout.lines().next(), Some(first_line));
    assert!(run.stdout.contains("\ncpu features: "), "{}", run.stdout);
    assert!(run.stdout.contains("\nkernels: "), "{}", run.stdout);
}

#[test]
fn without_a_terminal_there_is_no_progress() {
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
fn quiet_does_not_change_the_results() {
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
