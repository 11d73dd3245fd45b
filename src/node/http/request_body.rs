//! Request bodies: JSON of limited size, read in limited time, and with a limit
//! on the memory of all bodies together.

use std::mem;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{FromRequestParts, Request};
use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, EXPECT, HeaderName};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::BodyExt as _;
use tokio::sync::{Mutex, OwnedSemaphorePermit};
use tokio::time::{Instant, timeout};

use super::error::ApiError;
use crate::chain::json::{Kind, MAX_VALUE_BYTES, SyntaxError, SyntaxErrorKind, Transcoder, View};
use crate::node::state::Node;

/// The most bytes of an unread body that are read and dropped.
const MOST_DISCARDED: u64 = 16 << 20;

/// How long the next bytes of a dropped body may take.
const DISCARD_PAUSE: Duration = Duration::from_millis(500);

/// A request's body, shared by the handler that may read it and the router,
/// which reads the rest.
#[derive(Clone)]
pub(super) struct RequestBody {
    body: Arc<Mutex<Body>>,
    /// When the head of the request was read.
    since: Instant,
    /// The time limit for the whole body from then on.
    time: Duration,
    /// Whether the client waits to be asked before it sends the body.
    is_withheld: bool,
}

impl RequestBody {
    /// Moves the body of a request to its extensions, where [`JsonBody`] finds it.
    /// Returns `None` for a request without a body.
    pub(super) fn detach(request: &mut Request, time: Duration) -> Option<Self> {
        if request.body().is_end_stream() {
            return None;
        }
        let body = Self {
            body: Arc::new(Mutex::new(mem::take(request.body_mut()))),
            since: Instant::now(),
            time,
            is_withheld: request.headers().contains_key(EXPECT),
        };
        request.extensions_mut().insert(body.clone());
        Some(body)
    }

    fn time_left(&self) -> Duration {
        self.time.saturating_sub(self.since.elapsed())
    }

    /// Reads and drops the rest of the body. Returns whether nothing is left,
    /// so that the connection can take another request.
    ///
    /// hyper only drops what it has already received. If more is on its way,
    /// it closes the connection, and a client that is still sending may then
    /// lose the answer.
    pub(super) async fn discard(self) -> bool {
        let mut body = self.body.lock().await;
        if body.is_end_stream() {
            return true;
        }
        if self.is_withheld || body.size_hint().lower() > MOST_DISCARDED {
            return false;
        }
        let discard = async {
            let mut left = MOST_DISCARDED;
            loop {
                let frame = match timeout(DISCARD_PAUSE, body.frame()).await {
                    Ok(None) => return true,
                    Ok(Some(Ok(frame))) => frame,
                    Ok(Some(Err(_))) | Err(_) => return false,
                };
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                match left.checked_sub(bytes as u64) {
                    Some(rest) => left = rest,
                    None => return false,
                }
            }
        };
        timeout(self.time_left(), discard).await.unwrap_or(false)
    }
}

/// The bytes of a body that should be JSON. Its headers do not matter. The bytes count
/// towards the memory of all bodies until they are dropped.
#[derive(Default)]
pub(super) struct JsonBody {
    bytes: Vec<u8>,
    memory: Option<OwnedSemaphorePermit>,
    /// They may tell why it is not JSON.
    headers: HeaderMap,
}

impl Deref for JsonBody {
    type Target = [u8];

    /// The text without a byte order mark, which Python ignores, too.
    fn deref(&self) -> &[u8] {
        const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
        let bytes = self.bytes.as_slice();
        bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes)
    }
}

impl FromRequestParts<Node> for JsonBody {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, node: &Node) -> Result<Self, ApiError> {
        // No extractor comes after this one.
        let headers = mem::take(&mut parts.headers);
        let Some(body) = parts.extensions.get::<RequestBody>() else {
            return Ok(Self {
                headers,
                ..Self::default()
            });
        };
        match timeout(body.time_left(), Self::read(&body.body, node)).await {
            Ok(read) => Ok(Self { headers, ..read? }),
            Err(_) => Err(ApiError::new(
                StatusCode::REQUEST_TIMEOUT,
                "request_timeout",
                format!("the body took longer than {} s", body.time.as_secs()),
            )),
        }
    }
}

