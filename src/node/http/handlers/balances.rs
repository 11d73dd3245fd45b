//! `GET /balances/{name}`.

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use crate::node::http::error::ApiError;
use crate::node::http::reply;
use crate::node::state::Node;

pub(in crate::node::http) async fn handle(
    State(node): State<Node>,
    name: Result<Path<String>, PathRejection>,
) -> Result<Response, ApiError> {
    let Path(name) = name?;
    let quoted = reply::quoted(&name);
    let sums = node.shared.readers.sums(name).await?;
    let balance = sums.received.clone().minus(&sums.sent);
    Ok(reply::json(
        StatusCode::OK,
        format!(
            "{{\"balance\": {balance}, \"name\": {quoted}, \"received\": {}, \"sent\": {}, \
             \"transactions\": {}}}",
            sums.received, sums.sent, sums.transactions
        ),
    ))
}
