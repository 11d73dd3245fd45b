//! Protects requests that a Flask node takes: this node must take them, too.

use axum::body::Body;
use axum::http::{HeaderValue, Request};
use serde_json::json;

use crate::fixture::Fixture;

const WHOLE: &str = r#"{"sender": "a", "recipient": "b", "amount": 1}"#;

#[tokio::test]
async fn repeated_slashes_at_the_start_of_a_path_are_ignored() {
    let fixture = Fixture::new();
    for path in ["//chain", "///chain", "//chain?limit=1"] {
        assert_eq!(fixture.get(path).await.ok(200)["length"], 1, "{path}");
    }
    let reply = fixture.post("//transactions/new", WHOLE).await;
    reply.ok(201);
    fixture.get("/nodes//resolve").await.error(404);
    fixture.get("//").await.error(404);
}

#[tokio::test]
async fn letters_in_a_path_may_be_percent_encoded() {
    let fixture = Fixture::new();
    for path in ["/%63hain", "//c%68%61in", "/blocks/%6Catest", "/blocks/%31"] {
        fixture.get(path).await.ok(200);
    }
    for path in ["/chain%2F", "/nodes%2fresolve", "/chain%00", "/%63hain%zz"] {
        fixture.get(path).await.error(404);
    }
    // A name is decoded exactly once.
    for (path, name) in [
        ("/balances/%61%2Fb%2541", "a/b%41"),
        ("/balances/%%34%31", "%41"),
        ("/%62alances/%2525", "%25"),
        ("/balances/%C3%A9", "é"),
        ("/balances//%61", ""),
    ] {
        let reply = fixture.get(path).await;
        match name {
            "" => drop(reply.error(404)),
            _ => assert_eq!(reply.ok(200)["name"], name, "{path}"),
        }
    }
}

#[tokio::test]
async fn options_and_refused_methods_list_what_a_path_takes() {
    let fixture = Fixture::with(|config| config.token = Some(fourzero::node::Token::new("t")));
    for (path, allowed) in [
        ("/chain", "GET, HEAD, OPTIONS"),
        ("/mine", "GET, HEAD, POST, OPTIONS"),
        ("/transactions/new", "POST, OPTIONS"),
        ("/balances/a", "GET, HEAD, OPTIONS"),
    ] {
        let reply = fixture.call("OPTIONS", path).await;
        assert_eq!((reply.status, reply.body.as_str()), (200, ""), "{path}");
        assert_eq!(reply.headers["allow"], allowed);
        let reply = fixture.call("PATCH", path).await;
        reply.error(405);
        assert_eq!(reply.headers["allow"], allowed);
    }
    fixture.call("OPTIONS", "/no/such").await.error(404);
}

#[tokio::test]
async fn arrays_and_strings_count_as_transactions_without_fields() {
    let fixture = Fixture::new();
    for body in [
        "[]",
        " [1]",
        "\u{feff}[]",
        r#"["sender"]"#,
        r#"["sender", "recipient", "amount"]"#,
        r#"[{"sender": "a", "recipient": "b", "amount": 1}]"#,
        r#""""#,
        r#""sender recipient amount""#,
    ] {
        let reply = fixture.post("/transactions/new", body).await;
        assert_eq!((reply.status, reply.body.as_str()), (400, "Missing values"));
    }
    for body in ["null", "5", "-1.5", "true", "false"] {
        let (_, detail) = fixture.post("/transactions/new", body).await.error(422);
        assert!(detail.contains(body), "{detail}");
    }
}

#[tokio::test]
async fn nodes_may_be_registered_with_https() {
    let fixture = Fixture::new();
    let nodes = r#"{"nodes": ["https://h6:4", "HTTPS://h7/chain", "http://h6:4"]}"#;
    let reply = fixture.post("/nodes/register", nodes).await;
    assert_eq!(reply.ok(201)["total_nodes"], json!(["h6:4", "h7"]));
}

#[tokio::test]
async fn a_parameter_given_twice_is_refused() {
    let fixture = Fixture::new();
    for query in ["limit=1&limit=2", "from=1&limit=1&from=1", "limit&limit"] {
        let reply = fixture.get(&format!("/chain?{query}")).await;
        let (_, detail) = reply.error(400);
        assert!(detail.contains("more than once"), "{detail}");
    }
    let part = fixture.get("/chain?x=1&x=2&limit=0&%66rom=1").await;
    assert_eq!(part.ok(200), json!({"chain": [], "length": 1}));
}

#[tokio::test]
async fn json_is_taken_whatever_its_type_and_the_type_decides_how_other_bodies_are_refused() {
    let fixture = Fixture::new();
    let send = async |types: &[&[u8]], body: &'static str| {
        let mut request = Request::post("/transactions/new");
        for type_ in types {
            request = request.header("content-type", HeaderValue::from_bytes(type_).unwrap());
        }
        fixture.send(request.body(Body::from(body)).unwrap()).await
    };
    // The second column is Flask's answer to a body that is not JSON.
    for (types, status) in [
        (&[&b"application/json"[..]][..], 400),
        (&[b"application/json; x=\xe9"], 400),
        (&[b"APPLICATION/JSON\t;x"], 400),
        (&[b"application/problem+json"], 400),
        (&[b"text/plain", b"application/json"], 400),
        (&[], 415),
        (&[b""], 415),
        (&[b"application/json\xe9"], 415),
        (&[b"text/plain; application/json"], 415),
        (&[b"application/x-www-form-urlencoded"], 415),
        (&[b"application/json", b"text/plain"], 415),
    ] {
        assert_eq!(send(types, WHOLE).await.status, 201, "{types:?}");
        let reply = send(types, "{}").await;
        assert_eq!((reply.status, reply.body.as_str()), (400, "Missing values"));
        for body in ["sender=a&recipient=b&amount=1", "{", ""] {
            let (_, detail) = send(types, body).await.error(status);
            assert!(detail.contains("at byte "), "{detail}");
            assert_eq!(detail.contains("Content-Type"), status == 415, "{detail}");
        }
    }
    for path in ["/nodes/register", "/mining/submit"] {
        let json = Request::post(path).body(Body::from("5")).unwrap();
        fixture.send(json).await.error(422);
        let other = Request::post(path).body(Body::from("a=b")).unwrap();
        fixture.send(other).await.error(415);
    }
}
