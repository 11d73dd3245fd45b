//! `GET /nodes/resolve`.

use axum::extract::Request;
use axum::response::Response;
use serde_json::json;

use super::health::must_be_sound;
use crate::node::http::error::ApiError;
use crate::node::http::route::{Content, Description, Route, list_of, object, reference};
use crate::node::http::stream::{self, ChainAnswer};
use crate::node::peers::resolve;
use crate::node::state::Node;

pub(super) fn route() -> Route {
    let blocks = list_of(&reference("Block"));
    Route::get(
        "/nodes/resolve",
        |node, request| Box::pin(handle(node, request)),
        Description {
            name: "resolve",
            summary: "Ask every registered node for its chain, and take the longest valid one",
            parameters: Vec::new(),
            body: None,
            success: (
                200,
                "Our chain, and whether it was replaced",
                Content::Json(json!({
                    "oneOf": [
                        object(&[
                            ("message", json!({"const": "Our chain was replaced"})),
                            ("new_chain", blocks.clone()),
                        ]),
                        object(&[
                            ("message", json!({"const": "Our chain is authoritative"})),
                            ("chain", blocks),
                        ]),
                    ],
                })),
            ),
            errors: &[],
        },
    )
    .changing()
}

async fn handle(node: Node, _request: Request) -> Result<Response, ApiError> {
    must_be_sound(&node)?;
    let before = match resolve(&node).await? {
        Some(_) => "{\"message\": \"Our chain was replaced\", \"new_chain\": [",
        None => "{\"message\": \"Our chain is authoritative\", \"chain\": [",
    };
    let head = node.shared.ledger.head();
    let answer = ChainAnswer {
        before: before.to_owned(),
        first: 1,
        last: head.tip.index,
        after: "]}".to_owned(),
    };
    stream::chain(&node, head, answer).await
}
