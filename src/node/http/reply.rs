//! Successful answers.

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use axum::http::{Response, StatusCode};

use super::answer_memory;
use crate::chain::json::write_string;
use crate::node::state::Node;
use crate::node::store::Forged;

pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The hash of the block in the body.
const BLOCK_HASH: HeaderName = HeaderName::from_static("x-block-hash");

/// An answer with JSON text.
pub(super) fn json(status: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Body::from(text.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}

/// One block in its canonical form, and its hash in a header.
pub(super) fn block(text: impl Into<Bytes>, hash: &str) -> Response<Body> {
    let mut response = json(StatusCode::OK, text);
    if let Ok(hash) = HeaderValue::from_str(hash) {
        response.headers_mut().insert(BLOCK_HASH, hash);
    }
    response
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
    let text = [head.as_bytes(), transactions, b"]}"].concat();
    json(StatusCode::OK, answer_memory::count(node, text, None).await)
}

/// `text` as a JSON string.
pub(super) fn quoted(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len() + 2);
    write_string(text, &mut out);
    String::from_utf8(out).expect("canonical text is ASCII")
}
