//! Balances are exact and always match the chain.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::{PATIENCE, Server, node_command};

/// Amounts in JSON, and in units of 10^-7.
const AMOUNTS: [(&str, i128); 7] = [
    ("0.1", 1_000_000),
    ("0.2", 2_000_000),
    ("7", 70_000_000),
    ("-3.5", -35_000_000),
    ("1e-07", 1),
    ("12345678901234567890", 123_456_789_012_345_678_900_000_000),
    ("\"many\"", 0),
];

const NAMES: [&str; 4] = ["ann", "b\u{e9}a", "carl/2", "5"];

fn start(data: &Path) -> Server {
    Server::node(node_command(data).args(["--difficulty", "2"]))
}

/// Adds transactions between all names and mines, `rounds` times. Returns what
/// each name received minus what it sent.
fn trade(server: &Server, rounds: usize) -> [i128; 4] {
    let mut balances = [0; 4];
    for round in 0..rounds {
        for (place, (amount, value)) in AMOUNTS.iter().enumerate() {
            let [from, to] = [(round + place) % 4, (round * place) % 4];
            let [sender, recipient] = [from, to].map(|name| json!(NAMES[name]));
            let body = format!(
                "{{\"sender\": {sender}, \"recipient\": {recipient}, \"amount\": {amount}}}"
            );
            server.post("/transactions/new", &body).ok(201);
            balances[from] -= value;
            balances[to] += value;
        }
        // A number is not a name.
        let body = "{\"sender\": 5, \"recipient\": 5, \"amount\": 1000}";
        server.post("/transactions/new", body).ok(201);
        server.get("/mine").ok(200);
    }
    balances
}

pub(crate) fn path(name: &str) -> String {
    let encoded: String = name.bytes().map(|byte| format!("%{byte:02x}")).collect();
    format!("/balances/{encoded}")
}

/// A number of units of 10^-7 as a decimal number.
fn decimal(units: i128) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let text = format!("{:08}", units.abs());
    let (whole, fraction) = text.split_at(text.len() - 7);
    let text = format!("{sign}{whole}.{fraction}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[track_caller]
fn assert_balances(server: &Server, expected: [i128; 4]) {
    for (name, units) in NAMES.iter().zip(expected) {
        let answer = server.get(&path(name)).body;
        let start = format!("{{\"balance\": {}, ", decimal(units));
        assert!(answer.starts_with(&start), "{start} in {answer}");
    }
}

/// Compares all balances with those that `fourzero inspect` computes from the
/// chain.
#[track_caller]
pub(crate) fn assert_balances_are_of_the_chain(server: &Server) {
    let output = assert_cmd::cargo::cargo_bin_cmd!("fourzero")
        .args(["inspect", "-", "--json", "--top", "1000"])
        .write_stdin(server.get("/chain").body)
        .timeout(PATIENCE)
        .output()
        .unwrap();
    let inspected: Value = serde_json::from_slice(&output.stdout).unwrap();
    let holders = inspected["balances"]["top"].as_array().unwrap();
    assert!(!holders.is_empty());
    for holder in holders {
        let Some(name) = holder["name"].as_str() else {
            continue;
        };
        let answer = server.get(&path(name));
        let start = format!("{{\"balance\": {}, ", holder["balance"].as_str().unwrap());
        assert!(answer.body.starts_with(&start), "{start} in {answer:?}");
        assert_eq!(
            answer.json()["transactions"],
            holder["transactions"],
            "{name}"
        );
    }
}

fn database(data: &Path) -> Connection {
    Connection::open(data.join("node.sqlite3")).unwrap()
}

pub(crate) fn stop(mut server: Server) {
    server.signal("TERM");
    server.wait();
}

#[test]
fn balances_stay_exact_over_restarts_and_kills() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let server = start(data);
    let mut expected = trade(&server, 5);
    assert_balances(&server, expected);
    let count = server.get(&path("ann")).ok(200)["transactions"].clone();
    assert!(count.as_u64() > Some(5), "{count}");
    stop(server);

    let mut server = start(data);
    for (sum, new) in expected.iter_mut().zip(trade(&server, 3)) {
        *sum += new;
    }
    // A pending transaction is in no balance, before and after a kill.
    let body = json!({"sender": "ann", "recipient": "carl/2", "amount": 1.5}).to_string();
    server.post("/transactions/new", &body).ok(201);
    assert_balances(&server, expected);
    server.kill();
    let server = start(data);
    assert_balances(&server, expected);
    server.get("/mine").ok(200);
    expected[0] -= 15_000_000;
    expected[2] += 15_000_000;
    assert_balances(&server, expected);
    assert_balances_are_of_the_chain(&server);
}

#[test]
fn balances_are_those_of_the_chain_that_replaced_ours() {
    let folder = tempfile::tempdir().unwrap();
    let [ours, theirs] = ["ours", "theirs"].map(|name| folder.path().join(name));
    let server = start(&ours);
    trade(&server, 4);
    let other = start(&theirs);
    let expected = trade(&other, 7);
    let nodes = json!({"nodes": [other.address]}).to_string();
    server.post("/nodes/register", &nodes).ok(201);
    let answer = server.get("/nodes/resolve").ok(200);
    assert_eq!(answer["message"], "Our chain was replaced");
    assert_balances(&server, expected);
    assert_balances_are_of_the_chain(&server);
    // All transactions that the node took are in blocks or pending, so after
    // the next block the table holds exactly what a rebuild would compute.
    server.get("/mine").ok(200);
    assert_balances_are_of_the_chain(&server);
}

#[test]
fn a_database_without_balances_gets_them() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let server = start(data);
    let expected = trade(&server, 3);
    let body = json!({"sender": "ann", "recipient": "ann", "amount": 1.5}).to_string();
    server.post("/transactions/new", &body).ok(201);
    stop(server);
    // The tables of version 1.
    database(data)
        .execute_batch(
            "DROP TABLE balances; DELETE FROM meta WHERE key = 'round'; PRAGMA user_version = 1",
        )
        .unwrap();
    let old = data.join("balances.sqlite3");
    fs::write(&old, "sums").unwrap();

    let server = start(data);
    assert!(!old.exists());
    assert_balances(&server, expected);
    server.get("/mine").ok(200);
    assert_balances_are_of_the_chain(&server);
    stop(server);
    // An unknown version is refused.
    database(data)
        .execute_batch("PRAGMA user_version = 3")
        .unwrap();
    let output = node_command(data).args(["--difficulty", "2"]).output();
    assert_eq!(output.unwrap().status.code(), Some(2));
}
