//! The one shape of errors: `{"error": CODE, "detail": SENTENCE}`.

use axum::body::Body;
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::header::{ALLOW, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;

use crate::node::miner::MineError;
use crate::node::peers::ResolveError;
use crate::node::writer::WriteError;

/// An error as a client sees it.
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    body: ErrorBody,
    header: Option<(HeaderName, HeaderValue)>,
}

#[derive(Debug)]
enum ErrorBody {
    Json {
        code: &'static str,
        detail: String,
    },
    /// One of the two texts that the tutorial's node answers.
    Text(&'static str),
}

impl ApiError {
    pub(super) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            body: ErrorBody::Json {
                code,
                detail: detail.into(),
            },
            header: None,
        }
    }

    /// 400 with the tutorial's own words.
    pub(super) const fn tutorial(text: &'static str) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            body: ErrorBody::Text(text),
            header: None,
        }
    }

    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", detail)
    }

    pub(super) fn unprocessable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "unprocessable", detail)
    }

    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    pub(super) fn stale() -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "stale",
            "the chain has another last block than the template; get a new template",
        )
    }

    pub(super) fn unauthorized(detail: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
            .with_header(WWW_AUTHENTICATE, "Bearer")
    }

    pub(super) fn method_not_allowed(method: &str, path: &str, allowed: &str) -> Self {
        let detail = format!("{path} does not take {method}, it takes {allowed}");
        let error = Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail);
        match HeaderValue::from_str(allowed) {
            Ok(value) => Self {
                header: Some((ALLOW, value)),
                ..error
            },
            Err(_) => error,
        }
    }

    fn unavailable(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail).with_header(RETRY_AFTER, "1")
    }

    fn with_header(mut self, name: HeaderName, value: &'static str) -> Self {
        self.header = Some((name, HeaderValue::from_static(value)));
        self
    }

    /// The database failed before the answer began.
    pub(super) fn of_read(error: &rusqlite::Error) -> Self {
        Self::unavailable("storage", format!("the database failed: {error}"))
    }

    pub(super) fn failing() -> Self {
        Self::unavailable("storage", "the last commit to the database failed")
    }

    /// Other requests hold all the memory there is for bodies.
    pub(super) fn too_many_bodies() -> Self {
        Self::unavailable(
            "too_many_bodies",
            "the bodies of other requests take all the memory there is for them; ask again",
        )
    }

    /// Other large answers, which nobody has read yet, hold all the memory there
    /// is for them.
    pub(super) fn too_many_answers() -> Self {
        Self::unavailable(
            "too_many_answers",
            "large answers to others take all the memory there is for them; ask again",
        )
    }

    /// To ask again is of no use.
    pub(super) fn damaged(fault: &str) -> Self {
        let detail = format!(
            "the stored chain is damaged: {fault}; `fourzero node import --force` of a good copy \
             mends it"
        );
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "damaged", detail)
    }

    pub(super) fn replaced() -> Self {
        Self::unavailable("replaced", "the chain was just replaced; ask again")
    }
}

impl From<WriteError> for ApiError {
    fn from(error: WriteError) -> Self {
        let detail = error.to_string();
        match error {
            WriteError::Full { .. } => Self::unavailable("pending_full", detail),
            WriteError::Stale => Self::stale(),
            WriteError::TooManyNodes => Self::unprocessable(detail),
            WriteError::Storage(_) => Self::unavailable("storage", detail),
            WriteError::Closed => Self::unavailable("shutting_down", detail),
        }
    }
}

impl From<MineError> for ApiError {
    fn from(error: MineError) -> Self {
        let detail = error.to_string();
        match error {
            MineError::Busy { .. } => {
                Self::new(StatusCode::CONFLICT, "busy", detail).with_header(RETRY_AFTER, "1")
            }
            MineError::Closing => Self::unavailable("shutting_down", detail),
            MineError::Write(error) => error.into(),
            MineError::Search(_) | MineError::NoProof => Self::unavailable("no_proof", detail),
        }
    }
}

impl From<ResolveError> for ApiError {
    fn from(error: ResolveError) -> Self {
        let detail = error.to_string();
        match error {
            ResolveError::Closing => Self::unavailable("shutting_down", detail),
            ResolveError::Storage(_) => Self::unavailable("storage", detail),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response<Body> {
        let (content_type, body) = match self.body {
            ErrorBody::Json { code, detail } => (
                "application/json",
                serde_json::json!({ "error": code, "detail": detail }).to_string(),
            ),
            ErrorBody::Text(text) => ("text/html; charset=utf-8", text.to_owned()),
        };
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        if let Some((name, value)) = self.header {
            headers.insert(name, value);
        }
        response
    }
}
