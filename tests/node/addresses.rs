//! Protects `/nodes/register` from typing errors: right addresses are stored as
//! the tutorial's Python stores them, wrong ones are refused.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::fixture::Fixture;

/// Reads a JSON list of addresses and prints the host and port of each, in lower
/// case and without port 80. Fails if the tutorial stores another text, except
/// where it takes the host for a scheme or keeps a path.
const PYTHON: &str = r#"
import json, re, sys
from urllib.parse import urlparse
hosts = []
for address in json.load(sys.stdin):
    parts = urlparse(address)
    tutorial = parts.netloc or parts.path
    has_slashes = re.match("(https?:)?//", address, re.IGNORECASE)
    host = urlparse(address if has_slashes else "//" + address).netloc
    if parts.netloc or not (parts.scheme or set("/?#") & set(address)):
        assert tutorial == host, (address, tutorial, host)
    hosts.append(host.lower().removesuffix(":80"))
print(json.dumps(hosts))
"#;

fn combined(parts: [&[&str]; 4]) -> Vec<String> {
    let mut texts = vec![String::new()];
    for part in parts {
        texts = texts
            .iter()
            .flat_map(|text| part.iter().map(move |end| format!("{text}{end}")))
            .collect();
    }
    texts
}

fn by_python(addresses: &[String]) -> Option<Vec<String>> {
    let mut python = Command::new("python3")
        .args(["-c", PYTHON])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .inspect_err(|_| eprintln!("skipped: there is no python3"))
        .ok()?;
    let text = json!(addresses).to_string();
    let mut stdin = python.stdin.take().unwrap();
    stdin.write_all(text.as_bytes()).unwrap();
    drop(stdin);
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[tokio::test]
async fn right_addresses_are_stored_as_python_reads_them() {
    let addresses = combined([
        &["http://", "https://", "HTTP://", "//", ""],
        &[
            "localhost",
            "LocalHost",
            "a",
            "node-1.example.org",
            "my_node",
            "a.b.c.",
            "3com.com",
            "1a.2b",
            "httpbin",
            "https-proxy",
            "0xyz",
            "xn--bcher-kva.example",
            "127.0.0.1",
            "192.168.0.5",
            "255.255.255.255",
            "[::1]",
            "[2001:db8::ff00:42:8329]",
            "[::ffff:192.0.2.1]",
        ],
        &["", ":80", ":1", ":5000", ":65535"],
        &["", "/", "/chain", "/chain?x=1#y", "?u=http://me@x:1", "#x"],
    ]);
    let Some(hosts) = by_python(&addresses) else {
        return;
    };
    let mut by_host = BTreeMap::<_, Vec<_>>::new();
    for (host, address) in hosts.iter().zip(&addresses) {
        by_host.entry(host).or_default().push(address);
    }
    let fixture = Fixture::new();
    let mut known = Vec::new();
    for (host, addresses) in by_host {
        let body = json!({ "nodes": addresses }).to_string();
        let reply = fixture.post("/nodes/register", body).await;
        known.push(host);
        let total = reply.ok(201)["total_nodes"].clone();
        assert_eq!(total, json!(known), "{addresses:?}");
    }
}

#[tokio::test]
async fn wrong_addresses_are_refused() {
    let long_label = "a".repeat(64);
    let long_name = "abc.".repeat(64) + "a";
    let hosts = [
        "",
        ".",
        "..",
        "a..b",
        ".a",
        "-a",
        "a-",
        "a.-b",
        "a-.b",
        "http",
        "HTTPS",
        "5001",
        "0",
        "127.1",
        "1.2.3",
        "0x7f.1",
        "0x7f000001",
        "010.0.0.1",
        "127.0.0.01",
        "127.0.0.1.",
        "256.256.256.256",
        "1.2.3.4.5",
        "127.0.0.1.5001",
        "a.1",
        "4294967296",
        "a b",
        "a,b",
        "a;b",
        "a\"",
        "'a",
        "`a`",
        "<a>",
        "(a)",
        "a%2e",
        "%61",
        "a\\b",
        "*",
        "$HOST",
        "{host}",
        "a\tb",
        "bücher.de",
        "１27.0.0.1",
        "a。b",
        "“a”",
        "a\u{200b}",
        "\u{feff}a",
        "me@a",
        "me:secret@a",
        "xn--a",
        "[::1",
        "::1]",
        "[::g]",
        "[1:2]",
        "[]",
        "[a]",
        "::1",
        "fe80::1",
        "[fe80::1%25eth0]",
        &long_label,
        &long_name,
    ];
    let mut addresses = combined([
        &["", "http://", "//"],
        &hosts,
        &["", ":5000"],
        &["", "/chain"],
    ]);
    addresses.extend(combined([
        &["", "https://", "//"],
        &["a", "127.0.0.1", "[::1]"],
        &[
            ":0", ":65536", ":99999", ":x", ":5000x", ":5000:1", ":-1", ":+1", ": 1", "::1",
            ":1,b:1", ":５", ":1'", ":0x50", ":1.5",
        ],
        &["", "/chain"],
    ]));
    let typos = [
        "http:/localhost:5001",
        "https:/x",
        "http//x:1",
        "http:5001",
        "http:x:1",
        "http:://x",
        "http;//x:1",
        "http.//x",
        "http:\\\\x",
        "http:/\\x",
        "http:///x:1",
        "http://http://x:1",
        "http://https:/x",
        "http://ftp://x",
        "https//x",
        "htp:/x",
        "htp//x:1",
        "://x",
        ":/x",
        "/x:1",
        "\"http://x:1\"",
        "'http://x:1'",
        "http ://x",
        "http://x:1 http://y:1",
        "x:1\nhttp://y:1",
        "localhost:",
        "127.0.0.1:/chain",
        "[::1]:",
        "ftp://x",
        "ws://x:1",
        "file:///etc/hosts",
        "localhost://x",
    ];
    addresses.extend(typos.map(str::to_owned));
    let fixture = Fixture::new();
    for address in &addresses {
        let body = json!({ "nodes": ["http://right:1", address] }).to_string();
        let reply = fixture.post("/nodes/register", body).await;
        assert_eq!(reply.status, 422, "{address:?}: {}", reply.body);
    }
    assert_eq!(
        fixture.get("/nodes").await.ok(200)["nodes"],
        Value::Array(vec![])
    );
}
