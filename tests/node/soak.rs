//! Protects long runs: the node recovers from failures, and slow or lost clients
//! and peers do not disturb others.

use std::io;
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use fourzero::node::router;
use rusqlite::Connection;
use serde_json::json;
use tokio::task::JoinSet;
use tower::ServiceExt as _;

use crate::fixture::Fixture;
use crate::support::{PATIENCE, Server, node_command};

fn database(data: &Path) -> Connection {
    Connection::open(data.join("node.sqlite3")).unwrap()
}

/// Makes writes to a table fail until the trigger is dropped.
fn break_table(database: &Connection, table: &str) {
    let trigger = format!(
        "CREATE TRIGGER broken_{table} BEFORE INSERT ON {table}
         BEGIN SELECT RAISE(FAIL, 'as a full disk'); END"
    );
    database.execute_batch(&trigger).unwrap();
}

fn mend_table(database: &Connection, table: &str) {
    let drop = format!("DROP TRIGGER broken_{table}");
    database.execute_batch(&drop).unwrap();
}

#[test]
fn a_closed_stderr_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let server = Server::node(
        node_command(folder.path())
            .args(["--difficulty", "2"])
            .stderr(writer),
    );
    let body = json!({"sender": "s", "recipient": "r", "amount": 1}).to_string();
    let database = database(folder.path());
    break_table(&database, "entries");
    // The writer thread logs this failure.
    server.post("/transactions/new", &body).ok(503);
    mend_table(&database, "entries");
    server.post("/transactions/new", &body).ok(201);
    assert_eq!(server.get("/mine").ok(200)["index"], 2);
}

#[tokio::test]
async fn nothing_builds_on_a_rolled_back_change() {
    let node = Fixture::new();
    node.add("before").await.ok(201);
    let database = database(node.folder.path());
    // First the stored rows cannot be changed; later they cannot even be read.
    // The chain itself may still be under verification.
    break_table(&database, "entries");
    let alter = |change: &str| database.execute(change, []).unwrap();
    alter("UPDATE entries SET amount = x'7b'");
    node.add("refused").await.error(503);
    mend_table(&database, "entries");
    let (code, _) = node.add("refused").await.error(503);
    assert_eq!(code, "storage");
    node.get("/health").await.error(503);
    alter("UPDATE entries SET amount = 5");
    assert_eq!(node.add("after").await.status, 201);
    let mined = node.get("/mine").await.ok(200);
    let senders: Vec<_> = mined["transactions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|transaction| transaction["sender"].as_str().unwrap())
        .collect();
    assert_eq!(senders, ["before", "after", "0"]);
}

/// Runs on one thread, which accepts all calls before the first visit continues.
#[tokio::test]
async fn calls_that_wait_to_resolve_share_one_visit() {
    let node = Fixture::with(|config| config.limits.peer_time = Duration::from_secs(1));
    // It accepts connections and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let peer = silent.local_addr().unwrap().to_string();
    let body = json!({ "nodes": [peer] }).to_string();
    node.post("/nodes/register", body).await.ok(201);
    let mut calls = JoinSet::new();
    for _ in 0..20 {
        let request = Request::get("/nodes/resolve").body(Body::empty()).unwrap();
        calls.spawn(router(node.node.clone()).oneshot(request));
    }
    for answer in calls.join_all().await {
        assert_eq!(answer.unwrap().status(), 200);
    }
    silent.set_nonblocking(true).unwrap();
    let visits = silent.incoming().take_while(Result::is_ok).count();
    assert_eq!(visits, 2, "one for the first call, one for all others");
}

#[tokio::test]
async fn health_recovers_without_a_write() {
    let node = Fixture::new();
    let database = database(node.folder.path());
    for table in ["entries", "meta"] {
        break_table(&database, table);
    }
    node.add("s").await.error(503);
    // Trial commits fail, too.
    for _ in 0..2 {
        node.get("/health").await.error(503);
        tokio::time::sleep(Duration::from_millis(1100)).await;
    }
    for table in ["entries", "meta"] {
        mend_table(&database, table);
    }
    let started = Instant::now();
    while node.get("/health").await.status != 200 {
        assert!(started.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let count = |sql| database.query_row(sql, [], |row| row.get::<_, i64>(0));
    let trials = count("SELECT count(*) FROM meta WHERE key = 'trial'");
    assert_eq!(trials, Ok(0));
    node.add("s").await.ok(201);
}
