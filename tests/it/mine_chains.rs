//! The chain that `fourzero mine` makes, byte for byte.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::naive::{self, Json, LAST_PROOF, RULES, hash, number, parse, text, transaction};
use crate::naive_chain;
use crate::support::{Ends as _, Folder, data_text, fourzero, shown};

/// The sample queue's blocks: ten transactions each, and a line that is a
/// list is a separate one.
fn sample_blocks() -> Vec<Vec<Json>> {
    let mut blocks = vec![Vec::new()];
    for line in data_text("queue.jsonl").lines().map(parse) {
        let pending = blocks.last_mut().unwrap();
        match line {
            Json::List(block) if pending.is_empty() => {
                *pending = block;
                blocks.push(Vec::new());
            }
            Json::List(block) => blocks.extend([block, Vec::new()]),
            transaction => {
                pending.push(transaction);
                if pending.len() == 10 {
                    blocks.push(Vec::new());
                }
            }
        }
    }
    if blocks.last().is_some_and(Vec::is_empty) {
        blocks.pop();
    }
    blocks
}

/// What people read of the sample queue's chain.
fn sample_counts() -> (usize, usize) {
    let blocks = sample_blocks();
    (blocks.len() + 1, blocks.iter().map(Vec::len).sum())
}

#[test]
fn every_rule_difficulty_and_format_gives_exactly_the_specified_bytes() {
    for (rule, zeros) in [
        (RULES[0], 1),
        (RULES[0], 4),
        (RULES[1], 2),
        (RULES[1], 3),
        (RULES[2], 1),
        (RULES[2], 3),
    ] {
        let expected = naive_chain::mine(&sample_blocks(), rule, zeros, "mé", 1_700_000_000.0);
        for (name, format, contents) in [
            ("chain.json", None, naive_chain::json_file(&expected)),
            ("chain.jsonl", None, naive_chain::jsonl_file(&expected)),
            (
                "other.json",
                Some("jsonl"),
                naive_chain::jsonl_file(&expected),
            ),
            (
                "other.jsonl",
                Some("json"),
                naive_chain::json_file(&expected),
            ),
            ("no-extension", None, naive_chain::json_file(&expected)),
        ] {
            let folder = Folder::new();
            let mut command = fourzero();
            command
                .args([
                    "mine",
                    "-",
                    "--rule",
                    rule,
                    "--difficulty",
                    &zeros.to_string(),
                ])
                .args(["--recipient", "mé", "--timestamp", "1700000000", "-o"])
                .arg(folder.path(name))
                .args(format.map(|format| ["--format", format]).iter().flatten());
            command.write_stdin(data_text("queue.jsonl")).ends_with(0);
            assert!(
                folder.read(name) == contents,
                "{rule} at {zeros} zeros into {name} as {format:?}:\n{}\nexpected\n{contents}",
                folder.read(name)
            );
            assert_eq!(folder.names(), [name]);
        }
    }
}

#[test]
fn the_first_block_is_the_tutorials() {
    let folder = Folder::new();
    fourzero()
        .args(["mine", "-", "--timestamp", "1700000000", "-o"])
        .arg(folder.path("chain.jsonl"))
        .write_stdin(data_text("queue.jsonl"))
        .ends_with(0);
    assert_eq!(
        folder.read("chain.jsonl").lines().next(),
        Some(
            "{\"index\": 1, \"previous_hash\": \"1\", \"proof\": 100, \
             \"timestamp\": 1700000000.0, \"transactions\": []}"
        )
    );
}

#[test]
fn the_json_summary_has_the_specified_keys_and_true_values() {
    let folder = Folder::new();
    let output = folder.path("chain.json");
    let summary = fourzero()
        .args([
            "mine",
            "-",
            "--json",
            "--threads",
            "1",
            "--kernel",
            "sha2",
            "-o",
        ])
        .arg(&output)
        .write_stdin(data_text("queue.jsonl"))
        .ends_with(0)
        .one_json();
    let chain = parse(&folder.read("chain.json"));
    let blocks = chain.get("chain").unwrap().list();
    let Value::Object(mut summary) = summary else {
        panic!("an object");
    };
    assert!(summary.remove("chosen").unwrap().is_array());
    let seconds = summary.remove("seconds").unwrap().as_f64().unwrap();
    let hashrate = summary.remove("hashrate").unwrap().as_f64().unwrap();
    let efficiency = summary.remove("efficiency").unwrap().as_f64().unwrap();
    let (count, transactions) = sample_counts();
    // From 0 up to each block's proof; none of them comes twice.
    let hashes: u64 = naive_chain::two_hundred_proofs()[..count - 1]
        .iter()
        .map(|proof| proof + 1)
        .sum();
    let expected = json!({
        "output": shown(&output),
        "blocks": count,
        "resumed_blocks": 0,
        "transactions": transactions + count - 1,
        "rewards": count - 1,
        "hashes": hashes,
        "last_hash": hash(&blocks[count - 1]),
    });
    assert_eq!(Value::Object(summary), expected);
    assert_eq!(blocks.len(), count);
    assert!(seconds > 0.0 && efficiency > 0.0);
    let product = hashrate * seconds;
    assert!((product / hashes as f64 - 1.0).abs() < 1e-6, "{product}");
}

