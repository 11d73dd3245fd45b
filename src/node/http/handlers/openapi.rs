//! `GET /openapi.json`.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use crate::node::http::error::ApiError;
use crate::node::http::reply;
use crate::node::http::route::{Content, Description, Route};
use crate::node::state::Node;

pub(super) fn route() -> Route {
    Route::get(
        "/openapi.json",
        |node, request| Box::pin(handle(node, request)),
        Description {
            name: "openapi",
            summary: "This description",
            parameters: Vec::new(),
            body: None,
            success: (
                200,
                "An OpenAPI 3.1 description",
                Content::Json(json!({"type": "object"})),
            ),
            errors: &[],
        },
    )
}

async fn handle(node: Node, _request: Request) -> Result<Response, ApiError> {
    Ok(reply::json(
        StatusCode::OK,
        crate::node::openapi(&node).to_string(),
    ))
}
