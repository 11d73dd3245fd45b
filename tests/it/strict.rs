//! Protects `--strict`: `mine` and `verify` refuse the same transactions, in
//! every format, and agree with CPython about which amounts are above zero.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{Ends as _, Folder, fourzero};

/// Values of the three fields, as JSON, and the field that is refused.
const ODD: [(&str, &str, &str, &str); 12] = [
    ("1", "\"b\"", "5", "sender"),
    ("null", "\"b\"", "5", "sender"),
    ("\"\"", "\"b\"", "5", "sender"),
    ("\"a\"", "\"\"", "5", "recipient"),
    ("\"a\"", "\" \\t\"", "5", "recipient"),
    ("\"a\"", "\"\\u3000\"", "5", "recipient"),
    ("\"a\"", "[\"b\"]", "5", "recipient"),
    ("\"a\"", "\"b\"", "true", "amount"),
    ("\"a\"", "\"b\"", "0", "amount"),
    ("\"a\"", "\"b\"", "-0.0", "amount"),
    ("\"a\"", "\"b\"", "-5", "amount"),
    ("\"0\"", "\"b\"", "-1", "amount"),
];

const FINE: [(&str, &str, &str); 5] = [
    ("\"a\"", "\"b\"", "5"),
    ("\"0\"", "\"b\"", "1"),
    ("\" a\"", "\"\\u3000b\"", "5e-324"),
    ("\"\\u0000\"", "\"b\"", "123456789012345678901234567890"),
    ("\"a\"", "\"a\"", "0.1"),
];

fn transaction(sender: &str, recipient: &str, amount: &str) -> String {
    format!("{{\"sender\": {sender}, \"recipient\": {recipient}, \"amount\": {amount}}}")
}

/// Mines a queue into `chain.json`, and returns what went to stderr.
#[track_caller]
fn mine(folder: &Folder, options: &[&str], code: i32) -> String {
    fourzero()
        .current_dir(folder.path(""))
        .args(["mine", "queue", "-o", "chain.json", "--difficulty", "1"])
        .args(options)
        .ends_with(code)
        .stderr
}

/// The fault that `verify` finds in `chain.json`, if it finds one.
fn fault(folder: &Folder, options: &[&str]) -> Value {
    let output = fourzero()
        .current_dir(folder.path(""))
        .args(["verify", "chain.json", "--json", "--difficulty", "1"])
        .args(options)
        .output()
        .unwrap();
    let verdict: Value = serde_json::from_slice(&output.stdout).unwrap();
    let code = if verdict["valid"] == true { 0 } else { 1 };
    assert_eq!(output.status.code(), Some(code));
    verdict["fault"].clone()
}

#[test]
fn mine_and_verify_refuse_the_same_transactions() {
    let fine: Vec<_> = FINE
        .iter()
        .map(|(sender, recipient, amount)| transaction(sender, recipient, amount))
        .collect();
    for (sender, recipient, amount, field) in ODD {
        let odd = transaction(sender, recipient, amount);
        let folder = Folder::new();
        let lines = format!("{}\n{odd}\n{}\n", fine.join("\n"), fine[0]);
        let array = format!("[{},\n{odd}]", fine.join(",\n"));
        // Two transactions a block, so the odd one is the second of block 4.
        for queue in [&lines, &array] {
            folder.write("queue", queue);
            let error = mine(&folder, &["--strict"], 2);
            assert!(error.contains("line 6 column 1: "), "{error}");
            assert!(
                error.contains(&format!("the field \"{field}\" is ")),
                "{error}"
            );
            assert_eq!(folder.names(), ["queue"]);
            mine(&folder, &["--block-size", "2"], 0);
            assert_eq!(fault(&folder, &[]), Value::Null);
            let fault = fault(&folder, &["--strict"]);
            assert_eq!(
                (&fault["block"], &fault["kind"]),
                (&4.into(), &"transaction".into())
            );
            let message = fault["message"].as_str().unwrap();
            let start = format!("transaction 2: the field \"{field}\" is ");
            assert!(message.starts_with(&start), "{message}");
            std::fs::remove_file(folder.path("chain.json")).unwrap();
        }
    }
    // Without the odd ones, all is well, in any spelling of the chain.
    let folder = Folder::new();
    folder.write("queue", fine.join("\n"));
    mine(&folder, &["--strict"], 0);
    assert_eq!(fault(&folder, &["--strict"]), Value::Null);
    let chain = folder.read("chain.json");
    folder.write("chain.json", chain.replace("\": ", "\" :\t"));
    assert_eq!(fault(&folder, &["--strict"]), Value::Null);
}

