//! Objects in JSON queues that are not transactions: the one that holds the whole
//! queue under `"transactions"`, as a node lists its pending transactions, and
//! what any other one probably is.

use std::io::Read;

use memchr::{memchr, memmem};
use thiserror::Error;

use super::QueueError;
use super::json::without_end;
use crate::chain::json::{JsonStream, Kind, Position, StreamError, Transcoder, View, canonical};
use crate::chain::{TRANSACTION_FIELDS, dialect};

/// The key of the list that may be a whole queue.
const LIST_KEY: &str = "transactions";

/// The keys of the blocks in a node's answers.
const CHAIN_KEYS: [&str; 2] = ["chain", "new_chain"];

/// A JSON object in a queue that is not a transaction.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum OtherObject {
    /// A chain, as a node sends it.
    #[error("this is a chain, but a queue holds transactions that are in no block yet")]
    Chain,
    /// A block of a chain.
    #[error("this is a block, but a queue holds transactions that are in no block yet")]
    Block,
    /// A list under `"transactions"` that is only a part of the queue.
    #[error("a list under \"{LIST_KEY}\" must be the whole queue; here, write the list alone")]
    PartialList,
    /// A list of objects under another key.
    #[error(
        "the list of transactions must be alone or under \"{LIST_KEY}\", but it is under {key}"
    )]
    OtherList {
        /// The key, quoted.
        key: String,
    },
    /// Anything else.
    #[error(
        "a transaction has \"sender\", \"recipient\" and \"amount\", but this has {}",
        keys.join(", ")
    )]
    Keys {
        /// Its first keys, quoted.
        keys: Vec<String>,
    },
}

impl OtherObject {
    /// What `value` is, which lacks a field of a transaction. `None` if it has
    /// no key that a transaction does not have.
    pub(super) fn of(value: View<'_>) -> Option<Self> {
        let is_list = |value: Option<View<'_>>| value.is_some_and(|it| it.kind() == Kind::Array);
        if value.fields(CHAIN_KEYS).into_iter().any(is_list) {
            return Some(Self::Chain);
        }
        if dialect::is_block(value, &[]) {
            return Some(Self::Block);
        }
        if is_list(value.fields([LIST_KEY])[0]) {
            return Some(Self::PartialList);
        }
        let holds_objects = |list: View<'_>| {
            let first = list.elements().next();
            first.is_some_and(|first| first.kind() == Kind::Object)
        };
        if let Some((key, _)) = value.members().find(|(_, value)| holds_objects(*value)) {
            return Some(Self::OtherList { key: quoted(key) });
        }
        let is_field = |key: &[u8]| TRANSACTION_FIELDS.iter().any(|it| it.as_bytes() == key);
        if value.members().all(|(key, _)| is_field(key)) {
            return None;
        }
        const MOST_KEYS: usize = 8;
        let shown = value.members().take(MOST_KEYS);
        let mut keys: Vec<_> = shown.map(|(key, _)| quoted(key)).collect();
        if value.members().nth(MOST_KEYS).is_some() {
            keys.push("...".to_owned());
        }
        Some(Self::Keys { keys })
    }

    fn at(self, position: Position) -> QueueError {
        QueueError::OtherObject {
            position,
            place: None,
            found: self,
        }
    }
}

/// A key in canonical text as messages show it, shortened if it is long.
fn quoted(key: &[u8]) -> String {
    const MAX_BYTES: usize = 40;
    let shown = String::from_utf8_lossy(&key[..key.len().min(MAX_BYTES)]);
    let rest = if key.len() > MAX_BYTES { "..." } else { "" };
    format!("\"{shown}\"{rest}")
}

/// Moves `stream`, which is at an object at the start of a file, into the list
/// under `"transactions"`, if the object is one that holds a queue. Otherwise
/// the stream stays where it is.
///
/// An object that is too large for a transaction is not read to its end first, so
/// that it need not fit in memory.
pub(super) fn enter_list<R: Read>(stream: &mut JsonStream<R>) -> Result<bool, QueueError> {
    let start = stream.position();
    let length = stream.value_length();
    if let Some(length) = length.map_err(|error| without_end(error, start, b'{'))?
        && !holds_queue(&stream.unread()[..length])
    {
        return Ok(false);
    }
    stream.bump();
    let mut is_first = true;
    while stream.next_member(is_first)? {
        is_first = false;
        let key = member_key(stream)?;
        let is_key = |other: &&str| other.as_bytes() == key;
        let is_list = stream.peek()? == Some(b'[');
        if is_list && is_key(&LIST_KEY) {
            stream.bump();
            return Ok(true);
        }
        if is_list && CHAIN_KEYS.iter().any(is_key) {
            return Err(OtherObject::Chain.at(start));
        }
        if dialect::is_block_key(&key) {
            return Err(OtherObject::Block.at(start));
        }
        canonical_value(stream).map_err(|error| match error {
            QueueError::ValueTooLarge { .. } if is_list => {
                let key = quoted(&key);
                OtherObject::OtherList { key }.at(start)
            }
            QueueError::ValueTooLarge { .. } => QueueError::ValueTooLarge { position: start },
            error => error,
        })?;
    }
    Err(QueueError::ValueTooLarge { position: start })
}

/// Moves `stream` from the end of the list to the end of its object.
pub(super) fn leave_list<R: Read>(stream: &mut JsonStream<R>) -> Result<(), QueueError> {
    while stream.next_member(false)? {
        let position = stream.position();
        if member_key(stream)? == LIST_KEY.as_bytes() {
            return Err(QueueError::SecondList { position });
        }
        canonical_value(stream)?;
    }
    Ok(())
}

/// Whether the text of an object says that it holds a queue.
fn holds_queue(object: &[u8]) -> bool {
    // Most queues start with a transaction, which is found out at once. An escape
    // may hide the key.
    if memmem::find(object, LIST_KEY.as_bytes()).is_none() && memchr(b'\\', object).is_none() {
        return false;
    }
    let Ok(text) = canonical(object) else {
        return false;
    };
    let object = View::of(text.as_bytes());
    let is_transaction = object
        .fields(TRANSACTION_FIELDS)
        .iter()
        .all(Option::is_some);
    !is_transaction && OtherObject::of(object) == Some(OtherObject::PartialList)
}

/// Takes a key and the colon after it, and returns the key in canonical text,
/// without its quotes.
fn member_key<R: Read>(stream: &mut JsonStream<R>) -> Result<Vec<u8>, QueueError> {
    let key = canonical_value(stream)?;
    if stream.peek()? != Some(b':') {
        return Err(stream.unexpected("':'").into());
    }
    stream.bump();
    stream.peek()?;
    Ok(key[1..key.len() - 1].to_vec())
}

fn canonical_value<R: Read>(stream: &mut JsonStream<R>) -> Result<Vec<u8>, QueueError> {
    let start = stream.position();
    let value = stream.value()?;
    let mut text = Vec::new();
    Transcoder::default()
        .transcode(value, &mut text)
        .map_err(|error| StreamError::inside(value, start, error))?;
    Ok(text)
}
