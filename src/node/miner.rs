//! Mines blocks for callers, one at a time.
//!
//! Searches run on their own low-priority threads. Further calls wait their
//! turn, first come, first served. A search stops when its caller goes away or
//! the node shuts down, and starts again when the chain gets a new last block.

use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Instant;

use thiserror::Error;
use tokio::sync::{Semaphore, oneshot, watch};

use super::config::NodeConfig;
use super::error::NodeError;
use super::low_priority::{give_way, with_low_priority};
use super::store::Forged;
use super::tip::TipBlock;
use super::writer::{WriteError, WriterHandle};
use crate::pow::{Control, Nonce, NonceRange, Rule, SearchError, Searcher, Target, Template};
use crate::sha256::Digest;

/// Why no block was mined.
#[derive(Debug, Error)]
pub(super) enum MiningError {
    #[error("{waiting} calls already wait to mine, which is the limit")]
    Busy { waiting: usize },
    #[error("the node is shutting down")]
    Closing,
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error(transparent)]
    Search(SearchError),
    #[error("no 64-bit proof satisfies the rule after this block")]
    NoProof,
}

/// Mines blocks, one at a time.
#[derive(Debug)]
pub(super) struct NodeMiner {
    /// The thread that searches ends when this is dropped.
    searches: mpsc::Sender<SearchRequest>,
    rule: Rule,
    target: Target,
    most_waiting: usize,
    /// One for the call that mines and for each that may wait.
    places: Semaphore,
    turn: tokio::sync::Mutex<()>,
    hashing: Arc<Mutex<Hashing>>,
    is_closing: watch::Receiver<bool>,
}

/// Statistics of the searches.
#[derive(Debug, Default)]
struct Hashing {
    /// Nonces tried by finished searches.
    hashes: u64,
    /// The rate of the last finished search.
    hashrate: f64,
    /// The current search and its start.
    running: Option<(Control, Instant)>,
}

impl NodeMiner {
    /// Starts the search threads.
    pub(super) fn start(
        config: &NodeConfig,
        is_closing: watch::Receiver<bool>,
    ) -> Result<Self, NodeError> {
        let &NodeConfig {
            rule,
            target,
            threads,
            kernel,
            ..
        } = config;
        let searcher = with_low_priority(|| Ok(Searcher::new(threads, kernel)?))?;
        let (searches, waiting) = mpsc::channel();
        thread::Builder::new()
            .name("miner".to_owned())
            .spawn(move || {
                give_way();
                search_all(&searcher, &waiting);
            })
            .map_err(NodeError::Thread)?;
        let most_waiting = config.limits.mine_queue.min(Semaphore::MAX_PERMITS - 1);
        Ok(Self {
            searches,
            rule,
            target,
            most_waiting,
            places: Semaphore::new(most_waiting + 1),
            turn: tokio::sync::Mutex::default(),
            hashing: Arc::default(),
            is_closing,
        })
    }

    /// Mines one block at the end of the chain. Dropping the future stops the
    /// search.
    pub(super) async fn mine(&self, writer: &WriterHandle) -> Result<Forged, MiningError> {
        let _place = self.places.try_acquire().map_err(|_| MiningError::Busy {
            waiting: self.most_waiting,
        })?;
        let turn = async { Ok(self.turn.lock().await) };
        let _turn = self.unless_closing(turn).await?;
        loop {
            let (after, nonce) = self.unless_closing(self.search(writer)).await?;
            match writer.forge(after, nonce).await {
                Err(WriteError::Stale) => {}
                forged => return Ok(forged?),
            }
        }
    }

    /// Waits for `work`, but not longer than until the node shuts down.
    async fn unless_closing<T>(
        &self,
        work: impl Future<Output = Result<T, MiningError>>,
    ) -> Result<T, MiningError> {
        let mut is_closing = self.is_closing.clone();
        tokio::select! {
            done = work => done,
            _ = is_closing.wait_for(|is_closing| *is_closing) => Err(MiningError::Closing),
        }
    }

