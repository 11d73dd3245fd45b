//! The node: everything the handlers share.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use tokio::sync::{Semaphore, watch};

use super::audit::Audit;
use super::config::NodeConfig;
use super::error::NodeError;
use super::metrics::Metrics;
use super::miner::Miner;
use super::peers::PeerBook;
use super::store::{Database, Readers, open_reader};
use super::writer::WriterHandle;
use crate::pow::{LastBlock, Nonce};

/// A node: its chain, its pending transactions, its peers. Clones share it.
///
/// ```
/// use fourzero::node::{Node, NodeConfig};
///
/// let folder = tempfile::tempdir()?;
/// let node = Node::open(NodeConfig::new(folder.path()))?;
/// assert_eq!(node.blocks(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Node {
    pub(super) shared: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) config: NodeConfig,
    pub(super) node_id: String,
    pub(super) ledger: WriterHandle,
    pub(super) readers: Readers,
    pub(super) miner: Miner,
    pub(super) peers: PeerBook,
    pub(super) metrics: Metrics,
    pub(super) audit: Audit,
    /// A place for each byte of a request's body.
    pub(super) body_places: Semaphore,
    /// A place for each byte of a large answer.
    pub(super) answer_places: Arc<Semaphore>,
    pub(super) started: Instant,
    closing: watch::Sender<bool>,
    /// The threads that write and verify the chain.
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Node {
    /// Opens the database of `config`, makes it if there is none, and starts
    /// the threads that write and search.
    ///
    /// # Errors
    /// If the data cannot be used, belong to another rule or difficulty, or
    /// are in use by another node.
    pub fn open(config: NodeConfig) -> Result<Self, NodeError> {
        let database = Database::open(&config)?;
        let node_id = database.node_id().to_owned();
        let path = database.path().to_owned();
        let readers = Readers::new(&path);
        let (closing, is_closing) = watch::channel(false);
        let miner = Miner::start(&config, is_closing)?;
        let peers = PeerBook::new(&config)?;
        let (ledger, writer) = WriterHandle::start(database, config.limits.pending)?;
        let reader = open_reader(&path).map_err(|source| NodeError::Database { path, source })?;
        let (audit, auditing) = Audit::start(
            reader,
            ledger.head(),
            &config,
            peers.verifier(),
            peers.control(),
        )?;
        let body_places = Semaphore::new(config.limits.all_body_bytes);
        let answer_places = Arc::new(Semaphore::new(config.limits.all_body_bytes));
        let shared = Arc::new(Inner {
            config,
            node_id,
            ledger,
            readers,
            miner,
            peers,
            metrics: Metrics::default(),
            audit,
            body_places,
            answer_places,
            started: Instant::now(),
            closing,
            threads: Mutex::new(vec![writer, auditing]),
        });
        Ok(Self { shared })
    }

    /// The node's id, which gets the rewards.
    pub fn id(&self) -> &str {
        &self.shared.node_id
    }

    /// Blocks in its chain, the first one included.
    pub fn blocks(&self) -> u64 {
        self.shared.ledger.head().tip.index
    }

    /// Transactions that wait for a block.
    pub fn pending(&self) -> u64 {
        self.shared
            .ledger
            .gauges()
            .pending
            .load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Ends searches, downloads and verifications; calls that wait for them
    /// are answered with an error.
    pub fn close(&self) {
        self.shared.closing.send_replace(true);
        self.shared.peers.cancel();
    }

    /// Tells when [`Self::close`] was called.
    pub(super) fn closing(&self) -> watch::Receiver<bool> {
        self.shared.closing.subscribe()
    }

    /// Waits until the node can write no more. Only a panic of the thread that
    /// writes leads to that, and only a new start out of it.
    pub async fn broken(&self) {
        let mut heads = self.shared.ledger.heads();
        while heads.changed().await.is_ok() {}
    }

    /// Waits until all that was asked for is on disk. To be called last, when
    /// no other clone is left; with another clone it returns at once.
    pub fn finish(self) {
        let Ok(inner) = Arc::try_unwrap(self.shared) else {
            return;
        };
        inner.closing.send_replace(true);
        inner.peers.cancel();
        let threads =
            std::mem::take(&mut *inner.threads.lock().unwrap_or_else(PoisonError::into_inner));
        drop(inner);
        for thread in threads {
            // A panic of the thread was reported when it happened.
            let _ = thread.join();
        }
    }

    pub(super) fn is_proof(&self, last: &LastBlock<'_>, nonce: Nonce) -> bool {
        self.shared
            .config
            .rule
            .is_satisfied(last, nonce, self.shared.config.target)
    }
}
