//! `GET /metrics`.

use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;

use crate::node::http::error::ApiError;
use crate::node::http::route::{Content, Description, Route};
use crate::node::http::{metrics_text, reply};
use crate::node::state::Node;

pub(super) fn route() -> Route {
    Route::get(
        "/metrics",
        |node, request| Box::pin(handle(node, request)),
        Description {
            name: "metrics",
            summary: "Counters in the text format of Prometheus",
            parameters: Vec::new(),
            body: None,
            success: (200, "The counters", Content::Text("text/plain")),
            errors: &[],
        },
    )
}

async fn handle(node: Node, _request: Request) -> Result<Response, ApiError> {
    Ok(reply::typed(
        StatusCode::OK,
        HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"),
        metrics_text(&node),
    ))
}
