//! A longer chain replaces ours step by step. Other changes are made meanwhile,
//! and a replacement that stops halfway loses nothing.

use std::path::Path;
use std::sync::OnceLock;
use std::thread;

use serde_json::Value;

use crate::balances::assert_balances_are_of_the_chain;
use crate::peers::{add, fake_peer, http, pending_senders, register};
use crate::support::{Answer, Server, assert_verifies, node_command};

/// Blocks of the longer chain: far more than one step appends.
const BLOCKS: u64 = 20_001;

/// A chain of five transactions a block, as `/chain` answers it.
fn long_chain() -> &'static str {
    static CHAIN: OnceLock<String> = OnceLock::new();
    CHAIN.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let transaction = |amount: u64| {
            format!("{{\"sender\": \"a\", \"recipient\": \"b\", \"amount\": {amount}}}\n")
        };
        let queue: String = (0..5 * (BLOCKS - 1)).map(transaction).collect();
        std::fs::write(folder.path().join("queue.jsonl"), queue).unwrap();
        assert_cmd::cargo::cargo_bin_cmd!("fourzero")
            .current_dir(&folder)
            .args([
                "mine",
                "queue.jsonl",
                "-o",
                "chain.json",
                "--rule",
                "last-hash",
            ])
            .args(["--difficulty", "1", "--block-size", "5", "--no-verify"])
            .assert()
            .success();
        std::fs::read_to_string(folder.path().join("chain.json")).unwrap()
    })
}

/// Blocks of the long chain before the gate.
const PART: u64 = 100;

/// Registering this peer opens the gate. Nothing listens at its address.
const OPEN: &str = "127.0.0.1:1";

/// A node with a peer that has the long chain. A gate in its database makes
/// SQLite count for a while before each further block, until the gate opens. With
/// a closed gate, the whole chain would take minutes.
fn node(data: &Path) -> Server {
    let server = start(data);
    let gate = format!(
        "CREATE VIEW pause AS WITH RECURSIVE counted (number) AS
             (SELECT 1 UNION ALL SELECT number + 1 FROM counted WHERE number < 60000)
             SELECT max(number) AS number FROM counted;
         CREATE TRIGGER gate BEFORE INSERT ON blocks WHEN NEW.number > {PART}
             AND NOT EXISTS (SELECT 1 FROM peers WHERE node = '{OPEN}')
             BEGIN SELECT number FROM pause; END;"
    );
    database(data).execute_batch(&gate).unwrap();
    register(&server, &[&fake_peer(http(long_chain()))]);
    server
}

fn database(data: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(data.join("node.sqlite3")).unwrap()
}

fn start(data: &Path) -> Server {
    Server::node(node_command(data).args(["--difficulty", "1", "--rule", "last-hash"]))
}

fn length(server: &Server) -> u64 {
    server.get("/blocks/latest").ok(200)["index"]
        .as_u64()
        .unwrap()
}

/// Waits until our chain is a part of the long one.
fn wait_for_a_part(server: &Server) {
    let is_part = |latest: &Answer| latest.ok(200)["index"].as_u64() >= Some(PART);
    server.wait_until("/blocks/latest", is_part);
}

fn senders(block: &Value) -> impl Iterator<Item = &str> {
    let transactions = block["transactions"].as_array().unwrap();
    transactions
        .iter()
        .map(|one| one["sender"].as_str().unwrap())
}

#[test]
fn other_changes_are_made_while_a_longer_chain_replaces_ours() {
    let folder = tempfile::tempdir().unwrap();
    let server = node(folder.path());
    add(&server, "before");
    let mut sent = vec!["before".to_owned()];
    let mut lengths = Vec::new();
    let mined = thread::scope(|scope| {
        let resolving = scope.spawn(|| server.get("/nodes/resolve").ok(200));
        wait_for_a_part(&server);
        // Mining waits for the whole chain.
        let mining = scope.spawn(|| server.get("/mine").ok(200));
        for _ in 0..5 {
            sent.push(format!("s{}", sent.len()));
            add(&server, sent.last().unwrap());
            lengths.push(length(&server));
        }
        assert!(!resolving.is_finished() && !mining.is_finished());
        register(&server, &[OPEN]);
        let answer = resolving.join().unwrap();
        assert_eq!(answer["message"], "Our chain was replaced");
        mining.join().unwrap()
    });
    assert!(lengths.is_sorted(), "{lengths:?}");
    assert!(lengths.last() < Some(&BLOCKS), "{lengths:?}");

    assert_eq!(mined["index"], BLOCKS + 1);
    let mut found: Vec<_> = senders(&mined).map(str::to_owned).collect();
    assert_eq!(found.pop().as_deref(), Some("0"));
    found.extend(pending_senders(&server));
    assert_eq!(found, sent);
    assert_balances_are_of_the_chain(&server);
    assert_verifies(&server.get("/chain").body, "last-hash", "1");
}

#[test]
fn a_kill_halfway_leaves_a_longer_chain_and_all_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = node(folder.path());
    add(&server, "before");
    let length_before = thread::scope(|scope| {
        let address = server.address.clone();
        scope.spawn(move || crate::support::request(&address, "GET", "/nodes/resolve", &[], ""));
        wait_for_a_part(&server);
        add(&server, "meanwhile");
        let length = length(&server);
        server.kill();
        length
    });
    let server = start(folder.path());
    let left = length(&server);
    assert!(
        (length_before..BLOCKS).contains(&left),
        "{left} of {length_before}"
    );
    assert_verifies(&server.get("/chain").body, "last-hash", "1");
    assert_eq!(pending_senders(&server), ["before", "meanwhile"]);
    assert_balances_are_of_the_chain(&server);
    // The peer is still known, and its chain is longer.
    register(&server, &[OPEN]);
    server.get("/nodes/resolve").ok(200);
    assert_eq!(length(&server), BLOCKS);
    assert_eq!(pending_senders(&server), ["before", "meanwhile"]);
}

#[test]
fn after_a_failure_halfway_the_part_stays_and_mining_continues() {
    let folder = tempfile::tempdir().unwrap();
    let server = node(folder.path());
    add(&server, "before");
    // Once the gate is open, inserts fail as on a full disk.
    let full = format!(
        "CREATE TRIGGER full BEFORE INSERT ON blocks
         WHEN EXISTS (SELECT 1 FROM peers WHERE node = '{OPEN}')
         BEGIN SELECT RAISE(FAIL, 'as a full disk'); END"
    );
    let database = database(folder.path());
    database.execute_batch(&full).unwrap();
    thread::scope(|scope| {
        let resolving = scope.spawn(|| server.get("/nodes/resolve").ok(503));
        wait_for_a_part(&server);
        register(&server, &[OPEN]);
        assert_eq!(resolving.join().unwrap()["error"], "storage");
    });
    database.execute_batch("DROP TRIGGER full").unwrap();
    let left = length(&server);
    assert!((PART..BLOCKS).contains(&left), "{left}");
    let mined = server.get("/mine").ok(200);
    assert_eq!(mined["index"], left + 1);
    assert_eq!(senders(&mined).collect::<Vec<_>>(), ["before", "0"]);
    assert_verifies(&server.get("/chain").body, "last-hash", "1");
    server.get("/nodes/resolve").ok(200);
    assert_eq!(length(&server), BLOCKS);
    // Our block was dropped.
    assert_eq!(pending_senders(&server), ["before"]);
    assert_balances_are_of_the_chain(&server);
}
