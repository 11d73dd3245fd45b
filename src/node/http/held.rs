//! Large answers in memory: not too many at once, for a client may be slow to
//! read, or never read at all.

use std::sync::Arc;

use axum::body::Bytes;
use tokio::sync::OwnedSemaphorePermit;

use super::error::ApiError;
use crate::node::state::Node;

/// An answer, or a part of one, that is no larger is not counted.
const SMALL_BYTES: usize = 128 << 10;

/// A text and its place among all large ones, which is free again once the
/// last of it was sent, or the connection is gone.
struct Held {
    text: Vec<u8>,
    _places: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.text
    }
}

/// `text` as a body; an error while others take all the memory there is.
pub(super) fn now(node: &Node, text: Vec<u8>) -> Result<Bytes, ApiError> {
    let Some(count) = places(node, &text) else {
        return Ok(text.into());
    };
    let places = Arc::clone(&node.shared.answer_places)
        .try_acquire_many_owned(count)
        .map_err(|_| ApiError::too_many_answers())?;
    Ok(held(text, places))
}

/// The same, once there is memory.
pub(super) async fn in_turn(node: &Node, text: Vec<u8>) -> Bytes {
    let Some(count) = places(node, &text) else {
        return text.into();
    };
    match Arc::clone(&node.shared.answer_places)
        .acquire_many_owned(count)
        .await
    {
        Ok(places) => held(text, places),
        Err(_) => unreachable!("the semaphore is never closed"),
    }
}

/// Places for so many bytes, if they are free.
pub(super) fn claim(node: &Node, bytes: usize) -> Option<OwnedSemaphorePermit> {
    let count = u32::try_from(bytes).ok()?;
    Arc::clone(&node.shared.answer_places)
        .try_acquire_many_owned(count)
        .ok()
}

/// `text` in the places that were claimed for it, or in turn if there are none,
/// or it came out longer.
pub(super) async fn claimed(
    node: &Node,
    text: Vec<u8>,
    places: Option<OwnedSemaphorePermit>,
) -> Bytes {
    match places {
        Some(places) if text.len() <= places.num_permits() + SMALL_BYTES => held(text, places),
        // They are free again first: whoever waits for more must hold none.
        places => {
            drop(places);
            in_turn(node, text).await
        }
    }
}

fn held(text: Vec<u8>, places: OwnedSemaphorePermit) -> Bytes {
    Bytes::from_owner(Held {
        text,
        _places: places,
    })
}

/// The places that the text takes, all of them at most; `None` for a small one.
fn places(node: &Node, text: &[u8]) -> Option<u32> {
    let most = node.shared.config.limits.all_body_bytes;
    let count = u32::try_from(text.len().min(most)).unwrap_or(u32::MAX);
    (text.len() > SMALL_BYTES).then_some(count)
}
