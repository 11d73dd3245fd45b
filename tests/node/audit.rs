//! The stored chain is verified at the start, and importing a good copy repairs
//! it.

use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;

use fourzero::pow::{Control, LastBlock, NonceRange, Rule, Searcher, Target};
use fourzero::sha256::{Digest, KernelChoice};
use rusqlite::Connection;
use rusqlite::types::Value;
use serde_json::json;

use crate::support::{Server, assert_verifies, node_command};

const RULE: [&str; 4] = ["--rule", "last-hash", "--difficulty", "3"];

fn start(folder: &Path) -> Server {
    Server::node(node_command(folder).args(RULE))
}

fn database(folder: &Path) -> Connection {
    Connection::open(folder.join("node.sqlite3")).unwrap()
}

/// All rows of the chain, the pending transactions and the balances.
fn rows(folder: &Path) -> Vec<Vec<Value>> {
    let database = database(folder);
    let mut all = Vec::new();
    for query in [
        "SELECT * FROM blocks ORDER BY number",
        "SELECT * FROM entries ORDER BY id",
        "SELECT name, received, sent, transactions FROM balances ORDER BY name",
    ] {
        let mut query = database.prepare(query).unwrap();
        let columns = query.column_count();
        let rows = query.query_map([], |row| {
            (0..columns).map(|column| row.get(column)).collect()
        });
        all.extend(rows.unwrap().map(Result::unwrap));
    }
    all
}

/// Imports the chain in a file into the node's data.
#[track_caller]
fn import(chain: &Path, folder: &Path) {
    assert_cmd::cargo::cargo_bin_cmd!("fourzero")
        .args(["node", "import", "--force"])
        .arg(chain)
        .args(RULE)
        .arg("--data")
        .arg(folder)
        .assert()
        .success();
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

#[test]
fn damage_is_reported_stops_mining_and_is_repaired_by_an_import() {
    let folder = tempfile::tempdir().unwrap();
    let [good, chain] = ["good", "chain.json"].map(|name| folder.path().join(name));
    {
        let mut server = start(&good);
        for sender in ["alice", "bob", "carol", "dave"] {
            let body = json!({"sender": sender, "recipient": "r", "amount": 1.5}).to_string();
            server.post("/transactions/new", &body).ok(201);
            if sender != "dave" {
                server.get("/mine").ok(200);
            }
        }
        fs::write(&chain, server.get("/chain").body).unwrap();
        server.signal("TERM");
        server.wait();
    }
    let as_it_was = rows(&good);
    let beside = "block 3: the columns beside its text";
    for (number, (damage, fault)) in [
        (
            "UPDATE blocks SET text = replace(text, 'bob', 'bot') WHERE number = 3",
            Some("block 4: previous-hash"),
        ),
        (
            "UPDATE blocks SET hash = '00' WHERE number = 3",
            Some(beside),
        ),
        (
            "UPDATE blocks SET previous_hash = '00' WHERE number = 3",
            Some(beside),
        ),
        ("UPDATE blocks SET proof = 7 WHERE number = 3", Some(beside)),
        (
            "UPDATE blocks SET timestamp = 7.0 WHERE number = 3",
            Some(beside),
        ),
        (
            "UPDATE blocks SET last_entry = last_entry - 1 WHERE number = 3",
            Some(beside),
        ),
        (
            "UPDATE entries SET amount = 999 WHERE sender = 'bob'",
            Some(beside),
        ),
        ("DELETE FROM entries WHERE sender = 'bob'", Some(beside)),
        (
            "DELETE FROM blocks WHERE number = 3",
            Some("block 3: index"),
        ),
        // The end of the chain is read before anything else.
        (
            "UPDATE blocks SET text = replace(text, 'carol', 'cosmo') WHERE number = 4",
            None,
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let data = folder.path().join(number.to_string());
        copy(&good, &data);
        assert_ne!(database(&data).execute(damage, []).unwrap(), 0, "{damage}");
        if let Some(fault) = fault {
            let mut server = start(&data);
            let health = server.wait_until("/health", |answer| answer.status == 503);
            let told = health.ok(503);
            assert_eq!(told["error"], "damaged");
            let detail = told["detail"].as_str().unwrap();
            assert!(detail.contains(fault), "{damage}: {detail}");
            // Retrying would not help.
            assert!(!health.head.contains("retry-after"), "{}", health.head);
            for path in ["/mine", "/mining/template", "/nodes/resolve"] {
                assert_eq!(server.get(path).ok(503)["error"], "damaged", "{path}");
            }
            server.signal("TERM");
            server.wait();
        } else {
            let output = node_command(&data).args(RULE).output().unwrap();
            assert_eq!(output.status.code(), Some(2));
        }
        import(&chain, &data);
        assert_eq!(rows(&data), as_it_was, "{damage}");
        let server = start(&data);
        assert_eq!(
            server.get("/balances/r").ok(200)["balance"],
            4.5,
            "{damage}"
        );
        assert_eq!(server.get("/mine").ok(200)["index"], 5, "{damage}");
        assert_verifies(&server.get("/chain").body, "last-hash", "3");
    }
}

/// The text of a chain with one block of `bytes` bytes after the first.
fn chain_with_a_block_of(bytes: usize) -> String {
    let genesis =
        r#"{"index": 1, "previous_hash": "1", "proof": 100, "timestamp": 1.0, "transactions": []}"#;
    let last = LastBlock {
        proof: b"100",
        previous_hash: b"1",
        hash: Digest::of(genesis.as_bytes()),
    };
    let searcher = Searcher::new(NonZeroUsize::MIN, KernelChoice::Measured).unwrap();
    let target = Target::from_hex_zeros(3).unwrap();
    let template = Rule::LastHash.template(&last);
    let found = searcher.find(&template, target, NonceRange::ALL, &Control::new());
    let proof = found.unwrap().hit.unwrap().nonce;
    let block = |name: &str| {
        format!(
            "{{\"index\": 2, \"previous_hash\": \"{}\", \"proof\": {proof}, \"timestamp\": 2.0, \
             \"transactions\": [{{\"amount\": 1, \"recipient\": \"r\", \"sender\": \"{name}\"}}]}}",
            last.hash
        )
    };
    let name = "x".repeat(bytes - block("").len());
    format!("[{genesis}, {}]", block(&name))
}

#[test]
fn a_transaction_too_large_for_a_block_of_ours_does_not_become_pending() {
    let folder = tempfile::tempdir().unwrap();
    let [chain, data] = ["c.json", "data"].map(|name| folder.path().join(name));
    // The longest block there can be: a reward would not fit.
    for bytes in [32 << 20, 1 << 10] {
        fs::write(&chain, chain_with_a_block_of(bytes)).unwrap();
        import(&chain, &data);
    }
    let mut server = start(&data);
    assert_eq!(server.get("/transactions/pending").ok(200)["count"], 0);
    assert_eq!(server.get("/mine").ok(200)["index"], 3);
    server.signal("TERM");
    server.wait();
    assert_eq!(start(&data).get("/blocks/latest").ok(200)["index"], 3);
}

#[test]
fn a_pending_transaction_that_is_not_json_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    {
        let server = start(folder.path());
        let body = json!({"sender": "s", "recipient": "r", "amount": 1}).to_string();
        server.post("/transactions/new", &body).ok(201);
    }
    let damage = "UPDATE entries SET amount = x'7b'";
    assert_eq!(database(folder.path()).execute(damage, []).unwrap(), 1);
    let output = node_command(folder.path()).args(RULE).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("the amount of a transaction"), "{stderr}");
}
