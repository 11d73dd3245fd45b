//! Every kind of fault: its block, its name, and both values in its message.

use serde_json::json;

use crate::naive::{self, Json, LAST_PROOF, RULES, hash, number, object, parse, text};
use crate::naive_chain;
use crate::support::{Ends as _, Folder, exported_blocks, fourzero, shown};

const CHAIN: &str = "chain-last-proof.json";

/// The file of a chain whose blocks may be wrong.
fn file(blocks: &[Json]) -> String {
    let length = number(blocks.len());
    object([("chain", Json::List(blocks.to_vec())), ("length", length)]).canonical()
}

#[track_caller]
fn fault_in(contents: &str, options: &[&str]) -> serde_json::Value {
    let folder = Folder::new();
    let path = folder.write("chain.json", contents);
    let verdict = fourzero()
        .args(["verify", "--json"])
        .args(options)
        .arg(path)
        .ends_with(1)
        .one_json();
    assert_eq!(verdict["valid"], false);
    verdict["fault"].clone()
}

/// Changes block `place` of a valid chain and asserts the fault.
#[track_caller]
fn changed(place: u64, change: impl FnOnce(&mut Json), kind: &str, message: &str) {
    let mut blocks = exported_blocks(CHAIN);
    change(&mut blocks[place as usize - 1]);
    let expected = json!({"block": place, "kind": kind, "message": message});
    for rule in ["auto", LAST_PROOF] {
        let found = fault_in(&file(&blocks), &["--rule", rule]);
        assert_eq!(found, expected, "--rule {rule}");
    }
    let second = naive_chain::verify(&blocks, None, 4).fault;
    assert_eq!(second, Some((place, kind)));
}

#[test]
fn a_block_that_is_not_an_object_is_malformed() {
    for value in ["7", "7.5", "null", "true", "\"block\"", "[]"] {
        let message = format!("the block is {value}, expected an object");
        changed(3, |block| *block = parse(value), "malformed", &message);
    }
}

#[test]
fn each_missing_field_is_named() {
    for field in [
        "index",
        "timestamp",
        "transactions",
        "proof",
        "previous_hash",
    ] {
        let message = format!("the field \"{field}\" is missing");
        changed(5, |block| block.remove(field), "missing-field", &message);
    }
}

#[test]
fn a_field_of_the_wrong_type_is_shown_with_the_expected_type() {
    for (field, value, expected) in [
        ("index", "\"4\"", "an integer"),
        ("index", "4.0", "an integer"),
        ("timestamp", "\"now\"", "a number"),
        ("timestamp", "null", "a number"),
        ("transactions", "{}", "an array"),
        ("transactions", "null", "an array"),
        ("proof", "\"119678\"", "an integer"),
        ("proof", "119678.0", "an integer"),
        ("proof", "true", "an integer"),
        ("previous_hash", "1", "a string"),
        ("previous_hash", "null", "a string"),
    ] {
        let message = format!("the field \"{field}\" is {value}, expected {expected}");
        changed(4, |block| block.set(field, parse(value)), "type", &message);
    }
    changed(
        1,
        |block| block.set("previous_hash", parse("null")),
        "type",
        "the field \"previous_hash\" is null, expected a string or an integer",
    );
}

#[test]
fn a_timestamp_may_be_an_integer() {
    let mut blocks = exported_blocks(CHAIN);
    blocks.truncate(3);
    blocks[2].set("timestamp", number(1_795_354_846));
    let folder = Folder::new();
    let path = folder.write("chain.json", file(&blocks));
    fourzero().arg("verify").arg(path).ends_with(0);
}

#[test]
fn an_index_out_of_order_is_shown_with_its_place() {
    for found in ["0", "-6", "5", "7", "123456789012345678901234567890"] {
        let message = format!("the index is {found}, expected 6");
        changed(
            6,
            |block| block.set("index", parse(found)),
            "index",
            &message,
        );
    }
    changed(
        1,
        |block| block.set("index", number(0)),
        "index",
        "the index is 0, expected 1",
    );
}

#[test]
fn a_wrong_previous_hash_is_shown_with_the_hash_of_the_block_before() {
    let blocks = exported_blocks(CHAIN);
    let before = hash(&blocks[8]);
    for found in ["1", "", &"0".repeat(64), &before.to_uppercase()] {
        let message = format!("previous_hash is {found}, but the block before hashes to {before}");
        changed(
            10,
            |block| block.set("previous_hash", text(found)),
            "previous-hash",
            &message,
        );
    }
}

#[test]
fn a_changed_block_is_found_at_the_next_block() {
    for (field, value) in [
        ("timestamp", "1.5"),
        ("transactions", "[]"),
        ("note", "\"new\""),
    ] {
        let mut blocks = exported_blocks(CHAIN);
        let quoted = hash(&blocks[11]);
        blocks[11].set(field, parse(value));
        let found = hash(&blocks[11]);
        let expected = json!({
            "block": 13,
            "kind": "previous-hash",
            "message": format!("previous_hash is {quoted}, but the block before hashes to {found}"),
        });
        assert_eq!(fault_in(&file(&blocks), &[]), expected);
    }
}

