//! Balances: exact, whether they were kept up or are added up on the spot.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use serde_json::json;

use crate::support::{Server, node_command};

/// Amounts as JSON writes them, and what they are in units of 10^-7.
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

/// Adds transactions between all names and mines, `rounds` times. Gives what
/// each name received less what it sent.
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
        // A number is no name.
        let body = "{\"sender\": 5, \"recipient\": 5, \"amount\": 1000}";
        server.post("/transactions/new", body).ok(201);
        server.get("/mine").ok(200);
    }
    balances
}

fn path(name: &str) -> String {
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

fn sums(data: &Path) -> Connection {
    Connection::open(data.join("balances.sqlite3")).unwrap()
}

/// Waits until the sums hold the whole chain.
fn wait_for_sums(server: &Server, data: &Path) {
    let length = server.get("/health").ok(200)["length"].as_i64().unwrap();
    let sums = sums(data);
    server.wait_until("/health", |_| {
        let block: i64 = sums
            .query_row("SELECT block FROM progress", [], |row| row.get(0))
            .unwrap();
        block == length
    });
}

/// Changes the stored sum of a name, to see whether it is read.
fn mark(data: &Path) {
    let changed = sums(data)
        .execute(
            "UPDATE balances SET received = '4321', sent = '0' WHERE name = 'ann'",
            [],
        )
        .unwrap();
    assert_eq!(changed, 1);
}

fn is_marked(server: &Server) -> bool {
    server.get(&path("ann")).ok(200)["balance"] == 4321
}

#[test]
fn balances_are_the_same_before_and_after_they_are_kept_up() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let mut server = start(data);
    let mut expected = trade(&server, 5);
    assert_balances(&server, expected);
    wait_for_sums(&server, data);
    assert_balances(&server, expected);
    let count = server.get(&path("ann")).ok(200)["transactions"].clone();
    assert!(count.as_u64() > Some(5), "{count}");

    // They go on after a restart, and are read.
    server.signal("TERM");
    server.wait();
    let mut server = start(data);
    for (sum, new) in expected.iter_mut().zip(trade(&server, 3)) {
        *sum += new;
    }
    assert_balances(&server, expected);
    wait_for_sums(&server, data);
    assert_balances(&server, expected);
    mark(data);
    assert!(is_marked(&server));

    // Lost or spoilt, they are made anew.
    for spoil in [None, Some("no database")] {
        server.signal("TERM");
        server.wait();
        mark(data);
        let file = data.join("balances.sqlite3");
        match spoil {
            None => fs::remove_file(file).unwrap(),
            Some(text) => fs::write(file, text.repeat(1000)).unwrap(),
        }
        server = start(data);
        assert_balances(&server, expected);
        wait_for_sums(&server, data);
        assert_balances(&server, expected);
    }
}

#[test]
fn balances_are_those_of_the_chain_that_replaced_ours() {
    let folder = tempfile::tempdir().unwrap();
    let [ours, theirs] = ["ours", "theirs"].map(|name| folder.path().join(name));
    let server = start(&ours);
    trade(&server, 4);
    wait_for_sums(&server, &ours);
    let other = start(&theirs);
    let expected = trade(&other, 7);
    let nodes = json!({"nodes": [other.address]}).to_string();
    server.post("/nodes/register", &nodes).ok(201);
    let answer = server.get("/nodes/resolve").ok(200);
    assert_eq!(answer["message"], "Our chain was replaced");
    assert_balances(&server, expected);
    wait_for_sums(&server, &ours);
    assert_balances(&server, expected);

    // Sums of another chain, even of as many blocks, are not believed.
    let mut server = server;
    server.signal("TERM");
    server.wait();
    {
        let sums = sums(&ours);
        sums.execute("UPDATE progress SET hash = 'of another chain'", [])
            .unwrap();
    }
    mark(&ours);
    let server = start(&ours);
    assert_balances(&server, expected);
}
