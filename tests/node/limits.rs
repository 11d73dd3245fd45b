//! Clients that dawdle, crowd in, or break off.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use fourzero::node::{Limits, Node, NodeConfig, serve};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::support::{PATIENCE, post, request};

/// A node that serves on a thread of its own until it is dropped.
struct Serving {
    address: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
    _folder: tempfile::TempDir,
}

impl Serving {
    fn new(limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = NodeConfig::new(folder.path());
        config.limits = limits;
        let node = Node::open(config).unwrap();
        let (stop, stopped) = oneshot::channel();
        let (say, heard) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                say.send(listener.local_addr().unwrap().to_string())
                    .unwrap();
                serve(node, listener, async { drop(stopped.await) }).await;
            });
        });
        Self {
            address: heard.recv().unwrap(),
            stop: Some(stop),
            thread: Some(thread),
            _folder: folder,
        }
    }

    fn connect(&self, sent: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(sent.as_bytes()).unwrap();
        stream
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.thread.take().unwrap().join();
        assert!(ended.is_ok() || std::thread::panicking());
    }
}

fn impatient() -> Limits {
    Limits {
        request_time: Duration::from_millis(300),
        ..Limits::default()
    }
}

fn read_all(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text);
    String::from_utf8(text).unwrap()
}

#[test]
fn a_header_that_does_not_end_ends_the_connection() {
    let serving = Serving::new(impatient());
    for sent in ["", "GET /chain HTTP/1.1\r\nHost"] {
        let said = read_all(serving.connect(sent));
        assert!(!said.contains("200 OK"), "{said}");
    }
}

#[test]
fn a_body_that_does_not_come_is_told_so() {
    let serving = Serving::new(impatient());
    let said = read_all(serving.connect(
        "POST /transactions/new HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"sender\":",
    ));
    assert!(said.starts_with("HTTP/1.1 408"), "{said}");
    assert!(said.contains("request_timeout"), "{said}");
}

#[test]
fn a_chunked_body_is_limited_too() {
    let serving = Serving::new(Limits {
        body_bytes: 100,
        ..Limits::default()
    });
    let chunk = format!("50\r\n{}\r\n", " ".repeat(0x50));
    let said = read_all(serving.connect(&format!(
        "POST /transactions/new HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\
         Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}{chunk}0\r\n\r\n",
    )));
    assert!(said.starts_with("HTTP/1.1 413"), "{said}");
}

