//! Mined chains are valid for CPython, byte for byte, if there is a Python.

use std::path::Path;
use std::process::Command;

use crate::naive::RULES;
use crate::support::{Ends as _, Folder, fourzero};

const CHECK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/check_chain.py");

/// Whether there is a Python 3. Prints a note if there is none.
pub(crate) fn has_python() -> bool {
    let version = Command::new("python3").arg("--version").output();
    let has_python = version.is_ok_and(|output| output.status.success());
    if !has_python {
        eprintln!("skipped: there is no python3");
    }
    has_python
}

/// Checks a mined chain in Python and returns what it prints, or `None` if it is
/// invalid.
fn python(chain: &Path, rule: &str, zeros: &str) -> Option<String> {
    let output = Command::new("python3")
        .arg(CHECK)
        .arg(chain)
        .args(["--mined", "--rule", rule, "--difficulty", zeros])
        .output()
        .expect("python3 was there a moment ago");
    let printed = String::from_utf8_lossy(&output.stdout);
    output.status.success().then(|| printed.trim().to_owned())
}

/// Transactions with values that Python writes in a special way.
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
fn every_mined_chain_is_valid_in_python() {
    if !has_python() {
        return;
    }
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
            let expected = format!(
                "valid: {} blocks, the last hash is {}",
                summary["blocks"],
                summary["last_hash"].as_str().unwrap()
            );
            assert_eq!(python(&chain, rule, "3"), Some(expected), "{rule}, {name}");
        }
    }
}

#[test]
fn a_chain_of_another_rule_is_invalid_in_python_too() {
    if !has_python() {
        return;
    }
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
        assert_eq!(python(&chain, rule, "4"), None);
    }
}
