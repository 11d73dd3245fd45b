//! Unusual values hash as in CPython: it hashes a block with each value and mines
//! a next block, and the chain must verify.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::support::{Ends as _, fourzero};

/// Reads members of a block, one JSON text a line, and prints for each a chain
/// of two blocks, or `null` if CPython does not read it.
const MINE: &str = r#"
import hashlib, json, sys
for line in sys.stdin.buffer:
    member = line.rstrip(b"\n").decode()
    first = '{"index": 1, "previous_hash": "1", "proof": 100, "timestamp": 0.0, "transactions": [], %s}' % member
    try:
        text = json.dumps(json.loads(first), sort_keys=True)
        text.encode()
    except (ValueError, RecursionError):
        print("null")
        continue
    proof = 0
    while not hashlib.sha256(f"100{proof}".encode()).hexdigest().startswith("0"):
        proof += 1
    digest = hashlib.sha256(text.encode()).hexdigest()
    second = {"index": 2, "previous_hash": digest, "proof": proof, "timestamp": 1, "transactions": []}
    print("[%s, %s]" % (first, json.dumps(second)))
"#;

#[test]
fn unusual_values_hash_as_in_cpython() {
    let digits = "7".repeat(4_000);
    let reversed = r#"{"b":"#.repeat(300) + "[]" + &r#","a":1,"b\u0000":2}"#.repeat(300);
    let members = [
        // Read by both.
        format!("\"x\": -{digits}"),
        format!("\"x\": 0.{digits}e-5"),
        format!("\"x\": {}{}", "[".repeat(900), "]".repeat(900)),
        format!("\"x\": {reversed}"),
        "\"x\": 1, \"x\": {\"b\": 1, \"a\": 2, \"a\": {\"d\": 1, \"c\": 2}}".to_owned(),
        "\"\\u0078\": 1, \"x\": 2, \"\": 3, \"X\": 4".to_owned(),
        "\"\u{ffff}\": 1, \"\u{1f600}\": 2, \"\\ud83d\\ude01\": 3, \"\u{e9}\": 4, \"\\\\\": 5, \"]\": 6".to_owned(),
        "\"a\": 1, \"a\\u0000\": 2, \"a\\\"\": 3, \"a!\": 4, \"a\\n\": 5".to_owned(),
        "\"x\": \"\\u0000\\u007f\u{7f}\\/\"".to_owned(),
        "\"x\": [-0, -0.0, 1E5, 1e16, 5e-324, 1e-400]".to_owned(),
        "\"timestamp\": -1e-7".to_owned(),
        "\"x\": {\"z\": {\"z\": {}, \"y\": {\"b\": 1, \"a\": 1}}, \"y\": {\"b\": {\"d\": 1, \"c\": 1}, \"a\": 1}}".to_owned(),
        // Read by neither.
        "\"x\": 01".to_owned(),
        "\"x\": \"\t\"".to_owned(),
        "\"x\": \"\\x\"".to_owned(),
        "\"x\": [1,]".to_owned(),
        "\"x\": \0".to_owned(),
        "\"x\": 1.".to_owned(),
        "\"x\": tru".to_owned(),
        format!("\"x\": {}", "[".repeat(100_000)),
    ];
    let python = Command::new("python3")
        .args(["-c", MINE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut python) = python else {
        eprintln!("skipped: there is no python3");
        return;
    };
    let mut pipe = python.stdin.take().unwrap();
    let all = members.join("\n") + "\n";
    let writer = std::thread::spawn(move || pipe.write_all(all.as_bytes()).unwrap());
    let output = python.wait_with_output().unwrap();
    writer.join().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let chains: Vec<_> = printed.lines().collect();
    assert_eq!(chains.len(), members.len());
    for (member, chain) in members.iter().zip(chains) {
        let shown: String = member.chars().take(60).collect();
        let mut verify = fourzero();
        verify.args(["verify", "-", "--difficulty", "1", "--rule", "last-proof"]);
        if chain == "null" {
            let first = format!("[{{\"index\": 1, {member}}}]");
            verify.write_stdin(first).ends_with(2);
        } else {
            let run = verify.arg("--json").write_stdin(chain).ends_with(0);
            assert_eq!(run.one_json()["blocks"], 2, "{shown}");
        }
    }
}