#[test]
fn the_printed_summary_says_what_was_mined_and_verified() {
    let folder = Folder::new();
    for (option, last) in [(None, "verified"), (Some("--no-verify"), "not verified")] {
        let output = folder.path("chain.json");
        let run = fourzero()
            .args(["mine", "-", "--difficulty", "1", "--force", "-o"])
            .arg(&output)
            .args(option)
            .write_stdin(data_text("queue.jsonl"))
            .ends_with(0);
        let lines: Vec<_> = run.stdout.lines().collect();
        let (blocks, transactions) = sample_counts();
        let start = format!(
            "{}: {blocks} blocks, {} transactions ({} rewards), ",
            shown(&output),
            transactions + blocks - 1,
            blocks - 1
        );
        assert!(lines[0].starts_with(&start), "{}", run.stdout);
        let chain = parse(&folder.read("chain.json"));
        let blocks = chain.get("chain").unwrap().list();
        assert_eq!(
            lines[1],
            format!("last hash: {}", hash(blocks.last().unwrap()))
        );
        assert_eq!(lines[2..], [last]);
        assert_eq!(run.stderr, "");
        fourzero()
            .args(["verify", "--difficulty", "1"])
            .arg(&output)
            .ends_with(0);
    }
}

#[test]
fn a_hashrate_is_printed_only_if_every_proof_was_searched() {
    let folder = Folder::new();
    let mine = |count: usize, options: &[&str]| {
        let transaction = "{\"sender\": \"a\", \"recipient\": \"b\", \"amount\": 1}\n";
        let run = fourzero()
            .args(["mine", "-", "--block-size", "1", "--force", "-o"])
            .arg(folder.path("chain.json"))
            .args(options)
            .write_stdin(transaction.repeat(count))
            .ends_with(0);
        run.stdout.lines().next().unwrap().to_owned()
    };
    // From the 109th on, the proofs are those of earlier blocks.
    let line = mine(2000, &[]);
    assert!(
        line.contains(" hashes (1,892 proofs remembered) in ") && line.ends_with(" s"),
        "{line}"
    );
    for options in [&["--no-proof-cache"][..], &["--rule", "last-hash"]] {
        let line = mine(20, options);
        assert!(
            !line.contains("remembered") && line.ends_with("H/s)"),
            "{line}"
        );
    }
}

#[test]
fn the_reward_comes_last_and_goes_to_the_recipient() {
    let folder = Folder::new();
    for (recipient, sent) in [("me", "me"), ("Zoë \"Z\"\n", "Zoë \"Z\"\n")] {
        fourzero()
            .args(["mine", "-", "--difficulty", "1", "--force", "-o"])
            .arg(folder.path("chain.json"))
            .args(["--recipient", recipient])
            .write_stdin(data_text("queue.jsonl"))
            .ends_with(0);
        let chain = parse(&folder.read("chain.json"));
        let reward = transaction(text("0"), text(sent), number(1));
        for block in &chain.get("chain").unwrap().list()[1..] {
            let transactions = block.get("transactions").unwrap().list();
            assert_eq!(transactions.last(), Some(&reward));
            let count = transactions.iter().filter(|t| **t == reward).count();
            assert_eq!(count, 1);
        }
    }
}

