//! Protects what `/nodes/resolve` and `/nodes` say of peers whose chain was not
//! taken.

use std::path::Path;

use serde_json::{Value, json};

use crate::fixture::Fixture;
use crate::peers::register;
use crate::support::{Server, node_command};

const REPLACED: &str = "Our chain was replaced";
const KEPT: &str = "Our chain is authoritative";

fn node(folder: &Path, rule: &[&str]) -> Server {
    Server::node(node_command(folder).args(["--difficulty", "3"]).args(rule))
}

fn keys(object: &Value) -> Vec<&str> {
    let keys = object.as_object().unwrap().keys();
    keys.map(String::as_str).collect()
}

/// The `last_visit` of the only registered node.
fn visit(server: &Server) -> Value {
    server.get("/nodes").ok(200)["nodes"][0]["last_visit"].clone()
}

#[test]
fn a_chain_under_another_rule_is_named_with_the_option_that_takes_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for (place, (ours, theirs)) in [
        (&[][..], "last-hash"),
        (&[], "previous-hash"),
        (&["--rule", "last-hash"], "last-proof"),
    ]
    .into_iter()
    .enumerate()
    {
        let peer = node(&path(&format!("peer {place}")), &["--rule", theirs]);
        for (number, peer) in [Some(peer), Server::flask(theirs)]
            .into_iter()
            .flatten()
            .enumerate()
        {
            for _ in 0..2 {
                peer.get("/mine").ok(200);
            }
            let server = node(&path(&format!("ours {place} {number}")), ours);
            register(&server, &[&peer.address]);
            let answer = server.get("/nodes/resolve").ok(200);
            assert_eq!(answer["message"], KEPT);
            assert_eq!(answer["chain"].as_array().unwrap().len(), 1);
            let detail = answer["detail"].as_str().unwrap();
            let option = format!("--rule {theirs}");
            for part in [peer.address.as_str(), "3 blocks", &option] {
                assert!(detail.contains(part), "{part} in {detail}");
            }
            let visit = visit(&server);
            assert!(
                visit["error"].as_str().unwrap().contains(&option),
                "{visit}"
            );
            assert_eq!(visit["length"], Value::Null);

            // The option does what is said.
            let other = node(&path(&format!("new {place} {number}")), &["--rule", theirs]);
            register(&other, &[&peer.address]);
            let answer = other.get("/nodes/resolve").ok(200);
            assert_eq!(answer["message"], REPLACED);
            assert_eq!(keys(&answer), ["message", "new_chain"]);
        }
    }
}

#[tokio::test]
async fn the_library_names_no_option() {
    let folder = tempfile::tempdir().unwrap();
    let peer = node(folder.path(), &["--rule", "last-hash"]);
    peer.get("/mine").ok(200);
    let fixture = Fixture::new();
    let body = json!({"nodes": [peer.address]}).to_string();
    fixture.post("/nodes/register", body).await.ok(201);
    let answer = fixture.get("/nodes/resolve").await.ok(200);
    let detail = answer["detail"].as_str().unwrap();
    assert!(
        detail.contains("last-hash") && !detail.contains("--"),
        "{detail}"
    );
}

#[test]
fn every_peer_is_named_and_no_peers_leave_the_tutorials_answer() {
    let folder = tempfile::tempdir().unwrap();
    let [ours, shorter, equal] =
        ["ours", "shorter", "equal"].map(|name| node(&folder.path().join(name), &[]));
    let answer = ours.get("/nodes/resolve");
    assert!(
        answer
            .body
            .starts_with(r#"{"message": "Our chain is authoritative", "chain": [{"#),
        "{}",
        answer.body
    );
    assert_eq!(keys(&answer.ok(200)), ["chain", "message"]);

    ours.get("/mine").ok(200);
    equal.get("/mine").ok(200);
    // Nothing can listen there.
    let dead = "127.0.0.1:1";
    register(&ours, &[&shorter.address, &equal.address, dead]);
    let answer = ours.get("/nodes/resolve").ok(200);
    assert_eq!(answer["message"], KEPT);
    assert_eq!(answer["chain"].as_array().unwrap().len(), 2);
    let detail = answer["detail"].as_str().unwrap();
    for (peer, told) in [
        (shorter.address.as_str(), "not longer: 1 "),
        (&equal.address, "not longer: 2 "),
        (dead, "connect"),
    ] {
        let (_, after) = detail.split_once(&format!("{peer}: ")).unwrap();
        let about = after.split("127.0.0.1:").next().unwrap();
        assert!(about.contains(told), "{told} in {about}");
    }

    // A dead peer does not keep us from another's longer chain.
    for _ in 0..2 {
        equal.get("/mine").ok(200);
    }
    let answer = ours.get("/nodes/resolve").ok(200);
    assert_eq!(answer["message"], REPLACED);
    assert_eq!(keys(&answer), ["message", "new_chain"]);
}
