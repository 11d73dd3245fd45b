//! What is stored is verified at the start.

use serde_json::json;

use crate::support::{Server, node_command};

#[test]
fn a_chain_that_was_changed_on_disk_is_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let start = || Server::node(node_command(folder.path()).args(["--difficulty", "3"]));
    {
        let mut server = start();
        for sender in ["alice", "bob", "carol"] {
            let body = json!({"sender": sender, "recipient": "r", "amount": 1}).to_string();
            server.post("/transactions/new", &body).ok(201);
            server.get("/mine").ok(200);
        }
        server.signal("TERM");
        server.wait();
    }
    {
        let database = rusqlite::Connection::open(folder.path().join("node.sqlite3")).unwrap();
        let changed = database
            .execute(
                "UPDATE blocks SET text = replace(text, 'bob', 'bot') WHERE number = 3",
                [],
            )
            .unwrap();
        assert_eq!(changed, 1);
    }
    let server = start();
    let health = server.wait_until("/health", |answer| answer.status == 503);
    let health = health.ok(503);
    assert_eq!(health["error"], "damaged");
    let detail = health["detail"].as_str().unwrap();
    assert!(detail.contains("block 4: previous-hash"), "{detail}");
    // It answers nevertheless: whoever takes the chain verifies it.
    assert_eq!(server.get("/chain").ok(200)["length"], 4);
}
