//! `GET /chain`.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;

use crate::node::http::chain_stream::{self, ChainAnswer};
use crate::node::http::error::ApiError;
use crate::node::state::Node;

type Parameters = Vec<(String, String)>;

pub(in crate::node::http) async fn handle(
    State(node): State<Node>,
    query: Result<Query<Parameters>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(parameters) = query.map_err(|_| ApiError::bad_request("the query cannot be read"))?;
    let head = node.shared.writer.head();
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
    chain_stream::answer(&node, &head, answer).await
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