#[test]
fn a_wrong_proof_is_shown_with_its_digest_and_the_difficulty() {
    let blocks = exported_blocks(CHAIN);
    for proof in ["0", "-1", "35088", "99999999999999999999999999"] {
        let digest = naive_chain::proof_digest(LAST_PROOF, &blocks[1], proof);
        let message = format!(
            "the proof {proof} hashes to {digest} under last-proof, expected 4 zeros in front"
        );
        changed(
            3,
            |block| block.set("proof", parse(proof)),
            "proof",
            &message,
        );
    }
}

#[test]
fn a_proof_that_fits_no_rule_is_shown_with_its_digest_under_each() {
    let mut blocks = exported_blocks(CHAIN);
    blocks[1].set("proof", number(7));
    let digests = RULES.map(|rule| {
        let digest = naive_chain::proof_digest(rule, &blocks[0], "7");
        format!("{digest} under {rule}")
    });
    let message = format!(
        "the proof 7 fits no rule: it hashes to {}, expected 4 zeros in front",
        digests.join(", ")
    );
    let expected = json!({"block": 2, "kind": "proof", "message": message});
    assert_eq!(fault_in(&file(&blocks), &[]), expected);
}

#[test]
fn a_wrong_length_is_shown_with_the_number_of_blocks() {
    let blocks = Json::List(exported_blocks(CHAIN)).canonical();
    for (length, block) in [
        ("40", 41),
        ("0", 1),
        ("42", 42),
        ("1000", 42),
        ("-41", 42),
        ("41.0", 42),
        ("\"41\"", 42),
        ("null", 42),
    ] {
        let message = format!("\"length\" is {length}, but the chain has 41 blocks");
        let expected = json!({"block": block, "kind": "length", "message": message});
        for contents in [
            format!("{{\"chain\": {blocks}, \"length\": {length}}}"),
            format!("{{\"length\": {length}, \"chain\": {blocks}}}"),
            format!("{{\"length\": 41, \"chain\": {blocks}, \"length\": {length}}}"),
        ] {
            assert_eq!(fault_in(&contents, &[]), expected, "length {length}");
        }
    }
}

#[test]
fn a_fault_in_a_block_comes_before_a_wrong_length() {
    let mut blocks = exported_blocks(CHAIN);
    blocks[39].set("index", number(1));
    let contents = format!(
        "{{\"chain\": {}, \"length\": 3}}",
        Json::List(blocks).canonical()
    );
    assert_eq!(fault_in(&contents, &[])["block"], 40);
}

#[test]
fn a_malformed_transaction_is_shown_with_its_place() {
    for (change, problem) in [
        ("sender", "the field \"sender\" is missing"),
        ("recipient", "the field \"recipient\" is missing"),
        ("amount", "the field \"amount\" is missing"),
        ("", "\"none\" is not a transaction, expected an object"),
    ] {
        let spoil = |block: &mut Json| {
            let mut transactions = block.get("transactions").unwrap().clone();
            let third = &mut transactions.list_mut()[2];
            if change.is_empty() {
                *third = text("none");
            } else {
                third.remove(change);
            }
            block.set("transactions", transactions);
        };
        let message = format!("transaction 3: {problem}");
        changed(3, spoil, "transaction", &message);
    }
}

#[test]
fn a_chain_without_blocks_is_empty() {
    let expected = json!({"block": 1, "kind": "empty", "message": "the chain has no blocks"});
    for contents in [
        "[]",
        "{\"chain\": []}",
        "{\"chain\": [ ], \"length\": 0}",
        "{\"length\": 7, \"chain\": []}",
    ] {
        assert_eq!(fault_in(contents, &[]), expected, "{contents}");
        assert_eq!(fault_in(contents, &["--rule", "last-hash"]), expected);
    }
}

#[test]
fn the_first_of_several_faults_is_reported() {
    let spoil: [fn(&mut Json); 4] = [
        |block| block.set("index", number(0)),
        |block| block.set("proof", number(1)),
        |block| block.set("previous_hash", text("x")),
        |block| block.remove("timestamp"),
    ];
    for first in 1..30 {
        let mut blocks = exported_blocks(CHAIN);
        for (step, spoil) in spoil.iter().cycle().skip(first).take(8).enumerate() {
            spoil(&mut blocks[first + step]);
        }
        let expected = naive_chain::verify(&blocks, None, 4).fault.unwrap();
        let found = fault_in(&file(&blocks), &[]);
        assert_eq!(
            (found["block"].as_u64(), found["kind"].as_str()),
            (Some(expected.0), Some(expected.1))
        );
        assert_eq!(expected.0, first as u64 + 1);
    }
}

#[test]
fn the_text_output_has_the_block_the_kind_and_the_values() {
    let mut blocks = exported_blocks(CHAIN);
    blocks[3].set("index", number(9));
    let folder = Folder::new();
    let path = folder.write("chain.json", file(&blocks));
    let run = fourzero().arg("verify").arg(&path).ends_with(1);
    assert_eq!(
        run.stdout,
        format!(
            "{}: invalid: block 4: index: the index is 9, expected 4\n",
            shown(&path)
        )
    );
}

#[test]
fn long_values_are_shortened_in_messages() {
    let long = "x".repeat(1_000_000);
    let mut blocks = exported_blocks(CHAIN);
    blocks[3].set("previous_hash", text(&long));
    let message = fault_in(&file(&blocks), &[])["message"].to_string();
    assert!(message.len() < 300, "{message}");
    assert!(message.contains(&naive::hash(&blocks[2])), "{message}");
}
