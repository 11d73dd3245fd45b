//! Protects the node from web pages of other sites, and lets in those that it
//! trusts.

use axum::body::Body;
use axum::http::{HeaderValue, Request};
use fourzero::node::{Node, NodeConfig, NodeError, Token};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::fixture::{Fixture, Reply, easy};

/// A node with the names and trusted origins of these tests.
fn named(change: impl FnOnce(&mut NodeConfig)) -> Fixture {
    Fixture::with(|config| {
        config.hosts = ["node1", "node.example.org"]
            .map(|name| name.parse().unwrap())
            .into();
        config.origins = ["http://localhost:3000", "https://app.example.org"]
            .map(|origin| origin.parse().unwrap())
            .into();
        change(config);
    })
}

/// Every call that changes the node, and how it answers if it is let through.
const CHANGES: [(&str, &str, u16); 7] = [
    ("GET", "/mine", 200),
    ("HEAD", "/mine", 200),
    ("POST", "/mine", 200),
    ("POST", "/transactions/new", 400),
    ("POST", "/nodes/register", 400),
    ("GET", "/nodes/resolve", 200),
    ("POST", "/mining/submit", 422),
];

async fn call(fixture: &Fixture, (method, path): (&str, &str), headers: &[(&str, &[u8])]) -> Reply {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, HeaderValue::from_bytes(value).unwrap());
    }
    fixture.send(request.body(Body::from("{}")).unwrap()).await
}

/// Whether a call with these headers may change the node.
async fn is_let_in(fixture: &Fixture, headers: &[(&str, &[u8])]) -> bool {
    let reply = call(fixture, ("POST", "/nodes/register"), headers).await;
    match reply.status {
        400 => true,
        403 => false,
        status => panic!("{status}: {}", reply.body),
    }
}

#[tokio::test]
async fn foreign_pages_change_nothing() {
    let foreign: [&[(&str, &[u8])]; 4] = [
        &[
            ("host", b"localhost:5000"),
            ("origin", b"http://evil.example"),
        ],
        &[("host", b"localhost:5000"), ("origin", b"null")],
        &[("host", b"evil.example:5000")],
        &[
            ("host", b"localhost:5000"),
            ("sec-fetch-site", b"cross-site"),
        ],
    ];
    let fixture = named(|_| {});
    for (method, path, status) in CHANGES {
        let blocks = fixture.node.blocks();
        for headers in foreign {
            let reply = call(&fixture, (method, path), headers).await;
            assert_eq!(reply.status, 403, "{method} {path} {headers:?}");
            if method != "HEAD" {
                assert_eq!(reply.error(403).0, "forbidden");
            }
        }
        assert_eq!(fixture.node.blocks(), blocks);
        let reply = call(&fixture, (method, path), &[]).await;
        assert_eq!(reply.status, status, "{method} {path}");
    }
    for path in ["/chain", "/health", "/nodes", "/mining/template"] {
        for headers in foreign {
            assert_eq!(call(&fixture, ("GET", path), headers).await.status, 200);
        }
    }
    let with_token = named(|config| config.token = Some(Token::new("s3cret")));
    for (method, path, status) in CHANGES {
        for headers in foreign {
            let reply = call(&with_token, (method, path), headers).await;
            assert_eq!(reply.status, 401, "{method} {path}");
            let token = ("authorization", &b"Bearer s3cret"[..]);
            let headers = [headers, &[token]].concat();
            let reply = call(&with_token, (method, path), &headers).await;
            assert_eq!(reply.status, status, "{method} {path} {headers:?}");
        }
    }
}

#[tokio::test]
async fn a_host_is_an_address_or_a_name_of_the_node() {
    let fixture = named(|_| {});
    for (host, expected) in [
        ("", true),
        ("127.0.0.1", true),
        ("127.0.0.1:5000", true),
        ("192.168.0.5:80", true),
        ("0.0.0.0:5000", true),
        ("127.1:5000", true),
        ("[::1]", true),
        ("[::1]:5000", true),
        ("[FE80::1]:5000", true),
        ("localhost", true),
        ("localhost:", true),
        ("LocalHost:5000", true),
        ("node1", true),
        ("node1:5000", true),
        ("NODE1:5000", true),
        ("node.example.org", true),
        ("node2:5000", false),
        ("node1.evil.example", false),
        ("evil.node1", false),
        ("example.org", false),
        ("localhost.evil.example", false),
        ("evil.localhost", false),
        ("127.0.0.1.evil.example:5000", false),
        ("127.0.0.1@evil.example", false),
        ("evil.example@127.0.0.1", false),
        ("localhost,evil.example", false),
        ("localhost evil.example", false),
        ("localhost/", false),
        ("localhost:5000:5000", false),
        ("localhost:x", false),
        ("[::1", false),
        ("::1]", false),
        ("[localhost]", false),
        ("[::1]evil.example", false),
        ("*", false),
        (":5000", false),
        ("é", false),
    ] {
        let is = is_let_in(&fixture, &[("host", host.as_bytes())]).await;
        assert_eq!(is, expected, "{host:?}");
    }
    assert!(!is_let_in(&fixture, &[("host", b"localhost\xff")]).await);
    // A second header cannot hide a foreign one.
    let (ours, foreign) = (("host", &b"localhost"[..]), ("host", &b"evil"[..]));
    assert!(!is_let_in(&fixture, &[ours, foreign]).await);
    assert!(!is_let_in(&fixture, &[foreign, ours]).await);
    // As a proxy is asked.
    for (target, status) in [("http://node1:5000", 400), ("http://evil:5000", 403)] {
        let target = format!("{target}/nodes/register");
        let reply = call(&fixture, ("POST", &target), &[ours]).await;
        assert_eq!(reply.status, status, "{target}");
    }
}

