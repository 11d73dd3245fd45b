//! `GET /nodes`.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use crate::node::http::error::ApiError;
use crate::node::http::reply;
use crate::node::http::route::{Content, Description, Route, list_of, object};
use crate::node::state::Node;

pub(super) fn route() -> Route {
    let visit = json!({
        "oneOf": [
            {"type": "null"},
            object(&[
                ("at", json!({"type": "number", "description": "Seconds since the epoch"})),
                ("length", json!({"type": ["integer", "null"], "description": "Blocks of its chain"})),
                ("error", json!({"type": ["string", "null"], "description": "Why it was passed over"})),
            ]),
        ],
    });
    Route::get(
        "/nodes",
        |node, request| Box::pin(handle(node, request)),
        Description {
            name: "nodes",
            summary: "The registered nodes, and how the last visit to each ended",
            parameters: Vec::new(),
            body: None,
            success: (
                200,
                "The nodes",
                Content::Json(object(&[(
                    "nodes",
                    list_of(&object(&[
                        ("node", json!({"type": "string"})),
                        ("last_visit", visit),
                    ])),
                )])),
            ),
            errors: &[],
        },
    )
}

async fn handle(node: Node, _request: Request) -> Result<Response, ApiError> {
    let nodes: Vec<Value> = node
        .shared
        .ledger
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
    Ok(reply::json(
        StatusCode::OK,
        json!({ "nodes": nodes }).to_string(),
    ))
}
