//! `POST /mining/submit`.

use axum::extract::Request;
use axum::response::Response;
use serde_json::json;

use super::health::must_be_sound;
use crate::chain::json::{Kind, View};
use crate::node::entry::{ascii, decode_string};
use crate::node::http::body::{field, json_bytes, object as parse_object};
use crate::node::http::error::ApiError;
use crate::node::http::reply;
use crate::node::http::route::{Content, Description, Route, reference};
use crate::node::state::Node;
use crate::pow::Nonce;

pub(super) fn route() -> Route {
    Route::post(
        "/mining/submit",
        |node, request| Box::pin(handle(node, request)),
        Description {
            name: "submitNonce",
            summary: "Forge the next block with a nonce found outside. Its reward is the node's",
            parameters: Vec::new(),
            body: Some(json!({
                "type": "object",
                "properties": {
                    "template_id": {"type": "string"},
                    "nonce": {"type": "integer", "minimum": 0, "maximum": u64::MAX},
                },
                "required": ["template_id", "nonce"],
            })),
            success: (200, "The new block", Content::Json(reference("Forged"))),
            errors: &[(409, "The chain went on since the template was given")],
        },
    )
}

async fn handle(node: Node, request: Request) -> Result<Response, ApiError> {
    must_be_sound(&node)?;
    let bytes = json_bytes(&node, request).await?;
    let body = parse_object(&bytes)?;
    let required = |name: &str| {
        field(&body, name)
            .ok_or_else(|| ApiError::unprocessable(format!("the field \"{name}\" is missing")))
    };
    let template_id = required("template_id")?;
    let nonce = required("nonce")?;
    if template_id.kind() != Kind::String {
        return Err(wrong("template_id", template_id, "a string"));
    }
    let wrong_nonce = || wrong("nonce", nonce, "an integer from 0 to 2^64 - 1");
    if nonce.kind() != Kind::Integer {
        return Err(wrong_nonce());
    }
    let value = Nonce(ascii(nonce.text()).parse().map_err(|_| wrong_nonce())?);

    let head = node.shared.ledger.head();
    if decode_string(template_id) != head.tip.hash.to_string() {
        return Err(ApiError::stale());
    }
    let is_proof = head.tip.with_last_block(|last| node.is_proof(last, value));
    if !is_proof {
        let digest = head.tip.template(node.shared.config.rule).digest(value);
        return Err(ApiError::unprocessable(format!(
            "nonce: {value} hashes to {digest}, expected {} in front",
            node.shared.config.target
        )));
    }
    let forged = node.shared.ledger.forge(head.tip.hash, value).await?;
    tracing::info!(
        block = forged.tip.index,
        hash = %forged.tip.hash,
        "a block was forged with a nonce from outside"
    );
    Ok(reply::forged(&node, &forged).await)
}

fn wrong(name: &str, found: View<'_>, expected: &str) -> ApiError {
    ApiError::unprocessable(format!(
        "the field \"{name}\" is {}, expected {expected}",
        found.excerpt()
    ))
}
