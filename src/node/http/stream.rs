//! Chains as answers, a part at a time.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Response, StatusCode};
use hyper::body::Frame;
use tokio::sync::mpsc;

use super::error::ApiError;
use super::{held, reply};
use crate::node::state::Node;
use crate::node::store::PART_BYTES;
use crate::node::writer::ChainHead;

/// Parts that are read ahead of a slow client. Each takes memory for every
/// client that does not read.
const PARTS_AHEAD: usize = 1;

/// The bytes of a part while others hold all the memory there is for large
/// answers: clients that do not read make others slower, and do not stop them.
const SMALL_PART_BYTES: usize = 32 << 10;

/// Which blocks an answer holds, and what stands around them.
pub(super) struct ChainAnswer {
    /// The text up to the opening bracket of the list.
    pub(super) before: String,
    /// The first block.
    pub(super) first: u64,
    /// The last block, which must be there.
    pub(super) last: u64,
    /// The text from the closing bracket of the list on.
    pub(super) after: String,
}

/// Answers with blocks of the chain that ends in `head`.
///
/// Each part is read on its own, so a slow client holds nothing of the
/// database. Should the chain be replaced meanwhile, the answer breaks off,
/// which the client sees: its last chunk is missing.
pub(super) async fn chain(
    node: &Node,
    head: Arc<ChainHead>,
    answer: ChainAnswer,
) -> Result<Response<Body>, ApiError> {
    let ChainAnswer {
        before,
        first,
        last,
        after,
    } = answer;
    let generation = head.generation;
    let mut text = before.into_bytes();
    let mut next = first;
    if first <= last {
        let part = node
            .shared
            .readers
            .chain_part(generation, first, last, SMALL_PART_BYTES)
            .await
            .map_err(|error| ApiError::of_read(&error))?
            .ok_or_else(ApiError::replaced)?;
        text.extend_from_slice(&part.text);
        next = part.next;
    }
    if next > last {
        text.extend_from_slice(after.as_bytes());
        return Ok(reply::json(StatusCode::OK, held::now(node, text)?));
    }
    let text = held::now(node, text)?;

    let (parts, waiting) = mpsc::channel(PARTS_AHEAD);
    let node = node.clone();
    tokio::spawn(async move {
        if parts.send(Ok(text)).await.is_err() {
            return;
        }
        while next <= last {
            // First a place, then the part: it would wait here in memory.
            let Ok(place) = parts.reserve().await else {
                return;
            };
            let counted = held::claim(&node, PART_BYTES);
            let enough = match counted {
                Some(_) => PART_BYTES,
                None => SMALL_PART_BYTES,
            };
            let (bytes, is_over) = match node
                .shared
                .readers
                .chain_part(generation, next, last, enough)
                .await
            {
                Ok(Some(part)) if part.next > next => {
                    next = part.next;
                    ([b", ", part.text.as_slice()].concat(), false)
                }
                Ok(_) => (Vec::new(), true),
                Err(error) => {
                    tracing::error!(%error, "reading the chain failed");
                    (Vec::new(), true)
                }
            };
            let part = if is_over {
                Err(BrokenOff)
            } else {
                Ok(held::claimed(&node, bytes, counted).await)
            };
            place.send(part);
            if is_over {
                return;
            }
        }
        let _ = parts.send(Ok(after.into())).await;
    });
    let mut response = Response::new(Body::new(Parts { waiting }));
    response.headers_mut().insert(CONTENT_TYPE, reply::JSON);
    Ok(response)
}

/// The chain was replaced while it was sent.
#[derive(Debug, thiserror::Error)]
#[error("the chain was replaced, or could not be read to its end")]
struct BrokenOff;

/// A body of the parts that a task sends.
struct Parts {
    waiting: mpsc::Receiver<Result<Bytes, BrokenOff>>,
}

impl HttpBody for Parts {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        self.waiting
            .poll_recv(context)
            .map(|part| part.map(|part| part.map(Frame::data)))
    }
}
