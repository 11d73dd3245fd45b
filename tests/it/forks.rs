//! Files that are nearly a chain: answers of a node that hold none, and exports
//! of forks with other names.

use std::num::NonZeroUsize;

use fourzero::chain::{Difference, FaultKind, ReadError, Verifier, VerifyError, VerifyOptions};
use fourzero::pow::Control;

use crate::naive_chain;
use crate::support::{EXPORTED, Ends as _, Folder, data_text, exported_blocks, fourzero, shown};

/// Objects and arrays that hold no chain, with their keys.
const NO_CHAINS: [(&str, &[&str]); 9] = [
    ("{}", &[]),
    (r#"{"error": "x"}"#, &["error"]),
    (r#"{"message": "Missing values"}"#, &["message"]),
    (r#"{"chain": null, "length": 1}"#, &["chain", "length"]),
    (
        r#"{"transactions": [{"sender": "a", "recipient": "b", "amount": 1}]}"#,
        &["transactions"],
    ),
    (
        r#"{"sender": "a", "recipient": "b", "amount": 1}"#,
        &["amount", "recipient", "sender"],
    ),
    (
        r#"[{"sender": "a", "recipient": "b", "amount": 1}]"#,
        &["amount", "recipient", "sender"],
    ),
    // From Spring, from JSON-RPC.
    (
        r#"{"timestamp": "2026-01-01", "status": 500, "path": "/chain"}"#,
        &["path", "status", "timestamp"],
    ),
    (
        r#"{"jsonrpc": "2.0", "id": 1, "result": {"index": 1}}"#,
        &["id", "jsonrpc", "result"],
    ),
];

#[test]
fn an_object_without_a_chain_is_refused_by_every_command() {
    let folder = Folder::new();
    let verifier = Verifier::new(NonZeroUsize::MIN).unwrap();
    for (contents, expected) in NO_CHAINS {
        let verdict = verifier.verify(
            contents.as_bytes(),
            &VerifyOptions::default(),
            &Control::new(),
        );
        match verdict {
            Err(VerifyError::Read(ReadError::NotAChain { keys, list, .. })) => {
                assert_eq!(keys, expected, "{contents}");
                assert_eq!(list, None, "{contents}");
            }
            other => panic!("{contents}: {other:?}"),
        }
        let file = shown(&folder.write("file.json", contents));
        let output = shown(&folder.path("out.json"));
        let data = shown(&folder.path("data"));
        let mut commands = vec![
            vec!["verify", &file],
            vec!["inspect", &file],
            vec!["convert", &file, "-o", &output],
        ];
        if cfg!(feature = "node") {
            commands.push(vec!["node", "import", &file, "--data", &data]);
        }
        for command in commands {
            let run = fourzero().args(&command).ends_with(2);
            assert_eq!(run.stdout, "", "{command:?}");
            for key in expected {
                assert!(run.stderr.contains(key), "{command:?}: {}", run.stderr);
            }
        }
        assert!(!folder.names().contains(&"out.json".to_owned()));
    }
}

#[test]
fn a_list_of_blocks_under_another_key_is_named() {
    let contents = r#"{"size": 1, "blockchain": [{"index": 1}]}"#;
    let verifier = Verifier::new(NonZeroUsize::MIN).unwrap();
    let verdict = verifier.verify(
        contents.as_bytes(),
        &VerifyOptions::default(),
        &Control::new(),
    );
    assert!(
        matches!(
            &verdict,
            Err(VerifyError::Read(ReadError::NotAChain { list: Some(list), .. }))
                if list == "blockchain"
        ),
        "{verdict:?}"
    );
}

#[test]
fn the_answer_of_resolve_is_a_chain() {
    for (name, rule) in EXPORTED {
        let answer = data_text(name).replacen("\"chain\"", "\"new_chain\"", 1);
        assert_ne!(answer, data_text(name));
        let run = fourzero()
            .args(["verify", "-", "--json"])
            .write_stdin(answer.as_str())
            .ends_with(0);
        assert_eq!(run.one_json()["rule"], rule);
        let run = fourzero()
            .args(["convert", "-", "-o", "-"])
            .write_stdin(answer.as_str())
            .ends_with(0);
        assert_eq!(
            run.stdout,
            naive_chain::json_file(&exported_blocks(name)),
            "{name}"
        );
        // With the chain of the other key, it is ambiguous.
        for two in [
            answer.replacen("{", "{\"chain\": [],", 1),
            answer.replacen("{", "{\"new_chain\": [],", 1),
        ] {
            fourzero()
                .args(["verify", "-"])
                .write_stdin(two)
                .ends_with(2);
        }
    }
}

#[test]
fn one_block_of_any_dialect_is_a_chain_in_json_lines() {
    let genesis = exported_blocks("chain-last-hash.json")[0].canonical() + "\n";
    fourzero()
        .args(["verify", "-"])
        .write_stdin(genesis)
        .ends_with(0);
    for block in [
        r#"{"index": 0, "timeStamp": "now", "data": [], "nonce": 1, "previousHash": "0"}"#,
        r#"{"block_number": 1, "nonce": 1, "prev_hash": "0"}"#,
        r#"{"Index": 1, "PrevBlockHash": ""}"#,
        r#"{"proof": 100}"#,
    ] {
        let run = fourzero()
            .args(["inspect", "-", "--json"])
            .write_stdin(block)
            .ends_with(0);
        assert_eq!(run.one_json()["blocks"], 1);
        let run = fourzero()
            .args(["verify", "-", "--json"])
            .write_stdin(block)
            .ends_with(1);
        assert_eq!(run.one_json()["fault"]["kind"], "missing-field");
    }
}

/// The differences that are found in the first fault.
fn differences(contents: &str) -> Vec<Difference> {
    let verifier = Verifier::new(NonZeroUsize::MIN).unwrap();
    let report = verifier.verify(
        contents.as_bytes(),
        &VerifyOptions::default(),
        &Control::new(),
    );
    match report.unwrap().fault.unwrap().kind {
        FaultKind::MissingField { differences, .. }
        | FaultKind::Transaction { differences, .. } => differences,
        other => panic!("{other}"),
    }
}

fn name(field: &'static str, found: &str) -> Difference {
    let found = found.to_owned();
    Difference::Name { field, found }
}

#[test]
fn verify_names_all_differences_of_a_dialect_at_once() {
    let fork = r#"[{"index": 0, "timeStamp": "2026-01-01 10:00:00.5", "data": [], "nonce": 1,
        "previousHash": "0"}]"#;
    let text = "\"2026-01-01 10:00:00.5\"".to_owned();
    assert_eq!(
        differences(fork),
        [
            name("timestamp", "timeStamp"),
            name("transactions", "data"),
            name("proof", "nonce"),
            name("previous_hash", "previousHash"),
            Difference::TextTimestamp { found: text },
            Difference::IndexFromZero,
        ]
    );
    let fork = r#"[{"index": 1, "timestamp": 5, "proof": 1, "previous_hash": "1",
        "transactions": [{"from": "a", "to": "b", "value": 1}]}]"#;
    assert_eq!(
        differences(fork),
        [
            name("amount", "value"),
            name("recipient", "to"),
            name("sender", "from"),
        ]
    );
    // Without another name, nothing is guessed.
    assert!(differences(r#"[{"index": 1, "timestamp": 5}]"#).is_empty());
}
