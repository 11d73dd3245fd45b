//! `GET /transactions/pending`.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use crate::node::http::error::ApiError;
use crate::node::http::route::{Content, Description, Route, list_of, object, reference};
use crate::node::http::{held, reply};
use crate::node::state::Node;

pub(super) fn route() -> Route {
    Route::get(
        "/transactions/pending",
        |node, request| Box::pin(handle(node, request)),
        Description {
            name: "pendingTransactions",
            summary: "The transactions that wait for a block: all that fit into the next one are in it",
            parameters: Vec::new(),
            body: None,
            success: (
                200,
                "The transactions, in their order",
                Content::Json(object(&[
                    ("transactions", list_of(&reference("Transaction"))),
                    ("count", json!({"type": "integer", "minimum": 0})),
                ])),
            ),
            errors: &[],
        },
    )
}

async fn handle(node: Node, _request: Request) -> Result<Response, ApiError> {
    let (transactions, count) = node
        .shared
        .readers
        .pending()
        .await
        .map_err(|error| ApiError::of_read(&error))?;
    let mut text = format!("{{\"count\": {count}, \"transactions\": [").into_bytes();
    text.extend_from_slice(&transactions);
    text.extend_from_slice(b"]}");
    Ok(reply::json(StatusCode::OK, held::now(&node, text)?))
}
