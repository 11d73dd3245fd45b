//! Memory for large answers: all together are limited, because a client may
//! read slowly or not at all.

use std::sync::Arc;

use axum::body::Bytes;
use tokio::sync::OwnedSemaphorePermit;

use super::error::ApiError;
use crate::node::state::Node;

/// An answer, or a part of one, of at most this size is not counted.
const SMALL_BYTES: usize = 128 << 10;

/// A text whose memory is released when it was sent or the connection closed.
struct CountedText {
    text: Vec<u8>,
    _memory: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for CountedText {
    fn as_ref(&self) -> &[u8] {
        &self.text
    }
}

/// Reserves memory for this many bytes, if there is enough now.
pub(super) fn reserve(node: &Node, bytes: usize) -> Option<OwnedSemaphorePermit> {
    let memory = Arc::clone(&node.shared.answer_memory);
    memory.try_acquire_many_owned(permits(node, bytes)).ok()
}

/// Counts `text`; an error if other answers use all the memory now.
pub(super) fn try_count(node: &Node, text: Vec<u8>) -> Result<Bytes, ApiError> {
    if text.len() <= SMALL_BYTES {
        return Ok(text.into());
    }
    let memory = reserve(node, text.len()).ok_or_else(ApiError::too_many_answers)?;
    Ok(counted(text, memory))
}

/// Counts `text` in the reserved memory or, if that is not enough, waits for
/// more.
pub(super) async fn count(
    node: &Node,
    text: Vec<u8>,
    reserved: Option<OwnedSemaphorePermit>,
) -> Bytes {
    if let Some(memory) = reserved
        && text.len() <= memory.num_permits() + SMALL_BYTES
    {
        return counted(text, memory);
    }
    // A reservation was released above: nobody waits while holding memory.
    if text.len() <= SMALL_BYTES {
        return text.into();
    }
    let memory = Arc::clone(&node.shared.answer_memory)
        .acquire_many_owned(permits(node, text.len()))
        .await
        .expect("the semaphore is never closed");
    counted(text, memory)
}

fn counted(text: Vec<u8>, memory: OwnedSemaphorePermit) -> Bytes {
    Bytes::from_owner(CountedText {
        text,
        _memory: memory,
    })
}

/// A permit per byte, at most all there are.
fn permits(node: &Node, bytes: usize) -> u32 {
    let most = node.shared.config.limits.all_body_bytes;
    u32::try_from(bytes.min(most)).unwrap_or(u32::MAX)
}
