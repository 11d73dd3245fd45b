//! What a route is: its handler, and its description.

use std::pin::Pin;

use axum::extract::Request;
use axum::http::Method;
use axum::response::Response;
use serde_json::{Value, json};

use super::error::ApiError;
use crate::node::state::Node;

/// A handler's answer to come.
pub(super) type Answer = Pin<Box<dyn Future<Output = Result<Response, ApiError>> + Send>>;

/// Whether a call changes the node, and so needs the token if there is one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Access {
    Reads,
    Changes,
}

/// One call.
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) access: Access,
    pub(super) handler: fn(Node, Request) -> Answer,
    pub(super) description: Description,
}

/// What `/openapi.json` says of a call.
pub(super) struct Description {
    /// Its `operationId`.
    pub(super) name: &'static str,
    pub(super) summary: &'static str,
    /// OpenAPI parameter objects.
    pub(super) parameters: Vec<Value>,
    /// The schema of the body it takes.
    pub(super) body: Option<Value>,
    /// What it answers when all is well: status, meaning, content.
    pub(super) success: (u16, &'static str, Content),
    /// Errors of its own. Those that any call may give are not listed here.
    pub(super) errors: &'static [(u16, &'static str)],
}

/// The type of an answer.
pub(super) enum Content {
    Json(Value),
    Text(&'static str),
}

impl Route {
    pub(super) const fn get(
        path: &'static str,
        handler: fn(Node, Request) -> Answer,
        description: Description,
    ) -> Self {
        Self {
            method: Method::GET,
            path,
            access: Access::Reads,
            handler,
            description,
        }
    }

    pub(super) const fn post(
        path: &'static str,
        handler: fn(Node, Request) -> Answer,
        description: Description,
    ) -> Self {
        Self {
            method: Method::POST,
            path,
            access: Access::Changes,
            handler,
            description,
        }
    }

    pub(super) fn changing(self) -> Self {
        Self {
            access: Access::Changes,
            ..self
        }
    }
}

/// A required parameter in the path.
pub(super) fn path_parameter(name: &str, schema: Value, description: &str) -> Value {
    json!({"name": name, "in": "path", "required": true, "schema": schema, "description": description})
}

/// An optional parameter in the query.
pub(super) fn query_parameter(name: &str, schema: Value, description: &str) -> Value {
    json!({"name": name, "in": "query", "required": false, "schema": schema, "description": description})
}

/// The schema of an object with just these members, all required.
pub(super) fn object(members: &[(&str, Value)]) -> Value {
    let required: Vec<_> = members.iter().map(|(name, _)| *name).collect();
    let properties: serde_json::Map<_, _> = members
        .iter()
        .map(|(name, schema)| ((*name).to_owned(), schema.clone()))
        .collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// A reference to a schema that is described once.
pub(super) fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

pub(super) fn list_of(items: &Value) -> Value {
    json!({"type": "array", "items": items})
}
