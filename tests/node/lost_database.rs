//! Protects what was acknowledged when the database's files are removed or
//! replaced under a running node.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use rusqlite::Connection;
use serde_json::json;

use crate::support::{Answer, Server, node_command};

const RULE: [&str; 4] = ["--rule", "last-hash", "--difficulty", "2"];

fn start(data: &Path) -> Server {
    Server::node(node_command(data).args(RULE))
}

fn add(server: &Server, sender: &str) -> Answer {
    let body = json!({"sender": sender, "recipient": "r", "amount": 1});
    server.post("/transactions/new", &body.to_string())
}

/// A node with two blocks after the first and a pending transaction.
fn three_blocks(command: &mut Command) -> Server {
    let server = Server::node(command.args(RULE));
    for sender in ["a", "b", "c"] {
        add(&server, sender).ok(201);
        if sender != "c" {
            server.get("/mine").ok(200);
        }
    }
    server
}

/// Blocks, pending transactions and senders known to a node in `data`.
fn found(data: &Path) -> (u64, u64) {
    let server = start(data);
    let health = server.get("/health").ok(200);
    server.get("/chain").ok(200);
    server.get("/mine").ok(200);
    let count = |key: &str| health[key].as_u64().unwrap();
    (count("length"), count("pending"))
}

#[track_caller]
fn assert_is_lost(answer: &Answer) {
    assert_eq!(answer.ok(503)["error"], "database_lost", "{answer:?}");
    // Only a person can help.
    assert!(!answer.head.contains("retry-after"), "{answer:?}");
}

/// Every call that changes something, after which nothing may be kept.
fn changes(server: &Server) -> [Answer; 5] {
    let template = server.get("/mining/template");
    let id = serde_json::from_str::<serde_json::Value>(&template.body).unwrap();
    let submitted = json!({"template_id": id["template_id"], "nonce": 0});
    [
        add(server, "d"),
        server.get("/mine"),
        server.post("/nodes/register", r#"{"nodes": ["http://127.0.0.1:9"]}"#),
        server.get("/nodes/resolve"),
        server.post("/mining/submit", &submitted.to_string()),
    ]
}

fn remove_log(data: &Path) {
    fs::remove_file(data.join("node.sqlite3-wal")).unwrap();
}

/// A stopped node's database, of four blocks, takes the name.
fn other_database(data: &Path) {
    let other = data.with_file_name("other");
    let mut server = three_blocks(&mut node_command(&other));
    server.get("/mine").ok(200);
    server.signal("TERM");
    server.wait();
    fs::rename(other.join("node.sqlite3"), data.join("node.sqlite3")).unwrap();
}

#[test]
fn nothing_is_acknowledged_once_a_file_is_lost() {
    type Lose = fn(&Path);
    let cases: [(&str, Lose, (u64, u64)); 9] = [
        // What a restart finds in the folder after a kill.
        (
            "the database is removed",
            |data| fs::remove_file(data.join("node.sqlite3")).unwrap(),
            (1, 0),
        ),
        (
            "the folder is removed",
            |data| fs::remove_dir_all(data).unwrap(),
            (1, 0),
        ),
        (
            "the folder is moved",
            |data| fs::rename(data, data.with_file_name("moved")).unwrap(),
            (1, 0),
        ),
        ("another database is there", other_database, (4, 0)),
        ("the log is removed", remove_log, (3, 1)),
        (
            "the database is moved, and a link has its name",
            |data| {
                let [name, moved] = ["node.sqlite3", "elsewhere"].map(|name| data.join(name));
                fs::rename(&name, &moved).unwrap();
                std::os::unix::fs::symlink(moved, name).unwrap();
            },
            (3, 1),
        ),
        (
            "the log is moved, and a link has its name",
            |data| {
                let [name, moved] = ["node.sqlite3-wal", "elsewhere"].map(|name| data.join(name));
                fs::rename(&name, &moved).unwrap();
                std::os::unix::fs::symlink(moved, name).unwrap();
            },
            (0, 0),
        ),
        (
            "the lock is removed",
            |data| fs::remove_file(data.join("node.lock")).unwrap(),
            (3, 1),
        ),
        (
            "a part of the path is a file",
            |data| {
                fs::rename(data, data.with_file_name("moved")).unwrap();
                fs::write(data, "").unwrap();
            },
            (0, 0),
        ),
    ];
    for (what, lose, kept) in cases {
        let folder = tempfile::tempdir().unwrap();
        let [data, log] = ["data", "log"].map(|name| folder.path().join(name));
        let stderr = File::create(&log).unwrap();
        let mut server = three_blocks(node_command(&data).stderr(stderr));
        let chain = server.get("/chain").body;
        server.get("/health").ok(200);

        lose(&data);
        assert_is_lost(&server.get("/health"));
        for answer in changes(&server) {
            assert_is_lost(&answer);
        }
        // Reading goes on, so that the chain can be saved, and shows nothing
        // that was refused.
        assert_eq!(server.get("/chain").body, chain, "{what}");
        assert_eq!(server.get("/transactions/pending").ok(200)["count"], 1);
        assert_eq!(server.get("/balances/r").ok(200)["balance"], 2, "{what}");
        let moved = folder.path().join("moved");
        if moved.exists() && !data.exists() {
            // Too late.
            fs::rename(&moved, &data).unwrap();
            assert_is_lost(&server.get("/health"));
            assert_is_lost(&add(&server, "e"));
            fs::rename(&data, &moved).unwrap();
        }
        server.kill();
        let log = fs::read_to_string(log).unwrap();
        assert_eq!(log.matches("ERROR").count(), 1, "{what}: {log}");

        if kept.0 > 0 {
            assert_eq!(found(&data), kept, "{what}");
        }
        if moved.exists() {
            assert_eq!(found(&moved), (3, 1), "{what}");
        }
    }
}

/// A reader holds up the saving of what only the lost log had.
#[test]
fn a_lost_log_is_saved_once_nobody_reads() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut server = three_blocks(&mut node_command(&data));
    let reader = Connection::open(data.join("node.sqlite3")).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    let read = |sql| reader.query_row(sql, [], |row| row.get::<_, i64>(0));
    read("SELECT count(*) FROM sqlite_schema").unwrap();
    // More for the log, which the reader does not see.
    server.get("/mine").ok(200);
    remove_log(&data);
    assert_is_lost(&add(&server, "d"));
    reader.execute_batch("COMMIT").unwrap();
    drop(reader);
    assert_is_lost(&add(&server, "d"));
    server.kill();
    assert_eq!(found(&data), (4, 0));
}

