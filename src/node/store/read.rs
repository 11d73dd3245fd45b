//! What is read, on connections of its own, beside the one that writes.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension as _, params};
use tokio::sync::Semaphore;
use tokio::task;

use super::balances::Sums;
use super::staged::{Compare, ReplaceError, Staged};
use super::write::write_entry;
use super::{balances, open_reader, schema};
use crate::pow::Control;

/// Connections that read at once.
const MOST_READERS: usize = 4;

/// A part of a chain is closed once it holds about this many bytes, where there
/// is memory for that.
pub(in crate::node) const PART_BYTES: usize = 256 << 10;

/// Connections that read.
#[derive(Clone, Debug)]
pub(in crate::node) struct Readers(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    /// Each goes with the work to the thread that does it: whoever asked may
    /// stop waiting before that.
    permits: Arc<Semaphore>,
}

/// A block by its text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::node) struct Block {
    pub(in crate::node) text: String,
    pub(in crate::node) hash: String,
}

/// Consecutive blocks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::node) struct ChainPart {
    /// Their texts, joined as a JSON list's elements.
    pub(in crate::node) text: Vec<u8>,
    /// The block after them.
    pub(in crate::node) next: u64,
}

impl Readers {
    pub(in crate::node) fn new(path: PathBuf) -> Self {
        Self(Arc::new(Inner {
            path,
            idle: Mutex::default(),
            permits: Arc::new(Semaphore::new(MOST_READERS)),
        }))
    }

    /// Runs `read` on a blocking thread.
    async fn run<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> rusqlite::Result<T> {
        let permit = Arc::clone(&self.0.permits).acquire_owned().await;
        let inner = Arc::clone(&self.0);
        let work = move || {
            let _permit = permit;
            let idle = || inner.idle.lock().unwrap_or_else(PoisonError::into_inner);
            let known = idle().pop();
            let connection = match known {
                Some(connection) => connection,
                None => open_reader(&inner.path)?,
            };
            let result = read(&connection);
            idle().push(connection);
            result
        };
        // An error: the runtime is going down, or SQLite's binding panicked.
        task::spawn_blocking(work)
            .await
            .unwrap_or(Err(rusqlite::Error::InvalidQuery))
    }

    /// One block.
    pub(in crate::node) async fn block(&self, number: u64) -> rusqlite::Result<Option<Block>> {
        self.run(move |connection| {
            connection
                .prepare_cached("SELECT text, hash FROM blocks WHERE number = ?")?
                .query_row([number as i64], |row| {
                    Ok(Block {
                        text: row.get(0)?,
                        hash: row.get(1)?,
                    })
                })
                .optional()
        })
        .await
    }

    /// Blocks from `first` to `last`, until the part holds `enough` bytes; `None`
    /// if the chain was replaced since `generation`.
    pub(in crate::node) async fn chain_part(
        &self,
        generation: u64,
        first: u64,
        last: u64,
        enough: usize,
    ) -> rusqlite::Result<Option<ChainPart>> {
        self.run(move |connection| chain_part(connection, generation, first, last, enough))
            .await
    }

    /// The texts of all pending transactions, joined, and their number.
    pub(in crate::node) async fn pending(&self) -> rusqlite::Result<(Vec<u8>, u64)> {
        self.run(|connection| {
            let mut query = connection
                .prepare_cached("SELECT amount, recipient, sender FROM pending ORDER BY id")?;
            let mut rows = query.query([])?;
            let (mut text, mut count) = (Vec::new(), 0);
            while let Some(row) = rows.next()? {
                if count > 0 {
                    text.extend_from_slice(b", ");
                }
                write_entry(row, 0, &mut text)?;
                count += 1;
            }
            Ok((text, count))
        })
        .await
    }

    /// See [`Staged::new`].
    pub(in crate::node) async fn stage(
        &self,
        source: File,
        folder: PathBuf,
        compare: Compare,
        control: Control,
    ) -> Result<Staged, ReplaceError> {
        self.run(move |connection| Ok(Staged::new(connection, source, &folder, compare, &control)))
            .await?
    }

    /// What `name` received and sent.
    pub(in crate::node) async fn sums(&self, name: String) -> rusqlite::Result<Sums> {
        let path = balances::path(self.0.path.parent().unwrap_or_else(|| Path::new(".")));
        self.run(move |connection| balances::read(connection, &path, &name))
            .await
    }
}

/// See [`Readers::chain_part`].
pub(in crate::node) fn chain_part(
    connection: &Connection,
    generation: u64,
    first: u64,
    last: u64,
    enough: usize,
) -> rusqlite::Result<Option<ChainPart>> {
    // Both reads see the same state of the database.
    let transaction = connection.unchecked_transaction()?;
    if schema::generation(&transaction)? != generation {
        return Ok(None);
    }
    let mut query = transaction
        .prepare_cached("SELECT text FROM blocks WHERE number BETWEEN ? AND ? ORDER BY number")?;
    let mut rows = query.query(params![first as i64, last as i64])?;
    let mut part = ChainPart {
        text: Vec::new(),
        next: first,
    };
    while part.text.len() < enough
        && let Some(row) = rows.next()?
    {
        if part.next > first {
            part.text.extend_from_slice(b", ");
        }
        part.text
            .extend_from_slice(row.get_ref(0)?.as_str()?.as_bytes());
        part.next += 1;
    }
    Ok(Some(part))
}
