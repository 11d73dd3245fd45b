//! `GET /blocks/latest` and `GET /blocks/{index}`.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;

use crate::node::http::error::ApiError;
use crate::node::http::{answer_memory, reply};
use crate::node::state::Node;
use crate::node::writer::ChainHead;

pub(in crate::node::http) async fn latest(State(node): State<Node>) -> Response {
    last_block(&node.shared.writer.head())
}

fn last_block(head: &ChainHead) -> Response {
    let hash = head.tip.hash.to_string();
    reply::block(head.tip.line.clone(), &hash)
}

pub(in crate::node::http) async fn by_index(
    State(node): State<Node>,
    index: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let Path(index) = index?;
    if index.is_empty() || !index.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ApiError::bad_request(format!(
            "the index is {index:?}, expected a number from 1 on, or latest"
        )));
    }
    let head = node.shared.writer.head();
    let length = head.tip.index;
    let not_found = || {
        ApiError::not_found(format!(
            "there is no block {index}; the chain has the blocks 1 to {length}"
        ))
    };
    let number = index
        .parse()
        .ok()
        .filter(|number| (1..=length).contains(number))
        .ok_or_else(not_found)?;
    if number == length {
        return Ok(last_block(&head));
    }
    let block = node
        .shared
        .readers
        .block(number)
        .await?
        .ok_or_else(not_found)?;
    let line = answer_memory::try_count(&node, (block.text + "\n").into_bytes())?;
    Ok(reply::block(line, &block.hash))
}
