//! Protects consensus: nodes reach one chain, and bad peers are skipped.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use serde_json::{Value, json};

use crate::support::{Server, assert_verifies, node_command, post, request};

fn node(folder: &std::path::Path, rule: &str) -> Server {
    Server::node(node_command(folder).args(["--difficulty", "3", "--rule", rule]))
}

fn mine(server: &Server, times: usize) {
    for _ in 0..times {
        server.get("/mine").ok(200);
    }
}

pub(crate) fn add(server: &Server, sender: &str) {
    let body = json!({"sender": sender, "recipient": "r", "amount": 1.5}).to_string();
    server.post("/transactions/new", &body).ok(201);
}

pub(crate) fn register(server: &Server, peers: &[&str]) {
    let body = json!({ "nodes": peers }).to_string();
    server.post("/nodes/register", &body).ok(201);
}

fn chain(server: &Server) -> Value {
    server.get("/chain").ok(200)["chain"].clone()
}

pub(crate) fn pending_senders(server: &Server) -> Vec<String> {
    let pending = server.get("/transactions/pending").ok(200);
    let transactions = pending["transactions"].as_array().unwrap();
    transactions
        .iter()
        .map(|transaction| transaction["sender"].as_str().unwrap().to_owned())
        .collect()
}

/// A peer that answers every request with the same bytes.
pub(crate) fn fake_peer(answer: impl Into<Vec<u8>>) -> String {
    let answer = answer.into();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(&answer);
        }
    });
    address
}

