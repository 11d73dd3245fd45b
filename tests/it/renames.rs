//! Exports of forks under the names that the tutorial uses: `convert --rename`.

use std::num::NonZeroUsize;
use std::process::Command;

use fourzero::chain::{Verifier, VerifyOptions};
use fourzero::pow::{Control, Target};

use crate::naive::{Json, LAST_PROOF, hash, number, object, parse, text, transaction};
use crate::naive_chain;
use crate::python::has_python;
use crate::support::{EXPORTED, Ends as _, Folder, exported_blocks, fourzero};

const RENAMES: [(&str, &str); 6] = [
    ("previousHash", "previous_hash"),
    ("nonce", "proof"),
    ("timeStamp", "timestamp"),
    ("from", "sender"),
    ("to", "recipient"),
    ("value", "amount"),
];

/// The value with the names of a fork.
fn forked(value: &Json) -> Json {
    match value {
        Json::List(items) => Json::List(items.iter().map(forked).collect()),
        Json::Object(members) => {
            let fork = |key: &String| {
                let rename = RENAMES.iter().find(|(_, to)| to == key);
                rename.map_or(key.clone(), |(from, _)| (*from).to_owned())
            };
            let members = members.iter();
            Json::Object(
                members
                    .map(|(key, value)| (fork(key), forked(value)))
                    .collect(),
            )
        }
        other => other.clone(),
    }
}

fn rename_options() -> Vec<String> {
    let option = |(from, to)| format!("--rename={from}={to}");
    RENAMES.into_iter().map(option).collect()
}

#[test]
fn a_renamed_export_is_valid_if_its_hashes_are_of_the_new_names() {
    let folder = Folder::new();
    for (chain, rule) in EXPORTED {
        let blocks = exported_blocks(chain);
        let fork: Vec<_> = blocks.iter().map(forked).collect();
        for contents in [
            naive_chain::json_file(&fork),
            naive_chain::jsonl_file(&fork),
            Json::List(fork.clone()).odd("\n "),
        ] {
            let input = folder.write("fork.json", contents);
            fourzero().arg("verify").arg(&input).ends_with(1);
            let output = folder.path("chain.jsonl");
            let run = fourzero()
                .args(["convert", "--force", "--verify", "--json", "-o"])
                .args([&output, &input])
                .args(rename_options())
                .ends_with(0);
            assert_eq!(run.one_json()["rule"], rule);
            assert_eq!(run.stderr, "");
            assert_eq!(folder.read("chain.jsonl"), naive_chain::jsonl_file(&blocks));
        }
    }
}

/// A chain of three blocks whose hashes are taken over the fork's names.
fn linked_fork() -> Vec<Json> {
    let payment = || transaction(text("a"), text("b"), number(1));
    let mut chain = naive_chain::mine(
        &[vec![payment()], vec![payment()]],
        LAST_PROOF,
        1,
        "me",
        0.5,
    );
    chain = chain.iter().map(forked).collect();
    for place in 1..chain.len() {
        let link = hash(&chain[place - 1]);
        chain[place].set("previousHash", text(link));
    }
    chain
}

#[test]
fn a_chain_linked_under_its_old_names_is_converted_with_a_warning_and_never_verified() {
    let folder = Folder::new();
    let input = folder.write("fork.json", naive_chain::json_file(&linked_fork()));
    let output = folder.path("chain.json");
    let convert = |option: &[&str], code| {
        fourzero()
            .args(["convert", "-o"])
            .args([&output, &input])
            .args(rename_options())
            .args(option)
            .ends_with(code)
    };
    let run = convert(&["--verify", "--difficulty", "1"], 1);
    assert_eq!(run.stderr.lines().count(), 2, "{}", run.stderr);
    assert_eq!(folder.names(), ["fork.json"]);
    let run = convert(&[], 0);
    assert!(run.stderr.starts_with("warning: "), "{}", run.stderr);

    let run = fourzero()
        .args(["verify", "--json", "--difficulty", "1"])
        .arg(&output)
        .ends_with(1);
    let fault = run.one_json()["fault"].take();
    assert_eq!(
        (&fault["block"], &fault["kind"]),
        (&2.into(), &"previous-hash".into())
    );
    // The question about names follows the verdict.
    let run = fourzero()
        .args(["verify", "--difficulty", "1"])
        .arg(&output)
        .ends_with(1);
    assert_eq!(run.stdout.lines().count(), 2, "{}", run.stdout);

    // With other links than its own, there is nothing to warn of.
    let other =
        naive_chain::json_file(&linked_fork()).replace("\"index\": 1,", "\"index\": 1, \"x\": 1,");
    let input = folder.write("other.json", other);
    let run = fourzero()
        .args(["convert", "--force", "-o"])
        .args([&output, &input])
        .args(rename_options())
        .ends_with(0);
    assert_eq!(run.stderr, "");
}

