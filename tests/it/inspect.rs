//! `fourzero inspect` shows the same figures as CPython, and known figures for
//! chains that are unusual or invalid.

use std::process::Command;

use serde_json::{Value, json};

use crate::naive::RULES;
use crate::python::has_python;
use crate::support::{EXPORTED, Ends as _, Folder, Run, data, fourzero, shown};

#[track_caller]
fn inspect(text: &str, options: &[&str], code: i32) -> Run {
    fourzero()
        .args(["inspect", "-"])
        .args(options)
        .write_stdin(text)
        .ends_with(code)
}

#[track_caller]
fn figures(text: &str) -> Value {
    inspect(text, &["--json"], 0).one_json()
}

/// The same figures in Python, with exact decimals.
const COUNT: &str = r#"
import hashlib, json, math, sys
from collections import Counter
from decimal import Decimal, getcontext
getcontext().prec = 1000

def dumps(value):
    return json.dumps(value, sort_keys=True)

def sha256(text):
    return hashlib.sha256(text.encode()).digest()

def zero_bits(digest):
    return 256 - int.from_bytes(digest, "big").bit_length()

text = open(sys.argv[1], encoding="utf-8").read()
whole = json.loads(text)
chain = whole["chain"] if isinstance(whole, dict) else whole
exact = json.loads(text, parse_float=lambda text: Decimal(repr(float(text))))
exact = exact["chain"] if isinstance(exact, dict) else exact

def key(name):
    """Names need not be strings. The decimals in them must be written as such."""
    return json.dumps(name, sort_keys=True, default=float)

def spread(numbers):
    return {"min": min(numbers), "mean": sum(numbers) / len(numbers), "max": max(numbers)}

sums, counts, not_counted = Counter(), Counter(), 0
for block in exact:
    for transaction in block["transactions"]:
        names = transaction["sender"], transaction["recipient"]
        amount = transaction["amount"]
        if type(amount) not in (int, Decimal):
            not_counted += 1
            amount = 0
        sums[key(names[0])] -= amount
        sums[key(names[1])] += amount
        counts.update({key(names[0]), key(names[1])})