pub(crate) fn http(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

#[test]
fn three_nodes_one_of_them_flask_reach_one_chain() {
    for rule in ["last-proof", "last-hash", "previous-hash"] {
        let Some(flask) = Server::flask(rule) else {
            return;
        };
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let [ours, other] = folders.each_ref().map(|folder| node(folder.path(), rule));
        let addresses = [&flask, &ours, &other].map(|server| server.address.clone());
        for server in [&flask, &ours, &other] {
            let peers: Vec<_> = addresses
                .iter()
                .filter(|address| **address != server.address)
                .map(|address| format!("http://{address}"))
                .collect();
            let body = json!({ "nodes": peers }).to_string();
            let answer = server.post("/nodes/register", &body).ok(201);
            assert_eq!(answer["total_nodes"].as_array().unwrap().len(), 2);
        }
        let replaced = "Our chain was replaced";

        // Our node takes Python's chain, with Python's own spellings.
        let odd = r#"{"sender": "é😀\u007f", "recipient": [1.50, null], "amount": 1e-7}"#;
        flask.post("/transactions/new", odd).ok(201);
        mine(&flask, 3);
        let answer = ours.get("/nodes/resolve").ok(200);
        assert_eq!(answer["message"], replaced);
        assert_eq!(answer["new_chain"], chain(&flask));

        // Python and the other node take ours.
        ours.post("/transactions/new", odd).ok(201);
        mine(&ours, 2);
        let answer = flask.get("/nodes/resolve").ok(200);
        assert_eq!(answer["message"], replaced, "{rule}");
        assert_eq!(answer["new_chain"], chain(&ours));
        assert_eq!(other.get("/nodes/resolve").ok(200)["message"], replaced);

        for server in [&flask, &ours, &other] {
            let answer = server.get("/nodes/resolve").ok(200);
            assert_eq!(answer["message"], "Our chain is authoritative");
            assert_eq!(answer["chain"], chain(&ours));
            assert_verifies(&server.get("/chain").body, rule, "3");
        }
    }
}

#[test]
fn flask_and_the_node_answer_the_five_calls_alike() {
    let Some(flask) = Server::flask("last-proof") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let ours = node(folder.path(), "last-proof");
    let odd = r#"{"sender": "é", "recipient": "", "amount": 1E2, "note": "dropped"}"#;
    for (method, path, body) in [
        ("GET", "/chain", ""),
        ("POST", "/transactions/new", odd),
        ("POST", "/transactions/new", "{}"),
        ("GET", "/mine", ""),
        ("GET", "/mine", ""),
        (
            "POST",
            "/nodes/register",
            r#"{"nodes": ["http://127.0.0.1:9"]}"#,
        ),
        ("POST", "/nodes/register", r#"{"nodes": ["127.0.0.1:9"]}"#),
        ("POST", "/nodes/register", "{}"),
        ("GET", "/chain", ""),
    ] {
        let headers: &[_] = match method {
            "POST" => &["Content-Type: application/json"],
            _ => &[],
        };
        let [theirs, ours] = [&flask, &ours].map(|server| {
            let answer = request(&server.address, method, path, headers, body).unwrap();
            let content_type = answer
                .head
                .lines()
                .find(|line| line.starts_with("content-type"))
                .unwrap()
                .to_owned();
            let body = match serde_json::from_str(&answer.body) {
                Ok(value) => without_chance(value),
                Err(_) => Value::String(answer.body),
            };
            (answer.status, content_type, body)
        });
        assert_eq!(ours, theirs, "{method} {path} {body}");
    }
}

/// An answer without the values that differ per node: times, ids and hashes.
fn without_chance(mut value: Value) -> Value {
    fn visit(value: &mut Value) {
        match value {
            Value::Array(elements) => elements.iter_mut().for_each(visit),
            Value::Object(members) => {
                for (key, member) in members {
                    match (key.as_str(), &member) {
                        ("timestamp", Value::Number(number)) => {
                            assert!(number.is_f64());
                            *member = Value::Null;
                        }
                        ("previous_hash" | "recipient", Value::String(text)) => {
                            *member = json!(text.len());
                        }
                        _ => visit(member),
                    }
                }
            }
            _ => {}
        }
    }
    visit(&mut value);
    value
}

#[test]
fn pending_transactions_stay_unless_the_new_chain_holds_them() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [ours, theirs] = folders
        .each_ref()
        .map(|folder| node(folder.path(), "last-hash"));
    register(&ours, &[&theirs.address]);
    // Only our chain has "mined"; both have "both", ours twice.
    add(&ours, "mined");
    mine(&ours, 1);
    for sender in ["pending", "both", "both"] {
        add(&ours, sender);
    }
    add(&theirs, "both");
    mine(&theirs, 2);
    ours.get("/nodes/resolve").ok(200);
    assert_eq!(chain(&ours), chain(&theirs));
    assert_eq!(pending_senders(&ours), ["mined", "pending", "both"]);

    // From here on they share the chain. A transaction in the shared part does
    // not count as an equal pending one.
    add(&ours, "both");
    mine(&theirs, 1);
    ours.get("/nodes/resolve").ok(200);
    assert_eq!(pending_senders(&ours), ["mined", "pending", "both", "both"]);
    mine(&ours, 1);
    assert_eq!(pending_senders(&ours), [""; 0]);
    assert_verifies(&ours.get("/chain").body, "last-hash", "3");
}

#[test]
fn a_dead_or_lying_peer_is_skipped_and_named() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [honest, scratch] = folders
        .each_ref()
        .map(|folder| node(folder.path(), "last-hash"));
    mine(&honest, 2);
    mine(&scratch, 4);
    let text = scratch.get("/chain").body;
    let tip = scratch.get("/blocks/latest").body.trim_end().to_owned();
    let longer = text.replace("\"length\": 5", "\"length\": 500");
    let forged = text.replacen("\"amount\": 1,", "\"amount\": 9,", 1);
    let no_genesis = text.replace("\"proof\": 100,", "\"proof\": 100.0,");
    let repeated = text.replace(&tip, &format!("{tip}, {tip}"));
    let redirect = format!(
        "HTTP/1.1 302 Found\r\nLocation: http://{}/chain\r\nContent-Length: 0\r\n\r\n",
        scratch.address
    );
    let cut = http(&text);
    let cut = cut[..cut.len() / 2].to_owned();
    let endless = "HTTP/1.1 200 OK\r\n\r\n".to_owned() + &"[".repeat(5 << 20);
    let peers = [
        ("127.0.0.1:1".to_owned(), "connect"),
        (fake_peer(http(&longer)), "length"),
        (fake_peer(http(&forged)), "previous-hash"),
        (fake_peer(http(&no_genesis)), "proof"),
        (fake_peer(http(&repeated)), "index"),
        (fake_peer(redirect), "302"),
        (
            fake_peer("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"),
            "500",
        ),
        (fake_peer("no http"), "HTTP"),
        (fake_peer(http("no json")), "cannot be read"),
        (fake_peer(http("{}")), ""),
        (fake_peer(cut), ""),
        (fake_peer(endless), "1000000 bytes"),
        (honest.address.clone(), ""),
    ];

    let folder = tempfile::tempdir().unwrap();
    let mut command = node_command(folder.path());
    command.args([
        "--difficulty",
        "3",
        "--rule",
        "last-hash",
        "--max-chain",
        "1000000",
    ]);
    let ours = Server::node(&mut command);
    let addresses: Vec<_> = peers.iter().map(|(peer, _)| peer.as_str()).collect();
    register(&ours, &addresses);
    let answer = ours.get("/nodes/resolve").ok(200);
    assert_eq!(answer["message"], "Our chain was replaced");
    assert_eq!(answer["new_chain"], chain(&honest));

    let visits = ours.get("/nodes").ok(200);
    for (peer, reason) in &peers {
        let all = visits["nodes"].as_array().unwrap();
        let node = all.iter().find(|node| node["node"] == **peer).unwrap();
        let visit = &node["last_visit"];
        if *peer == honest.address {
            assert_eq!(visit["length"], 3);
            assert_eq!(visit["error"], Value::Null);
        } else {
            let error = visit["error"].as_str().unwrap();
            assert!(error.contains(reason), "{reason} in {error}");
        }
    }
}

