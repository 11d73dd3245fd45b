//! `GET /health`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use crate::node::http::error::ApiError;
use crate::node::http::reply;
use crate::node::state::Node;

/// The answer while all is well. A struct, because monitors ask often and a
/// tree of values takes several times as long.
#[derive(Serialize)]
struct Health<'a> {
    difficulty: u16,
    length: u64,
    mining: bool,
    node_id: &'a str,
    peers: usize,
    pending: u64,
    rule: &'a str,
    status: &'a str,
    uptime: f64,
    version: &'a str,
}

/// Refuses calls that build on the chain if it is known to be lost or damaged.
pub(super) fn must_be_sound(node: &Node) -> Result<(), ApiError> {
    node.shared.writer.check_files()?;
    must_not_be_damaged(node)
}

fn must_not_be_damaged(node: &Node) -> Result<(), ApiError> {
    match node.shared.audit.fault(&node.shared.writer.head()) {
        Some(fault) => Err(ApiError::damaged(fault)),
        None => Ok(()),
    }
}

pub(in crate::node::http) async fn handle(State(node): State<Node>) -> Result<Response, ApiError> {
    let is_failing = node.shared.writer.is_failing().await;
    if is_failing {
        must_be_sound(&node)?;
        return Err(ApiError::failing());
    }
    must_not_be_damaged(&node)?;
    let health = Health {
        difficulty: node.shared.config.target.bits() / 4,
        length: node.blocks(),
        mining: node.shared.miner.is_mining(),
        node_id: node.id(),
        peers: node.shared.writer.peers().len(),
        pending: node.pending(),
        rule: node.shared.config.rule.name(),
        status: "ok",
        uptime: node.shared.started.elapsed().as_secs_f64(),
        version: env!("CARGO_PKG_VERSION"),
    };
    let text = serde_json::to_string(&health).expect("numbers and texts are JSON");
    Ok(reply::json(StatusCode::OK, text))
}
