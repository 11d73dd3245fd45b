//! Protects what a strict node refuses, and that with `--no-overdraft` nobody
//! sends what they do not have: in new transactions, in peers' chains, in
//! imported chains, and in what was pending before.

use std::fs;
use std::path::Path;

use fourzero::chain::{FaultKind, Strictness};
use fourzero::node::{IfOccupied, NodeConfig, NodeError, Overdraft, import};
use fourzero::pow::{Control, Target};
use futures_util::future::join_all;
use serde_json::json;

use crate::balances::{assert_balances_are_of_the_chain, stop};
use crate::fixture::{Fixture, Reply};
use crate::peers::{fake_peer, http, register};
use crate::support::{Server, node_command};

/// A change of a node's configuration.
type Change = fn(&mut NodeConfig);

pub(crate) const NEW: &str = "/transactions/new";

pub(crate) fn transfer(sender: &str, recipient: &str, amount: &str) -> String {
    let [sender, recipient] = [sender, recipient].map(|name| json!(name));
    format!("{{\"sender\": {sender}, \"recipient\": {recipient}, \"amount\": {amount}}}")
}

pub(crate) fn careful(config: &mut NodeConfig) {
    config.overdraft = Overdraft::Refused;
    config.node_id = Some("miner".to_owned());
    config.target = Target::from_hex_zeros(1).unwrap();
}

#[tokio::test]
async fn a_strict_node_answers_400_with_the_field_and_the_value() {
    let fixture = Fixture::with(|config| config.strictness = Strictness::Strict);
    let long = "7".repeat(1000);
    for (sender, recipient, amount, field, found) in [
        ("1", "\"b\"", "5", "sender", "1"),
        ("\"\"", "\"b\"", "5", "sender", "\"\""),
        ("\"a\"", "null", "5", "recipient", "null"),
        ("\"a\"", "\" \\n\"", "5", "recipient", "\" \\n\""),
        ("\"a\"", "\"b\"", "\"5\"", "amount", "\"5\""),
        ("\"a\"", "\"b\"", "true", "amount", "true"),
        ("\"a\"", "\"b\"", "0", "amount", "0"),
        ("\"a\"", "\"b\"", "-0", "amount", "0"),
        ("\"a\"", "\"b\"", "-0.0", "amount", "-0.0"),
        ("\"a\"", "\"b\"", "1e-400", "amount", "0.0"),
        ("\"a\"", "\"b\"", "-2.50", "amount", "-2.5"),
    ] {
        let body =
            format!("{{\"sender\": {sender}, \"recipient\": {recipient}, \"amount\": {amount}}}");
        let reply = fixture.post(NEW, body).await;
        assert_eq!(reply.status, 400, "{}", reply.body);
        let start = format!("the field \"{field}\" is {found}, expected ");
        assert!(reply.body.starts_with(&start), "{start} in {}", reply.body);
        assert_eq!(reply.headers["content-type"], "text/html; charset=utf-8");
    }
    for amount in ["1", "0.1", "5e-324", "1E2", long.as_str()] {
        fixture.post(NEW, transfer("a", "b", amount)).await.ok(201);
    }
    for amount in ["NaN", "Infinity", "-Infinity", "1e400"] {
        let reply = fixture.post(NEW, transfer("a", "b", amount)).await;
        assert_eq!(reply.error(400).0, "bad_request");
    }
    assert_eq!(fixture.node.pending(), 5);
    // The reward is a transaction that every node takes.
    assert_eq!(fixture.get("/mine").await.status, 200);
}