#[test]
fn a_slow_peer_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let peer = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n{\"chain\": [");
            // Sends a little all the time and never ends.
            while stream.write_all(b" ").is_ok() {
                thread::sleep(std::time::Duration::from_millis(20));
            }
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let mut command = node_command(folder.path());
    let ours = Server::node(command.args(["--difficulty", "3", "--peer-timeout", "1"]));
    register(&ours, &[&peer]);
    let answer = ours.get("/nodes/resolve").ok(200);
    assert_eq!(answer["message"], "Our chain is authoritative");
    let visits = ours.get("/nodes").ok(200);
    let error = visits["nodes"][0]["last_visit"]["error"].as_str().unwrap();
    assert!(error.contains("more than 1 s"), "{error}");
}

#[test]
fn a_chain_with_another_first_block_is_refused() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let chain = folders[0].path().join("chain.jsonl");
    // Valid under the rule, but the proof of its first block is not 100. The
    // second proof fits the first.
    let first = json!({"index": 1, "previous_hash": "1", "proof": 35293,
        "timestamp": 0.0, "transactions": []});
    let text = python_text(&first);
    let second = json!({"index": 2, "proof": 35089, "timestamp": 1.0, "transactions": [],
        "previous_hash": fourzero::sha256::Digest::of(text.as_bytes()).to_string()});
    std::fs::write(&chain, format!("{text}\n{}\n", python_text(&second))).unwrap();
    let body = std::fs::read_to_string(&chain).unwrap();
    assert_verifies(&body, "last-proof", "3");

    let ours = node(&folders[1].path().join("data"), "last-proof");
    let peer = fake_peer(http(&body));
    register(&ours, &[&peer]);
    let answer = ours.get("/nodes/resolve").ok(200);
    assert_eq!(answer["message"], "Our chain is authoritative");
    let visits = ours.get("/nodes").ok(200);
    let error = visits["nodes"][0]["last_visit"]["error"].as_str().unwrap();
    assert!(error.contains("35293, expected 100"), "{error}");
}

fn python_text(value: &Value) -> String {
    fourzero::chain::json::canonical(value.to_string().as_bytes()).unwrap()
}

