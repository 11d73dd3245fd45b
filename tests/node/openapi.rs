//! Protects the description of the calls at `/openapi.json`.

use fourzero::node::Token;

use crate::fixture::Fixture;

#[tokio::test]
async fn the_description_lists_every_call() {
    let fixture = Fixture::new();
    let description = fixture.get("/openapi.json").await.ok(200);
    let mut calls: Vec<_> = description["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().keys();
            methods.map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect();
    calls.sort();
    assert_eq!(
        calls,
        [
            "GET /balances/{name}",
            "GET /blocks/latest",
            "GET /blocks/{index}",
            "GET /chain",
            "GET /health",
            "GET /metrics",
            "GET /mine",
            "GET /mining/template",
            "GET /nodes",
            "GET /nodes/resolve",
            "GET /openapi.json",
            "GET /transactions/pending",
            "POST /mine",
            "POST /mining/submit",
            "POST /nodes/register",
            "POST /transactions/new",
        ]
    );
}

#[tokio::test]
async fn the_description_lists_the_methods_of_the_router() {
    for token in [None, Some(Token::new("t"))] {
        let has_token = token.is_some();
        let fixture = Fixture::with(|config| config.token = token);
        let description = fixture.get("/openapi.json").await.ok(200);
        for (path, methods) in description["paths"].as_object().unwrap() {
            let mut described = vec!["OPTIONS"];
            for method in methods.as_object().unwrap().keys() {
                described.extend(match method.as_str() {
                    "get" => &["GET", "HEAD"][..],
                    "post" => &["POST"],
                    other => panic!("{other}"),
                });
            }
            described.sort_unstable();
            let path = path.replace("{index}", "1").replace("{name}", "a");
            let reply = fixture.call("OPTIONS", &path).await;
            let mut allowed: Vec<_> = reply.headers["allow"]
                .to_str()
                .unwrap()
                .split(", ")
                .collect();
            allowed.sort_unstable();
            assert_eq!(allowed, described, "{path}");
        }
        let text = description.to_string();
        for part in ["\"security\"", "\"securitySchemes\"", "\"401\""] {
            assert_eq!(text.contains(part), has_token, "{part}");
        }
        assert_eq!(text.contains("\"403\""), !has_token);
    }
}
