//! `GET /balances/{name}`.

use axum::RequestExt as _;
use axum::extract::{Path, Request};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use crate::node::http::error::ApiError;
use crate::node::http::reply;
use crate::node::http::route::{Content, Description, Route, object, path_parameter};
use crate::node::state::Node;

pub(super) fn route() -> Route {
    Route::get(
        "/balances/{name}",
        |node, request| Box::pin(handle(node, request)),
        Description {
            name: "balance",
            summary: "What a name received less what it sent, in all blocks. Exact decimal \
                      numbers; amounts that are no numbers count nothing",
            parameters: vec![path_parameter(
                "name",
                json!({"type": "string", "minLength": 1}),
                "A sender or recipient, percent-encoded",
            )],
            body: None,
            success: (
                200,
                "The sums; all zero for a name that stands in no block",
                Content::Json(object(&[
                    ("name", json!({"type": "string"})),
                    ("balance", json!({"type": "number"})),
                    ("received", json!({"type": "number"})),
                    ("sent", json!({"type": "number"})),
                    ("transactions", json!({"type": "integer", "minimum": 0})),
                ])),
            ),
            errors: &[(400, "The name is not UTF-8"), (404, "The name is empty")],
        },
    )
}

async fn handle(node: Node, mut request: Request) -> Result<Response, ApiError> {
    let Path(name) = request
        .extract_parts::<Path<String>>()
        .await
        .map_err(|error| ApiError::bad_request(format!("the name cannot be read: {error}")))?;
    let quoted = reply::quoted(&name);
    let sums = node
        .shared
        .readers
        .sums(name)
        .await
        .map_err(|error| ApiError::of_read(&error))?;
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