#[test]
fn without_a_recipient_a_fresh_node_id_gets_every_reward() {
    let folder = Folder::new();
    let mut ids = Vec::new();
    for name in ["one.json", "two.json"] {
        fourzero()
            .args(["mine", "-", "--difficulty", "1", "-o"])
            .arg(folder.path(name))
            .write_stdin(data_text("queue.jsonl"))
            .ends_with(0);
        let chain: Value = serde_json::from_str(&folder.read(name)).unwrap();
        let blocks = chain["chain"].as_array().unwrap();
        let mut rewarded: Vec<_> = blocks[1..]
            .iter()
            .map(|block| block["transactions"].as_array().unwrap().last().unwrap())
            .map(|reward| reward["recipient"].as_str().unwrap().to_owned())
            .collect();
        rewarded.dedup();
        assert_eq!(rewarded.len(), 1, "{rewarded:?}");
        ids.extend(rewarded);
    }
    for id in &ids {
        let is_hex = id
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        assert!(id.len() == 32 && is_hex, "{id}");
        // A UUID of version 4.
        assert_eq!(&id[12..13], "4", "{id}");
    }
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn a_block_gets_the_given_timestamp_and_its_place() {
    for (given, expected) in [
        (
            "1700000000",
            ["1700000000.0", "1700000001.0", "1700000002.0"],
        ),
        ("0.5", ["0.5", "1.5", "2.5"]),
        ("-1.5", ["-1.5", "-0.5", "0.5"]),
        ("1e16", ["1e+16", "1e+16", "1.0000000000000002e+16"]),
    ] {
        let folder = Folder::new();
        fourzero()
            .args(["mine", "-", "--difficulty", "1", "--block-size", "1"])
            .args(["--timestamp", given, "-o"])
            .arg(folder.path("chain.json"))
            .write_stdin("sender,recipient,amount\na,b,1\na,b,2\n")
            .ends_with(0);
        let chain = parse(&folder.read("chain.json"));
        let blocks = chain.get("chain").unwrap().list();
        let found: Vec<_> = blocks
            .iter()
            .map(|block| block.get("timestamp").unwrap().clone())
            .collect();
        assert_eq!(found, expected.map(number));
    }
}

#[test]
fn without_a_timestamp_blocks_get_the_time_of_the_clock() {
    let now = || {
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs_f64()
    };
    let folder = Folder::new();
    let before = now();
    fourzero()
        .args(["mine", "-", "--difficulty", "1", "-o"])
        .arg(folder.path("chain.json"))
        .write_stdin(data_text("queue.jsonl"))
        .ends_with(0);
    let after = now();
    let chain: Value = serde_json::from_str(&folder.read("chain.json")).unwrap();
    let mut last = before;
    for block in chain["chain"].as_array().unwrap() {
        let timestamp = block["timestamp"].as_f64().unwrap();
        assert!((last..=after).contains(&timestamp), "{timestamp}");
        last = timestamp;
    }
}

#[test]
fn two_runs_with_a_timestamp_and_a_recipient_give_the_same_bytes() {
    let folder = Folder::new();
    let files = ["one.json", "two.json"].map(|name| {
        fourzero()
            .args(["mine", "-", "--rule", "last-hash", "--difficulty", "2"])
            .args(["--timestamp", "1700000000.125", "--recipient", "me", "-o"])
            .arg(folder.path(name))
            .write_stdin(data_text("queue.jsonl"))
            .ends_with(0);
        folder.read(name)
    });
    assert_eq!(files[0], files[1]);
}

#[test]
fn awkward_values_are_written_as_python_writes_them() {
    let queue = concat!(
        r#"{"sender": "\u00e9\ud83d\ude00\/", "recipient": "\b\f\n\r\t\"\\", "amount": 1E5}"#,
        "\n",
        r#"{"sender": "", "recipient": " ", "amount": 123456789012345678901234567890}"#,
        "\n",
        r#"{"sender": null, "recipient": [1, {"b": 1.10, "a": -0}], "amount": -1e-7}"#,
        "\n",
        r#"{"sender": true, "recipient": {}, "amount": 5e-324, "amount": 1e16}"#,
        "\n",
        r#"{"sender": 1e22, "recipient": 0.0001, "amount": 1e15}"#,
        "\n",
    );
    let transactions = [
        r#"{"amount": 100000.0, "recipient": "\b\f\n\r\t\"\\", "sender": "\u00e9\ud83d\ude00/"}"#,
        r#"{"amount": 123456789012345678901234567890, "recipient": " ", "sender": ""}"#,
        r#"{"amount": -1e-07, "recipient": [1, {"a": 0, "b": 1.1}], "sender": null}"#,
        r#"{"amount": 1e+16, "recipient": {}, "sender": true}"#,
        r#"{"amount": 1000000000000000.0, "recipient": 0.0001, "sender": 1e+22}"#,
        r#"{"amount": 1, "recipient": "me", "sender": "0"}"#,
    ];
    let folder = Folder::new();
    fourzero()
        .args(["mine", "-", "--difficulty", "1", "--recipient", "me", "-o"])
        .arg(folder.path("chain.jsonl"))
        .write_stdin(queue)
        .ends_with(0);
    let chain = folder.read("chain.jsonl");
    let expected = format!("\"transactions\": [{}]}}\n", transactions.join(", "));
    assert!(chain.ends_with(&expected), "{chain}");
    let verdict = naive_chain::verify(
        &chain.lines().map(parse).collect::<Vec<_>>(),
        Some(LAST_PROOF),
        1,
    );
    assert_eq!(verdict.fault, None);
}

#[test]
fn the_sample_queue_is_mined_and_verified_under_every_rule() {
    for rule in RULES {
        let folder = Folder::new();
        let output = folder.path("chain.json");
        fourzero()
            .args(["mine", "--rule", rule, "-o"])
            .arg(&output)
            .arg(crate::support::data("queue.jsonl"))
            .ends_with(0);
        let verdict = fourzero()
            .args(["verify", "--json"])
            .arg(&output)
            .ends_with(0)
            .one_json();
        assert_eq!(verdict["rule"], rule);
        let chain = naive::parse(&folder.read("chain.json"));
        let blocks = chain.get("chain").unwrap().list();
        assert_eq!(naive_chain::verify(blocks, Some(rule), 4).fault, None);
    }
}
