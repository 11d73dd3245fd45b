//! `fourzero verify` on complete chains: rules, formats, and options.

use serde_json::{Value, json};

use crate::naive::{self, Json, RULES, number, object, text};
use crate::naive_chain;
use crate::support::{
    EXPORTED, Ends as _, Folder, data, data_text, exported_blocks, fourzero, shown,
};

#[test]
fn each_exported_chain_verifies_and_its_rule_is_found() {
    for (name, rule) in EXPORTED {
        let blocks = exported_blocks(name);
        let transactions: Vec<_> = blocks
            .iter()
            .flat_map(|block| block.get("transactions").unwrap().list())
            .collect();
        let is_reward = |transaction: &&&Json| *transaction.get("sender").unwrap() == text("0");
        let verdict = fourzero()
            .args(["verify", "--json"])
            .arg(data(name))
            .ends_with(0)
            .one_json();
        let expected = json!({
            "file": shown(&data(name)),
            "valid": true,
            "rule": rule,
            "blocks": blocks.len(),
            "transactions": transactions.len(),
            "rewards": transactions.iter().filter(is_reward).count(),
            "fault": null,
        });
        assert_eq!(verdict, expected);
    }
}

#[test]
fn the_independent_verifier_agrees_on_the_exported_chains() {
    for (name, rule) in EXPORTED {
        let verdict = naive_chain::verify(&exported_blocks(name), None, 4);
        assert_eq!((verdict.rule, verdict.fault), (Some(rule), None), "{name}");
    }
}

#[test]
fn each_exported_chain_verifies_under_its_own_rule_and_fails_at_block_2_under_the_others() {
    for (name, own) in EXPORTED {
        for rule in RULES {
            let code = i32::from(rule != own);
            let verdict = fourzero()
                .args(["verify", "--json", "--rule", rule])
                .arg(data(name))
                .ends_with(code)
                .one_json();
            assert_eq!(verdict["rule"], rule, "{name} under {rule}");
            assert_eq!(verdict["valid"], rule == own, "{name} under {rule}");
            if rule == own {
                assert_eq!(verdict["fault"], Value::Null, "{name} under {rule}");
                continue;
            }
            assert_eq!(verdict["fault"]["block"], 2, "{name} under {rule}");
            assert_eq!(verdict["fault"]["kind"], "proof", "{name} under {rule}");
        }
    }
}

#[test]
fn the_text_output_is_one_line_per_chain() {
    let run = fourzero()
        .arg("verify")
        .args(EXPORTED.map(|(name, _)| data(name)))
        .ends_with(0);
    let lines: Vec<_> = run.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "{}", run.stdout);
    for (line, (name, rule)) in lines.into_iter().zip(EXPORTED) {
        assert!(line.starts_with(&shown(&data(name))), "{line}");
        assert!(line.contains(": valid: "), "{line}");
        assert!(line.ends_with(&format!(", rule {rule}")), "{line}");
    }
    assert_eq!(run.stderr, "");
}

/// The same chain in every format, each with a name for messages.
fn formats(name: &str) -> Vec<(String, String)> {
    let blocks = exported_blocks(name);
    let list = Json::List(blocks.clone());
    let whole = object([("chain", list.clone()), ("length", number(blocks.len()))]);
    let lines = |end: &str| -> String {
        blocks
            .iter()
            .map(|block| block.odd("") + end)
            .collect::<String>()
    };
    let chain = list.odd(" ");
    let length = blocks.len();
    let exported = data_text(name);
    [
        ("as exported", exported.clone()),
        (
            "with a byte order mark",
            format!("\u{feff}{}", whole.canonical()),
        ),
        ("canonical", whole.canonical()),
        ("backwards", whole.odd("")),
        ("spread over lines", whole.odd("\n")),
        ("spread over CR LF lines", whole.odd("\r\n  ")),
        ("with tabs and blanks", whole.odd(" \t ")),
        (
            "chain before length",
            format!("{{\"chain\":{chain},\"length\":{length}}}"),
        ),
        (
            "length before chain",
            format!("\n\t{{\"length\" :{length}, \"chain\": {chain}}}\r\n\n"),
        ),
        ("no length", format!("{{\"chain\": {chain}}}")),
        (
            "strange members",
            format!(
                "{{\"a\": [{{}}, \"]\"], \"chain\": {chain}, \"length\": {length}, \"z\": {{}}}}"
            ),
        ),
        (
            "an escaped key",
            format!("{{\"\\u0063hain\": {chain}, \"length\": {length}}}"),
        ),
        ("a bare array", list.canonical()),
        ("a bare array, spread", list.odd("\n\n")),
        ("lines", naive_chain::jsonl_file(&blocks)),
        ("lines, the last without an end", {
            let mut text = lines("\n");
            text.pop();
            text
        }),
        ("CR LF lines", lines("\r\n")),
        (
            "lines with a byte order mark",
            "\u{feff}".to_owned() + &lines("\n"),
        ),
        ("lines with empty ones between", lines("\n\n \t\n")),
        (
            "blocks over many lines",
            blocks
                .iter()
                .map(|block| block.odd("\n ") + "\n")
                .collect::<String>(),
        ),
        ("no white space at all", exported.trim().to_owned()),
    ]
    .map(|(shape, text)| (shape.to_owned(), text))
    .into()
}

