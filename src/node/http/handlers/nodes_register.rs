//! `POST /nodes/register`.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use crate::chain::json::Kind;
use crate::node::entry::decode_string;
use crate::node::http::body::{field, json_bytes, object as parse_object};
use crate::node::http::error::ApiError;
use crate::node::http::reply;
use crate::node::http::route::{Content, Description, Route, list_of, object};
use crate::node::peers::normalize;
use crate::node::state::Node;

pub(super) fn route() -> Route {
    Route::post(
        "/nodes/register",
        |node, request| Box::pin(handle(node, request)),
        Description {
            name: "registerNodes",
            summary: "Add nodes whose chains /nodes/resolve compares with ours",
            parameters: Vec::new(),
            body: Some(json!({
                "type": "object",
                "properties": {"nodes": {
                    "type": "array",
                    "items": {"type": "string", "examples": ["http://192.168.0.5:5000"]},
                }},
                "required": ["nodes"],
            })),
            success: (
                201,
                "All registered nodes",
                Content::Json(object(&[
                    ("message", json!({"const": "New nodes have been added"})),
                    ("total_nodes", list_of(&json!({"type": "string"}))),
                ])),
            ),
            errors: &[(
                400,
                "\"nodes\" is missing (a text), or the body is not JSON",
            )],
        },
    )
}

async fn handle(node: Node, request: Request) -> Result<Response, ApiError> {
    let bytes = json_bytes(&node, request).await?;
    let body = parse_object(&bytes)?;
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
        let peer = normalize(&decode_string(element))
            .map_err(|reason| ApiError::unprocessable(format!("{name}: {reason}")))?;
        nodes.push(peer);
    }
    let total = node.shared.ledger.register(nodes).await?;
    Ok(reply::json(
        StatusCode::CREATED,
        json!({"message": "New nodes have been added", "total_nodes": total}).to_string(),
    ))
}
