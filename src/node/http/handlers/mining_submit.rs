//! `POST /mining/submit`.

use axum::extract::State;
use axum::response::Response;

use super::health::must_be_sound;
use crate::chain::json::{Kind, View};
use crate::node::http::authorization::Authorized;
use crate::node::http::error::ApiError;
use crate::node::http::reply;
use crate::node::http::request_body::{JsonBody, field};
use crate::node::state::Node;
use crate::node::transaction_row::{ascii, decode_string};
use crate::pow::Nonce;

pub(in crate::node::http) async fn handle(
    State(node): State<Node>,
    _: Authorized,
    body: JsonBody,
) -> Result<Response, ApiError> {
    must_be_sound(&node)?;
    let body = body.object()?;
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

    let head = node.shared.writer.head();
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
    let forged = node.shared.writer.forge(head.tip.hash, value).await?;
    tracing::info!(
        block = forged.tip.index,
        hash = %forged.tip.hash,
        "a block was mined outside"
    );
    Ok(reply::forged(&node, &forged).await)
}

fn wrong(name: &str, found: View<'_>, expected: &str) -> ApiError {
    ApiError::unprocessable(format!(
        "the field \"{name}\" is {}, expected {expected}",
        found.excerpt()
    ))
}
