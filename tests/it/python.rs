//! CPython's opinion on the chains that are mined, where there is a Python.

use std::path::Path;
use std::process::Command;

use crate::naive::RULES;
use crate::support::{Ends as _, Folder, fourzero};

const CHECK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/check.py");

/// Whether there is a Python 3 to ask; says so where there is none.
pub(crate) fn has_python() -> bool {
    let version = Command::new("python3").arg("--version").output();
    let has_python = version.is_ok_and(|output| output.status.success());
    if !has_python {
        eprintln!("skipped: there is no python3");
    }
    has_python
}

/// What Python says of a chain, or `None` if there is no Python 3.
fn python(chain: &Path, rule: &str, zeros: &str) -> Option<Result<String, String>> {
    if !has_python() {
        return None;
    }
    let output = Command::new("python3")
        .arg(CHECK)
        .arg(chain)
        .args([rule, zeros])
        .output()
        .expect("python3 was there a moment ago");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).trim().to_owned();
    Some(if output.status.success() {
        Ok(text(output.stdout))
    } else {
        Err(text(output.stderr))
    })
}

/// Transactions with whatever Python might write in a way of its own.
fn awkward_queue() -> String {
    let names = [
        r#""é""#,
        r#""😀\u0000\u007f\u2028""#,
        r#""\ud83d\ude00\/\b\f""#,
        r#""""#,
        "null",
        "[1.50, {\"b\": [], \"a\": {}, \"\u{1F600}\": 1, \"\u{FFFF}\": 2}]",
    ];
    let amounts = [
        "1e15",
        "1e16",
        "1E22",
        "0.0001",
        "1e-5",
        "-1e-7",
        "5e-324",
        "-0",
        "-0.0",
        "1.0",
        "1.10",
        "123456789012345678901234567890",
        "0.1",
        "2.5e-8",
        "1.7976931348623157e308",
        "0.30000000000000004",
        "9007199254740993.0",
        "4.35",
        "1e23",
        "true",
        "\"many\"",
    ];
    amounts
        .iter()
        .zip(names.iter().cycle())
        .map(|(amount, name)| {
            format!("{{\"sender\": {name}, \"recipient\": \"bob\", \"amount\": {amount}}}\n")
        })
        .collect()
}

#[test]
fn python_agrees_with_every_chain_that_is_mined() {
    for rule in RULES {
        for name in ["chain.json", "chain.jsonl"] {
            let folder = Folder::new();
            let chain = folder.path(name);
            let summary = fourzero()
                .args(["mine", "-", "--json", "--rule", rule, "--difficulty", "3"])
                .args(["--block-size", "2", "--recipient", "Zoë \"Z\" \u{10FFFF}"])
                .args(["--timestamp", "1700000000.1", "-o"])
                .arg(&chain)
                .write_stdin(awkward_queue())
                .ends_with(0)
                .one_json();
            let Some(said) = python(&chain, rule, "3") else {
                return;
            };
            let expected = format!(
                "{} {}",
                summary["blocks"],
                summary["last_hash"].as_str().unwrap()
            );
            assert_eq!(said, Ok(expected), "{rule}, {name}");
        }
    }
}

#[test]
fn python_and_the_command_both_refuse_a_chain_under_another_rule() {
    let folder = Folder::new();
    let chain = folder.path("chain.json");
    fourzero()
        .args([
            "mine",
            "-",
            "--rule",
            "last-hash",
            "--timestamp",
            "0",
            "--recipient",
            "me",
            "-o",
        ])
        .arg(&chain)
        .write_stdin(awkward_queue())
        .ends_with(0);
    for rule in ["last-proof", "previous-hash"] {
        fourzero()
            .args(["verify", "--rule", rule])
            .arg(&chain)
            .ends_with(1);
        let Some(said) = python(&chain, rule, "4") else {
            return;
        };
        let reason = said.unwrap_err();
        assert!(
            reason.ends_with("AssertionError: proof of block 2"),
            "{reason}"
        );
    }
}