#[tokio::test]
async fn an_origin_is_the_nodes_or_a_trusted_one() {
    let fixture = named(|_| {});
    for (host, origin, expected) in [
        ("localhost:5000", "http://localhost:5000", true),
        ("LOCALHOST:5000", "http://localhost:5000", true),
        ("node1", "http://node1", true),
        ("[::1]:5000", "http://[::1]:5000", true),
        // Behind a proxy that speaks TLS.
        ("node.example.org", "https://node.example.org", true),
        ("localhost:5000", "http://localhost:3000", true),
        ("node1:5000", "https://app.example.org", true),
        ("", "https://app.example.org", true),
        ("localhost:5000", "http://localhost:5001", false),
        ("localhost:5000", "http://localhost", false),
        ("localhost:5000", "http://127.0.0.1:5000", false),
        ("localhost:5000", "https://localhost:3000", false),
        ("localhost:5000", "http://app.example.org", false),
        ("localhost:5000", "https://app.example.org:8443", false),
        ("localhost:5000", "https://app.example.org.evil", false),
        ("localhost:5000", "null", false),
        ("localhost:5000", "", false),
        ("localhost:5000", "localhost:5000", false),
        ("localhost:5000", "ftp://localhost:5000", false),
        ("localhost:5000", "http://localhost:5000/", false),
        ("localhost:5000", "http://me@localhost:5000", false),
        ("localhost:5000", "*", false),
        (
            "localhost:5000",
            "http://localhost:5000, http://evil",
            false,
        ),
        ("", "http://", false),
        ("", "http://localhost:5000", false),
    ] {
        let headers = [("host", host.as_bytes()), ("origin", origin.as_bytes())];
        let is = is_let_in(&fixture, &headers).await;
        assert_eq!(is, expected, "{host:?} {origin:?}");
    }
    let origin = |origin: &'static str| ("origin", origin.as_bytes());
    let (ours, foreign) = (origin("http://localhost:3000"), origin("http://evil"));
    assert!(!is_let_in(&fixture, &[ours, foreign]).await);
    assert!(!is_let_in(&fixture, &[foreign, ours]).await);
    // Images and links have no Origin.
    for (site, expected) in [
        ("none", true),
        ("same-origin", true),
        ("same-site", false),
        ("cross-site", false),
    ] {
        let site = ("sec-fetch-site", site.as_bytes());
        assert_eq!(is_let_in(&fixture, &[site]).await, expected, "{site:?}");
        // The origin says more.
        assert!(is_let_in(&fixture, &[site, ours]).await);
        assert!(!is_let_in(&fixture, &[site, foreign]).await);
    }
}

#[test]
fn any_headers_are_let_in_or_refused() {
    let fixture = named(|_| {});
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let is_let_in = |headers: &[(&str, &[u8])]| runtime.block_on(is_let_in(&fixture, headers));
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(2000)
    };
    let headers = (header(), header(), 0u16.., "[a-z]{1,9}");
    let tested = TestRunner::new(config).run(&headers, |(host, origin, port, label)| {
        let text = String::from_utf8_lossy(&host).to_ascii_lowercase();
        let name = text.split(':').next().unwrap().trim_end_matches('.');
        if is_let_in(&[("host", &host)]) {
            let is_name = ["", "localhost", "node1"].contains(&name);
            // Short and hexadecimal forms, too.
            let last = name.split('.').next_back().unwrap();
            let is_address =
                text.starts_with('[') || last.starts_with(|first: char| first.is_ascii_digit());
            let is_escaped = text.contains('%') || !text.is_ascii();
            prop_assert!(is_name || is_address || is_escaped, "{text:?}");
        }
        if is_let_in(&[("host", b"localhost:5000"), ("origin", &origin)]) {
            let trusted: [&[u8]; 3] = [
                b"http://localhost:5000",
                b"http://localhost:3000",
                b"https://app.example.org",
            ];
            prop_assert!(trusted.contains(&origin.as_slice()), "{origin:?}");
        }
        let host = format!("node1:{port}");
        prop_assert!(is_let_in(&[("host", host.as_bytes())]));
        for host in [
            format!("{label}.node1:{port}"),
            format!("node1.{label}:{port}"),
            format!("{label}node1:{port}"),
            format!("node1{label}"),
        ] {
            prop_assert!(!is_let_in(&[("host", host.as_bytes())]), "{host}");
        }
        Ok(())
    });
    tested.unwrap();
}

