//! `GET /health`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::node::http::error::ApiError;
use crate::node::http::reply;
use crate::node::state::Node;

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
    // Written out, because monitors ask often, and a tree of values takes half of
    // the whole call.
    let text = format!(
        "{{\"difficulty\": {}, \"length\": {}, \"mining\": {}, \"node_id\": {}, \"peers\": {}, \
         \"pending\": {}, \"rule\": \"{}\", \"status\": \"ok\", \"uptime\": {:?}, \"version\": \"{}\"}}",
        node.shared.config.target.bits() / 4,
        node.blocks(),
        node.shared.miner.is_mining(),
        reply::quoted(node.id()),
        node.shared.writer.peers().len(),
        node.pending(),
        node.shared.config.rule.name(),
        node.shared.started.elapsed().as_secs_f64(),
        env!("CARGO_PKG_VERSION"),
    );
    Ok(reply::json(StatusCode::OK, text))
}
