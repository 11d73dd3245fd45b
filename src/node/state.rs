//! The node: starts its parts, and holds what the handlers share.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use tokio::sync::{Semaphore, watch};

use super::audit::Audit;
use super::config::NodeConfig;
use super::error::NodeError;
use super::low_priority::with_low_priority;
use super::metrics::Metrics;
use super::miner::NodeMiner;
use super::origin::Origin;
use super::peers::{PeerBook, PeerServices};
use super::store::{Database, Readers, open_reader};
use super::writer::WriterHandle;
use crate::chain::Verifier;
use crate::pow::{Control, LastBlock, Nonce};

/// A node: its chain, its pending transactions and its peers. Clones share it.
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
    pub(super) shared: Arc<NodeParts>,
}

#[derive(Debug)]
pub(super) struct NodeParts {
    pub(super) config: NodeConfig,
    pub(super) node_id: String,
    pub(super) writer: WriterHandle,
    pub(super) readers: Readers,
    pub(super) miner: NodeMiner,
    pub(super) peers: PeerBook,
    pub(super) metrics: Metrics,
    pub(super) audit: Audit,
    /// A permit for each byte of memory for request bodies.
    pub(super) body_memory: Arc<Semaphore>,
    /// A permit for each byte of memory for large answers.
    pub(super) answer_memory: Arc<Semaphore>,
    pub(super) started: Instant,
    closing: watch::Sender<bool>,
    /// Cancels verifications.
    control: Control,
    /// The threads that write and verify the chain.
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Node {
    /// Opens the database of `config`, or creates it, and starts the threads
    /// that write and search.
    ///
    /// # Errors
    /// If a node with a token would be open to all origins, or if the data cannot
    /// be used, were made under another rule or difficulty, or are in use by
    /// another node.
    pub fn open(config: NodeConfig) -> Result<Self, NodeError> {
        if config.token.is_some() && config.origins.iter().any(Origin::is_any) {
            return Err(NodeError::AnyOrigin);
        }
        let database = Database::open(&config)?;
        let node_id = database.node_id().to_owned();
        let path = database.path().to_owned();
        let failed = |error: rusqlite::Error| NodeError::Database {
            path: path.clone(),
            problem: error.into(),
        };
        let readers = Readers::open(&path).map_err(failed)?;
        let audit_reader = open_reader(&path).map_err(failed)?;
        // All connections have the same files.
        database.files().check().map_err(failed)?;
        let (closing, is_closing) = watch::channel(false);
        let miner = NodeMiner::start(&config, is_closing)?;
        let (writer, writing) = WriterHandle::start(database, config.limits.pending)?;
        let control = Control::new();
        let verifier =
            with_low_priority(|| Verifier::new(config.threads).map_err(NodeError::Thread))?;
        let verifier = Arc::new(Mutex::new(verifier));
        let (audit, auditing) = Audit::start(
            audit_reader,
            writer.head(),
            &config,
            Arc::clone(&verifier),
            control.with_fresh_counts(),
        )?;
        let metrics = Metrics::new();
        let peers = PeerBook::new(PeerServices {
            config: config.clone(),
            writer: writer.clone(),
            readers: readers.clone(),
            metrics: metrics.clone(),
            verifier,
            control: control.clone(),
            is_closing: closing.subscribe(),
        });
        let memory = || Arc::new(Semaphore::new(config.limits.all_body_bytes));
        let shared = Arc::new(NodeParts {
            body_memory: memory(),
            answer_memory: memory(),
            config,
            node_id,
            writer,
            readers,
            miner,
            peers,
            metrics,
            audit,
            started: Instant::now(),
            closing,
            control,
            threads: Mutex::new(vec![writing, auditing]),
        });
        Ok(Self { shared })
    }

    /// The node's id, which receives the rewards.
    pub fn id(&self) -> &str {
        &self.shared.node_id
    }

    /// Blocks in its chain, the first one included.
    pub fn blocks(&self) -> u64 {
        self.shared.writer.head().tip.index
    }

    /// Transactions that wait for a block.
    pub fn pending(&self) -> u64 {
        self.shared
            .writer
            .gauges()
            .pending
            .load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Stops searches, downloads and verifications. Calls that wait for them get
    /// an error.
    pub fn close(&self) {
        self.shared.closing.send_replace(true);
        self.shared.control.cancel();
    }

    /// Completes if the thread that writes has ended, which only a panic causes.
    /// The node must then be started again.
    pub async fn broken(&self) {
        let mut heads = self.shared.writer.heads();
        while heads.changed().await.is_ok() {}
    }

    /// Waits until every requested change is on disk. Call it last: while another
    /// clone exists, it returns at once.
    pub fn finish(self) {
        let Ok(inner) = Arc::try_unwrap(self.shared) else {
            return;
        };
        inner.closing.send_replace(true);
        inner.control.cancel();
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
