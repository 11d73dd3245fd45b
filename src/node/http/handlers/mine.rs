//! `GET /mine` and `POST /mine`.

use axum::extract::State;
use axum::response::Response;

use super::health::must_be_sound;
use crate::node::http::authorization::Authorized;
use crate::node::http::error::ApiError;
use crate::node::http::reply;
use crate::node::state::Node;

pub(in crate::node::http) async fn handle(
    State(node): State<Node>,
    _: Authorized,
) -> Result<Response, ApiError> {
    must_be_sound(&node)?;
    let forged = node.shared.miner.mine(&node.shared.writer).await?;
    tracing::info!(
        block = forged.tip.index,
        transactions = forged.count,
        hash = %forged.tip.hash,
        "a block was mined"
    );
    Ok(reply::forged(&node, &forged).await)
}
