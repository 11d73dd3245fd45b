//! `GET /chain`.

use axum::RequestExt as _;
use axum::extract::{Query, Request};
use axum::response::Response;
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
            errors: &[(400, "A parameter is not one number of the right size")],
        },
    )
}

async fn handle(node: Node, mut request: Request) -> Result<Response, ApiError> {
    let Query(parameters) = request
        .extract_parts::<Query<Vec<(String, String)>>>()
        .await
        .map_err(|_| ApiError::bad_request("the query cannot be read"))?;
    let head = node.shared.ledger.head();
    let length = head.tip.index;
    let first = number("from", &parameters)?.unwrap_or(1);
    if first == 0 {
        return Err(ApiError::bad_request("from is 0, but blocks count from 1"));
    }
    let last = match number("limit", &parameters)? {
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

fn number(name: &str, parameters: &[(String, String)]) -> Result<Option<u64>, ApiError> {
    let mut texts = parameters
        .iter()
        .filter(|(key, _)| key == name)
        .map(|(_, text)| text);
    let Some(text) = texts.next() else {
        return Ok(None);
    };
    if texts.next().is_some() {
        return Err(ApiError::bad_request(format!(
            "{name} is given more than once"
        )));
    }
    match text.parse() {
        Ok(number) if text.starts_with(|first: char| first.is_ascii_digit()) => Ok(Some(number)),
        _ => Err(ApiError::bad_request(format!(
            "{name} is {text:?}, expected a number from 0 to {}",
            u64::MAX
        ))),
    }
}