#[test]
fn a_node_that_is_its_own_peer_keeps_its_chain() {
    let folder = tempfile::tempdir().unwrap();
    let ours = node(folder.path(), "last-proof");
    register(
        &ours,
        &[&ours.address, &format!("http://{}/", ours.address)],
    );
    mine(&ours, 1);
    let answer = ours.get("/nodes/resolve").ok(200);
    assert_eq!(answer["message"], "Our chain is authoritative");
    let nodes = ours.get("/nodes").ok(200);
    assert_eq!(nodes["nodes"].as_array().unwrap().len(), 1);
    assert!(post(&ours.address, "/nodes/register", "{}").is_ok());
}

#[test]
fn a_transaction_from_0_that_is_not_the_reward_becomes_pending_again() {
    let folder = tempfile::tempdir().unwrap();
    let [ours, theirs] = ["a", "b"].map(|name| node(&folder.path().join(name), "last-hash"));
    add(&ours, "0");
    add(&ours, "dave");
    mine(&ours, 1);
    mine(&theirs, 2);
    register(&ours, &[&theirs.address]);
    ours.get("/nodes/resolve").ok(200);
    assert_eq!(chain(&ours), chain(&theirs));
    assert_eq!(pending_senders(&ours), ["0", "dave"]);
}

#[test]
fn a_node_registered_twice_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let server = node(folder.path(), "last-proof");
    let nodes = |numbers: std::ops::Range<usize>| {
        let nodes: Vec<_> = numbers
            .map(|number| format!("http://h:{}", 1 + number))
            .collect();
        server.post("/nodes/register", &json!({ "nodes": nodes }).to_string())
    };
    for _ in 0..2 {
        assert_eq!(
            nodes(0..600).ok(201)["total_nodes"]
                .as_array()
                .unwrap()
                .len(),
            600
        );
    }
    nodes(400..1000).ok(201);
    let refused = nodes(999..1001).ok(422);
    assert!(
        refused["detail"].as_str().unwrap().contains("1000"),
        "{refused}"
    );
    let known = server.get("/nodes").ok(200);
    assert_eq!(
        known["nodes"].as_array().map(Vec::len),
        Some(1000),
        "{known}"
    );
}

#[test]
fn health_fails_from_a_failed_commit_until_one_succeeds() {
    let folder = tempfile::tempdir().unwrap();
    let [ours, theirs] = ["a", "b"].map(|name| folder.path().join(name));
    let log = folder.path().join("log");
    let mut command = node_command(&ours);
    command.args(["--difficulty", "3", "--rule", "last-hash"]);
    let server = Server::node(command.stderr(std::fs::File::create(&log).unwrap()));
    let other = node(&theirs, "last-hash");
    mine(&other, 1);
    register(&server, &[&other.address]);
    let body = json!({"sender": "s", "recipient": "r", "amount": 1}).to_string();
    let locked = rusqlite::Connection::open(ours.join("node.sqlite3")).unwrap();
    locked.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(
        server.post("/transactions/new", &body).ok(503)["error"],
        "storage"
    );
    assert_eq!(server.get("/health").ok(503)["error"], "storage");
    assert_eq!(server.get("/nodes/resolve").ok(503)["error"], "storage");
    assert_eq!(server.get("/health").ok(503)["error"], "storage");
    locked.execute_batch("ROLLBACK").unwrap();
    server.get("/nodes/resolve").ok(200);
    assert_eq!(server.get("/health").ok(200)["length"], 2);
    server.post("/transactions/new", &body).ok(201);
    assert_eq!(pending_senders(&server), ["s"]);
    let log = std::fs::read_to_string(log).unwrap();
    let said: Vec<_> = log
        .lines()
        .map(|line| line.split_once(" ERROR ").unwrap().1)
        .map(|said| said.split_once(" error=").unwrap().0)
        .collect();
    assert_eq!(said, ["a commit failed", "replacing the chain failed"]);
}
