//! The JSON form of all errors: `{"error": CODE, "detail": SENTENCE}`.

use std::error::Error;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::http::header::{
    CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
};
use axum::http::{Method, Response, StatusCode};
use axum::response::IntoResponse;
use serde_json::json;

use super::reply;
use crate::node::database_problem::DatabaseProblem;
use crate::node::miner::MiningError;
use crate::node::peers::ResolveError;
use crate::node::writer::WriteError;

/// An error as a client sees it.
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    /// The kind of error; `None` for texts, as the tutorial's node answers.
    code: Option<&'static str>,
    detail: String,
    header: Option<(HeaderName, HeaderValue)>,
}

impl ApiError {
    pub(super) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code: Some(code),
            detail: detail.into(),
            header: None,
        }
    }

    /// 400 with a text, as the tutorial's node answers about values.
    pub(super) fn tutorial(text: &str) -> Self {
        Self {
            code: None,
            ..Self::bad_request(text)
        }
    }

    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", detail)
    }

    pub(super) fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "unprocessable", detail)
    }

    pub(super) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    pub(super) fn unsupported_media_type(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            detail,
        )
    }

    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    pub(super) fn too_large(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", detail)
    }

    /// The body broke off or is malformed, so the connection cannot go on.
    pub(super) fn broken_body(error: axum::Error) -> Self {
        let mut cause: &dyn Error = &error;
        while let Some(deeper) = cause.source() {
            cause = deeper;
        }
        Self::bad_request(format!("the body cannot be read: {cause}"))
            .with_header(CONNECTION, "close")
    }

    pub(super) fn stale() -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "stale",
            "the chain has a new last block since the template was made; get a new template",
        )
    }

    pub(super) fn unauthorized(detail: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
            .with_header(WWW_AUTHENTICATE, "Bearer")
    }

    pub(super) fn method_not_allowed(method: &Method, path: &str) -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            format!("{path} does not take {method}; the header Allow lists what it takes"),
        )
    }

    fn unavailable(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail).with_header(RETRY_AFTER, "1")
    }

    pub(super) fn with_header(mut self, name: HeaderName, value: &'static str) -> Self {
        self.header = Some((name, HeaderValue::from_static(value)));
        self
    }

    pub(super) fn failing() -> Self {
        Self::unavailable("storage", "the last commit to the database failed")
    }

    /// The bodies of other requests use all the memory for bodies.
    pub(super) fn too_many_bodies() -> Self {
        Self::unavailable(
            "too_many_bodies",
            "the bodies of other requests use all the memory for bodies; try again",
        )
    }

    /// Large answers that clients have not read yet use all the memory for them.
    pub(super) fn too_many_answers() -> Self {
        Self::unavailable(
            "too_many_answers",
            "large answers to other clients use all the memory for answers; try again",
        )
    }

    /// Without `Retry-After`, because only an operator can repair the chain.
    pub(super) fn damaged(fault: &str) -> Self {
        let detail =
            format!("the stored chain is damaged: {fault}; import a good copy to replace it");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "damaged", detail)
    }

    /// Without `Retry-After`: it lasts until the node is started again.
    pub(super) fn lost() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "database_lost",
            "the files of the database were removed or replaced while the node was running, so \
             nothing new is saved; save the chain with GET /chain, then start the node again",
        )
    }

    pub(super) fn replaced() -> Self {
        Self::unavailable("replaced", "the chain was just replaced; try again")
    }
}

/// The database failed before the answer started.
impl From<rusqlite::Error> for ApiError {
    fn from(error: rusqlite::Error) -> Self {
        DatabaseProblem::from(error).into()
    }
}

impl From<DatabaseProblem> for ApiError {
    fn from(problem: DatabaseProblem) -> Self {
        match problem {
            DatabaseProblem::Lost => Self::lost(),
            problem => Self::unavailable("storage", format!("the database failed: {problem}")),
        }
    }
}

impl From<PathRejection> for ApiError {
    fn from(error: PathRejection) -> Self {
        Self::bad_request(format!("the path cannot be read: {error}"))
    }
}

impl From<WriteError> for ApiError {
    fn from(error: WriteError) -> Self {
        let detail = error.to_string();
        match error {
            WriteError::Full { .. } => Self::unavailable("pending_full", detail),
            WriteError::Stale => Self::stale(),
            WriteError::Refused(_) => Self::new(StatusCode::CONFLICT, "overdraft", detail),
            WriteError::TooManyNodes => Self::unprocessable(detail),
            WriteError::Storage(problem) => problem.into(),
            WriteError::Closed => Self::unavailable("shutting_down", detail),
        }
    }
}

impl From<MiningError> for ApiError {
    fn from(error: MiningError) -> Self {
        let detail = error.to_string();
        match error {
            MiningError::Busy { .. } => {
                Self::new(StatusCode::CONFLICT, "busy", detail).with_header(RETRY_AFTER, "1")
            }
            MiningError::Closing => Self::unavailable("shutting_down", detail),
            MiningError::Write(error) => error.into(),
            MiningError::Search(_) | MiningError::NoProof => Self::unavailable("no_proof", detail),
        }
    }
}

impl From<ResolveError> for ApiError {
    fn from(error: ResolveError) -> Self {
        let detail = error.to_string();
        match error {
            ResolveError::Closing => Self::unavailable("shutting_down", detail),
            ResolveError::Storage(problem) => problem.into(),
        }
    }
}

/// The body of an error.
pub(in crate::node) fn body(code: &str, detail: &str) -> String {
    reply::spaced(&json!({ "error": code, "detail": detail })) + "\n"
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response<Body> {
        let (content_type, body) = match self.code {
            Some(code) => ("application/json", body(code, &self.detail)),
            // It may quote a value.
            None => (
                "text/html; charset=utf-8",
                self.detail.replace('&', "&amp;").replace('<', "&lt;"),
            ),
        };
        let mut response = (self.status, [(CONTENT_TYPE, content_type)], body).into_response();
        response.headers_mut().extend(self.header);
        response
    }
}
