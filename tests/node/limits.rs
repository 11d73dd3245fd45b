//! Protects the node from clients that are slow, too many, or break off.

use std::convert::Infallible;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::Request;
use fourzero::node::{Limits, router, serve};
use futures_util::stream;
use hyper::body::Frame;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tower::ServiceExt as _;

use crate::fixture::Fixture;
use crate::support::{PATIENCE, request};

/// A node that serves on its own thread until it is dropped.
struct Serving {
    address: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
    _folder: tempfile::TempDir,
}

impl Serving {
    fn new(limits: Limits) -> Self {
        Self::after(limited(limits), [""; 0]).0
    }

    /// Serves a node after clients have connected and sent something, so that no
    /// time-out can pass before their bytes arrive.
    fn after<const COUNT: usize>(
        Fixture { node, folder }: Fixture,
        sent: [impl AsRef<str>; COUNT],
    ) -> (Self, [TcpStream; COUNT]) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let clients = sent.map(|sent| connect(&address, sent.as_ref()));
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                serve(node, listener, async { drop(stopped.await) }).await;
            });
        });
        let serving = Self {
            address,
            stop: Some(stop),
            thread: Some(thread),
            _folder: folder,
        };
        (serving, clients)
    }

    fn connect(&self, sent: &str) -> TcpStream {
        connect(&self.address, sent)
    }
}

fn limited(limits: Limits) -> Fixture {
    Fixture::with(|config| config.limits = limits)
}

