//! Bodies of requests: JSON, of limited length, in limited time.

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::Request;
use axum::http::{StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::time::timeout;

use super::error::ApiError;
use crate::chain::json::{Kind, MAX_VALUE_BYTES, SyntaxError, SyntaxErrorKind, Transcoder, View};
use crate::node::config::Limits;

/// The bytes of a body that is said to be JSON.
pub(super) async fn json_bytes(request: Request, limits: &Limits) -> Result<Bytes, ApiError> {
    let content_type = request.headers().get(header::CONTENT_TYPE);
    let is_json = content_type
        .and_then(|value| value.to_str().ok())
        .is_some_and(is_json);
    if !is_json {
        let found = content_type.map_or_else(
            || "nothing".to_owned(),
            |value| format!("{:?}", String::from_utf8_lossy(value.as_bytes())),
        );
        return Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            format!("Content-Type is {found}, expected application/json"),
        ));
    }
    let most = limits.body_bytes;
    let too_large = || {
        ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "payload_too_large",
            format!("the body takes more than {most} bytes"),
        )
    };
    let body: Body = request.into_body();
    if body.size_hint().lower() > most as u64 {
        return Err(too_large());
    }
    match timeout(limits.request_time, Limited::new(body, most).collect()).await {
        Ok(Ok(collected)) => Ok(without_mark(collected.to_bytes())),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(error)) => Err(ApiError::bad_request(format!(
            "the body ended too early: {error}"
        ))),
        Err(_) => Err(ApiError::new(
            StatusCode::REQUEST_TIMEOUT,
            "request_timeout",
            format!(
                "the body took more than {} s",
                limits.request_time.as_secs()
            ),
        )),
    }
}

/// A body without the byte order mark that Python passes over, too.
fn without_mark(bytes: Bytes) -> Bytes {
    const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
    if bytes.starts_with(BYTE_ORDER_MARK) {
        bytes.slice(BYTE_ORDER_MARK.len()..)
    } else {
        bytes
    }
}

/// Whether Flask would read it as JSON.
fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let essence = essence.to_ascii_lowercase();
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// The error for a body that is not JSON, or too much of it.
pub(super) fn not_json(error: &SyntaxError) -> ApiError {
    if error.kind == SyntaxErrorKind::TooLarge {
        return ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "payload_too_large",
            format!("the body, as Python writes it, takes more than {MAX_VALUE_BYTES} bytes"),
        );
    }
    ApiError::bad_request(format!(
        "the body is not JSON: at byte {}: {}",
        error.offset, error.kind
    ))
}

/// The canonical text of a body that must be an object.
pub(super) fn object(bytes: &[u8]) -> Result<Vec<u8>, ApiError> {
    let mut text = Vec::new();
    Transcoder::default()
        .transcode(bytes, &mut text)
        .map_err(|error| not_json(&error))?;
    let value = View::of(&text);
    if value.kind() == Kind::Object {
        Ok(text)
    } else {
        Err(ApiError::unprocessable(format!(
            "the body is {}, expected an object",
            value.excerpt()
        )))
    }
}

/// One field of an object in canonical text.
pub(super) fn field<'a>(object: &'a [u8], name: &str) -> Option<View<'a>> {
    View::of(object)
        .members()
        .find(|(key, _)| *key == name.as_bytes())
        .map(|(_, value)| value)
}
