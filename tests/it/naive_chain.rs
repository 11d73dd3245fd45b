//! An independent miner and verifier, slow and simple.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::naive::{
    Json, LAST_HASH, LAST_PROOF, PREVIOUS_HASH, RULES, hash, number, object, python_float,
    sha256_hex, text, transaction,
};

/// The digest of the message for `proof` after `last`.
pub(crate) fn proof_digest(rule: &str, last: &Json, proof: &str) -> String {
    let last_proof = plain(last, "proof");
    let suffix = match rule {
        LAST_PROOF => String::new(),
        PREVIOUS_HASH => plain(last, "previous_hash"),
        LAST_HASH => hash(last),
        other => panic!("no rule {other}"),
    };
    sha256_hex(format!("{last_proof}{proof}{suffix}").as_bytes())
}

/// What Python's `str` returns for a member that is a string or an integer.
fn plain(block: &Json, key: &str) -> String {
    match block.get(key) {
        Some(Json::Number(number)) => number.clone(),
        Some(Json::Text(text)) => text.clone(),
        other => panic!("{key} is {other:?}"),
    }
}

fn meets(digest: &str, zeros: usize) -> bool {
    digest.bytes().take(zeros).all(|digit| digit == b'0')
}

/// The smallest proof that may follow `last`.
fn smallest_proof(rule: &str, last: &Json, zeros: usize) -> u64 {
    let last_proof = plain(last, "proof");
    let suffix = match rule {
        LAST_PROOF => String::new(),
        PREVIOUS_HASH => plain(last, "previous_hash"),
        _ => hash(last),
    };
    (0..)
        .find(|proof| {
            let message = format!("{last_proof}{proof}{suffix}");
            meets(&sha256_hex(message.as_bytes()), zeros)
        })
        .expect("there is a proof")
}

/// The first 200 proofs of the last-proof chain from 100, each found by hashing
/// from 0 up. Known proofs are not searched again.
pub(crate) fn two_hundred_proofs() -> &'static [u64] {
    static PROOFS: OnceLock<Vec<u64>> = OnceLock::new();
    PROOFS.get_or_init(|| {
        let mut known = HashMap::new();
        let mut last = 100;
        (0..200)
            .map(|_| {
                last = *known.entry(last).or_insert_with(|| {
                    let block = object([("proof", number(last))]);
                    smallest_proof(LAST_PROOF, &block, 4)
                });
                last
            })
            .collect()
    })
}

/// The chain mined from `blocks`: the transactions of each, without the reward.
pub(crate) fn mine(
    blocks: &[Vec<Json>],
    rule: &str,
    zeros: usize,
    recipient: &str,
    timestamp: f64,
) -> Vec<Json> {
    let mut chain = vec![object([
        ("index", number(1)),
        ("timestamp", number(python_float(timestamp))),
        ("transactions", Json::List(Vec::new())),
        ("proof", number(100)),
        ("previous_hash", text("1")),
    ])];
    for transactions in blocks {
        let last = chain.last().expect("it has a first block");
        let mut transactions = transactions.clone();
        transactions.push(transaction(text("0"), text(recipient), number(1)));
        let block = object([
            ("index", number(chain.len() + 1)),
            (
                "timestamp",
                number(python_float(timestamp + chain.len() as f64)),
            ),
            ("transactions", Json::List(transactions)),
            ("proof", number(smallest_proof(rule, last, zeros))),
            ("previous_hash", text(hash(last))),
        ]);
        chain.push(block);
    }
    chain
}

/// The `.json` file of this chain, byte for byte.
pub(crate) fn json_file(chain: &[Json]) -> String {
    let blocks: Vec<_> = chain.iter().map(Json::canonical).collect();
    format!(
        "{{\"chain\": [{}], \"length\": {}}}",
        blocks.join(", "),
        blocks.len()
    )
}

/// The `.jsonl` file of this chain, byte for byte.
pub(crate) fn jsonl_file(chain: &[Json]) -> String {
    chain.iter().map(|block| block.canonical() + "\n").collect()
}

/// The verdict on a chain: the reported rule, the transactions of the well-formed
/// blocks, and the block and kind of the first fault.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Verdict {
    pub(crate) rule: Option<&'static str>,
    pub(crate) transactions: u64,
    pub(crate) fault: Option<(u64, &'static str)>,
}

/// Verifies a chain under `rule`, or finds the rule that holds.
pub(crate) fn verify(chain: &[Json], rule: Option<&'static str>, zeros: usize) -> Verdict {
    let mut alive: Vec<&'static str> = rule.map_or(RULES.to_vec(), |rule| vec![rule]);
    let mut fault = chain.is_empty().then_some((1, "empty"));
    let mut has_proof = false;
    let mut transactions = 0;
    for (place, block) in chain.iter().enumerate() {
        let index = place as u64 + 1;
        match malformed(block, index) {
            None => transactions += block.get("transactions").map_or(0, |t| t.list().len()) as u64,
            Some(kind) => fault = fault.or(Some((index, kind))),
        }
        if fault.is_some() || place == 0 {
            continue;
        }
        let last = &chain[place - 1];
        if block.get("previous_hash") != Some(&text(hash(last))) {
            fault = Some((index, "previous-hash"));
            continue;
        }
        has_proof = true;
        let proof = plain(block, "proof");
        let holding: Vec<_> = alive
            .iter()
            .copied()
            .filter(|rule| meets(&proof_digest(rule, last, &proof), zeros))
            .collect();
        if holding.is_empty() {
            fault = Some((index, "proof"));
            // Rules that fail at the same block hold equally long.
            if alive.len() == RULES.len() {
                alive.clear();
            }
        } else {
            alive = holding;
        }
    }
    Verdict {
        rule: rule.or_else(|| alive.first().copied().filter(|_| has_proof)),
        transactions,
        fault,
    }
}

/// What is wrong with a block by itself.
fn malformed(block: &Json, index: u64) -> Option<&'static str> {
    let Json::Object(members) = block else {
        return Some("malformed");
    };
    let fields = [
        "index",
        "timestamp",
        "transactions",
        "proof",
        "previous_hash",
    ];
    if fields.iter().any(|field| !members.contains_key(*field)) {
        return Some("missing-field");
    }
    let is_integer =
        |value: &Json| matches!(value, Json::Number(n) if !n.contains(['.', 'e', 'E']));
    let previous_hash = &members["previous_hash"];
    let is_typed = is_integer(&members["index"])
        && matches!(members["timestamp"], Json::Number(_))
        && matches!(members["transactions"], Json::List(_))
        && is_integer(&members["proof"])
        && (matches!(previous_hash, Json::Text(_)) || index == 1 && is_integer(previous_hash));
    if !is_typed {
        return Some("type");
    }
    if members["index"] != number(index) {
        return Some("index");
    }
    let is_transaction = |value: &Json| {
        ["sender", "recipient", "amount"]
            .iter()
            .all(|field| value.get(field).is_some())
    };
    let transactions = members["transactions"].list();
    (!transactions.iter().all(is_transaction)).then_some("transaction")
}