#[test]
fn every_format_of_a_chain_gets_the_same_verdict() {
    for (name, rule) in EXPORTED {
        let folder = Folder::new();
        let shapes = formats(name);
        let mut paths = Vec::new();
        for (place, (_, text)) in shapes.iter().enumerate() {
            paths.push(folder.write(&place.to_string(), text));
        }
        let verdicts = fourzero()
            .args(["verify", "--json"])
            .args(&paths)
            .ends_with(0)
            .json();
        assert_eq!(verdicts.len(), shapes.len());
        for ((shape, _), mut verdict) in shapes.iter().zip(verdicts.clone()) {
            verdict["file"] = verdicts[0]["file"].clone();
            assert_eq!(verdict, verdicts[0], "{name}, {shape}");
            assert_eq!(verdict["rule"], rule, "{name}, {shape}");
        }
    }
}

#[test]
fn every_format_of_a_chain_with_a_fault_gets_the_same_verdict() {
    let folder = Folder::new();
    let mut paths = Vec::new();
    let shapes = formats("chain-last-hash.json");
    for (place, (_, text)) in shapes.iter().enumerate() {
        // This changes the recipient of every reward, including block 2.
        let text = text.replace("78937edd55e6401e", "78937edd55e6401f");
        paths.push(folder.write(&place.to_string(), text));
    }
    let verdicts = fourzero()
        .args(["verify", "--json"])
        .args(&paths)
        .ends_with(1)
        .json();
    for ((shape, _), verdict) in shapes.iter().zip(verdicts.clone()) {
        assert_eq!(verdict["fault"], verdicts[0]["fault"], "{shape}");
        assert_eq!(verdict["fault"]["block"], 3, "{shape}");
        assert_eq!(verdict["fault"]["kind"], "previous-hash", "{shape}");
    }
}

#[test]
fn a_chain_can_come_from_standard_input() {
    for (name, rule) in EXPORTED {
        for (shape, text) in formats(name).into_iter().step_by(5) {
            let verdict = fourzero()
                .args(["verify", "--json", "-"])
                .write_stdin(text)
                .ends_with(0)
                .one_json();
            assert_eq!(verdict["file"], "standard input");
            assert_eq!(verdict["rule"], rule, "{name}, {shape}");
        }
    }
}

#[test]
fn strict_verification_also_checks_types() {
    let is_typed = |transaction: &Json| {
        let is_text = |key| matches!(transaction.get(key), Some(Json::Text(_)));
        let is_number = matches!(transaction.get("amount"), Some(Json::Number(_)));
        is_text("sender") && is_text("recipient") && is_number
    };
    for (name, _) in EXPORTED {
        let blocks = exported_blocks(name);
        let is_odd = |block: &Json| {
            !block
                .get("transactions")
                .unwrap()
                .list()
                .iter()
                .all(is_typed)
        };
        let odd = blocks.iter().position(is_odd);
        let odd = odd.expect("Python nodes check no types");
        let fault = fourzero()
            .args(["verify", "--json", "--strict"])
            .arg(data(name))
            .ends_with(1)
            .one_json()["fault"]
            .clone();
        assert_eq!(fault["block"], odd + 1, "{name}");
        assert_eq!(fault["kind"], "transaction", "{name}");
    }
}

#[test]
fn the_difficulty_is_the_required_number_of_zeros() {
    for (name, rule) in EXPORTED {
        for easier in ["1", "3", "4"] {
            fourzero()
                .args(["verify", "--difficulty", easier, "--rule", rule])
                .arg(data(name))
                .ends_with(0);
        }
        let blocks = exported_blocks(name);
        for (harder, zeros) in [("5", 5), ("64", 64)] {
            let verdict = fourzero()
                .args(["verify", "--json", "--difficulty", harder, "--rule", rule])
                .arg(data(name))
                .ends_with(1)
                .one_json();
            let expected = naive_chain::verify(&blocks, Some(rule), zeros);
            let (block, kind) = expected.fault.unwrap();
            assert_eq!(verdict["fault"]["block"], block, "{name} at {harder}");
            assert_eq!(verdict["fault"]["kind"], kind, "{name} at {harder}");
        }
    }
}

#[test]
fn a_chain_with_only_the_first_block_is_valid_and_has_no_rule() {
    let folder = Folder::new();
    for previous_hash in [text("1"), number(1)] {
        let genesis = object([
            ("index", number(1)),
            ("timestamp", number("0.5")),
            ("transactions", Json::List(vec![])),
            ("proof", number(100)),
            ("previous_hash", previous_hash),
        ]);
        let path = folder.write("genesis", genesis.canonical());
        let verdict = fourzero()
            .args(["verify", "--json"])
            .arg(path)
            .ends_with(0)
            .one_json();
        assert_eq!(verdict["rule"], Value::Null);
        assert_eq!(verdict["blocks"], 1);
    }
}

#[test]
fn unknown_keys_are_kept_and_hashed() {
    let note = naive::parse(r#"{"b": [1e5, -0], "a": "é"}"#);
    let mut blocks = exported_blocks("chain-last-proof.json");
    blocks[0].set("note", note.clone());
    for place in 1..blocks.len() {
        blocks[place].set("note", note.clone());
        let before = naive::hash(&blocks[place - 1]);
        blocks[place].set("previous_hash", text(before));
    }
    let folder = Folder::new();
    let path = folder.write("noted.json", Json::List(blocks.clone()).odd(" "));
    fourzero().arg("verify").arg(path).ends_with(0);

    blocks[20].set("note", number(2));
    let path = folder.write("changed.json", Json::List(blocks).odd(" "));
    let verdict = fourzero()
        .args(["verify", "--json"])
        .arg(path)
        .ends_with(1)
        .one_json();
    assert_eq!(verdict["fault"]["block"], 22);
    assert_eq!(verdict["fault"]["kind"], "previous-hash");
}
