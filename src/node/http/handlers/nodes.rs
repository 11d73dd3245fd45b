//! `GET /nodes`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use crate::node::http::reply;
use crate::node::state::Node;

pub(in crate::node::http) async fn handle(State(node): State<Node>) -> Response {
    let nodes: Vec<Value> = node
        .shared
        .writer
        .peers()
        .iter()
        .map(|peer| {
            let visit = node.shared.peers.visit(peer).map(|visit| {
                json!({
                    "at": visit.at,
                    "length": visit.outcome.as_ref().ok(),
                    "error": visit.outcome.as_ref().err(),
                })
            });
            json!({"node": peer, "last_visit": visit})
        })
        .collect();
    reply::value(StatusCode::OK, &json!({ "nodes": nodes }))
}