#[tokio::test]
async fn a_sender_has_what_came_from_blocks_and_pending_transactions() {
    let fixture = Fixture::with(careful);
    let post = async |sender, recipient, amount| {
        fixture.post(NEW, transfer(sender, recipient, amount)).await
    };
    let refused = |reply: Reply, sender: &str, balance: &str, amount: &str| {
        let (code, detail) = reply.error(409);
        assert_eq!(code, "overdraft");
        for part in [sender, balance, amount] {
            assert!(detail.contains(part), "{part} in {detail}");
        }
    };
    refused(
        post("miner", "ann", "0.5").await,
        "\"miner\"",
        "has 0",
        "0.5",
    );
    fixture.get("/mine").await.ok(200);
    // A reward counts, and so does what is pending, on both sides.
    post("miner", "ann", "0.9").await.ok(201);
    refused(
        post("miner", "ann", "0.2").await,
        "\"miner\"",
        "has 0.1",
        "0.2",
    );
    post("miner", "ann", "0.1").await.ok(201);
    post("ann", "bob", "1").await.ok(201);
    refused(
        post("ann", "bob", "5e-324").await,
        "\"ann\"",
        "has 0",
        "5e-324",
    );
    // One may send to oneself only what one has.
    refused(post("bob", "bob", "1.5").await, "\"bob\"", "has 1", "1.5");
    post("bob", "bob", "1").await.ok(201);
    // Only the node makes rewards, and negative amounts take nothing.
    refused(post("0", "bob", "1").await, "\"0\"", "has -1", "1");
    assert_eq!(post("bob", "miner", "-1").await.status, 400);
    let long = "9".repeat(100_000);
    let detail = post("bob", "ann", &long).await.error(409).1;
    assert!(detail.len() < 200, "{detail}");

    assert_eq!(fixture.node.pending(), 4);
    fixture.get("/mine").await.ok(200);
    assert_eq!(fixture.get("/balances/bob").await.ok(200)["balance"], 1);
    refused(
        post("bob", "ann", "1.0000001").await,
        "\"bob\"",
        "has 1",
        "1.0000001",
    );
    post("bob", "ann", "1.0").await.ok(201);
}

#[tokio::test]
async fn requests_in_one_commit_spend_a_coin_once() {
    let fixture = Fixture::with(careful);
    fixture.get("/mine").await.ok(200);
    let gate = rusqlite::Connection::open(fixture.folder.path().join("node.sqlite3")).unwrap();
    gate.execute_batch("BEGIN IMMEDIATE").unwrap();
    let posts = (0..8).map(|_| fixture.post(NEW, transfer("miner", "ann", "1")));
    // All requests wait for the writer before the gate opens.
    let open = async { gate.execute_batch("ROLLBACK").unwrap() };
    let (replies, ()) = futures_util::future::join(join_all(posts), open).await;
    let mut answers: Vec<_> = replies.iter().map(|reply| reply.status).collect();
    answers.sort_unstable();
    assert_eq!(answers, [201, 409, 409, 409, 409, 409, 409, 409]);
    assert_eq!(fixture.node.pending(), 1);
}

#[tokio::test]
async fn the_description_says_what_is_refused() {
    let options: [(Change, bool, bool); 3] = [
        (|_| {}, false, false),
        (|config| config.strictness = Strictness::Strict, true, false),
        (careful, true, true),
    ];
    for (option, is_strict, is_careful) in options {
        let fixture = Fixture::with(option);
        let description = fixture.get("/openapi.json").await.ok(200);
        let schemas = &description["components"]["schemas"];
        let amount = &schemas["NewTransaction"]["properties"]["amount"];
        assert_eq!(amount["exclusiveMinimum"] == 0, is_strict);
        let answers = &description["paths"][NEW]["post"]["responses"];
        assert_eq!(answers.get("409").is_some(), is_careful);
    }
}

/// The chain that `fourzero mine` makes of a queue, with the rewards to `miner`.
pub(crate) fn mined(folder: &Path, queue: &str) -> String {
    fs::write(folder.join("queue.jsonl"), queue).unwrap();
    assert_cmd::cargo::cargo_bin_cmd!("fourzero")
        .current_dir(folder)
        .args([
            "mine",
            "queue.jsonl",
            "-o",
            "chain.json",
            "--recipient",
            "miner",
        ])
        .args(["--difficulty", "1", "--force"])
        .assert()
        .success();
    fs::read_to_string(folder.join("chain.json")).unwrap()
}

