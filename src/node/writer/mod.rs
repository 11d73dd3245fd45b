//! The writer thread: the only one that writes to the database.
//!
//! It takes all waiting changes, applies them in the order in which they
//! arrived, commits them together, and only then answers. One sync of the disk
//! pays for many answers. Callers wait in a bounded channel. Once the last
//! [`WriterHandle`] is dropped, the thread makes the changes that still wait,
//! and ends.

mod published;
mod thread;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

pub(super) use self::published::{ChainHead, Gauges, WriteError};

use self::thread::{PROBE_TIME, QueuedReplacement, Request, WriterCommand, WriterThread};
use super::error::NodeError;
use super::store::{
    Database, Forged, NewTransaction, OpenFiles, ReplaceError, Replacement, StagedChain,
};
use crate::pow::{Control, Nonce};
use crate::sha256::Digest;

/// Changes that may wait for the thread.
const MOST_WAITING: usize = 4096;

/// Asks the thread for changes.
#[derive(Clone, Debug)]
pub(super) struct WriterHandle {
    commands: mpsc::Sender<WriterCommand>,
    heads: watch::Receiver<Arc<ChainHead>>,
    peers: watch::Receiver<Arc<Vec<String>>>,
    gauges: Arc<Gauges>,
    files: Arc<OpenFiles>,
}

impl WriterHandle {
    /// Starts the thread.
    pub(super) fn start(
        database: Database,
        most_pending: u64,
    ) -> Result<(Self, JoinHandle<()>), NodeError> {
        let (commands, waiting) = mpsc::channel(MOST_WAITING);
        let head = ChainHead {
            tip: database.tip().clone(),
            generation: database.generation(),
            is_partial: false,
        };
        let known = database.peers().map_err(|error| NodeError::Database {
            path: database.path().to_owned(),
            problem: error.into(),
        })?;
        let files = database.files();
        let (heads_sender, heads) = watch::channel(Arc::new(head));
        let (peers_sender, peers) = watch::channel(Arc::new(known));
        let gauges = Arc::new(Gauges::default());
        gauges.pending.store(database.pending(), Ordering::Relaxed);
        let writer = WriterThread {
            database,
            most_pending,
            heads: heads_sender,
            peers: peers_sender,
            gauges: Arc::clone(&gauges),
            new_peers: None,
            forged: 0,
            last_probe: None,
            replacements: VecDeque::new(),
            is_replacing: false,
        };
        let thread = std::thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || writer.run(waiting))
            .map_err(NodeError::Thread)?;
        let handle = Self {
            commands,
            heads,
            peers,
            gauges,
            files,
        };
        Ok((handle, thread))
    }

    /// The end of the chain.
    pub(super) fn head(&self) -> Arc<ChainHead> {
        Arc::clone(&self.heads.borrow())
    }

    /// Tells when the end of the chain changes.
    pub(super) fn heads(&self) -> watch::Receiver<Arc<ChainHead>> {
        self.heads.clone()
    }

    pub(super) fn peers(&self) -> Arc<Vec<String>> {
        Arc::clone(&self.peers.borrow())
    }

    pub(super) fn gauges(&self) -> &Gauges {
        &self.gauges
    }

    /// Adds a pending transaction and returns the number of the next block.
    pub(super) async fn add(&self, new: NewTransaction) -> Result<u64, WriteError> {
        self.change(move |writer| writer.add(&new)).await
    }

    /// Makes the block after the one with the hash `after`. `proof` must
    /// satisfy the rule.
    pub(super) async fn forge(&self, after: Digest, proof: Nonce) -> Result<Forged, WriteError> {
        self.change(move |writer| writer.forge(after, proof)).await
    }

    /// Adds peers and returns all.
    pub(super) async fn register(&self, nodes: Vec<String>) -> Result<Vec<String>, WriteError> {
        self.change(move |writer| writer.register(&nodes)).await
    }

    async fn change<T: Send + 'static>(
        &self,
        apply: impl FnOnce(&mut WriterThread) -> rusqlite::Result<Result<T, WriteError>>
        + Send
        + 'static,
    ) -> Result<T, WriteError> {
        let (request, answer) = Request::new(apply);
        self.commands
            .send(WriterCommand::Change(Box::new(request)))
            .await
            .map_err(|_| WriteError::Closed)?;
        answer.await.unwrap_or(Err(WriteError::Closed))
    }

    /// Replaces the chain by a verified one if that is longer. This takes many
    /// commits, so an error may leave a part of the new chain in place.
    pub(super) async fn replace(
        &self,
        staged: StagedChain,
        control: Control,
    ) -> Result<Replacement, ReplaceError> {
        let (reply, answer) = oneshot::channel();
        let command = WriterCommand::Replace(Box::new(QueuedReplacement {
            staged,
            control,
            reply,
        }));
        self.commands
            .send(command)
            .await
            .map_err(|_| ReplaceError::Cancelled)?;
        answer.await.unwrap_or(Err(ReplaceError::Cancelled))
    }

    /// Fails if a file of the database was removed or replaced. Then no change is
    /// made until the node is started again.
    pub(super) fn check_files(&self) -> rusqlite::Result<()> {
        let checked = self.files.check();
        if checked.is_err() {
            // The thread then saves what the log holds.
            let (reply, _) = oneshot::channel();
            let _ = self.commands.try_send(WriterCommand::Probe(reply));
        }
        checked
    }

    /// Whether commits fail: the last one did, or the database's files are not
    /// under their names. If so, it first probes whether commits succeed again:
    /// clients may not write to a node that reports a failure.
    pub(super) async fn is_failing(&self) -> bool {
        let is_failing =
            || self.gauges.is_failing.load(Ordering::Relaxed) || self.files.check().is_err();
        if !is_failing() {
            return false;
        }
        let (reply, done) = oneshot::channel();
        if self.commands.try_send(WriterCommand::Probe(reply)).is_ok() {
            let _ = timeout(PROBE_TIME, done).await;
        }
        is_failing()
    }
}
