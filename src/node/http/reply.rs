//! Successful answers.

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse as _;
use serde_json::Value;

use super::answer_memory;
use crate::chain::json::{canonical, write_string};
use crate::node::state::Node;
use crate::node::store::Forged;

pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The hash of the block in the body.
pub(super) const BLOCK_HASH: HeaderName = HeaderName::from_static("x-block-hash");

/// An answer with JSON text, which gets the line break that Flask ends it with.
pub(super) fn json(status: StatusCode, text: String) -> Response<Body> {
    line(status, text + "\n")
}

/// An answer with a JSON value.
pub(super) fn value(status: StatusCode, value: &Value) -> Response<Body> {
    json(status, spaced(value))
}

/// A JSON value in canonical text, like that of blocks.
pub(in crate::node) fn spaced(value: &Value) -> String {
    canonical(value.to_string().as_bytes()).expect("serde_json writes JSON")
}

/// An answer with JSON text that ends with a line break.
pub(super) fn line(status: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    (status, [(CONTENT_TYPE, JSON)], Body::from(text.into())).into_response()
}

/// One block in its canonical form, with a line break, and its hash in a header.
pub(super) fn block(text: impl Into<Bytes>, hash: &str) -> Response<Body> {
    ([(BLOCK_HASH, hash)], line(StatusCode::OK, text)).into_response()
}

/// The tutorial's answer to `/mine`.
pub(super) async fn forged(node: &Node, forged: &Forged) -> Response<Body> {
    let Forged {
        tip, transactions, ..
    } = forged;
    let head = format!(
        "{{\"index\": {}, \"message\": \"New Block Forged\", \"previous_hash\": \"{}\", \
         \"proof\": {}, \"transactions\": [",
        tip.index, tip.previous_hash, tip.proof,
    );
    let text = [head.as_bytes(), transactions, b"]}\n"].concat();
    line(StatusCode::OK, answer_memory::count(node, text, None).await)
}

/// `text` as a JSON string.
pub(super) fn quoted(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len() + 2);
    write_string(text, &mut out);
    String::from_utf8(out).expect("canonical text is ASCII")
}
