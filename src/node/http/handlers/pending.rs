//! `GET /transactions/pending`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::node::http::error::ApiError;
use crate::node::http::{answer_memory, reply};
use crate::node::state::Node;

pub(in crate::node::http) async fn handle(State(node): State<Node>) -> Result<Response, ApiError> {
    let (transactions, count) = node.shared.readers.pending().await?;
    let mut text = format!("{{\"count\": {count}, \"transactions\": [").into_bytes();
    text.extend_from_slice(&transactions);
    text.extend_from_slice(b"]}\n");
    Ok(reply::line(
        StatusCode::OK,
        answer_memory::try_count(&node, text)?,
    ))
}
