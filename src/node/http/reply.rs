//! Successful answers.

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse as _;

use super::answer_memory;
use crate::chain::json::write_string;
use crate::node::state::Node;
use crate::node::store::Forged;

pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The hash of the block in the body.
const BLOCK_HASH: HeaderName = HeaderName::from_static("x-block-hash");

/// An answer with JSON text.
pub(super) fn json(status: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    (status, [(CONTENT_TYPE, JSON)], Body::from(text.into())).into_response()
}

/// One block in its canonical form, and its hash in a header.
pub(super) fn block(text: impl Into<Bytes>, hash: &str) -> Response<Body> {
    ([(BLOCK_HASH, hash)], json(StatusCode::OK, text)).into_response()
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