fn connect(address: &str, sent: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(sent.as_bytes()).unwrap();
    stream
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
fn a_body_that_does_not_come_gets_408() {
    let sent = "POST /transactions/new HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
                Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"sender\":";
    let (_serving, [client]) = Serving::after(limited(impatient()), [sent]);
    let said = read_all(client);
    assert!(said.starts_with("HTTP/1.1 408"), "{said}");
    assert!(said.contains("request_timeout"), "{said}");
}

/// An endless body that sends one space at a time, in paused time.
fn dripping() -> Body {
    Body::from_stream(stream::unfold((), async |()| {
        tokio::time::sleep(Duration::from_millis(400)).await;
        Some((Ok::<_, Infallible>(" "), ()))
    }))
}

#[tokio::test(start_paused = true)]
async fn a_slow_body_has_one_deadline_for_handler_and_router() {
    let time = Limits::default().request_time;
    for (path, status) in [("/transactions/new", 408), ("/nope", 404)] {
        let fixture = Fixture::new();
        let started = tokio::time::Instant::now();
        let reply = fixture.post(path, dripping()).await;
        assert_eq!(reply.status, status);
        assert_eq!(reply.headers["connection"], "close");
        // The clock is paused and jumps from one timer to the next.
        assert_eq!(started.elapsed().as_secs(), time.as_secs(), "{path}");
    }
}

#[test]
fn a_chunked_body_is_limited_too() {
    let serving = Serving::new(Limits {
        body_bytes: 100,
        ..Limits::default()
    });
    let chunk = format!("50\r\n{}\r\n", " ".repeat(0x50));
    let said = read_all(serving.connect(&format!(
        "POST /transactions/new HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}{chunk}0\r\n\r\n",
    )));
    assert!(said.starts_with("HTTP/1.1 413"), "{said}");
}

#[test]
fn a_connection_above_the_limit_waits_until_another_ends() {
    let serving = Serving::new(Limits {
        connections: 2,
        request_time: PATIENCE,
        ..Limits::default()
    });
    let held = [serving.connect(""), serving.connect("")];
    let mut waiting =
        serving.connect("GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    waiting
        .set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    assert!(waiting.read(&mut [0; 1]).is_err(), "nothing comes yet");
    waiting.set_read_timeout(Some(PATIENCE)).unwrap();
    drop(held);
    let said = read_all(waiting);
    assert!(said.starts_with("HTTP/1.1 200"), "{said}");
}

#[tokio::test]
async fn an_unread_answer_is_given_up() {
    let fixture = limited(Limits {
        body_bytes: 16 << 20,
        unread_time: Duration::from_millis(200),
        ..Limits::default()
    });
    // Far more than the system buffers for a client that does not read.
    let name = "n".repeat(9 << 20);
    for _ in 0..3 {
        fixture.add(&name).await.ok(201);
        fixture.get("/mine").await.ok(200);
    }
    let sent = "GET /chain HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let (serving, [idle]) = Serving::after(fixture, [sent]);
    let started = Instant::now();
    loop {
        let metrics = request(&serving.address, "GET", "/metrics", &[], "").unwrap();
        let is_asked = metrics.body.contains("path=\"/chain\",status=\"2xx\"} 1");
        // Only the connection that asks for the metrics is left.
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

/// A body that sends one part and then nothing.
struct Unfinished {
    part: Option<Bytes>,
    /// Notified when the next part is requested: the first was read.
    is_taken: Option<oneshot::Sender<()>>,
}

impl HttpBody for Unfinished {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(part) = self.part.take() {
            return Poll::Ready(Some(Ok(Frame::data(part))));
        }
        if let Some(is_taken) = self.is_taken.take() {
            is_taken.send(()).unwrap();
        }
        Poll::Pending
    }
}

#[tokio::test]
async fn bodies_above_the_memory_of_all_are_refused_until_some_is_free() {
    let fixture = limited(Limits {
        body_bytes: 1000,
        all_body_bytes: 1500,
        request_time: PATIENCE,
        ..Limits::default()
    });
    let begin = async |calls: &mut JoinSet<_>, part: Option<Bytes>| {
        let (taken, is_taken) = oneshot::channel();
        let request = Request::post("/transactions/new").header("content-type", "application/json");
        let body = Unfinished {
            part,
            is_taken: Some(taken),
        };
        let request = request.body(Body::new(body)).unwrap();
        calls.spawn(router(fixture.node.clone()).oneshot(request));
        is_taken.await.unwrap();
    };
    let (mut promised, mut held) = (JoinSet::new(), JoinSet::new());
    let name = "s".repeat(900);
    // A client that only announces a body takes no memory.
    begin(&mut promised, None).await;
    fixture.add(&name).await.ok(201);
    begin(&mut held, Some(name.clone().into())).await;
    let refused = fixture.add(&name).await;
    assert_eq!(refused.error(503).0, "too_many_bodies");
    assert_eq!(refused.headers["retry-after"], "1");
    held.shutdown().await;
    fixture.add(&name).await.ok(201);
}

#[tokio::test]
async fn large_answers_above_the_memory_of_all_are_refused_until_some_is_free() {
    let fixture = limited(Limits {
        all_body_bytes: 3 << 20,
        ..Limits::default()
    });
    let name = "n".repeat((1 << 20) - 100);
    for _ in 0..2 {
        fixture.add(&name).await.ok(201);
    }
    let path = "/transactions/pending";
    assert_eq!(fixture.get(path).await.ok(200)["count"], 2);
    let request = Request::get(path).body(Body::empty()).unwrap();
    let unread = router(fixture.node.clone()).oneshot(request).await.unwrap();
    let refused = fixture.get(path).await;
    assert_eq!(refused.error(503).0, "too_many_answers");
    assert_eq!(refused.headers["retry-after"], "1");
    // Small answers are not counted.
    fixture.get("/chain").await.ok(200);
    drop(unread);
    fixture.get(path).await.ok(200);
}

#[test]
fn malformed_requests_get_a_json_error() {
    let serving = Serving::new(Limits::default());
    let long = "a".repeat(70_000);
    let with = |line: &str| format!("POST /mine HTTP/1.1\r\nHost: localhost\r\n{line}\r\n\r\n");
    for (sent, status, code, word) in [
        ("garbage\r\n\r\n".to_owned(), 400, "bad_request", "HTTP"),
        (
            "G(T / HTTP/1.1\r\n\r\n".into(),
            400,
            "bad_request",
            "method",
        ),
        (
            "GET / HTTP/3.0\r\n\r\n".into(),
            400,
            "bad_request",
            "version",
        ),
        (
            with("Content-Length: -1"),
            400,
            "bad_request",
            "content-length",
        ),
        (
            with("Content-Length: 1\r\nContent-Length: 2"),
            400,
            "bad_request",
            "content-length",
        ),
        (
            with("Transfer-Encoding: gzip"),
            400,
            "bad_request",
            "transfer-encoding",
        ),
        (with("a header"), 400, "bad_request", "header"),
        (
            format!("GET /{long} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            414,
            "uri_too_long",
            "path",
        ),
        (
            with(&"X: y\r\n".repeat(1000)),
            431,
            "headers_too_large",
            "100",
        ),
        (
            format!("GET / HTTP/1.1\r\nX: {long}"),
            431,
            "headers_too_large",
            "65536",
        ),
        // The answer to the request before comes first.
        (
            "GET /health HTTP/1.1\r\n\r\nGET / HTTP/3.0\r\n\r\n".into(),
            200,
            "bad_request",
            "version",
        ),
    ] {
        let said = read_all(serving.connect(&sent));
        assert!(said.starts_with(&format!("HTTP/1.1 {status} ")), "{said}");
        let (head, body) = said.rsplit_once("\r\n\r\n").unwrap();
        assert!(head.contains("content-type: application/json"), "{head}");
        let length = format!("content-length: {}\r\n", body.len());
        assert!(head.contains(&length), "{said}");
        assert!(body.ends_with("}\n"), "{body}");
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["error"], code);
        assert!(body["detail"].as_str().unwrap().contains(word), "{body}");
    }
}

#[test]
fn a_client_that_breaks_off_does_no_harm() {
    let serving = Serving::new(Limits::default());
    for sent in [
        "\u{0}\r\n\r\n",
        "POST /transactions/new HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: 100\r\n\r\n{",
        "GET /chain HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ] {
        drop(serving.connect(sent));
    }
    let answer = request(&serving.address, "GET", "/health", &[], "").unwrap();
    assert_eq!(answer.ok(200)["pending"], 0);
}

#[test]
fn after_a_refused_call_the_connection_goes_on_or_says_that_it_closes() {
    let serving = Serving::new(Limits::default());
    for (sent, status) in [
        ("PUT /chain", 405),
        ("POST /nope", 404),
        ("POST /transactions/new", 422),
        ("GET /health", 200),
    ] {
        // The body follows after a pause, as Python's `requests` sends it.
        let mut stream = serving.connect(&format!(
            "{sent} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n"
        ));
        std::thread::sleep(Duration::from_millis(20));
        // This fails if the connection is closed. The answers are checked below.
        let _ = stream.write_all(b"12345");
        std::thread::sleep(Duration::from_millis(20));
        let _ = stream
            .write_all(b"GET /blocks/1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let said = read_all(stream);
        assert!(said.starts_with(&format!("HTTP/1.1 {status} ")), "{said}");
        let (first, second) = said.split_once("}\nHTTP/1.1 ").unwrap_or((&said, "200"));
        let is_closed = first.contains("connection: close");
        assert!(is_closed || first.len() < said.len(), "{sent}: {said}");
        assert!(second.starts_with("200"), "{said}");
    }
}

#[test]
fn a_connection_goes_on_after_a_body_that_no_handler_reads() {
    let serving = Serving::new(Limits::default());
    for (sent, size) in [("DELETE /chain", 300_000), ("POST /nope", 3_000_000)] {
        let mut stream = serving.connect(&format!(
            "{sent} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\n\r\n"
        ));
        stream.write_all(&vec![b'x'; size]).unwrap();
        stream
            .write_all(b"GET /blocks/1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .unwrap();
        let said = read_all(stream);
        assert_eq!(said.matches("HTTP/1.1 ").count(), 2, "{said}");
    }
    // A chunked body marks its own end.
    let said = read_all(serving.connect(
        "POST /nope HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n\
         2\r\nab\r\n0\r\n\r\nGET /blocks/1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    ));
    assert_eq!(said.matches("HTTP/1.1 ").count(), 2, "{said}");
}

#[test]
fn an_answer_before_the_end_of_a_body_says_that_the_connection_closes() {
    let cases = [
        // The body never comes, is too long, was not asked for, or breaks off.
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
    ];
    let sent = cases.map(|(head, _)| format!("{head}\r\nHost: localhost\r\n\r\n"));
    let (_serving, clients) = Serving::after(limited(impatient()), sent);
    for (client, (_, status)) in clients.into_iter().zip(cases) {
        let said = read_all(client);
        assert!(said.starts_with(&format!("HTTP/1.1 {status} ")), "{said}");
        assert!(said.contains("connection: close"), "{said}");
    }
}
