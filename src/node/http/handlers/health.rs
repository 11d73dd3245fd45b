//! `GET /health`.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use crate::node::http::error::ApiError;
use crate::node::http::reply;
use crate::node::http::route::{Content, Description, Route, object};
use crate::node::state::Node;

pub(super) fn route() -> Route {
    let count = json!({"type": "integer", "minimum": 0});
    Route::get(
        "/health",
        |node, request| Box::pin(handle(node, request)),
        Description {
            name: "health",
            summary: "Whether the node works, and what it is; 503 while its database fails, \
                      or if the chain in it is damaged",
            parameters: Vec::new(),
            body: None,
            success: (
                200,
                "The node works",
                Content::Json(object(&[
                    ("status", json!({"const": "ok"})),
                    ("version", json!({"type": "string"})),
                    ("node_id", json!({"type": "string"})),
                    ("rule", json!({"type": "string"})),
                    ("difficulty", count.clone()),
                    ("length", count.clone()),
                    ("pending", count.clone()),
                    ("peers", count),
                    ("mining", json!({"type": "boolean"})),
                    ("uptime", json!({"type": "number"})),
                ])),
            ),
            errors: &[],
        },
    )
}

/// Refuses what would go on with a chain that is known to be damaged.
pub(super) fn must_be_sound(node: &Node) -> Result<(), ApiError> {
    match node.shared.audit.fault(&node.shared.ledger.head()) {
        Some(fault) => Err(ApiError::damaged(fault)),
        None => Ok(()),
    }
}

async fn handle(node: Node, _request: Request) -> Result<Response, ApiError> {
    if node.shared.ledger.is_failing().await {
        return Err(ApiError::failing());
    }
    must_be_sound(&node)?;
    Ok(reply::json(
        StatusCode::OK,
        json!({
            "status": "ok",
            "version": env!("CARGO_PKG_VERSION"),
            "node_id": node.id(),
            "rule": node.shared.config.rule.name(),
            "difficulty": node.shared.config.target.bits() / 4,
            "length": node.blocks(),
            "pending": node.pending(),
            "peers": node.shared.ledger.peers().len(),
            "mining": node.shared.miner.is_mining(),
            "uptime": node.shared.started.elapsed().as_secs_f64(),
        })
        .to_string(),
    ))
}
