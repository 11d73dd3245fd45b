//! Every kind of fault, and the block that it is found in.

use crate::naive::{Json, LAST_PROOF, hash, number, object, parse, text};
use crate::naive_chain;
use crate::support::{Ends as _, exported_blocks, fourzero};

const CHAIN: &str = "chain-last-proof.json";

/// The file of a chain whose blocks may be wrong.
fn file(blocks: &[Json]) -> String {
    let length = number(blocks.len());
    object([("chain", Json::List(blocks.to_vec())), ("length", length)]).canonical()
}

/// The block and the kind of the fault in an invalid chain.
#[track_caller]
fn fault_in(contents: &str, options: &[&str]) -> (u64, String) {
    let verdict = fourzero()
        .args(["verify", "-", "--json"])
        .args(options)
        .write_stdin(contents)
        .ends_with(1)
        .one_json();
    assert_eq!(verdict["valid"], false);
    let fault = &verdict["fault"];
    let kind = fault["kind"].as_str().unwrap();
    (fault["block"].as_u64().unwrap(), kind.to_owned())
}

/// Changes block `place` of a valid chain and asserts the kind of its fault.
#[track_caller]
fn changed(place: u64, kind: &str, change: impl FnOnce(&mut Json)) {
    let mut blocks = exported_blocks(CHAIN);
    change(&mut blocks[place as usize - 1]);
    for rule in ["auto", LAST_PROOF] {
        let found = fault_in(&file(&blocks), &["--rule", rule]);
        assert_eq!(found, (place, kind.to_owned()), "--rule {rule}");
    }
    let second = naive_chain::verify(&blocks, None, 4).fault;
    assert_eq!(second, Some((place, kind)));
}

#[test]
fn a_block_that_is_not_an_object_is_malformed() {
    for value in ["7", "7.5", "null", "true", "\"block\"", "[]"] {
        changed(3, "malformed", |block| *block = parse(value));
    }
}

#[test]
fn each_missing_field_is_a_fault() {
    for field in [
        "index",
        "timestamp",
        "transactions",
        "proof",
        "previous_hash",
    ] {
        changed(5, "missing-field", |block| block.remove(field));
    }
}

#[test]
fn a_field_of_the_wrong_type_is_a_fault() {
    for (field, value) in [
        ("index", "\"4\""),
        ("index", "4.0"),
        ("timestamp", "\"now\""),
        ("timestamp", "null"),
        ("transactions", "{}"),
        ("transactions", "null"),
        ("proof", "\"119678\""),
        ("proof", "119678.0"),
        ("proof", "true"),
        ("previous_hash", "1"),
        ("previous_hash", "null"),
    ] {
        changed(4, "type", |block| block.set(field, parse(value)));
    }
    changed(1, "type", |block| block.set("previous_hash", parse("null")));
}

#[test]
fn a_timestamp_may_be_an_integer() {
    let mut blocks = exported_blocks(CHAIN);
    blocks.truncate(3);
    blocks[2].set("timestamp", number(1_795_354_846));
    fourzero()
        .args(["verify", "-"])
        .write_stdin(file(&blocks))
        .ends_with(0);
}

#[test]
fn an_index_out_of_order_is_a_fault() {
    for found in ["0", "-6", "5", "7", "123456789012345678901234567890"] {
        changed(6, "index", |block| block.set("index", parse(found)));
    }
    changed(1, "index", |block| block.set("index", number(0)));
}

#[test]
fn a_wrong_previous_hash_is_a_fault() {
    let blocks = exported_blocks(CHAIN);
    let before = hash(&blocks[8]);
    for found in ["1", "", &"0".repeat(64), &before.to_uppercase()] {
        changed(10, "previous-hash", |block| {
            block.set("previous_hash", text(found));
        });
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
        blocks[11].set(field, parse(value));
        let expected = (13, "previous-hash".to_owned());
        assert_eq!(fault_in(&file(&blocks), &[]), expected);
    }
}

#[test]
fn a_wrong_proof_is_a_fault() {
    for proof in ["0", "-1", "35088", "99999999999999999999999999"] {
        changed(3, "proof", |block| block.set("proof", parse(proof)));
    }
    // This one fits no rule.
    changed(2, "proof", |block| block.set("proof", number(7)));
}

#[test]
fn a_wrong_length_is_a_fault() {
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
        let expected = (block, "length".to_owned());
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
    assert_eq!(fault_in(&contents, &[]).0, 40);
}

#[test]
fn a_malformed_transaction_is_a_fault() {
    for field in ["sender", "recipient", "amount", ""] {
        changed(3, "transaction", |block| {
            let mut transactions = block.get("transactions").unwrap().clone();
            let third = &mut transactions.list_mut()[2];
            if field.is_empty() {
                *third = text("none");
            } else {
                third.remove(field);
            }
            block.set("transactions", transactions);
        });
    }
}

#[test]
fn a_chain_without_blocks_is_empty() {
    let expected = (1, "empty".to_owned());
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
        assert_eq!(found, (expected.0, expected.1.to_owned()));
        assert_eq!(expected.0, first as u64 + 1);
    }
}

#[test]
fn long_values_are_shortened_in_messages() {
    let mut blocks = exported_blocks(CHAIN);
    blocks[3].set("previous_hash", text("x".repeat(1_000_000)));
    let run = fourzero()
        .args(["verify", "-"])
        .write_stdin(file(&blocks))
        .ends_with(1);
    assert!(run.stdout.len() < 300, "{}", run.stdout);
    // The hash that was expected is whole.
    assert!(run.stdout.contains(&hash(&blocks[2])), "{}", run.stdout);
}