/// The first call after the loss, whichever it is, notices it.
#[test]
fn every_call_that_commits_notices_a_lost_file() {
    let folder = tempfile::tempdir().unwrap();
    let peer = three_blocks(&mut node_command(&folder.path().join("peer")));
    peer.get("/mine").ok(200);
    for first in 0..4 {
        for lose in [remove_log, |data: &Path| fs::remove_dir_all(data).unwrap()] {
            let data = folder.path().join("data");
            let mut server = three_blocks(&mut node_command(&data));
            let nodes = json!({"nodes": [format!("http://{}", peer.address)]});
            server.post("/nodes/register", &nodes.to_string()).ok(201);
            lose(&data);
            let answer = match first {
                0 => add(&server, "d"),
                1 => server.get("/mine"),
                2 => server.post("/nodes/register", r#"{"nodes": ["http://127.0.0.1:9"]}"#),
                // The peer's chain is longer.
                _ => server.get("/nodes/resolve"),
            };
            assert_is_lost(&answer);
            assert_is_lost(&server.get("/health"));
            server.signal("TERM");
            assert_eq!(server.wait(), Some(0));
            // The same after a stop as after a kill: one of three blocks if
            // there is a database, else a new one.
            assert!([(3, 1), (1, 0)].contains(&found(&data)));
            fs::remove_dir_all(&data).unwrap();
        }
    }
}

#[test]
fn a_log_that_comes_and_goes_as_sqlite_wants_is_not_lost() {
    let folder = tempfile::tempdir().unwrap();
    let [real, data] = ["real", "link"].map(|name| folder.path().join(name));
    fs::create_dir(&real).unwrap();
    symlink(&real, &data).unwrap();
    let log = real.join("node.sqlite3-wal");
    let mut senders = (0..).map(|number| format!("s{number}"));
    let mut works = |server: &Server| {
        server.get("/health").ok(200);
        add(server, &senders.next().unwrap()).ok(201);
        server.get("/health").ok(200);
    };
    for ending in ["TERM", "KILL", "TERM"] {
        let mut server = start(&data);
        works(&server);
        for sql in [
            "SELECT count(*) FROM entries",
            "PRAGMA wal_checkpoint(TRUNCATE)",
            "PRAGMA wal_checkpoint(RESTART)",
        ] {
            let outside = Connection::open(real.join("node.sqlite3")).unwrap();
            outside.query_row(sql, [], |_| Ok(())).unwrap();
            works(&server);
            drop(outside);
            works(&server);
        }
        let outside = Connection::open(real.join("node.sqlite3")).unwrap();
        outside.execute_batch("VACUUM").unwrap();
        works(&server);
        server.signal(ending);
        server.wait();
        drop(outside);
        // SQLite's own shell removes the log as it closes.
        assert!(!log.exists());
    }
    assert_eq!(
        start(&data).get("/transactions/pending").ok(200)["count"],
        24
    );
}
