//! `GET /mining/template`.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::health::must_be_sound;
use crate::node::http::error::ApiError;
use crate::node::http::reply;
use crate::node::http::route::{Content, Description, Route, object};
use crate::node::state::Node;

pub(super) fn route() -> Route {
    Route::get(
        "/mining/template",
        |node, request| Box::pin(handle(node, request)),
        Description {
            name: "miningTemplate",
            summary: "What an outside miner searches: a nonce for which the SHA-256 of the text \
                      prefix + nonce + suffix, the nonce in decimal, starts with difficulty hex \
                      zeros",
            parameters: Vec::new(),
            body: None,
            success: (
                200,
                "The search for the next block",
                Content::Json(object(&[
                    ("template_id", json!({"type": "string"})),
                    ("prefix", json!({"type": "string"})),
                    ("suffix", json!({"type": "string"})),
                    ("difficulty", json!({"type": "integer", "minimum": 1})),
                    ("index", json!({"type": "integer", "minimum": 2})),
                ])),
            ),
            errors: &[],
        },
    )
}

async fn handle(node: Node, _request: Request) -> Result<Response, ApiError> {
    must_be_sound(&node)?;
    let head = node.shared.ledger.head();
    let template = head.tip.template(node.shared.config.rule);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(reply::json(
        StatusCode::OK,
        json!({
            "template_id": head.tip.hash.to_string(),
            "prefix": text(template.prefix()),
            "suffix": text(template.suffix()),
            "difficulty": node.shared.config.target.bits() / 4,
            "index": head.tip.index + 1,
        })
        .to_string(),
    ))
}