impl JsonBody {
    /// Reads a body. Bytes are counted when they arrive, so a client that only
    /// announces a large body takes no memory from others.
    async fn read(body: &Mutex<Body>, node: &Node) -> Result<Self, ApiError> {
        let most = node.shared.config.limits.body_bytes;
        let too_large = || ApiError::too_large(format!("the body takes more than {most} bytes"));
        let mut body = body.lock().await;
        if body.size_hint().lower() > most as u64 {
            return Err(too_large());
        }
        let mut read = Self::default();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(ApiError::broken_body)?.into_data() else {
                continue;
            };
            if data.len() > most - read.bytes.len() {
                return Err(too_large());
            }
            let memory = u32::try_from(data.len())
                .ok()
                .and_then(|bytes| {
                    Arc::clone(&node.shared.body_memory)
                        .try_acquire_many_owned(bytes)
                        .ok()
                })
                .ok_or_else(ApiError::too_many_bodies)?;
            match &mut read.memory {
                Some(held) => held.merge(memory),
                none => *none = Some(memory),
            }
            read.bytes.extend_from_slice(&data);
        }
        *body = Body::empty();
        Ok(read)
    }

    /// The canonical text of a body that must be a JSON object.
    pub(super) fn object(&self) -> Result<Vec<u8>, ApiError> {
        let mut text = Vec::new();
        Transcoder::default()
            .transcode(self, &mut text)
            .map_err(|error| self.not_json(&error))?;
        let value = View::of(&text);
        if value.kind() != Kind::Object {
            return Err(ApiError::unprocessable(format!(
                "the body is {}, expected an object",
                value.excerpt()
            )));
        }
        Ok(text)
    }

    /// The error for a body that is not JSON, or too large in canonical form. As
    /// in Flask, the status depends on what the headers promise.
    pub(super) fn not_json(&self, error: &SyntaxError) -> ApiError {
        if matches!(error.kind, SyntaxErrorKind::TooLarge) {
            return ApiError::too_large(format!(
                "the body, as Python writes it, takes more than {MAX_VALUE_BYTES} bytes"
            ));
        }
        // Of several, Flask uses the last.
        let last = |name: HeaderName| self.headers.get_all(name).iter().next_back();
        let shown = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        if let Some(coding) = last(CONTENT_ENCODING)
            && !coding.as_bytes().eq_ignore_ascii_case(b"identity")
        {
            return ApiError::unsupported_media_type(format!(
                "Content-Encoding is {:?}; send the body uncompressed",
                shown(coding)
            ))
            .with_header(ACCEPT_ENCODING, "identity");
        }
        let fault = format!(
            "the body is not JSON: at byte {}: {}",
            error.offset, error.kind
        );
        match last(CONTENT_TYPE) {
            Some(value) if is_json(value.as_bytes()) => ApiError::bad_request(fault),
            given => {
                let given =
                    given.map_or("missing".to_owned(), |value| format!("{:?}", shown(value)));
                ApiError::unsupported_media_type(format!(
                    "{fault}; Content-Type is {given}, expected application/json"
                ))
            }
        }
    }
}

/// Parameters after the type may hold any bytes.
fn is_json(content_type: &[u8]) -> bool {
    let mut parts = content_type.split(|byte| *byte == b';');
    let essence = parts.next().unwrap_or_default().trim_ascii();
    let essence = essence.to_ascii_lowercase();
    essence == b"application/json"
        || (essence.starts_with(b"application/") && essence.ends_with(b"+json"))
}

/// One field of an object in canonical text.
pub(super) fn field<'a>(object: &'a [u8], name: &str) -> Option<View<'a>> {
    View::of(object)
        .members()
        .find(|(key, _)| *key == name.as_bytes())
        .map(|(_, value)| value)
}