def plain(number):
    text = format(Decimal(number), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text

minted = -sums.pop(key("0"), 0)
richest = sorted(sums, key=lambda name: (-sums[name], name))[:10]
zeros = {"last-proof": [], "previous-hash": [], "last-hash": []}
for last, block in zip(chain, chain[1:]):
    guess = f"{last['proof']}{block['proof']}"
    zeros["last-proof"].append(zero_bits(sha256(guess)))
    zeros["previous-hash"].append(zero_bits(sha256(guess + str(last["previous_hash"]))))
    zeros["last-hash"].append(zero_bits(sha256(guess + sha256(dumps(last)).hex())))
proofs = sorted(block["proof"] for block in chain[1:])
quantile = lambda quarters: proofs[max(math.ceil(len(proofs) * quarters / 4) - 1, 0)]
times = [block["timestamp"] for block in chain]
transactions = [len(block["transactions"]) for block in chain]
print(json.dumps({
    "blocks": len(chain),
    "transactions": sum(transactions),
    "rewards": sum(t["sender"] == "0" for block in chain for t in block["transactions"]),
    "block_transactions": spread(transactions),
    "block_bytes": spread([len(dumps(block)) for block in chain]),
    "first": times[0], "last": times[-1], "seconds": times[-1] - times[0],
    "backwards": sum(later < earlier for earlier, later in zip(times, times[1:])),
    "proofs": {"count": len(proofs), "odd": 0, "min": proofs[0], "lower_quartile": quantile(1),
        "median": quantile(2), "upper_quartile": quantile(3), "max": proofs[-1],
        "mean": sum(proofs) / len(proofs)},
    "zeros": [{"rule": rule, "hex": min(bits) // 4, "bits": min(bits)} for rule, bits in zeros.items()],
    "balances": {"names": len(sums), "below_zero": sum(sum < 0 for sum in sums.values()),
        "minted": plain(minted), "not_counted": not_counted,
        "top": [{"name": json.loads(name), "balance": plain(sums[name]), "transactions": counts[name]}
            for name in richest]},
}))
"#;

#[test]
fn the_figures_are_those_of_cpython() {
    if !has_python() {
        return;
    }
    let folder = Folder::new();
    let names = [
        "é", "b\\\"", "0", "c", "d", "e", "f", "g", "h", "i", "j", "k",
    ];
    let amounts = [
        "1e-7",
        "0.1",
        "123456789012345678901234567890",
        "2.5",
        "-3",
        "1e22",
        "4.35",
        "17",
    ];
    let queue: String = (0..200)
        .map(|number| {
            let sender = names[number * 7 % names.len()].replace('\\', "\\\\").replace('"', "\\\"");
            let recipient = names[number * 5 % 11].replace('\\', "\\\\").replace('"', "\\\"");
            let amount = amounts[number % amounts.len()];
            format!(
                "{{\"sender\": \"{sender}\", \"recipient\": \"{recipient}\", \"amount\": {amount}}}\n"
            )
        })
        .collect();
    let mut chains: Vec<_> = EXPORTED.iter().map(|(name, _)| data(name)).collect();
    for rule in RULES {
        let chain = folder.path(&format!("{rule}.json"));
        fourzero()
            .args([
                "mine",
                "-",
                "--rule",
                rule,
                "--difficulty",
                "2",
                "--block-size",
                "7",
            ])
            .args(["--timestamp", "1700000000.25", "--recipient", "me", "-o"])
            .arg(&chain)
            .write_stdin(queue.as_str())
            .ends_with(0);
        chains.push(chain);
    }
    for chain in chains {
        let said = Command::new("python3")
            .args(["-c", COUNT])
            .arg(&chain)
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&said.stderr);
        assert!(said.status.success(), "{stderr}");
        let mut expected: Value = serde_json::from_slice(&said.stdout).unwrap();
        let run = fourzero()
            .args(["inspect", "--json"])
            .arg(&chain)
            .ends_with(0);
        let mut found = run.one_json();
        for (pointer, name) in [("first", "first"), ("last", "last"), ("seconds", "seconds")] {
            assert_eq!(found["time"][name], expected[pointer].take(), "{name}");
        }
        assert_eq!(found["time"]["backwards"], expected["backwards"].take());
        assert_eq!(found["file"].take(), shown(&chain));
        for (name, value) in expected.as_object().unwrap() {
            if !value.is_null() {
                assert_eq!(found[name], *value, "{name} of {}", shown(&chain));
            }
        }
        assert_eq!(found["bytes"], std::fs::metadata(&chain).unwrap().len());
        assert_eq!(found["wrong_length"], Value::Null);
    }
}

#[test]
fn under_last_proof_the_cycle_of_61_starts_after_47_blocks() {
    let queue = "{\"sender\": \"a\", \"recipient\": \"b\", \"amount\": 1}\n";
    let folder = Folder::new();
    let chain = folder.path("chain.json");
    for (transactions, rule, cycle) in [
        // 108 blocks and 61 more: all proofs of the cycle occur twice.
        (168, "last-proof", json!({"start": 48, "length": 61})),
        (167, "last-proof", Value::Null),
        (300, "last-proof", json!({"start": 48, "length": 61})),
        (200, "last-hash", Value::Null),
    ] {
        fourzero()
            .args(["mine", "-", "--block-size", "1", "--force", "--rule", rule])
            .arg("-o")
            .arg(&chain)
            .write_stdin(queue.repeat(transactions))
            .ends_with(0);
        let found = figures(&folder.read("chain.json"));
        assert_eq!(found["blocks"], transactions + 1);
        assert_eq!(found["cycle"], cycle, "{transactions} under {rule}");
        for zeros in found["zeros"].as_array().unwrap() {
            let is_rule = zeros["rule"] == rule;
            assert_eq!(zeros["hex"].as_u64().unwrap() >= 4, is_rule, "{zeros}");
        }
    }
}

#[test]
fn invalid_parts_of_a_chain_are_counted_separately() {
    let text = r#"{"length": 9, "chain": [
        {},
        {"index": 1, "timestamp": "noon", "proof": -5, "previous_hash": 7, "transactions": {}},
        {"timestamp": 1e300, "proof": 5, "transactions": [7, {"sender": 1}, {"sender": [0], "recipient": null, "amount": "5"}]},
        {"timestamp": -1, "proof": 18446744073709551616, "transactions": []},
        {"timestamp": 253402207200.5, "proof": 6.0}
    ]}"#;
    let mut found = figures(text);
    let proofs = found["proofs"].take();
    assert_eq!((&proofs["count"], &proofs["odd"]), (&json!(1), &json!(3)));
    assert_eq!((&proofs["min"], &proofs["max"]), (&json!(5), &json!(5)));
    let time = found["time"].take();
    let expected = json!({
        "first": 1e300, "first_utc": null,
        "last": 253402207200.5, "last_utc": "9999-12-30 22:00:00 UTC",
        "seconds": -1e300, "backwards": 1, "odd": 2,
    });
    assert_eq!(time, expected);
    for (name, expected) in [
        ("blocks", json!(5)),
        ("wrong_length", json!("9")),
        ("transactions", json!(1)),
        ("rewards", json!(0)),
        ("odd_transactions", json!(2)),
        ("odd_blocks", json!(3)),
        ("cycle", Value::Null),
        (
            "zeros",
            RULES
                .map(|rule| json!({"rule": rule, "hex": 0, "bits": 0}))
                .into(),
        ),
        (
            "balances",
            json!({
                "names": 2, "below_zero": null, "minted": null, "not_counted": 1,
                "top": [],
            }),
        ),
    ] {
        assert_eq!(found[name], expected, "{name}");
    }
    inspect(text, &[], 0);
}

