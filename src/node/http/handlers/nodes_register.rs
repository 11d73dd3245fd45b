//! `POST /nodes/register`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use crate::chain::json::Kind;
use crate::node::http::authorization::Authorized;
use crate::node::http::error::ApiError;
use crate::node::http::reply;
use crate::node::http::request_body::{JsonBody, field};
use crate::node::peers::normalize;
use crate::node::state::Node;
use crate::node::transaction_row::decode_string;

pub(in crate::node::http) async fn handle(
    State(node): State<Node>,
    _: Authorized,
    body: JsonBody,
) -> Result<Response, ApiError> {
    let body = body.object()?;
    let list = match field(&body, "nodes") {
        Some(list) if list.kind() != Kind::Null => list,
        _ => {
            return Err(ApiError::tutorial(
                "Error: Please supply a valid list of nodes",
            ));
        }
    };
    if list.kind() != Kind::Array {
        return Err(ApiError::unprocessable(format!(
            "nodes is {}, expected an array",
            list.excerpt()
        )));
    }
    let mut nodes = Vec::new();
    for (place, element) in list.elements().enumerate() {
        let name = format!("nodes[{place}]");
        if element.kind() != Kind::String {
            return Err(ApiError::unprocessable(format!(
                "{name} is {}, expected a string",
                element.excerpt()
            )));
        }
        let peer = normalize(&decode_string(element)).map_err(|error| {
            let written = element.excerpt();
            ApiError::unprocessable(format!(
                "{name} is {written}, not a node's address: {error}"
            ))
        })?;
        nodes.push(peer);
    }
    let total = node.shared.writer.register(nodes).await?;
    Ok(reply::value(
        StatusCode::CREATED,
        &json!({"message": "New nodes have been added", "total_nodes": total}),
    ))
}
