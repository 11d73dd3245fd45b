//! `GET /chain`.

use axum::RequestExt as _;
use axum::extract::{Query, Request};
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;

use crate::node::http::error::ApiError;
use crate::node::http::route::{
    Content, Description, Route, list_of, object, query_parameter, reference,
};
use crate::node::http::stream::{self, ChainAnswer};
use crate::node::state::Node;

pub(super) fn route() -> Route {
    Route::get(
        "/chain",
        |node, request| Box::pin(handle(node, request)),
        Description {
            name: "chain",
            summary: "The chain, or a part of it",
            parameters: vec![
                query_parameter(
                    "from",
                    json!({"type": "integer", "minimum": 1, "maximum": u64::MAX}),
                    "The index of the first block",
                ),
                query_parameter(
                    "limit",
                    json!({"type": "integer", "minimum": 0, "maximum": u64::MAX}),
                    "The most blocks to answer",
                ),
            ],
            body: None,
            success: (
                200,
                "The blocks, and the length of the whole chain",
                Content::Json(object(&[
                    ("chain", list_of(&reference("Block"))),
                    ("length", json!({"type": "integer", "minimum": 1})),
                ])),
            ),
            errors: &[(400, "A parameter is not a number of the right size")],
        },
    )
}

#[derive(Deserialize)]
struct Parameters {
    from: Option<String>,
    limit: Option<String>,
}

async fn handle(node: Node, mut request: Request) -> Result<Response, ApiError> {
    let Query(Parameters { from, limit }) = request
        .extract_parts()
        .await
        .map_err(|error| ApiError::bad_request(format!("the query cannot be read: {error}")))?;
    let head = node.shared.ledger.head();
    let length = head.tip.index;
    let first = number("from", from)?.unwrap_or(1);
    if first == 0 {
        return Err(ApiError::bad_request("from is 0, but blocks count from 1"));
    }
    let last = match number("limit", limit)? {
        Some(limit) => length.min(first.saturating_add(limit) - 1),
        None => length,
    };
    let answer = ChainAnswer {
        before: "{\"chain\": [".to_owned(),
        first,
        last,
        after: format!("], \"length\": {length}}}"),
    };
    stream::chain(&node, head, answer).await
}

fn number(name: &str, text: Option<String>) -> Result<Option<u64>, ApiError> {
    text.map(|text| match text.parse() {
        Ok(number) if text.starts_with(|first: char| first.is_ascii_digit()) => Ok(number),
        _ => Err(ApiError::bad_request(format!(
            "{name} is {text:?}, expected a number from 0 to {}",
            u64::MAX
        ))),
    })
    .transpose()
}