#[test]
fn a_connection_past_the_limit_waits_until_another_ends() {
    let serving = Serving::new(Limits {
        connections: 2,
        ..Limits::default()
    });
    let held = [serving.connect(""), serving.connect("")];
    let mut waiting =
        serving.connect("GET /health HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    waiting
        .set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    assert!(waiting.read(&mut [0; 1]).is_err(), "nothing comes yet");
    waiting.set_read_timeout(Some(PATIENCE)).unwrap();
    drop(held);
    let said = read_all(waiting);
    assert!(said.starts_with("HTTP/1.1 200"), "{said}");
}

#[test]
fn an_answer_that_nobody_reads_is_given_up() {
    let serving = Serving::new(Limits {
        body_bytes: 16 << 20,
        unread_time: Duration::from_millis(200),
        ..Limits::default()
    });
    // Far more than the system keeps for a client that does not read.
    let name = "n".repeat(9 << 20);
    let body = format!("{{\"sender\": \"{name}\", \"recipient\": \"r\", \"amount\": 1}}");
    for _ in 0..3 {
        post(&serving.address, "/transactions/new", &body)
            .unwrap()
            .ok(201);
        request(&serving.address, "GET", "/mine", &[], "")
            .unwrap()
            .ok(200);
    }
    let idle = serving.connect("GET /chain HTTP/1.1\r\nHost: h\r\n\r\n");
    let started = Instant::now();
    loop {
        let metrics = request(&serving.address, "GET", "/metrics", &[], "").unwrap();
        let is_asked = metrics.body.contains("path=\"/chain\",status=\"2xx\"} 1");
        // Only the one that asks for the metrics is left.
        if is_asked && metrics.body.contains("\nfourzero_connections 1\n") {
            break;
        }
        assert!(started.elapsed() < PATIENCE, "{}", metrics.body);
        std::thread::sleep(Duration::from_millis(10));
    }
    let said = read_all(idle);
    assert!(said.starts_with("HTTP/1.1 200"), "{}", said.len());
    assert!(said.len() < 3 * name.len(), "{} bytes", said.len());
}

#[test]
fn bodies_past_what_all_may_take_are_sent_away_and_welcome_later() {
    let serving = Serving::new(Limits {
        body_bytes: 1000,
        all_body_bytes: 1500,
        ..Limits::default()
    });
    let head = "POST /transactions/new HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\
                Content-Type: application/json\r\nContent-Length: ";
    let body = format!(
        "{{\"sender\": \"{}\", \"recipient\": \"r\", \"amount\": 1}}",
        "s".repeat(900)
    );
    // Whoever only promises a body keeps nobody out.
    let _promised: Vec<_> = (0..10)
        .map(|_| serving.connect(&format!("{head}1000\r\n\r\n")))
        .collect();
    post(&serving.address, "/transactions/new", &body)
        .unwrap()
        .ok(201);
    let started = Instant::now();
    let mut held;
    let refused = loop {
        // Anew each time: whichever of the two comes second is sent away.
        held = serving.connect(&format!("{head}{}\r\n\r\n{}", body.len() + 1, body));
        let answer = post(&serving.address, "/transactions/new", &body).unwrap();
        if answer.status != 201 {
            break answer;
        }
        assert!(started.elapsed() < PATIENCE);
    };
    assert_eq!(refused.ok(503)["error"], "too_many_bodies");
    assert!(refused.head.contains("retry-after: 1"), "{}", refused.head);
    drop(held);
    while post(&serving.address, "/transactions/new", &body)
        .unwrap()
        .status
        != 201
    {
        assert!(started.elapsed() < PATIENCE);
    }
}

#[test]
fn large_answers_past_what_all_may_take_are_put_off() {
    let serving = Serving::new(Limits {
        all_body_bytes: 24 << 20,
        ..Limits::default()
    });
    // More than the system takes for a client that does not read.
    let name = "n".repeat((1 << 20) - 100);
    let body = format!("{{\"sender\": \"{name}\", \"recipient\": \"r\", \"amount\": 1}}");
    for _ in 0..20 {
        post(&serving.address, "/transactions/new", &body)
            .unwrap()
            .ok(201);
    }
    let ask = || request(&serving.address, "GET", "/transactions/pending", &[], "").unwrap();
    assert_eq!(ask().ok(200)["count"], 20);
    let started = Instant::now();
    let mut unread;
    let refused = loop {
        // Anew each time: whichever of the two comes second is put off.
        unread = serving.connect("GET /transactions/pending HTTP/1.1\r\nHost: h\r\n\r\n");
        let answer = ask();
        if answer.status != 200 {
            break answer;
        }
        assert!(started.elapsed() < PATIENCE);
    };
    assert_eq!(refused.ok(503)["error"], "too_many_answers");
    assert!(refused.head.contains("retry-after: 1"), "{}", refused.head);
    // Small ones need no place.
    request(&serving.address, "GET", "/chain", &[], "")
        .unwrap()
        .ok(200);
    drop(unread);
    while ask().status != 200 {
        assert!(started.elapsed() < PATIENCE);
    }
}

#[test]
fn what_is_no_request_is_told_so_in_json() {
    let serving = Serving::new(Limits::default());
    let long = "a".repeat(70_000);
    for (sent, status, code) in [
        ("garbage\r\n\r\n".to_owned(), 400, "bad_request"),
        (
            "POST /mine HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n".to_owned(),
            400,
            "bad_request",
        ),
        (
            format!("GET /{long} HTTP/1.1\r\nHost: h\r\n\r\n"),
            414,
            "uri_too_long",
        ),
        (
            format!("GET /health HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(1000)),
            431,
            "headers_too_large",
        ),
    ] {
        let said = read_all(serving.connect(&sent));
        let (head, body) = said.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
        assert!(head.contains("content-type: application/json"), "{head}");
        let length = format!("content-length: {}\r\n", body.len());
        assert!(head.contains(&length), "{said}");
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["error"], code);
        assert!(body["detail"].is_string(), "{body}");
    }
}

#[test]
fn a_client_that_breaks_off_hurts_nobody() {
    let serving = Serving::new(Limits::default());
    for sent in [
        "\u{0}\r\n\r\n",
        "POST /transactions/new HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n\
         Content-Length: 100\r\n\r\n{",
        "GET /chain HTTP/1.1\r\nHost: h\r\n\r\n",
    ] {
        drop(serving.connect(sent));
    }
    let answer = request(&serving.address, "GET", "/health", &[], "").unwrap();
    assert_eq!(answer.ok(200)["pending"], 0);
}

#[test]
fn a_call_after_a_refused_one_is_answered_or_was_told_of_the_end() {
    let serving = Serving::new(Limits::default());
    for (sent, status) in [
        ("PUT /chain", 405),
        ("POST /nope", 404),
        ("POST /transactions/new", 415),
        ("GET /health", 200),
    ] {
        // The body comes after the node saw the head, as `requests` sends it.
        let mut stream = serving.connect(&format!(
            "{sent} HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n"
        ));
        std::thread::sleep(Duration::from_millis(20));
        // What is sent to a closed connection shows in what it answers.
        let _ = stream.write_all(b"12345");
        std::thread::sleep(Duration::from_millis(20));
        let _ = stream.write_all(b"GET /blocks/1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        let said = read_all(stream);
        assert!(said.starts_with(&format!("HTTP/1.1 {status} ")), "{said}");
        let (first, second) = said.split_once("}HTTP/1.1 ").unwrap_or((&said, "200"));
        let is_closed = first.contains("connection: close");
        assert!(is_closed || first.len() < said.len(), "{sent}: {said}");
        assert!(second.starts_with("200"), "{said}");
    }
}

#[test]
fn a_body_that_no_handler_reads_keeps_no_connection_from_going_on() {
    let serving = Serving::new(Limits::default());
    for (sent, size) in [("DELETE /chain", 300_000), ("POST /nope", 3_000_000)] {
        let mut stream = serving.connect(&format!(
            "{sent} HTTP/1.1\r\nHost: h\r\nContent-Length: {size}\r\n\r\n"
        ));
        stream.write_all(&vec![b'x'; size]).unwrap();
        stream
            .write_all(b"GET /blocks/1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            .unwrap();
        let said = read_all(stream);
        assert_eq!(said.matches("HTTP/1.1 ").count(), 2, "{said}");
    }
    // Chunks end the body by themselves.
    let said = read_all(serving.connect(
        "POST /nope HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n\
         2\r\nab\r\n0\r\n\r\nGET /blocks/1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
    ));
    assert_eq!(said.matches("HTTP/1.1 ").count(), 2, "{said}");
}

#[test]
fn an_answer_before_the_end_of_a_body_says_that_the_connection_closes() {
    let serving = Serving::new(impatient());
    for (head, status) in [
        // It never comes, is too long, is not asked for, or breaks off.
        ("POST /nope HTTP/1.1\r\nContent-Length: 5", 404),
        ("PUT /chain HTTP/1.1\r\nContent-Length: 999999999", 405),
        (
            "POST /nope HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5",
            404,
        ),
        (
            "POST /transactions/new HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 5",
            408,
        ),
        (
            "POST /transactions/new HTTP/1.1\r\nContent-Type: application/json\r\n\
             Transfer-Encoding: chunked\r\n\r\nno number",
            400,
        ),
    ] {
        let said = read_all(serving.connect(&format!("{head}\r\nHost: h\r\n\r\n")));
        assert!(said.starts_with(&format!("HTTP/1.1 {status} ")), "{said}");
        assert!(said.contains("connection: close"), "{said}");
    }
}
