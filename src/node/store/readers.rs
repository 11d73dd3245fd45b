//! Reading: connections beside the one that writes.

use std::fs::File;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension as _, params};
use tokio::sync::Semaphore;
use tokio::task;

use super::balances::{self, Sums};
use super::open::open_reader;
use super::rows::write_entry;
use super::schema;
use super::staged_chain::{ReplaceError, SharedBlocks, StagedChain};
use crate::pow::Control;

/// Connections that read at once.
const MOST_READERS: usize = 4;

/// Bytes after which a part of a chain ends.
pub(in crate::node) const PART_BYTES: usize = 256 << 10;

/// A pool of connections that read.
#[derive(Clone, Debug)]
pub(in crate::node) struct Readers {
    idle: Arc<Mutex<Vec<Connection>>>,
    permits: Arc<Semaphore>,
}

/// The text of a block.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::node) struct BlockText {
    pub(in crate::node) text: String,
    pub(in crate::node) hash: String,
}

/// Consecutive blocks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::node) struct ChainPart {
    /// Their texts, as the elements of a JSON list.
    pub(in crate::node) text: Vec<u8>,
    /// The number of the block after them.
    pub(in crate::node) next: u64,
}

impl Readers {
    /// Opens all connections: later, another file may have the database's name.
    pub(in crate::node) fn open(path: &Path) -> rusqlite::Result<Self> {
        let idle: rusqlite::Result<_> = (0..MOST_READERS).map(|_| open_reader(path)).collect();
        Ok(Self {
            idle: Arc::new(Mutex::new(idle?)),
            permits: Arc::new(Semaphore::new(MOST_READERS)),
        })
    }

    /// Runs `read` on a blocking thread.
    async fn run<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> rusqlite::Result<T> {
        // The permit moves to the thread: the caller may stop waiting before
        // the thread is done.
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let readers = self.clone();
        let work = move || {
            let _permit = permit;
            let idle = || readers.idle.lock().unwrap_or_else(PoisonError::into_inner);
            let connection = idle().pop().expect("a permit stands for a connection");
            // After a panic, the connection must still go back.
            let result = panic::catch_unwind(AssertUnwindSafe(|| read(&connection)));
            idle().push(connection);
            result.unwrap_or_else(|panic| panic::resume_unwind(panic))
        };
        // Fails if the runtime is shutting down or the thread panicked.
        task::spawn_blocking(work)
            .await
            .unwrap_or(Err(rusqlite::Error::InvalidQuery))
    }

    pub(in crate::node) async fn block(&self, number: u64) -> rusqlite::Result<Option<BlockText>> {
        self.run(move |connection| {
            connection
                .prepare_cached("SELECT text, hash FROM blocks WHERE number = ?")?
                .query_row([number as i64], |row| {
                    Ok(BlockText {
                        text: row.get(0)?,
                        hash: row.get(1)?,
                    })
                })
                .optional()
        })
        .await
    }

    /// See [`chain_part`].
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

    /// The texts of all pending transactions, as the elements of a JSON list,
    /// and their number.
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
                write_entry(row, &mut text)?;
                count += 1;
            }
            Ok((text, count))
        })
        .await
    }

    /// See [`StagedChain::new`].
    pub(in crate::node) async fn stage(
        &self,
        source: File,
        folder: PathBuf,
        shared_blocks: SharedBlocks,
        control: Control,
    ) -> Result<StagedChain, ReplaceError> {
        self.run(move |connection| {
            Ok(StagedChain::new(
                connection,
                source,
                &folder,
                shared_blocks,
                &control,
            ))
        })
        .await?
    }

    /// What `name` received and sent in all blocks.
    pub(in crate::node) async fn sums(&self, name: String) -> rusqlite::Result<Sums> {
        self.run(move |connection| balances::read(connection, &name))
            .await
    }
}

/// The blocks from `first` to `last`, or fewer if those hold `enough` bytes;
/// `None` if the chain was replaced since `generation`.
pub(in crate::node) fn chain_part(
    connection: &Connection,
    generation: u64,
    first: u64,
    last: u64,
    enough: usize,
) -> rusqlite::Result<Option<ChainPart>> {
    // Both queries see the same state of the database.
    let snapshot = connection.unchecked_transaction()?;
    if schema::generation(&snapshot)? != generation {
        return Ok(None);
    }
    let mut query = snapshot
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
