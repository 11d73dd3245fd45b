//! A node without a socket: requests go straight to its router.

use std::path::Path;

use axum::body::Body;
use axum::http::{HeaderMap, Request, Response};
use fourzero::node::{Node, NodeConfig, router};
use fourzero::pow::Target;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;

/// A node and the folder of its data.
pub(crate) struct Fixture {
    pub(crate) node: Node,
    pub(crate) folder: TempDir,
}

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) async fn of(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = String::from_utf8(bytes.to_vec()).unwrap();
        let is_json = parts
            .headers
            .get("content-type")
            .is_some_and(|type_| type_ == "application/json");
        if is_json && !body.is_empty() {
            assert_form(&body);
        }
        Self {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        }
    }

    #[track_caller]
    pub(crate) fn ok(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        serde_json::from_str(&self.body).unwrap()
    }

    /// The code and the detail of an error.
    #[track_caller]
    pub(crate) fn error(&self, status: u16) -> (String, String) {
        let body = self.ok(status);
        let text = |key: &str| body[key].as_str().unwrap().to_owned();
        assert_eq!(body.as_object().unwrap().len(), 2, "{body}");
        (text("error"), text("detail"))
    }
}

/// Every JSON answer is one line, with a space after each comma and colon.
#[track_caller]
fn assert_form(body: &str) {
    let line = body.strip_suffix('\n').expect("a line break at the end");
    let unescaped = line.replace("\\\\", "").replace("\\\"", "");
    for between_strings in unescaped.split('"').step_by(2) {
        let tight = between_strings.replace(", ", "").replace(": ", "");
        assert!(!tight.contains([',', ':', ' ', '\n']), "{body}");
    }
}

/// The configuration of a node that mines a block in a moment.
pub(crate) fn easy(folder: &Path) -> NodeConfig {
    NodeConfig {
        target: Target::from_hex_zeros(3).unwrap(),
        ..NodeConfig::new(folder)
    }
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut NodeConfig)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = easy(folder.path());
        change(&mut config);
        let node = Node::open(config).unwrap();
        Self { node, folder }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let response: Response<Body> = router(self.node.clone()).oneshot(request).await.unwrap();
        Reply::of(response).await
    }

    pub(crate) async fn call(&self, method: &str, path: &str) -> Reply {
        let request = Request::builder().method(method).uri(path);
        self.send(request.body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.call("GET", path).await
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<Body>) -> Reply {
        let request = Request::post(path).header("content-type", "application/json");
        self.send(request.body(body.into()).unwrap()).await
    }

    pub(crate) async fn add(&self, sender: &str) -> Reply {
        let body = json!({"sender": sender, "recipient": "bob", "amount": 5});
        self.post("/transactions/new", body.to_string()).await
    }
}
