//! `POST /transactions/new`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::chain::{TransactionError, TransactionProblem, Transactions};
use crate::node::http::authorization::Authorized;
use crate::node::http::error::ApiError;
use crate::node::http::reply;
use crate::node::http::request_body::JsonBody;
use crate::node::state::Node;
use crate::node::store::NewTransaction;

pub(in crate::node::http) async fn handle(
    State(node): State<Node>,
    _: Authorized,
    body: JsonBody,
) -> Result<Response, ApiError> {
    let mut transactions = Transactions::new();
    transactions
        .push_json(&body, node.shared.config.strictness())
        .map_err(|error| match error {
            TransactionError::Syntax(error) => body.not_json(&error),
            TransactionError::Problem(problem) if lacks_fields(&problem) => {
                ApiError::tutorial("Missing values")
            }
            TransactionError::Problem(problem @ TransactionProblem::NotAnObject { .. }) => {
                ApiError::unprocessable(problem.to_string())
            }
            TransactionError::Problem(problem) => ApiError::tutorial(&problem.to_string()),
        })?;
    let index = node
        .shared
        .writer
        .add(NewTransaction::new(transactions))
        .await?;
    Ok(reply::json(
        StatusCode::CREATED,
        format!("{{\"message\": \"Transaction will be added to Block {index}\"}}"),
    ))
}

/// Whether the tutorial's test `k in values` is false rather than an error: in
/// Python, `in` works on arrays and strings, too.
fn lacks_fields(problem: &TransactionProblem) -> bool {
    match problem {
        TransactionProblem::MissingField { .. } => true,
        TransactionProblem::NotAnObject { found } => found.starts_with(['[', '"']),
        TransactionProblem::WrongValue { .. } | TransactionProblem::Overdraft { .. } => false,
    }
}
