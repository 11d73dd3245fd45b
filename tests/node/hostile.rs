//! Protects the node from hostile request bodies.

use std::fs;
use std::thread;

use axum::body::Body;
use axum::http::Request;

use crate::fixture::Fixture;
use crate::support::{Server, node_command, post, request};

const WHOLE: &str = r#"{"sender": "é", "recipient": ["b", {}], "amount": 1.5e3}"#;

fn with(member: &str) -> Vec<u8> {
    format!("{{\"sender\": \"a\", \"recipient\": \"b\", \"amount\": 1, {member}}}").into_bytes()
}

fn deep(levels: usize) -> String {
    "[".repeat(levels) + &"]".repeat(levels)
}

#[tokio::test]
async fn a_body_is_a_transaction_or_a_clear_error() {
    let fixture = Fixture::new();
    let digits = "7".repeat(4_000);
    let taken = [
        WHOLE.as_bytes().to_vec(),
        format!("\u{feff}{WHOLE}").into_bytes(),
        WHOLE.replace(", ", ",\r\n").into_bytes(),
        with("\"amount\": [], \"amount\": null"),
        with("\"memo\": {\"b\": 1, \"a\": 2}"),
        with(&format!("\"amount\": -{digits}")),
        with(&format!("\"amount\": {}", deep(800))),
        with("\"sender\": \"\\u0000\""),
    ];
    let count = taken.len();
    for body in taken {
        let reply = fixture.post("/transactions/new", body).await;
        assert_eq!(reply.status, 201, "{}", reply.body);
    }
    // Compared as text: not every JSON parser takes 4,000 digits.
    let pending = fixture.get("/transactions/pending").await.body;
    assert_eq!(pending.matches("\"sender\": ").count(), count);

    let not_utf8 = [&b"{\"sender\": \""[..], &[0xff], b"\"}"].concat();
    for (body, said) in [
        (Vec::new(), "at byte 0: the text ends here"),
        ("\u{feff}".into(), "at byte 0: the text ends here"),
        (b"\0".to_vec(), "at byte 0: found '\\0'"),
        (with("\"x\": \"\0\""), "the control character U+0000"),
        (not_utf8, "at byte 12: these bytes are not UTF-8"),
        (deep(100_000).into_bytes(), "nested more than 900 deep"),
        (
            "[".repeat(100_000).into_bytes(),
            "nested more than 900 deep",
        ),
        (with("\"amount\": 1e999"), "past the range of a double"),
        (with("\"amount\": 01"), "but ',' or '}' was expected"),
        (
            WHOLE.repeat(2).into_bytes(),
            "the end of the text was expected",
        ),
    ] {
        let (_, detail) = fixture.post("/transactions/new", body).await.error(400);
        assert!(
            detail.starts_with("the body is not JSON: at byte "),
            "{detail}"
        );
        assert!(detail.contains(said), "{said} in {detail}");
    }
    for cut in 0..WHOLE.len() {
        let body = WHOLE.as_bytes()[..cut].to_vec();
        let (_, detail) = fixture.post("/transactions/new", body).await.error(400);
        assert!(detail.contains("at byte "), "cut at {cut}: {detail}");
    }
}

#[tokio::test]
async fn a_compressed_body_is_refused_by_its_coding() {
    let fixture = Fixture::new();
    let send = async |coding: &str, body: &'static [u8]| {
        let request = Request::post("/transactions/new")
            .header("content-type", "application/json")
            .header("content-encoding", coding);
        fixture.send(request.body(Body::from(body)).unwrap()).await
    };
    for coding in ["gzip", "br", "GZIP"] {
        let reply = send(coding, b"\x1f\x8b\x08\0").await;
        let (_, detail) = reply.error(415);
        assert!(detail.contains(coding), "{detail}");
        assert_eq!(reply.headers["accept-encoding"], "identity");
    }
    // Flask does not look at the header.
    for coding in ["identity", "utf-8"] {
        send(coding, WHOLE.as_bytes()).await.ok(201);
    }
    send("identity", b"\x1f\x8b\x08\0").await.error(400);
}

#[test]
fn a_body_in_wrong_chunks_is_refused_by_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::node(&mut node_command(folder.path()));
    let chunked = [
        "Content-Type: application/json",
        "Transfer-Encoding: chunked",
    ];
    for (body, word) in [
        ("x\r\n", "size digit"),
        ("fffffffffffffffff\r\n", "overflow"),
    ] {
        let path = "/transactions/new";
        let answer = request(&server.address, "POST", path, &chunked, body).unwrap();
        let detail = answer.ok(400)["detail"].to_string();
        assert!(detail.contains(word), "{detail}");
    }
}

/// The peak memory of a process in megabytes, on Linux.
fn megabytes(process: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024.0 / 1e6)
}

#[test]
fn bodies_of_many_members_at_once_take_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    // Each worker thread holds a body, and the machine may have many threads.
    let server = Server::node(node_command(folder.path()).env("TOKIO_WORKER_THREADS", "4"));
    // A mebibyte each, the largest size that is accepted.
    let bodies = [
        format!("{{{}\"\": 1}}", "\"\":1,".repeat(209_000)),
        format!("{{\"sender\": {}1", "[{\"b\":1,\"a\":".repeat(80_000)),
        format!(
            "{{\"sender\": \"{}\", \"recipient\": 1}}",
            "\u{7f}".repeat(1_000_000)
        ),
    ];
    thread::scope(|scope| {
        for _ in 0..16 {
            for body in &bodies {
                let address = &server.address;
                scope.spawn(move || {
                    assert_eq!(
                        post(address, "/transactions/new", body).unwrap().status,
                        400
                    );
                });
            }
        }
    });
    if let Some(megabytes) = megabytes(server.id()) {
        assert!(megabytes < 200.0, "{megabytes} MB");
    }
}
