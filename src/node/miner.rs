//! Whose turn it is to mine, and the search.
//!
//! One search at a time, on threads of their own that give way to those that
//! answer; further calls wait their turn in the order in which they came. A search ends when nobody
//! waits for it any more, when the node shuts down, and when the chain got
//! another last block, after which it starts anew.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Instant;

use thiserror::Error;
use tokio::sync::{Semaphore, oneshot, watch};

use super::background::{give_way, made_in_background};
use super::config::NodeConfig;
use super::error::NodeError;
use super::store::Forged;
use super::tip::TipBlock;
use super::writer::{WriteError, WriterHandle};
use crate::pow::{Control, Nonce, NonceRange, Rule, SearchError, Searcher, Target, Template};

/// Why no block was mined.
#[derive(Debug, Error)]
pub(super) enum MineError {
    #[error("{waiting} calls are waiting to mine, and no more may")]
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

/// Mines for whoever has the turn.
#[derive(Debug)]
pub(super) struct Miner {
    /// Read by the thread that searches, which ends with this sender.
    searches: mpsc::Sender<Search>,
    rule: Rule,
    target: Target,
    most_waiting: usize,
    turn: Semaphore,
    /// Calls that have the turn or wait for it.
    present: AtomicUsize,
    figures: Arc<Mutex<Figures>>,
    is_closing: watch::Receiver<bool>,
}

/// What was hashed.
#[derive(Debug, Default)]
struct Figures {
    /// By searches that are over.
    hashes: u64,
    /// Of the last search that is over.
    hashrate: f64,
    /// The search at hand.
    running: Option<(Control, Instant)>,
}

impl Miner {
    /// Starts the threads that search.
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
        let searcher = made_in_background(|| Ok(Searcher::new(threads, kernel)?))?;
        let (searches, waiting) = mpsc::channel();
        thread::Builder::new()
            .name("miner".to_owned())
            .spawn(move || {
                give_way();
                search_all(&searcher, &waiting);
            })
            .map_err(NodeError::Thread)?;
        Ok(Self {
            searches,
            rule,
            target,
            most_waiting: config.limits.mine_queue,
            turn: Semaphore::new(1),
            present: AtomicUsize::new(0),
            figures: Arc::default(),
            is_closing,
        })
    }

    /// Mines one block on the end of the chain. Dropping the future ends the
    /// search.
    pub(super) async fn mine(&self, ledger: &WriterHandle) -> Result<Forged, MineError> {
        let _presence = Presence::claim(&self.present, self.most_waiting)?;
        let mut is_closing = self.is_closing.clone();
        let _turn = tokio::select! {
            turn = self.turn.acquire() => turn.map_err(|_| MineError::Closing)?,
            _ = is_closing.wait_for(|is_closing| *is_closing) => return Err(MineError::Closing),
        };
        let mut heads = ledger.heads();
        loop {
            let head = tokio::select! {
                head = heads.wait_for(|head| !head.is_partial) => match head {
                    Ok(head) => Arc::clone(&head),
                    Err(_) => return Err(MineError::Closing),
                },
                _ = is_closing.wait_for(|is_closing| *is_closing) => return Err(MineError::Closing),
            };
            let mut search = Running::start(self, &head.tip);
            let found = tokio::select! {
                found = &mut search.found => found,
                changed = heads.changed() => match changed {
                    Ok(()) => continue,
                    Err(_) => return Err(MineError::Closing),
                },
                _ = is_closing.wait_for(|is_closing| *is_closing) => return Err(MineError::Closing),
            };
            drop(search);
            let nonce = match found {
                Ok(Ok(Some(nonce))) => nonce,
                Ok(Ok(None)) => return Err(MineError::NoProof),
                Ok(Err(error)) => return Err(MineError::Search(error)),
                // The thread that searches is gone.
                Err(_) => return Err(MineError::Closing),
            };
            match ledger.forge(head.tip.hash, nonce).await {
                Err(WriteError::Stale) => {}
                forged => return Ok(forged?),
            }
        }
    }

    /// Whether a search is under way.
    pub(super) fn is_mining(&self) -> bool {
        lock(&self.figures).running.is_some()
    }

    /// Nonces tried since the start.
    pub(super) fn hashes(&self) -> u64 {
        let figures = lock(&self.figures);
        let running = figures.running.as_ref();
        figures.hashes + running.map_or(0, |(control, _)| control.hashes())
    }

    /// Nonces a second, of the search at hand or else of the last one.
    pub(super) fn hashrate(&self) -> f64 {
        let figures = lock(&self.figures);
        match &figures.running {
            Some((control, started)) => rate(control, *started),
            None => figures.hashrate,
        }
    }
}

fn rate(control: &Control, started: Instant) -> f64 {
    control.hashes() as f64 / started.elapsed().as_secs_f64().max(1e-6)
}

fn lock(figures: &Mutex<Figures>) -> std::sync::MutexGuard<'_, Figures> {
    figures.lock().unwrap_or_else(PoisonError::into_inner)
}

type Found = Result<Option<Nonce>, SearchError>;

/// What the thread that searches is asked for.
#[derive(Debug)]
struct Search {
    template: Template,
    target: Target,
    control: Control,
    reply: oneshot::Sender<Found>,
}

/// Searches whatever is asked for. A search that nobody waits for any more is
/// cancelled, and so takes no time.
fn search_all(searcher: &Searcher, waiting: &mpsc::Receiver<Search>) {
    for search in waiting {
        let found = searcher
            .find(
                &search.template,
                search.target,
                NonceRange::ALL,
                &search.control,
            )
            .map(|outcome| outcome.hit.map(|hit| hit.nonce));
        let _ = search.reply.send(found);
    }
}

/// A search under way; dropping it ends the search.
struct Running {
    control: Control,
    figures: Arc<Mutex<Figures>>,
    found: oneshot::Receiver<Found>,
}

impl Running {
    fn start(miner: &Miner, tip: &TipBlock) -> Self {
        let control = Control::new();
        let (reply, found) = oneshot::channel();
        lock(&miner.figures).running = Some((control.clone(), Instant::now()));
        // If the thread is gone, so is the reply, and whoever waits sees it.
        let _ = miner.searches.send(Search {
            template: tip.template(miner.rule),
            target: miner.target,
            control: control.clone(),
            reply,
        });
        Self {
            control,
            figures: Arc::clone(&miner.figures),
            found,
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.control.cancel();
        let mut figures = lock(&self.figures);
        if let Some((control, started)) = figures.running.take() {
            figures.hashes += control.hashes();
            figures.hashrate = rate(&control, started);
        }
    }
}

/// A place among those who mine or wait to.
struct Presence<'a>(&'a AtomicUsize);

impl<'a> Presence<'a> {
    fn claim(present: &'a AtomicUsize, most_waiting: usize) -> Result<Self, MineError> {
        let before = present.fetch_add(1, Ordering::Relaxed);
        let presence = Self(present);
        if before > most_waiting {
            return Err(MineError::Busy {
                waiting: before - 1,
            });
        }
        Ok(presence)
    }
}

impl Drop for Presence<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
