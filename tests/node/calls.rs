//! Protects the answers of every call, through the router without a socket.

use axum::body::Body;
use axum::http::Request;
use fourzero::node::{Limits, Node, NodeConfig, NodeError, Token, router};
use fourzero::pow::{Rule, Target};
use serde_json::json;
use tokio::task::JoinSet;
use tower::ServiceExt as _;

use crate::fixture::{Fixture, Reply, easy};

#[tokio::test]
async fn the_tutorials_five_calls_answer_as_the_tutorial_does() {
    let fixture = Fixture::new();
    let genesis = fixture.get("/chain").await.ok(200);
    assert_eq!(genesis["length"], 1);
    let first = &genesis["chain"][0];
    assert_eq!(first["index"], 1);
    assert_eq!(first["proof"], 100);
    assert_eq!(first["previous_hash"], "1");
    assert_eq!(first["transactions"], json!([]));
    assert!(first["timestamp"].as_f64().unwrap() > 1.7e9);

    assert_eq!(
        fixture.add("alice").await.ok(201),
        json!({"message": "Transaction will be added to Block 2"})
    );
    let mined = fixture.get("/mine").await.ok(200);
    let reward = json!({"sender": "0", "recipient": fixture.node.id(), "amount": 1});
    let alices = json!({"sender": "alice", "recipient": "bob", "amount": 5});
    let hash = fixture.get("/blocks/1").await.headers["x-block-hash"].clone();
    assert_eq!(
        mined,
        json!({
            "message": "New Block Forged",
            "index": 2,
            "transactions": [alices, reward],
            "proof": mined["proof"],
            "previous_hash": hash.to_str().unwrap(),
        })
    );
    assert_eq!(fixture.call("POST", "/mine").await.ok(200)["index"], 3);

    let nodes = r#"{"nodes": ["http://127.0.0.1:1/chain", "127.0.0.1:1", "http://h:80"]}"#;
    assert_eq!(
        fixture.post("/nodes/register", nodes).await.ok(201),
        json!({"message": "New nodes have been added", "total_nodes": ["127.0.0.1:1", "h"]})
    );
}

#[tokio::test]
async fn resolving_without_a_longer_chain_keeps_ours_and_names_what_failed() {
    let fixture = Fixture::new();
    fixture.get("/mine").await.ok(200);
    let nodes = r#"{"nodes": ["127.0.0.1:1"]}"#;
    fixture.post("/nodes/register", nodes).await.ok(201);
    let chain = fixture.get("/chain").await.ok(200);
    let answer = fixture.get("/nodes/resolve").await.ok(200);
    let nodes = fixture.get("/nodes").await.ok(200);
    let visit = &nodes["nodes"][0]["last_visit"];
    assert_eq!(nodes["nodes"][0]["node"], "127.0.0.1:1");
    let error = visit["error"].as_str().unwrap();
    assert!(error.contains("connect"), "{nodes}");
    assert_eq!(
        answer,
        json!({
            "message": "Our chain is authoritative",
            "chain": chain["chain"],
            "detail": format!("127.0.0.1:1: {error}"),
        })
    );
}

#[tokio::test]
async fn the_two_errors_of_the_tutorial_are_its_texts() {
    let fixture = Fixture::new();
    for body in ["{}", r#"{"sender": "a", "recipient": "b"}"#] {
        let reply = fixture.post("/transactions/new", body).await;
        assert_eq!((reply.status, reply.body.as_str()), (400, "Missing values"));
    }
    for body in ["{}", r#"{"nodes": null}"#] {
        let reply = fixture.post("/nodes/register", body).await;
        assert_eq!(reply.status, 400);
        assert_eq!(reply.body, "Error: Please supply a valid list of nodes");
    }
}