fn start(data: &Path, options: &[&str]) -> Server {
    let mut command = node_command(data);
    command.args(["--difficulty", "1", "--node-id", "miner"]);
    Server::node(command.args(options))
}

fn pending(server: &Server) -> Vec<String> {
    let pending = server.get("/transactions/pending").ok(200);
    let list = pending["transactions"].as_array().unwrap().iter();
    list.map(|one| {
        format!(
            "{} {} {}",
            one["sender"].as_str().unwrap(),
            one["recipient"].as_str().unwrap(),
            one["amount"]
        )
    })
    .collect()
}

#[tokio::test]
async fn chains_of_peers_and_files_are_judged_like_new_transactions() {
    let half = transfer("miner", "ann", "0.5");
    let pay = |sender, amount| transfer(sender, "ann", amount);
    // The blocks after the first, and the place of the fault for a node that is
    // strict and for one that refuses overdrafts.
    let queue = |blocks: &[&str]| -> String {
        let lines = blocks.iter().map(|list| format!("[{list}]\n"));
        lines.collect()
    };
    let both = format!("{}, {}", pay("miner", "1"), pay("ann", "1"));
    let thrice = format!("{half}, {half}, {half}");
    let last = pay("ann", "1.0000001");
    let blank = format!("{half}, {}", pay("", "1"));
    let cases = [
        (queue(&["", &half, &half]), None, None),
        (queue(&["", &both]), None, None),
        // The reward of a block comes last.
        (queue(&[&half]), None, Some((2, 1))),
        (queue(&["", &thrice]), None, Some((3, 3))),
        (queue(&["", &half, &half, "", &last]), None, Some((6, 1))),
        (queue(&["", &pay("0", "1")]), None, Some((3, 1))),
        (
            queue(&["", &half, &pay("miner", "-1")]),
            Some((4, 1)),
            Some((4, 1)),
        ),
        (queue(&[&pay("miner", "0")]), Some((2, 1)), Some((2, 1))),
        (queue(&["", &blank]), Some((3, 2)), Some((3, 2))),
    ];
    for (queue, strict, careful_fault) in cases {
        let folder = tempfile::tempdir().unwrap();
        let chain = mined(folder.path(), &queue);
        let peer = json!({ "nodes": [fake_peer(http(&chain))] }).to_string();
        let easy = |config: &mut NodeConfig| {
            careful(config);
            config.overdraft = Overdraft::Allowed;
        };
        let options: [(Change, _); 3] = [
            (|_| {}, None),
            (|config| config.strictness = Strictness::Strict, strict),
            (
                |config| config.overdraft = Overdraft::Refused,
                careful_fault,
            ),
        ];
        for (option, fault) in options {
            let fixture = Fixture::with(|config| {
                easy(config);
                option(config);
            });
            fixture.post("/nodes/register", peer.clone()).await.ok(201);
            let answer = fixture.get("/nodes/resolve").await.ok(200);
            let message = match fault {
                None => "Our chain was replaced",
                Some(_) => "Our chain is authoritative",
            };
            assert_eq!(answer["message"], message, "{queue}");
            let nodes = fixture.get("/nodes").await.ok(200);
            let error = nodes["nodes"][0]["last_visit"]["error"].as_str();
            assert_eq!(error.is_some(), fault.is_some());

            let mut config = NodeConfig::new(folder.path().join("imported"));
            easy(&mut config);
            option(&mut config);
            let file = folder.path().join("chain.json");
            let imported = import(&config, &file, IfOccupied::Replace, &Control::new());
            let Some((block, place)) = fault else {
                assert_eq!(imported.unwrap().blocks, 1 + queue.lines().count() as u64);
                continue;
            };
            let Err(NodeError::Invalid { fault, .. }) = imported else {
                panic!("{imported:?}");
            };
            assert_eq!(fault.block, block, "{fault} in {queue}");
            let FaultKind::Transaction { place: found, .. } = &fault.kind else {
                panic!("{fault}");
            };
            assert_eq!(*found, place, "{fault} in {queue}");
            let error = error.unwrap();
            assert!(error.contains(&fault.to_string()), "{fault} in {error}");
        }
    }
}