/// The first block has no transactions, so the names do not change its hash.
#[test]
fn a_chain_linked_under_old_names_of_transactions_is_converted_with_a_warning() {
    let payment = || transaction(text("a"), text("b"), number(1));
    let payments = [vec![payment()], vec![payment()]];
    let mut chain = naive_chain::mine(&payments, LAST_PROOF, 1, "me", 0.5);
    for place in 0..chain.len() {
        let renamed = chain[place].canonical().replace("\"sender\"", "\"from\"");
        chain[place] = parse(&renamed);
        if place > 0 {
            let link = hash(&chain[place - 1]);
            chain[place].set("previous_hash", text(link));
        }
    }
    let folder = Folder::new();
    let input = folder.write("fork.json", naive_chain::json_file(&chain));
    let run = fourzero()
        .args(["convert", "--rename", "from=sender", "-o"])
        .args([&folder.path("chain.json"), &input])
        .ends_with(0);
    assert!(run.stderr.starts_with("warning: "), "{}", run.stderr);
}

#[test]
#[cfg(unix)]
fn the_command_that_verify_prints_makes_the_chain_valid() {
    let folder = Folder::new();
    let fork: Vec<_> = (exported_blocks("chain-last-hash.json").iter())
        .map(|block| {
            let mut block = block.clone();
            let proof = block.get("proof").unwrap().clone();
            block.remove("proof");
            block.set("Proof of work", proof);
            block
        })
        .collect();
    folder.write("a fork.json", naive_chain::json_file(&fork));
    let run = fourzero()
        .args(["verify", "a fork.json"])
        .current_dir(folder.path(""))
        .ends_with(1);
    let advice = run.stdout.lines().nth(1).unwrap();
    let command = advice.split_once("fourzero ").unwrap().1;
    let command = command.split_once(';').unwrap().0;
    let binary = assert_cmd::cargo::cargo_bin!("fourzero").display();
    assert_cmd::Command::new("sh")
        .args(["-c", &format!("{binary} {command}")])
        .current_dir(folder.path(""))
        .ends_with(0);
    fourzero()
        .arg("verify")
        .arg(folder.path("renamed.json"))
        .ends_with(0);
}

