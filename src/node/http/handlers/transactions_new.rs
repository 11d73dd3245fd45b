//! `POST /transactions/new`.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use crate::chain::{TransactionError, TransactionProblem, Transactions};
use crate::node::http::body::{json_bytes, not_json};
use crate::node::http::error::ApiError;
use crate::node::http::reply;
use crate::node::http::route::{Content, Description, Route, object, reference};
use crate::node::state::Node;
use crate::node::store::NewTransaction;

pub(super) fn route() -> Route {
    Route::post(
        "/transactions/new",
        |node, request| Box::pin(handle(node, request)),
        Description {
            name: "newTransaction",
            summary: "Add a transaction to the next block. Keys beside the three are dropped",
            parameters: Vec::new(),
            body: Some(reference("NewTransaction")),
            success: (
                201,
                "The transaction is on disk",
                Content::Json(object(&[(
                    "message",
                    json!({"type": "string", "pattern": "^Transaction will be added to Block [0-9]+$"}),
                )])),
            ),
            errors: &[(
                400,
                "A field is missing (the text \"Missing values\"), or the body is not JSON",
            )],
        },
    )
}

async fn handle(node: Node, request: Request) -> Result<Response, ApiError> {
    let bytes = json_bytes(&node, request).await?;
    let mut transactions = Transactions::new();
    transactions
        .push_json(&bytes, node.shared.config.strictness)
        .map_err(|error| match error {
            TransactionError::Syntax(error) => not_json(&error),
            TransactionError::Problem(problem) if lacks_fields(&problem) => {
                ApiError::tutorial("Missing values")
            }
            TransactionError::Problem(problem) => ApiError::unprocessable(problem.to_string()),
        })?;
    let index = node
        .shared
        .ledger
        .add(NewTransaction::new(transactions))
        .await?;
    Ok(reply::json(
        StatusCode::CREATED,
        format!("{{\"message\": \"Transaction will be added to Block {index}\"}}"),
    ))
}

/// Whether the tutorial's `k in values` is false, not an error: Python asks it
/// of arrays and strings, too.
fn lacks_fields(problem: &TransactionProblem) -> bool {
    match problem {
        TransactionProblem::MissingField { .. } => true,
        TransactionProblem::NotAnObject { found } => found.starts_with(['[', '"']),
        TransactionProblem::WrongType { .. } => false,
    }
}
