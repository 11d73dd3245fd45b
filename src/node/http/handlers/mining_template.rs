//! `GET /mining/template`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::health::must_be_sound;
use crate::node::http::error::ApiError;
use crate::node::http::reply;
use crate::node::state::Node;

pub(in crate::node::http) async fn handle(State(node): State<Node>) -> Result<Response, ApiError> {
    must_be_sound(&node)?;
    let head = node.shared.writer.head();
    let template = head.tip.template(node.shared.config.rule);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(reply::value(
        StatusCode::OK,
        &json!({
            "template_id": head.tip.hash.to_string(),
            "prefix": text(template.prefix()),
            "suffix": text(template.suffix()),
            "difficulty": node.shared.config.target.bits() / 4,
            "index": head.tip.index + 1,
        }),
    ))
}