#[test]
fn renames_that_cannot_be_meant_write_no_file() {
    let folder = Folder::new();
    let input = folder.write("fork.json", naive_chain::json_file(&linked_fork()));
    let both = folder.write("both.json", r#"[{"index": 1, "nonce": 1, "proof": 1}]"#);
    for (input, renames) in [
        (&input, &["nonce"][..]),
        (&input, &["nonce=prof"]),
        (&input, &["proof=nonce"]),
        (&input, &["nonse=proof"]),
        (&input, &["nonce=proof", "nonse=index"]),
        (&input, &["nonce=proof", "index=proof"]),
        (&input, &["vlaue=amount"]),
        (&both, &["nonce=proof"]),
    ] {
        let options = renames.iter().map(|rename| format!("--rename={rename}"));
        fourzero()
            .args(["convert", "-o"])
            .args([&folder.path("out.json"), input])
            .args(options)
            .ends_with(2);
        assert_eq!(folder.names(), ["both.json", "fork.json"], "{renames:?}");
    }
}

#[test]
fn a_first_block_known_only_by_its_rename_is_read() {
    let block = r#"{"block": 1, "t": 5}"#;
    for contents in [block.to_owned(), format!("[{block}]")] {
        let run = fourzero()
            .args(["convert", "-", "-o", "-", "--format", "jsonl"])
            .args(["--rename", "block=index", "--rename", "t=timestamp"])
            .write_stdin(contents)
            .ends_with(0);
        assert_eq!(run.stdout, "{\"index\": 1, \"timestamp\": 5}\n");
    }
}

#[test]
fn a_first_block_without_a_blocks_key_is_written_only_in_a_chain() {
    let contents = r#"{"chain": [{"x": 1}, {"index": 2}]}"#;
    for (format, code) in [("json", 0), ("jsonl", 2), ("array", 2)] {
        fourzero()
            .args(["convert", "-", "-o", "-", "--format", format])
            .write_stdin(contents)
            .ends_with(code);
    }
}

/// Renames keys as `convert --rename` should.
const RENAME: &str = r#"
import json, sys

block_names = {"nonce": "proof", "previousHash": "previous_hash", "é": "index"}
names = {"from": "sender", "value": "amount"}

def renamed(items, names):
    return {names.get(key, key): value for key, value in items.items()}

chain = json.load(sys.stdin)["chain"]
for block in chain:
    block = renamed(block, block_names)
    block["transactions"] = [
        renamed(t, names) if isinstance(t, dict) else t for t in block["transactions"]]
    print(json.dumps(block, sort_keys=True))
"#;

#[test]
fn all_but_the_names_stays_as_cpython_writes_it() {
    if !has_python() {
        return;
    }
    let odd = object([
        ("nonce", number("123456789012345678901234567890")),
        ("previousHash", text("\u{1F600}\u{0}")),
        ("é", number("1E22")),
        (
            "zz",
            object([("nonce", number("-0.0")), ("a", number("0.1"))]),
        ),
        (
            "transactions",
            Json::List(vec![
                object([
                    ("from", text("é")),
                    ("nonce", number("1e-7")),
                    ("value", number("5e-324")),
                ]),
                number(7),
                Json::List(vec![object([("from", number(1))])]),
            ]),
        ),
    ]);
    let file = naive_chain::json_file(&[odd.clone(), odd]);
    let run = fourzero()
        .args(["convert", "-", "-o", "-", "--format", "jsonl"])
        .args([
            "--rename",
            "nonce=proof",
            "--rename",
            "previousHash=previous_hash",
        ])
        .args([
            "--rename",
            "é=index",
            "--rename",
            "from=sender",
            "--rename",
            "value=amount",
        ])
        .write_stdin(file.as_str())
        .ends_with(0);
    let folder = Folder::new();
    let input = folder.write("in.json", file);
    let python = Command::new("python3")
        .args(["-c", RENAME])
        .stdin(std::fs::File::open(input).unwrap())
        .output()
        .unwrap();
    assert!(python.status.success(), "{python:?}");
    assert_eq!(run.stdout, String::from_utf8(python.stdout).unwrap());
}

#[test]
fn a_renamed_chain_is_valid_under_any_difficulty_it_had() {
    // The library, without the command.
    let chain = naive_chain::mine(&[vec![]], LAST_PROOF, 1, "me", 0.5);
    let fork: Vec<_> = chain.iter().map(forked).collect();
    let options = fourzero::chain::ConvertOptions {
        renames: RENAMES
            .map(|(from, to)| format!("{from}={to}").parse().unwrap())
            .into(),
        ..Default::default()
    };
    let mut out = Vec::new();
    let contents = naive_chain::json_file(&fork);
    let conversion =
        fourzero::chain::convert(contents.as_bytes(), &mut out, &options, &Control::new()).unwrap();
    assert!(!conversion.links_old_names);
    assert_eq!(out, naive_chain::json_file(&chain).into_bytes());
    let verifier = Verifier::new(NonZeroUsize::MIN).unwrap();
    let options = VerifyOptions {
        target: Target::from_hex_zeros(1).unwrap(),
        ..VerifyOptions::default()
    };
    let report = verifier.verify(&out[..], &options, &Control::new());
    assert!(report.unwrap().is_valid());
}