#[test]
fn cpython_agrees_which_amounts_are_above_zero() {
    const AMOUNTS: [&str; 24] = [
        "0",
        "-0",
        "0.0",
        "-0.0",
        "0e9",
        "0E-9",
        "1e-400",
        "-1e-400",
        "2e-324",
        "5e-324",
        "1",
        "-1",
        "0.1",
        "-0.1",
        "1e308",
        "1e400",
        "-1e400",
        "NaN",
        "Infinity",
        "-Infinity",
        "\"1\"",
        "true",
        "null",
        "[1]",
    ];
    const MODEL: &str = "\
import json, math, sys
def refuse(name): raise ValueError(name)
for line in sys.stdin:
    try:
        amount = json.loads(line, parse_constant=refuse)
        print(type(amount) in (int, float) and 0 < amount < math.inf)
    except ValueError:
        print(False)
";
    let huge = "9".repeat(4000);
    let negative = format!("-{huge}");
    let amounts = || AMOUNTS.into_iter().chain([huge.as_str(), &negative]);
    let folder = Folder::new();
    folder.write("amounts", amounts().collect::<Vec<_>>().join("\n"));
    let stdin = std::fs::File::open(folder.path("amounts")).unwrap();
    let python = Command::new("python3")
        .args(["-c", MODEL])
        .stdin(Stdio::from(stdin))
        .output();
    let Ok(python) = python else {
        eprintln!("skipped: no python3");
        return;
    };
    let python = String::from_utf8(python.stdout).unwrap();
    assert_eq!(python.lines().count(), amounts().count());
    for (amount, verdict) in amounts().zip(python.lines()) {
        folder.write("queue", transaction("\"a\"", "\"b\"", amount));
        let code = if verdict == "True" { 0 } else { 2 };
        mine(&folder, &["--strict", "--force"], code);
    }
}

#[test]
fn a_run_resumes_with_another_strictness_if_the_queue_allows_it() {
    let fine = transaction("\"a\"", "\"b\"", "5");
    let odd = transaction("\"a\"", "\"b\"", "-5");
    let broken = "{\n";
    let mine_again = |queue: &str, first: &[&str], second: &[&str], code| {
        let folder = Folder::new();
        let size = ["--block-size", "1"];
        folder.write("queue", format!("{queue}{broken}"));
        mine(&folder, &[&size[..], first].concat(), 2);
        let journal = folder.read("chain.json.journal");
        folder.write("queue", format!("{queue}{fine}\n"));
        let error = mine(&folder, &[&size[..], &["--resume"], second].concat(), code);
        if code != 0 {
            assert_eq!(folder.read("chain.json.journal"), journal);
        }
        error
    };
    let queue = format!("{fine}\n{fine}\n");
    mine_again(&queue, &[], &["--strict"], 0);
    mine_again(&queue, &["--strict"], &[], 0);
    // The journal holds a block that a strict run does not take.
    let error = mine_again(&format!("{fine}\n{odd}\n"), &[], &["--strict"], 2);
    assert!(error.contains("line 2 column 1: "), "{error}");
    assert!(error.contains("\"amount\" is -5"), "{error}");
}

#[test]
fn rewards_go_to_a_name() {
    let folder = Folder::new();
    folder.write("queue", transaction("\"a\"", "\"b\"", "5"));
    for name in ["", " "] {
        mine(&folder, &["--recipient", name], 2);
        assert_eq!(folder.names(), ["queue"]);
    }
}