#[tokio::test]
async fn every_other_error_is_json_that_names_the_field() {
    let fixture = Fixture::with(|config| {
        config.limits = Limits {
            body_bytes: 1000,
            ..Limits::default()
        };
    });
    let transaction = "/transactions/new";
    for (path, body, status, word) in [
        (transaction, "{", 400, "byte 1"),
        (transaction, "", 400, "not JSON"),
        (transaction, r#"{"sender": NaN}"#, 400, "NaN"),
        (transaction, r#"{"sender": "\ud800"}"#, 400, "surrogate"),
        (transaction, "5", 422, "5"),
        ("/nodes/register", r#"{"nodes": "a:1"}"#, 422, "nodes"),
        (
            "/nodes/register",
            r#"{"nodes": ["a:1", 5]}"#,
            422,
            "nodes[1]",
        ),
        (
            "/nodes/register",
            r#"{"nodes": ["ftp://a"]}"#,
            422,
            "nodes[0]",
        ),
        ("/nodes/register", "5", 422, "object"),
        ("/mining/submit", r#"{"nonce": 1}"#, 422, "template_id"),
        ("/mining/submit", r#"{"template_id": "x"}"#, 422, "nonce"),
        (
            "/mining/submit",
            r#"{"template_id": 1, "nonce": 1}"#,
            422,
            "template_id",
        ),
        (
            "/mining/submit",
            r#"{"template_id": "x", "nonce": -1}"#,
            422,
            "nonce",
        ),
        (
            "/mining/submit",
            r#"{"template_id": "x", "nonce": 1}"#,
            409,
            "template",
        ),
    ] {
        let (_, detail) = fixture.post(path, body).await.error(status);
        assert!(
            detail.contains(word),
            "{word} in {detail} for {path} {body}"
        );
    }
    let (_, detail) = fixture.post(transaction, "x".repeat(1001)).await.error(413);
    assert!(detail.contains("1000"), "{detail}");
    let (_, detail) = fixture.call("POST", transaction).await.error(415);
    assert!(detail.contains("application/json"), "{detail}");
    let (_, detail) = fixture.get("/no/such").await.error(404);
    assert!(detail.contains("/no/such"), "{detail}");
    let reply = fixture.call("DELETE", "/chain").await;
    reply.error(405);
    assert_eq!(reply.headers["allow"], "GET, HEAD, OPTIONS");
    for (path, status, word) in [
        ("/blocks/2", 404, "block 2"),
        ("/blocks/99999999999999999999999", 404, "99999"),
        ("/blocks/-1", 400, "-1"),
        ("/blocks/x", 400, "x"),
        ("/chain?from=0", 400, "from"),
        ("/chain?from=x", 400, "from"),
        ("/chain?limit=-1", 400, "limit"),
        ("/balances/%ff", 400, "name"),
    ] {
        let (_, detail) = fixture.get(path).await.error(status);
        assert!(detail.contains(word), "{word} in {detail} for {path}");
    }
}

#[tokio::test]
async fn chain_returns_the_requested_blocks() {
    let fixture = Fixture::new();
    for _ in 0..5 {
        fixture.get("/mine").await.ok(200);
    }
    let whole = fixture.get("/chain").await.ok(200);
    for (query, expected) in [
        ("from=3", 3..7),
        ("limit=2", 1..3),
        ("from=2&limit=3", 2..5),
        ("from=6&limit=100", 6..7),
        ("from=18446744073709551615&limit=18446744073709551615", 7..7),
        ("from=7", 7..7),
        ("limit=0", 1..1),
    ] {
        let part = fixture.get(&format!("/chain?{query}")).await.ok(200);
        let expected: Vec<_> = expected.map(|index| &whole["chain"][index - 1]).collect();
        assert_eq!(part["chain"], json!(expected), "{query}");
        assert_eq!(part["length"], 6);
    }
    assert_eq!(fixture.get("/blocks/4").await.ok(200), whole["chain"][3]);
    assert_eq!(
        fixture.get("/blocks/latest").await.ok(200),
        whole["chain"][5]
    );
}

#[tokio::test]
async fn a_long_chain_is_streamed_whole() {
    let fixture = Fixture::new();
    let name = "n".repeat(300_000);
    for _ in 0..6 {
        fixture.add(&name).await.ok(201);
        fixture.get("/mine").await.ok(200);
    }
    let reply = fixture.get("/chain").await;
    assert!(!reply.headers.contains_key("content-length"));
    assert!(reply.body.len() > 6 * name.len());
    crate::support::assert_verifies(&reply.body, "last-proof", "3");
}

#[tokio::test]
async fn balances_are_exact_and_pending_transactions_are_shown() {
    let fixture = Fixture::new();
    for (sender, recipient, amount) in [
        ("a/é", "b", "0.1"),
        ("b", "a/é", "0.3"),
        ("x", "a/é", "123456789012345678901234567890"),
        ("x", "a/é", "\"many\""),
        ("a/é", "a/é", "7"),
    ] {
        let body =
            format!(r#"{{"sender": "{sender}", "recipient": "{recipient}", "amount": {amount}}}"#);
        fixture.post("/transactions/new", body).await.ok(201);
    }
    let pending = fixture.get("/transactions/pending").await.ok(200);
    assert_eq!(pending["count"], 5);
    assert_eq!(pending["transactions"][0]["sender"], "a/é");
    let path = "/balances/a%2F%C3%A9";
    assert_eq!(fixture.get(path).await.ok(200)["transactions"], 0);
    fixture.get("/mine").await.ok(200);
    assert_eq!(
        fixture.get(path).await.body,
        "{\"balance\": 123456789012345678901234567890.2, \"name\": \"a/\\u00e9\", \
         \"received\": 123456789012345678901234567897.3, \"sent\": 7.1, \"transactions\": 5}\n"
    );
    assert_eq!(
        fixture.get("/transactions/pending").await.ok(200)["count"],
        0
    );
}

#[tokio::test]
async fn an_outside_miner_forges_a_block_once() {
    for rule in Rule::ALL {
        let fixture = Fixture::with(|config| config.rule = rule);
        fixture.get("/mine").await.ok(200);
        fixture.add("alice").await.ok(201);
        let template = fixture.get("/mining/template").await.ok(200);
        assert_eq!(template["difficulty"], 3);
        assert_eq!(template["index"], 3);
        let text = |key: &str| template[key].as_str().unwrap();
        let is_proof = |nonce: u64| {
            let message = format!("{}{nonce}{}", text("prefix"), text("suffix"));
            let digest = fourzero::sha256::Digest::of(message.as_bytes());
            digest.to_string().starts_with("000")
        };
        let nonce = (1..)
            .find(|nonce| is_proof(*nonce) && !is_proof(nonce - 1))
            .unwrap();
        let id = text("template_id");
        let submit = |nonce: u64| json!({"template_id": id, "nonce": nonce}).to_string();
        let (_, detail) = fixture
            .post("/mining/submit", submit(nonce - 1))
            .await
            .error(422);
        assert!(detail.contains("nonce"), "{detail}");
        let forged = fixture.post("/mining/submit", submit(nonce)).await.ok(200);
        assert_eq!(forged["proof"], nonce);
        assert_eq!(forged["transactions"].as_array().unwrap().len(), 2);
        fixture
            .post("/mining/submit", submit(nonce))
            .await
            .error(409);
        let chain = fixture.get("/chain").await.body;
        crate::support::assert_verifies(&chain, rule.name(), "3");
    }
}

#[tokio::test]
async fn every_call_that_changes_the_node_needs_the_token() {
    let fixture = Fixture::with(|config| config.token = Some(Token::new("s3cret")));
    let with_token = |method: &str, path: &str, token: &str| {
        Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(Body::from("{}"))
            .unwrap()
    };
    for (method, path, allowed) in [
        ("GET", "/mine", 200),
        ("HEAD", "/mine", 200),
        ("POST", "/mine", 200),
        ("POST", "/transactions/new", 400),
        ("POST", "/nodes/register", 400),
        ("GET", "/nodes/resolve", 200),
        ("POST", "/mining/submit", 422),
    ] {
        let blocks = fixture.node.blocks();
        let reply = fixture.call(method, path).await;
        assert_eq!(reply.status, 401, "{method} {path}");
        assert_eq!(reply.headers["www-authenticate"], "Bearer");
        for wrong in ["s3cre", "s3cret ", "", "S3CRET"] {
            let reply = fixture.send(with_token(method, path, wrong)).await;
            assert_eq!(reply.status, 401, "{wrong:?}");
        }
        assert_eq!(fixture.node.blocks(), blocks);
        let reply = fixture.send(with_token(method, path, "s3cret")).await;
        assert_eq!(reply.status, allowed, "{method} {path}");
    }
    for path in ["/chain", "/health", "/metrics", "/openapi.json", "/nodes"] {
        assert_eq!(fixture.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn pending_transactions_are_limited() {
    let fixture = Fixture::with(|config| config.limits.pending = 2);
    fixture.add("a").await.ok(201);
    fixture.add("b").await.ok(201);
    let reply = fixture.add("c").await;
    assert_eq!(reply.error(503).0, "pending_full");
    assert_eq!(reply.headers["retry-after"], "1");
    fixture.get("/mine").await.ok(200);
    fixture.add("c").await.ok(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_to_mine_wait_their_turn_up_to_a_limit() {
    let fixture = Fixture::with(|config| {
        config.target = Target::from_hex_zeros(64).unwrap();
        config.limits.mine_queue = 1;
    });
    let ask = || {
        let service = router(fixture.node.clone());
        let request = Request::get("/mine").body(Body::empty()).unwrap();
        async move { service.oneshot(request).await.unwrap() }
    };
    // No proof has 64 zeros, so two calls keep searching. The third is refused.
    let mut calls = JoinSet::new();
    for _ in 0..3 {
        calls.spawn(ask());
    }
    let response = calls.join_next().await.unwrap().unwrap();
    let reply = Reply::of(response).await;
    assert_eq!(reply.error(409).0, "busy");
    assert_eq!(reply.headers["retry-after"], "1");
    // Other calls are answered meanwhile.
    let is_mining = async |wanted: bool| {
        while fixture.get("/health").await.ok(200)["mining"] != wanted {
            tokio::task::yield_now().await;
        }
    };
    is_mining(true).await;
    fixture.add("a").await.ok(201);
    // When a caller disconnects, its search ends.
    calls.shutdown().await;
    is_mining(false).await;
    let left = tokio::spawn(ask());
    is_mining(true).await;
    fixture.node.close();
    assert_eq!(left.await.unwrap().status(), 503);
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let fixture = Fixture::new();
    fixture.add("a").await.ok(201);
    fixture.get("/mine").await.ok(200);
    for body in [
        r#"{"sender": "\u0000\ud83d\ude00", "recipient": [1, {"b": null}], "amount": -0.0}"#,
        r#"{"sender": "", "recipient": 5, "amount": 123456789012345678901234567890}"#,
        r#"{"sender": true, "recipient": "5", "amount": 1e-7}"#,
    ] {
        fixture.post("/transactions/new", body).await.ok(201);
    }
    let nodes = r#"{"nodes": ["a:1", "b:2"]}"#;
    fixture.post("/nodes/register", nodes).await.ok(201);
    let paths = ["/chain", "/transactions/pending", "/nodes"];
    let mut before = Vec::new();
    for path in paths {
        before.push(fixture.get(path).await.body);
    }
    let id = fixture.node.id().to_owned();
    let Fixture { node, folder } = fixture;
    node.finish();

    let node = Node::open(easy(folder.path())).unwrap();
    assert_eq!(node.id(), id);
    let fixture = Fixture { node, folder };
    for (path, before) in paths.into_iter().zip(before) {
        assert_eq!(fixture.get(path).await.body, before, "{path}");
    }
    let mined = fixture.get("/mine").await.ok(200);
    assert_eq!(mined["transactions"].as_array().unwrap().len(), 4);
    let chain = fixture.get("/chain").await.body;
    crate::support::assert_verifies(&chain, "last-proof", "3");
}

#[tokio::test]
async fn metrics_count_requests_and_work() {
    let fixture = Fixture::new();
    fixture.add("a").await.ok(201);
    fixture.get("/mine").await.ok(200);
    fixture.add("b").await.ok(201);
    fixture.get("/blocks/77").await.error(404);
    fixture.get("/nowhere").await.error(404);
    let reply = fixture.get("/metrics").await;
    let type_ = reply.headers["content-type"].to_str().unwrap();
    assert!(
        type_.starts_with("application/openmetrics-text; version=1.0.0"),
        "{type_}"
    );
    assert!(reply.body.ends_with("# EOF\n"), "{}", reply.body);
    for line in [
        "fourzero_chain_length 2",
        "fourzero_pending_transactions 1",
        "fourzero_blocks_forged_total 1",
        "fourzero_http_requests_total{method=\"POST\",path=\"/transactions/new\",status=\"2xx\"} 2",
        "fourzero_http_requests_total{method=\"GET\",path=\"/blocks/{index}\",status=\"4xx\"} 1",
        "fourzero_http_requests_total{method=\"GET\",path=\"other\",status=\"4xx\"} 1",
        "fourzero_http_request_duration_seconds_bucket{le=\"+Inf\",method=\"GET\",path=\"/mine\"} 1",
    ] {
        let has_line = reply.body.lines().any(|found| found == line);
        assert!(has_line, "{line} in {}", reply.body);
    }
    let hashes = reply
        .body
        .lines()
        .find_map(|line| line.strip_prefix("fourzero_hashes_total "))
        .unwrap();
    assert!(hashes.parse::<f64>().unwrap() > 0.0);
}

#[test]
fn data_in_use_or_of_another_rule_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::open(easy(folder.path())).unwrap();
    let error = Node::open(easy(folder.path())).unwrap_err();
    assert!(matches!(error, NodeError::InUse { .. }), "{error}");
    node.finish();
    let config = NodeConfig {
        rule: Rule::LastHash,
        ..easy(folder.path())
    };
    let error = Node::open(config).unwrap_err();
    assert!(
        matches!(
            &error,
            NodeError::OtherRule { found, asked: Rule::LastHash, .. } if found == "last-proof"
        ),
        "{error}"
    );
    let error = Node::open(NodeConfig::new(folder.path())).unwrap_err();
    let NodeError::OtherDifficulty { found, asked, .. } = error else {
        panic!("{error}");
    };
    assert_eq!([found.bits(), asked.bits()], [12, 16]);
}
