//! `GET /openapi.json`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::node::http::{openapi, reply};
use crate::node::state::Node;

pub(in crate::node::http) async fn handle(State(node): State<Node>) -> Response {
    let description = openapi::describe(&node.shared.config);
    reply::value(StatusCode::OK, &description)
}