/// The value of a header: a mixture of what hosts and origins are made of.
fn header() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        "(http://|https://|null|localhost|node1|127\\.0\\.0\\.1|\\[::1\\]|evil|app\\.example\\.org)",
        "(:|:5000|:3000|\\.|/|@|,|\\[|\\]|%6c|\t| |[0-9a-fA-Fx.]{1,5})",
        "[ -~]",
    ];
    let bytes = part.prop_map(String::into_bytes);
    let other = (0x80u8..).prop_map(|byte| vec![byte]);
    proptest::collection::vec(prop_oneof![8 => bytes, 1 => other], 0..6)
        .prop_map(|parts| parts.concat())
}

/// What a browser asks before it sends JSON from a page of `origin`.
async fn preflight(fixture: &Fixture, path: &str, origin: &str) -> Reply {
    call(
        fixture,
        ("OPTIONS", path),
        &[
            ("host", b"localhost:5000"),
            ("origin", origin.as_bytes()),
            ("access-control-request-method", b"POST"),
            (
                "access-control-request-headers",
                b"authorization,content-type",
            ),
            ("sec-fetch-mode", b"cors"),
            ("sec-fetch-site", b"same-site"),
        ],
    )
    .await
}

fn header_of<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    reply.headers.get(name).map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn a_page_of_a_trusted_origin_may_call_and_read() {
    for token in [None, Some(Token::new("s3cret"))] {
        let fixture = named(|config| config.token = token);
        for path in ["/transactions/new", "/mine", "/chain"] {
            let reply = preflight(&fixture, path, "http://localhost:3000").await;
            assert_eq!((reply.status, reply.body.as_str()), (200, ""));
            let of = |name| header_of(&reply, name);
            assert_eq!(
                of("access-control-allow-origin"),
                Some("http://localhost:3000")
            );
            assert_eq!(of("access-control-allow-methods"), Some("GET,HEAD,POST"));
            assert_eq!(
                of("access-control-allow-headers"),
                Some("authorization,content-type")
            );
            assert_eq!(of("access-control-allow-credentials"), None);
            assert!(of("vary").unwrap().contains("origin"));
            // The preflight of any other page promises nothing.
            for origin in ["http://evil.example", "null", "http://localhost:3001"] {
                let reply = preflight(&fixture, path, origin).await;
                assert_eq!(header_of(&reply, "access-control-allow-origin"), None);
            }
        }
        let origin = ("origin", &b"http://localhost:3000"[..]);
        let token = ("authorization", &b"Bearer s3cret"[..]);
        for (path, status) in [("/mine", 200), ("/chain?from=x", 400), ("/nope", 404)] {
            let reply = call(&fixture, ("GET", path), &[origin, token]).await;
            assert_eq!(reply.status, status);
            assert_eq!(
                header_of(&reply, "access-control-allow-origin"),
                Some("http://localhost:3000")
            );
            assert_eq!(
                header_of(&reply, "access-control-expose-headers"),
                Some("x-block-hash,retry-after")
            );
        }
        let reply = call(&fixture, ("OPTIONS", "/mine"), &[]).await;
        assert_eq!(header_of(&reply, "allow"), Some("GET, HEAD, POST, OPTIONS"));
    }
}

#[tokio::test]
async fn by_default_pages_of_other_origins_may_not_even_read() {
    let fixture = Fixture::new();
    let reply = preflight(&fixture, "/transactions/new", "http://localhost:3000").await;
    assert_eq!(reply.status, 200);
    assert_eq!(header_of(&reply, "allow"), Some("POST, OPTIONS"));
    let origin = ("origin", &b"http://localhost:3000"[..]);
    let answers = [reply, call(&fixture, ("GET", "/chain"), &[origin]).await];
    for reply in answers {
        let mut names = reply.headers.keys();
        assert!(!names.any(|name| name.as_str().starts_with("access-control")));
    }
}

#[tokio::test]
async fn all_origins_are_trusted_only_without_a_token() {
    let any = |config: &mut NodeConfig| config.origins = vec!["*".parse().unwrap()];
    let fixture = Fixture::with(any);
    for headers in [
        ("origin", &b"http://evil.example"[..]),
        ("origin", b"null"),
        ("sec-fetch-site", b"cross-site"),
    ] {
        assert!(is_let_in(&fixture, &[headers]).await);
        assert!(!is_let_in(&fixture, &[headers, ("host", b"evil.example")]).await);
    }
    let reply = preflight(&fixture, "/mine", "null").await;
    assert_eq!(header_of(&reply, "access-control-allow-origin"), Some("*"));

    let folder = tempfile::tempdir().unwrap();
    let mut config = easy(folder.path());
    any(&mut config);
    config.token = Some(Token::new("s3cret"));
    let error = Node::open(config).unwrap_err();
    assert!(matches!(error, NodeError::AnyOrigin), "{error}");
}
