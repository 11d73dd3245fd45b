//! Invalid arguments exit with 2 and write nothing. Results go to stdout and
//! everything else to stderr, without control characters.

use std::fs;
use std::path::Path;

use fourzero::sha256::KernelChoice;

use crate::support::{EXPORTED, Ends as _, Folder, data, data_text, fourzero};

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
fn quiet_leaves_only_results_and_errors() {
    let folder = Folder::new();
    folder.write("q.csv", "sender,recipient,amount\na,b,007\n");
    folder.write(
        "wrong.json",
        data_text(EXPORTED[0].0).replace("\"length\":", "\"length\":1"),
    );
    let run = |arguments: &[&str]| {
        fourzero()
            .args(arguments)
            .current_dir(folder.path(""))
            .ends_with(0)
    };
    let bench = ["bench", "--seconds", "0.02", "--threads", "1000"];
    for arguments in [
        &["mine", "q.csv", "-o", "c.json", "--force"][..],
        &["convert", "wrong.json", "-o", "d.json", "--force"],
        &[&bench[..], &["--export", "e.json", "--force"]].concat(),
    ] {
        assert_ne!(run(arguments).stderr, "", "{arguments:?}");
        let quiet = run(&[arguments, &["-q"]].concat());
        assert_eq!(quiet.stderr, "", "{arguments:?}");
        assert_ne!(quiet.stdout, "", "{arguments:?}");
    }
    for arguments in [&["puzzle", "5"][..], &["completions", "bash"], &["man"]] {
        let quiet = run(&[&["--quiet"], arguments].concat());
        assert_eq!(quiet.stdout, run(arguments).stdout);
    }
}

#[test]
fn a_kernel_that_this_cpu_lacks_is_no_typo() {
    for name in KernelChoice::known_names() {
        let search = ["search", "100", "--kernel", name];
        let bench = [
            "bench",
            "--seconds",
            "0.02",
            "--threads",
            "1",
            "--kernel",
            name,
        ];
        match name.parse::<KernelChoice>() {
            Ok(_) => {
                fourzero().args(search).ends_with(0);
            }
            Err(_) => {
                for arguments in [&search[..], &bench] {
                    let run = fourzero().args(arguments).ends_with(2);
                    // Clap's list of values is for typos.
                    assert!(!run.stderr.contains("possible values"), "{}", run.stderr);
                }
            }
        }
    }
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

#[test]
fn the_readme_writes_only_into_an_ignored_folder() {
    let read = |name| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name));
    let ignored = read(".gitignore").unwrap();
    assert!(ignored.lines().any(|line| line == "/out"), "{ignored}");
    let mut written = 0;
    for line in read("README.md").unwrap().lines() {
        if !line.starts_with("$ ") && !line.starts_with("cargo ") {
            continue;
        }
        let words: Vec<_> = line.split(' ').collect();
        for pair in words.windows(2) {
            if ["-o", "--data", ">"].contains(&pair[0]) {
                assert!(pair[1].starts_with("out/"), "{line}");
                written += 1;
            }
        }
    }
    assert!(written > 5, "{written}");
}