/// The members of `proofs` that need a proof.
const FIGURES_OF_PROOFS: [&str; 6] = [
    "min",
    "lower_quartile",
    "median",
    "upper_quartile",
    "max",
    "mean",
];

#[test]
fn a_figure_that_nothing_gives_is_null() {
    let block = |members: &str| format!(r#"{{"index": 1, {members}}}"#);
    let nonce = block(r#""nonce": 5, "timestamp": 7, "transactions": []"#);
    let payment = r#"{"sender": "a", "recipient": "b", "amount": "much"}"#;
    let bare = block(r#""proof": 100, "timestamp": null"#);
    let odd = block(&format!(
        r#""proof": 100, "timestamp": 7, "transactions": [{payment}]"#
    ));
    let one = block(r#""proof": 100, "timestamp": 7, "transactions": []"#);
    for (name, blocks, nulls) in [
        (
            "nonces",
            vec![nonce.as_str(); 9],
            &["proofs", "zeros", "cycle", "amounts"][..],
        ),
        (
            "no times",
            vec![&bare, &bare],
            &["time", "times", "lists", "amounts"],
        ),
        ("no amounts", vec![&odd, &odd], &["amounts"]),
        (
            "one block",
            vec![&one],
            &["proofs", "zeros", "cycle", "times", "amounts"],
        ),
    ] {
        let found = figures(&format!("[{}]", blocks.join(",")));
        let mut places = vec![
            ("zeros", "/zeros/0/bits".to_owned()),
            ("zeros", "/zeros/2/hex".to_owned()),
            ("time", "/time/first".to_owned()),
            ("time", "/time/last_utc".to_owned()),
            ("times", "/time/seconds".to_owned()),
            ("lists", "/block_transactions".to_owned()),
            ("amounts", "/balances/minted".to_owned()),
            ("amounts", "/balances/below_zero".to_owned()),
        ];
        places.extend(FIGURES_OF_PROOFS.map(|figure| ("proofs", format!("/proofs/{figure}"))));
        for (group, place) in places {
            let figure = found.pointer(&place).unwrap();
            assert_eq!(
                figure.is_null(),
                nulls.contains(&group),
                "{place} of {name}"
            );
        }
        if nulls.contains(&"cycle") {
            assert_eq!(found["cycle"], Value::Null, "{name}");
        }
        if nulls.contains(&"amounts") {
            assert_eq!(found["balances"]["top"], json!([]), "{name}");
        }
    }
}

#[test]
fn a_block_without_a_proof_is_left_out_of_the_difficulty() {
    let chain: Value =
        serde_json::from_str(&std::fs::read_to_string(data("chain-last-proof.json")).unwrap())
            .unwrap();
    let mut blocks = chain["chain"].as_array().unwrap().clone();
    blocks.insert(4, json!({"index": 5, "nonce": 7}));
    blocks.remove(5);
    let found = figures(&Value::from(blocks).to_string());
    assert!(found["zeros"][0]["hex"].as_u64().unwrap() >= 4, "{found}");
    assert_eq!(found["proofs"]["odd"], 1);
}

#[test]
fn a_chain_without_blocks_has_null_figures() {
    let found = figures("[]");
    assert_eq!(found["blocks"], 0);
    for name in ["block_bytes", "block_transactions", "cycle"] {
        assert_eq!(found[name], Value::Null);
    }
    assert_eq!(found["zeros"][0]["bits"], Value::Null);
    inspect("[]", &[], 0);
}

#[test]
fn the_output_for_people_fits_80_columns() {
    let run = fourzero()
        .arg("inspect")
        .args(EXPORTED.map(|(name, _)| data(name)))
        .ends_with(0);
    assert_eq!(run.stderr, "");
    let parts: Vec<_> = run.stdout.split("\n\n").collect();
    assert_eq!(parts.len(), 3);
    for (part, (name, _)) in parts.iter().zip(EXPORTED) {
        let mut lines = part.lines();
        assert_eq!(lines.next(), Some(shown(&data(name)).as_str()));
        for line in lines {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}

#[test]
fn an_unreadable_file_is_an_error_and_the_others_are_inspected() {
    let folder = Folder::new();
    let broken = folder.write("broken.json", "[{\"index\": 1},\n {\"index\": 01}]");
    let run = fourzero()
        .args(["inspect", "--json"])
        .args([&broken, &data(EXPORTED[0].0)])
        .ends_with(2);
    let lines = run.json();
    assert_eq!(lines[0]["file"], shown(&broken));
    let error = lines[0]["error"].as_str().unwrap();
    assert_eq!(run.stderr, format!("error: {error}\n"));
    assert_eq!(lines[1]["file"], shown(&data(EXPORTED[0].0)));
    assert_eq!(lines.len(), 2);

    assert_eq!(inspect("[7]", &[], 2).stdout, "");
}

/// A chain of one block that pays each name its amount.
fn paid(amounts: impl Iterator<Item = (String, u64)>) -> String {
    let transactions: Vec<_> = amounts
        .map(|(name, amount)| json!({"sender": "0", "recipient": name, "amount": amount}))
        .collect();
    json!({"chain": [{"transactions": transactions}]}).to_string()
}

#[test]
fn top_limits_the_names_and_the_rest_are_counted() {
    let chain = paid((0..1_004).map(|number| (format!("n{number:04}"), 2_000 - number)));
    let shown = |options: &[&str]| -> Vec<String> {
        let run = inspect(&chain, options, 0);
        let lines = run.stdout.lines();
        lines
            .skip_while(|line| !line.contains("1,004 names"))
            .skip(1)
            .take_while(|line| line.starts_with("     "))
            .map(|line| line.trim().to_owned())
            .collect()
    };
    let lines = shown(&[]);
    assert_eq!(lines.len(), 11);
    assert_eq!(lines[0], "n0000  2,000  1 tx");
    assert_eq!(lines[9..], ["n0009  1,991  1 tx", "... 994 more"]);
    assert_eq!(shown(&["--top", "0"]), ["... 1,004 more"]);
    let lines = shown(&["--top", "1003"]);
    assert_eq!(lines[1_002..], ["n1002    998  1 tx", "... 1 more"]);
    let lines = shown(&["--top", "2000"]);
    assert_eq!(lines[1_003..], ["n1003    997  1 tx"]);

    for (options, count) in [(&["--json"][..], 10), (&["--json", "--top", "12"], 12)] {
        let found = inspect(&chain, options, 0).one_json();
        let top = found["balances"]["top"].as_array().unwrap().clone();
        assert_eq!(top.len(), count);
        assert_eq!(top[count - 1]["balance"], (2_001 - count).to_string());
    }
}

#[test]
fn amounts_that_are_not_numbers_or_are_too_long_are_not_counted() {
    let long = "7".repeat(4_301);
    let payment =
        |amount: &str| format!("{{\"sender\": \"0\", \"recipient\": \"a\", \"amount\": {amount}}}");
    let payments = [payment("\"5\""), payment("null"), payment(&long)].join(", ");
    let chain = format!("{{\"chain\": [{{\"transactions\": [{payments}]}}]}}");
    assert_eq!(figures(&chain)["balances"]["not_counted"], 3);
    inspect(&chain, &[], 0);
}
