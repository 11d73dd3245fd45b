//! `GET /blocks/latest` and `GET /blocks/{index}`.

use axum::RequestExt as _;
use axum::extract::{Path, Request};
use axum::response::Response;
use serde_json::json;

use crate::node::http::error::ApiError;
use crate::node::http::route::{Content, Description, Route, path_parameter, reference};
use crate::node::http::{held, reply};
use crate::node::state::Node;
use crate::node::writer::ChainHead;

pub(super) fn latest() -> Route {
    Route::get(
        "/blocks/latest",
        |node, _request| Box::pin(handle_latest(node)),
        Description {
            name: "latestBlock",
            summary: "The last block; the header X-Block-Hash is its hash",
            parameters: Vec::new(),
            body: None,
            success: (200, "The block", Content::Json(reference("Block"))),
            errors: &[],
        },
    )
}

pub(super) fn by_index() -> Route {
    Route::get(
        "/blocks/{index}",
        |node, request| Box::pin(handle_by_index(node, request)),
        Description {
            name: "block",
            summary: "One block; the header X-Block-Hash is its hash",
            parameters: vec![path_parameter(
                "index",
                json!({"type": "integer", "minimum": 1}),
                "Its place in the chain, counted from 1",
            )],
            body: None,
            success: (200, "The block", Content::Json(reference("Block"))),
            errors: &[
                (400, "The index is no number"),
                (404, "There is no such block"),
            ],
        },
    )
}

async fn handle_latest(node: Node) -> Result<Response, ApiError> {
    Ok(last_block(&node.shared.ledger.head()))
}

fn last_block(head: &ChainHead) -> Response {
    let hash = head.tip.hash.to_string();
    reply::block(head.tip.text.clone(), &hash)
}

async fn handle_by_index(node: Node, mut request: Request) -> Result<Response, ApiError> {
    let Path(index) = request
        .extract_parts::<Path<String>>()
        .await
        .map_err(|error| ApiError::bad_request(format!("the index cannot be read: {error}")))?;
    if index.is_empty() || !index.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ApiError::bad_request(format!(
            "the index is {index:?}, expected a number from 1 on, or latest"
        )));
    }
    let length = node.blocks();
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
    let head = node.shared.ledger.head();
    if number == head.tip.index {
        return Ok(last_block(&head));
    }
    let block = node
        .shared
        .readers
        .block(number)
        .await
        .map_err(|error| ApiError::of_read(&error))?
        .ok_or_else(not_found)?;
    let text = held::now(&node, block.text.into_bytes())?;
    Ok(reply::block(text, &block.hash))
}
