//! Answers with many blocks, read and sent in parts.

use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{Response, StatusCode};
use futures_util::stream;
use tokio::sync::mpsc;

use super::error::ApiError;
use super::{answer_memory, reply};
use crate::node::state::Node;
use crate::node::store::PART_BYTES;
use crate::node::writer::ChainHead;

/// Parts that are read ahead of a slow client. Each takes memory for every
/// client that does not read.
const PARTS_AHEAD: usize = 1;

/// The size of a part while other answers use all the memory: clients that do
/// not read slow others down, but do not stop them.
const SMALL_PART_BYTES: usize = 32 << 10;

/// Which blocks an answer holds, and the text around them.
pub(super) struct ChainAnswer {
    /// The text up to the opening bracket of the list.
    pub(super) before: String,
    /// The first block.
    pub(super) first: u64,
    /// The last block, which must exist.
    pub(super) last: u64,
    /// The text from the closing bracket of the list on.
    pub(super) after: String,
}

/// Answers with blocks of the chain that ends in `head`.
///
/// Each part is read in its own database transaction, so a slow client holds
/// none open. If the chain is replaced meanwhile, the answer breaks off without
/// its last chunk, which tells the client that it is incomplete.
pub(super) async fn answer(
    node: &Node,
    head: &ChainHead,
    answer: ChainAnswer,
) -> Result<Response<Body>, ApiError> {
    let ChainAnswer {
        before,
        first,
        last,
        mut after,
    } = answer;
    after.push('\n');
    let mut reader = PartReader {
        node: node.clone(),
        generation: head.generation,
        next: first,
        last,
    };
    let mut text = before.into_bytes();
    if !reader.is_done() {
        let part = reader.read(SMALL_PART_BYTES).await?;
        text.extend_from_slice(&part.ok_or_else(ApiError::replaced)?);
    }
    if reader.is_done() {
        text.extend_from_slice(after.as_bytes());
        let text = answer_memory::try_count(node, text)?;
        return Ok(reply::line(StatusCode::OK, text));
    }
    let text = answer_memory::try_count(node, text)?;
    let (parts, mut waiting) = mpsc::channel(PARTS_AHEAD);
    tokio::spawn(async move {
        // An error: the client is gone.
        let _ = send(reader, text, after, &parts).await;
    });
    let body = stream::poll_fn(move |context| waiting.poll_recv(context));
    let mut response = Response::new(Body::from_stream(body));
    response.headers_mut().insert(CONTENT_TYPE, reply::JSON);
    Ok(response)
}

type Part = Result<Bytes, Incomplete>;

async fn send(
    mut reader: PartReader,
    text: Bytes,
    after: String,
    parts: &mpsc::Sender<Part>,
) -> Result<(), mpsc::error::SendError<()>> {
    parts.reserve().await?.send(Ok(text));
    while !reader.is_done() {
        // Reads only when there is room: a part that waits here takes memory.
        let room = parts.reserve().await?;
        let memory = answer_memory::reserve(&reader.node, PART_BYTES);
        let enough = match memory {
            Some(_) => PART_BYTES,
            None => SMALL_PART_BYTES,
        };
        match reader.read(enough).await {
            Ok(Some(part)) => {
                let text = [b", ", part.as_slice()].concat();
                room.send(Ok(answer_memory::count(&reader.node, text, memory).await));
            }
            ended => {
                if let Err(error) = ended {
                    tracing::error!(%error, "reading the chain failed");
                }
                room.send(Err(Incomplete));
                return Ok(());
            }
        }
    }
    parts.reserve().await?.send(Ok(after.into()));
    Ok(())
}

/// Reads consecutive parts of the chain.
struct PartReader {
    node: Node,
    generation: u64,
    next: u64,
    last: u64,
}

impl PartReader {
    const fn is_done(&self) -> bool {
        self.next > self.last
    }

    /// The next blocks, as elements of a JSON list; `None` if the chain was
    /// replaced.
    async fn read(&mut self, enough: usize) -> rusqlite::Result<Option<Vec<u8>>> {
        let readers = &self.node.shared.readers;
        let part = readers
            .chain_part(self.generation, self.next, self.last, enough)
            .await?
            .filter(|part| part.next > self.next);
        Ok(part.map(|part| {
            self.next = part.next;
            part.text
        }))
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the chain was replaced, or could not be read to its end")]
struct Incomplete;
