//! `GET /mine` and `POST /mine`.

use axum::extract::Request;
use axum::response::Response;

use super::health::must_be_sound;
use crate::node::http::error::ApiError;
use crate::node::http::reply;
use crate::node::http::route::{Content, Description, Route, reference};
use crate::node::state::Node;

pub(super) fn get() -> Route {
    Route::get(
        "/mine",
        |node, request| Box::pin(handle(node, request)),
        description("mine"),
    )
    .changing()
}

pub(super) fn post() -> Route {
    Route::post(
        "/mine",
        |node, request| Box::pin(handle(node, request)),
        description("minePost"),
    )
}

fn description(name: &'static str) -> Description {
    Description {
        name,
        summary: "Mine a block of all pending transactions. One block is mined at a time; \
                  other calls wait for their turn",
        parameters: Vec::new(),
        body: None,
        success: (200, "The new block", Content::Json(reference("Forged"))),
        errors: &[(409, "Too many calls wait for their turn; see Retry-After")],
    }
}

async fn handle(node: Node, _request: Request) -> Result<Response, ApiError> {
    must_be_sound(&node)?;
    let forged = node.shared.miner.mine(&node.shared.ledger).await?;
    tracing::info!(
        block = forged.tip.index,
        transactions = forged.count,
        hash = %forged.tip.hash,
        "a block was mined"
    );
    Ok(reply::forged(&node, &forged).await)
}
