//! Bodies of requests: JSON, of limited length, in limited time, and not too
//! many at once.

use std::ops::Deref;

use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use axum::http::{StatusCode, header};
use http_body_util::BodyExt as _;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::error::ApiError;
use crate::chain::json::{Kind, MAX_VALUE_BYTES, SyntaxError, SyntaxErrorKind, Transcoder, View};
use crate::node::state::Node;

/// The bytes of a body, and their place among those of all bodies, which is
/// free again when they are dropped.
pub(super) struct JsonBytes<'a> {
    bytes: Vec<u8>,
    places: Option<SemaphorePermit<'a>>,
}

impl Deref for JsonBytes<'_> {
    type Target = [u8];

    /// The text, without the byte order mark that Python passes over, too.
    fn deref(&self) -> &[u8] {
        const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
        let bytes = self.bytes.as_slice();
        bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes)
    }
}

/// The bytes of a body that is said to be JSON.
pub(super) async fn json_bytes(node: &Node, request: Request) -> Result<JsonBytes<'_>, ApiError> {
    let limits = &node.shared.config.limits;
    // Flask, too, takes the last of several.
    let content_types = request.headers().get_all(header::CONTENT_TYPE);
    let content_type = content_types.iter().next_back();
    if !content_type.is_some_and(|value| is_json(value.as_bytes())) {
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
    let body: Body = request.into_body();
    if body.size_hint().lower() > limits.body_bytes as u64 {
        return Err(too_large(limits.body_bytes));
    }
    let collected = collect(body, limits.body_bytes, &node.shared.body_places);
    timeout(limits.request_time, collected)
        .await
        .unwrap_or_else(|_| {
            Err(ApiError::new(
                StatusCode::REQUEST_TIMEOUT,
                "request_timeout",
                format!(
                    "the body took more than {} s",
                    limits.request_time.as_secs()
                ),
            ))
        })
}

/// Reads a body of at most `most` bytes. Each byte takes a place once it is
/// there: whoever only promises many keeps nobody else out.
async fn collect(
    mut body: Body,
    most: usize,
    places: &Semaphore,
) -> Result<JsonBytes<'_>, ApiError> {
    let mut collected = JsonBytes {
        bytes: Vec::new(),
        places: None,
    };
    while let Some(frame) = body.frame().await {
        let frame = frame
            .map_err(|error| ApiError::bad_request(format!("the body ended too early: {error}")))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if data.len() > most - collected.bytes.len() {
            return Err(too_large(most));
        }
        let place = u32::try_from(data.len())
            .ok()
            .and_then(|bytes| places.try_acquire_many(bytes).ok())
            .ok_or_else(ApiError::too_many_bodies)?;
        match &mut collected.places {
            Some(held) => held.merge(place),
            none => *none = Some(place),
        }
        collected.bytes.extend_from_slice(&data);
    }
    Ok(collected)
}

fn too_large(most: usize) -> ApiError {
    ApiError::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "payload_too_large",
        format!("the body takes more than {most} bytes"),
    )
}

/// Whether Flask would read it as JSON. Its parameters may hold any bytes.
fn is_json(content_type: &[u8]) -> bool {
    let mut parts = content_type.split(|byte| *byte == b';');
    let essence = parts.next().unwrap_or_default().trim_ascii();
    let essence = essence.to_ascii_lowercase();
    essence == b"application/json"
        || (essence.starts_with(b"application/") && essence.ends_with(b"+json"))
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
