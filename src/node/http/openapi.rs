//! The OpenAPI description: `openapi.json`, fitted to this node's settings.

use serde_json::{Value, json};

use crate::chain::Strictness;
use crate::node::config::{NodeConfig, Overdraft};

/// The description of a node with this configuration.
pub(super) fn describe(config: &NodeConfig) -> Value {
    let mut description: Value = serde_json::from_str(include_str!("openapi.json"))
        .expect("openapi.json is JSON: every test of /openapi.json parses it");
    description["info"]["version"] = env!("CARGO_PKG_VERSION").into();
    if config.strictness() == Strictness::Strict {
        description["components"]["schemas"]["NewTransaction"]["properties"] = json!({
            "sender": {"type": "string", "pattern": "\\S"},
            "recipient": {"type": "string", "pattern": "\\S"},
            "amount": {"type": "number", "exclusiveMinimum": 0},
        });
    }
    if config.overdraft == Overdraft::Allowed {
        let call = &mut description["paths"]["/transactions/new"]["post"];
        remove(&mut call["responses"], "409");
    }
    if config.token.is_none() {
        remove_token(&mut description);
    } else {
        remove_responses(&mut description, "403");
    }
    description
}

/// Removes the parts that only a node with a token has.
fn remove_token(description: &mut Value) {
    remove(&mut description["components"], "securitySchemes");
    for call in calls(description) {
        remove(call, "security");
    }
    remove_responses(description, "401");
}

/// Removes a response from all calls.
fn remove_responses(description: &mut Value, status: &str) {
    for call in calls(description) {
        remove(&mut call["responses"], status);
    }
}

fn calls(description: &mut Value) -> impl Iterator<Item = &mut Value> {
    let paths = description["paths"].as_object_mut();
    let paths = paths.into_iter().flat_map(|paths| paths.values_mut());
    paths.flat_map(|path| {
        path.as_object_mut()
            .into_iter()
            .flat_map(|path| path.values_mut())
    })
}

fn remove(object: &mut Value, key: &str) {
    object.as_object_mut().and_then(|object| object.remove(key));
}
