//! The description, made from the table of routes.

use serde_json::{Map, Value, json};

use crate::chain::Strictness;

use super::route::{Access, Content, Route, object};

/// Errors that a call may give by what it is, not by what it does.
fn common_errors(route: &Route, has_token: bool) -> Vec<(u16, &'static str)> {
    let mut errors = vec![(503, "The node is shutting down, or its database fails")];
    if route.description.body.is_some() {
        errors.extend([
            (400, "The body is not what it should be"),
            (408, "The body took too long"),
            (413, "The body is too large"),
            (415, "The body is not called application/json"),
            (
                422,
                "The body is JSON, but a field is not what it should be",
            ),
        ]);
    }
    if has_token && route.access == Access::Changes {
        errors.push((401, "The token is missing or wrong"));
    }
    errors
}

/// Writes the OpenAPI description.
pub(super) fn describe(routes: &[Route], has_token: bool, strictness: Strictness) -> Value {
    let mut paths = Map::new();
    for route in routes {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.as_str().to_ascii_lowercase()] = operation(route, has_token);
    }
    let mut components = json!({"schemas": schemas(strictness)});
    if has_token {
        components["securitySchemes"] = json!({"token": {"type": "http", "scheme": "bearer"}});
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "fourzero node",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The tutorial blockchain's HTTP interface, and more.",
            "license": {"name": "MIT OR Apache-2.0"},
        },
        "paths": paths,
        "components": components,
    })
}

fn operation(route: &Route, has_token: bool) -> Value {
    let description = &route.description;
    let (status, meaning, content) = &description.success;
    let content = match content {
        Content::Json(schema) => json!({"application/json": {"schema": schema}}),
        Content::Text(media) => json!({*media: {"schema": {"type": "string"}}}),
    };
    let mut responses = Map::new();
    responses.insert(
        status.to_string(),
        json!({"description": meaning, "content": content}),
    );
    let errors = description.errors.iter().copied();
    for (status, meaning) in errors.chain(common_errors(route, has_token)) {
        let mut content = json!({
            "application/json": {"schema": {"$ref": "#/components/schemas/Error"}},
        });
        // The tutorial's own two errors are texts.
        if status == 400 && route.description.body.is_some() {
            content["text/html"] = json!({"schema": {"type": "string"}});
        }
        responses
            .entry(status.to_string())
            .or_insert_with(|| json!({"description": meaning, "content": content}));
    }
    let mut operation = json!({
        "operationId": description.name,
        "summary": description.summary,
        "responses": responses,
    });
    if !description.parameters.is_empty() {
        operation["parameters"] = json!(description.parameters);
    }
    if let Some(schema) = &description.body {
        operation["requestBody"] = json!({
            "required": true,
            "content": {"application/json": {"schema": schema}},
        });
    }
    if has_token && route.access == Access::Changes {
        operation["security"] = json!([{"token": []}]);
    }
    operation
}

/// The schemas that several calls share.
fn schemas(strictness: Strictness) -> Value {
    let index = json!({"type": "integer", "minimum": 1});
    let (name, amount) = match strictness {
        Strictness::Presence => (json!({}), json!({})),
        Strictness::Typed => (json!({"type": "string"}), json!({"type": "number"})),
    };
    // A Python node's chain may hold a proof of any sign and length, and as
    // first previous_hash a number; transactions hold what clients sent.
    json!({
        "Error": object(&[
            ("error", json!({"type": "string", "description": "What kind of error"})),
            ("detail", json!({"type": "string", "description": "What was wrong, for people"})),
        ]),
        "Transaction": {
            "type": "object",
            "properties": {"amount": {}, "recipient": {}, "sender": {}},
            "required": ["amount", "recipient", "sender"],
        },
        "NewTransaction": {
            "type": "object",
            "properties": {"amount": amount, "recipient": name, "sender": name},
            "required": ["amount", "recipient", "sender"],
            "examples": [{"sender": "alice", "recipient": "bob", "amount": 5}],
        },
        "Block": {
            "type": "object",
            "properties": {
                "index": index,
                "previous_hash": {"type": ["string", "integer"]},
                "proof": {"type": "integer"},
                "timestamp": {"type": "number"},
                "transactions": {"type": "array", "items": {"$ref": "#/components/schemas/Transaction"}},
            },
            "required": ["index", "previous_hash", "proof", "timestamp", "transactions"],
        },
        "Forged": object(&[
            ("message", json!({"const": "New Block Forged"})),
            ("index", index.clone()),
            ("transactions", json!({"type": "array", "items": {"$ref": "#/components/schemas/Transaction"}})),
            ("proof", json!({"type": "integer", "minimum": 0})),
            ("previous_hash", json!({"type": "string", "pattern": "^[0-9a-f]{64}$"})),
        ]),
    })
}