#[test]
fn what_a_run_with_other_options_left_pending_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path(), &[]);
    server.get("/mine").ok(200);
    for (sender, recipient, amount) in [
        ("", "ann", "1"),
        ("miner", "ann", "0.75"),
        ("miner", "ann", "-0.25"),
        ("ann", "bob", "0.5"),
        ("ann", "bob", "0.5"),
        ("miner", "bob", "0.25"),
    ] {
        server
            .post(NEW, &transfer(sender, recipient, amount))
            .ok(201);
    }
    stop(server);
    let server = start(folder.path(), &["--strict"]);
    let typed = [
        "miner ann 0.75",
        "ann bob 0.5",
        "ann bob 0.5",
        "miner bob 0.25",
    ];
    assert_eq!(pending(&server), typed);
    stop(server);
    let server = start(folder.path(), &["--no-overdraft"]);
    assert_eq!(pending(&server), [typed[0], typed[1], typed[3]]);
    assert_eq!(
        server.post(NEW, &transfer("miner", "ann", "0.1")).status,
        409
    );
    server.post(NEW, &transfer("ann", "bob", "0.25")).ok(201);
    let block = server.get("/mine").ok(200);
    assert_eq!(block["transactions"].as_array().unwrap().len(), 5);
    assert_balances_are_of_the_chain(&server);
}

#[test]
fn what_the_senders_lose_with_our_blocks_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let [ours, theirs] = ["ours", "theirs"].map(|name| folder.path().join(name));
    let ours = start(&ours, &["--no-overdraft"]);
    let mut other = node_command(&theirs);
    other.args(["--difficulty", "1", "--node-id", "other"]);
    let other = Server::node(&mut other);
    register(&ours, &[&other.address]);
    let resolve = || {
        let answer = ours.get("/nodes/resolve").ok(200);
        assert_eq!(answer["message"], "Our chain was replaced");
    };
    other.get("/mine").ok(200);
    other.post(NEW, &transfer("other", "miner", "1")).ok(201);
    other.get("/mine").ok(200);
    resolve();

    // The first is covered by a block that stays, the second by our own reward.
    ours.post(NEW, &transfer("miner", "ann", "1")).ok(201);
    ours.get("/mine").ok(200);
    ours.post(NEW, &transfer("miner", "ann", "0.75")).ok(201);
    ours.post(NEW, &transfer("ann", "bob", "1")).ok(201);
    other.get("/mine").ok(200);
    other.get("/mine").ok(200);
    resolve();
    assert_eq!(pending(&ours), ["miner ann 1", "ann bob 1"]);
    ours.get("/mine").ok(200);
    assert_balances_are_of_the_chain(&ours);
}

#[test]
fn a_stored_chain_that_is_refused_by_now_is_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = start(&data, &[]);
    server.post(NEW, &transfer("ann", "bob", "5")).ok(201);
    server.get("/mine").ok(200);
    stop(server);
    let log = folder.path().join("log");
    for (options, is_refused) in [
        (&[][..], false),
        (&["--strict"], false),
        (&["--no-overdraft"], true),
    ] {
        let mut command = node_command(&data);
        command.args(["--difficulty", "1"]).args(options);
        command.stderr(fs::File::create(&log).unwrap());
        let server = Server::node_with_log(&mut command, "debug");
        let said = || fs::read_to_string(&log).unwrap();
        server.wait_until("/health", |_| said().contains("the stored chain is valid"));
        server.get("/health").ok(200);
        assert_eq!(said().contains(" WARN "), is_refused, "{}", said());
        stop(server);
    }
}