    /// Finds the proof after the last block, whose hash it returns, too.
    async fn search(&self, writer: &WriterHandle) -> Result<(Digest, Nonce), MiningError> {
        let mut heads = writer.heads();
        loop {
            let head = heads.wait_for(|head| !head.is_partial).await;
            let head = Arc::clone(&*head.map_err(|_| MiningError::Closing)?);
            let mut search = RunningSearch::start(self, &head.tip);
            let found = tokio::select! {
                found = &mut search.found => found,
                changed = heads.changed() => match changed {
                    Ok(()) => continue,
                    Err(_) => return Err(MiningError::Closing),
                },
            };
            return match found {
                Ok(Ok(Some(nonce))) => Ok((head.tip.hash, nonce)),
                Ok(Ok(None)) => Err(MiningError::NoProof),
                Ok(Err(error)) => Err(MiningError::Search(error)),
                // The search thread is gone.
                Err(_) => Err(MiningError::Closing),
            };
        }
    }

    /// Whether a search is running.
    pub(super) fn is_mining(&self) -> bool {
        lock(&self.hashing).running.is_some()
    }

    /// Nonces tried since the node started.
    pub(super) fn hashes(&self) -> u64 {
        let hashing = lock(&self.hashing);
        let running = hashing.running.as_ref();
        hashing.hashes + running.map_or(0, |(control, _)| control.hashes())
    }

    /// Nonces per second of the current search, or of the last one.
    pub(super) fn hashrate(&self) -> f64 {
        let hashing = lock(&self.hashing);
        match &hashing.running {
            Some((control, started)) => rate(control, *started),
            None => hashing.hashrate,
        }
    }
}

fn rate(control: &Control, started: Instant) -> f64 {
    control.hashes() as f64 / started.elapsed().as_secs_f64().max(1e-6)
}

fn lock(hashing: &Mutex<Hashing>) -> std::sync::MutexGuard<'_, Hashing> {
    hashing.lock().unwrap_or_else(PoisonError::into_inner)
}

type SearchResult = Result<Option<Nonce>, SearchError>;

/// A search for the thread that searches.
#[derive(Debug)]
struct SearchRequest {
    template: Template,
    target: Target,
    control: Control,
    reply: oneshot::Sender<SearchResult>,
}

/// Runs the requested searches one after the other. Cancelled ones end at once.
fn search_all(searcher: &Searcher, requests: &mpsc::Receiver<SearchRequest>) {
    for request in requests {
        let found = searcher
            .find(
                &request.template,
                request.target,
                NonceRange::ALL,
                &request.control,
            )
            .map(|outcome| outcome.hit.map(|hit| hit.nonce));
        let _ = request.reply.send(found);
    }
}

/// A search in progress. Dropping it stops the search.
struct RunningSearch {
    control: Control,
    hashing: Arc<Mutex<Hashing>>,
    found: oneshot::Receiver<SearchResult>,
}

impl RunningSearch {
    fn start(miner: &NodeMiner, tip: &TipBlock) -> Self {
        let control = Control::new();
        let (reply, found) = oneshot::channel();
        lock(&miner.hashing).running = Some((control.clone(), Instant::now()));
        // If the thread is gone, the reply is dropped, which `found` shows.
        let _ = miner.searches.send(SearchRequest {
            template: tip.template(miner.rule),
            target: miner.target,
            control: control.clone(),
            reply,
        });
        Self {
            control,
            hashing: Arc::clone(&miner.hashing),
            found,
        }
    }
}

impl Drop for RunningSearch {
    fn drop(&mut self) {
        self.control.cancel();
        let mut hashing = lock(&self.hashing);
        if let Some((control, started)) = hashing.running.take() {
            hashing.hashes += control.hashes();
            hashing.hashrate = rate(&control, started);
        }
    }
}
