//! The one thread that writes.
//!
//! It takes all changes that wait, applies them in the order in which they
//! came, commits them together, and only then answers: one sync of the disk
//! pays for many answers. Whoever asks waits in a bounded channel. The thread
//! ends, with all that was asked done, once the last [`Ledger`] is gone.

mod command;
mod replacing;

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use thiserror::Error;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use self::command::{Answer, Command, Outcome, Reply};
use self::replacing::Waiting;
use super::error::NodeError;
use super::store::{
    Folding, Forged, NewTransaction, ReplaceError, Replacement, Replacing, Staged, Store,
};
use super::tip::Tip;
use super::upkeep::Wake;
use crate::pow::{Control, Nonce};
use crate::sha256::Digest;

/// Changes that may wait for the thread.
const MOST_WAITING: usize = 4096;

/// The text of a block that is folded into the database beside the writing.
const LARGE_BYTES: usize = 1 << 20;

/// Far more nodes than anybody runs.
const MOST_NODES: usize = 1000;

/// How often it is tried whether commits succeed again, and how long whoever
/// asks waits for that.
const TRIAL_TIME: Duration = Duration::from_secs(1);

/// Changes in one commit.
const MOST_IN_COMMIT: usize = 1024;

/// Why a change was not made.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub(super) enum LedgerError {
    #[error("{pending} transactions are pending, and no more are taken until a block is mined")]
    Full { pending: u64 },
    #[error("the chain has another last block by now")]
    Stale,
    #[error("nodes: at most {MOST_NODES} nodes can be registered")]
    TooManyNodes,
    #[error("the database failed: {0}")]
    Storage(String),
    #[error("the node is shutting down")]
    Closed,
}

/// The end of the chain as everybody may see it: committed.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) tip: Tip,
    /// How often the chain was replaced.
    pub(super) generation: u64,
    /// Whether a longer chain is taking its place, and this is as much of it as
    /// there is. Nothing is mined then.
    pub(super) is_partial: bool,
}

/// What everybody may see without asking the thread.
#[derive(Debug, Default)]
pub(super) struct Gauges {
    pub(super) pending: AtomicU64,
    pub(super) commits: AtomicU64,
    /// Blocks that this process made.
    pub(super) blocks_forged: AtomicU64,
    /// Whether the last commit failed.
    pub(super) is_failing: AtomicBool,
    /// When somebody last asked whether commits succeed again.
    tried_out: Mutex<Option<Instant>>,
}

impl Gauges {
    /// Whether it is time to try out a commit; from then on it is not, for a while.
    fn may_try_out(&self) -> bool {
        let mut last = self
            .tried_out
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let may = last.is_none_or(|last| last.elapsed() >= TRIAL_TIME);
        if may {
            *last = Some(Instant::now());
        }
        may
    }
}

/// Asks the thread for changes.
#[derive(Clone, Debug)]
pub(super) struct Ledger {
    commands: mpsc::Sender<Command>,
    heads: watch::Receiver<Arc<Head>>,
    peers: watch::Receiver<Arc<Vec<String>>>,
    gauges: Arc<Gauges>,
}

impl Ledger {
    /// Starts the thread.
    pub(super) fn start(
        store: Store,
        most_pending: u64,
        wake: Wake,
    ) -> Result<(Self, JoinHandle<()>), NodeError> {
        let (commands, waiting) = mpsc::channel(MOST_WAITING);
        let head = Head {
            tip: store.tip().clone(),
            generation: store.generation(),
            is_partial: false,
        };
        let (heads_sender, heads) = watch::channel(Arc::new(head));
        let known = store.peers().map_err(|source| NodeError::Database {
            path: store.path().to_owned(),
            source,
        })?;
        let (peers_sender, peers) = watch::channel(Arc::new(known));
        let gauges = Arc::new(Gauges::default());
        gauges.pending.store(store.pending(), Ordering::Relaxed);
        let writer = Writer {
            store,
            most_pending,
            heads: heads_sender,
            peers: peers_sender,
            gauges: Arc::clone(&gauges),
            wake,
            is_folded_beside: false,
            replacements: VecDeque::new(),
            is_replacing: false,
        };
        let thread = thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || writer.run(waiting))
            .map_err(NodeError::Thread)?;
        let ledger = Self {
            commands,
            heads,
            peers,
            gauges,
        };
        Ok((ledger, thread))
    }

    /// The end of the chain.
    pub(super) fn head(&self) -> Arc<Head> {
        Arc::clone(&self.heads.borrow())
    }

    /// Tells when the end of the chain changes.
    pub(super) fn heads(&self) -> watch::Receiver<Arc<Head>> {
        self.heads.clone()
    }

    pub(super) fn peers(&self) -> Arc<Vec<String>> {
        Arc::clone(&self.peers.borrow())
    }

    pub(super) fn gauges(&self) -> &Gauges {
        &self.gauges
    }

    /// Adds a pending transaction, and names the block that will hold it.
    pub(super) async fn add(&self, new: NewTransaction) -> Result<u64, LedgerError> {
        self.ask(|reply| Command::Add(new, reply)).await
    }

    /// Makes the block after the one with the hash `after`, which `proof`
    /// must satisfy.
    pub(super) async fn forge(&self, after: Digest, proof: Nonce) -> Result<Forged, LedgerError> {
        self.ask(|reply| Command::Forge(after, proof, reply)).await
    }

    /// Adds peers, and lists them all.
    pub(super) async fn register(&self, nodes: Vec<String>) -> Result<Vec<String>, LedgerError> {
        self.ask(|reply| Command::Register(nodes, reply)).await
    }

    /// Replaces the chain by a verified one, if that is longer; block by block,
    /// so an error may leave a part of that one.
    pub(super) async fn replace(
        &self,
        staged: Staged,
        control: Control,
    ) -> Result<Replacement, ReplaceError> {
        let (reply, answer) = oneshot::channel();
        let command = Command::Replace(Box::new(Waiting {
            replacing: Replacing::new(staged),
            control,
            reply,
        }));
        self.commands
            .send(command)
            .await
            .map_err(|_| ReplaceError::Cancelled)?;
        answer.await.unwrap_or(Err(ReplaceError::Cancelled))
    }

    /// Whether the last commit failed. Before it says so, it tries whether one
    /// succeeds by now, for nobody may write to a node that is said to fail.
    pub(super) async fn is_failing(&self) -> bool {
        let is_failing = || self.gauges.is_failing.load(Ordering::Relaxed);
        if is_failing() && self.gauges.may_try_out() {
            let (reply, done) = oneshot::channel();
            if self.commands.try_send(Command::TryOut(reply)).is_ok() {
                let _ = timeout(TRIAL_TIME, done).await;
            }
        }
        is_failing()
    }

    async fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, LedgerError> {
        let (reply, answer) = oneshot::channel();
        self.commands
            .send(command(reply))
            .await
            .map_err(|_| LedgerError::Closed)?;
        answer.await.unwrap_or(Err(LedgerError::Closed))
    }
}

/// What the thread owns.
struct Writer {
    store: Store,
    most_pending: u64,
    heads: watch::Sender<Arc<Head>>,
    peers: watch::Sender<Arc<Vec<String>>>,
    gauges: Arc<Gauges>,
    wake: Wake,
    is_folded_beside: bool,
    replacements: VecDeque<Waiting>,
    /// Whether the first of them has made a step, and the next may be made.
    is_replacing: bool,
}

impl Writer {
    fn run(mut self, mut waiting: mpsc::Receiver<Command>) {
        let mut batch = Vec::with_capacity(MOST_IN_COMMIT);
        let mut answers = Vec::with_capacity(MOST_IN_COMMIT);
        loop {
            if self.replacements.is_empty() {
                if waiting.blocking_recv_many(&mut batch, MOST_IN_COMMIT) == 0 {
                    return;
                }
            } else {
                let commands = std::iter::from_fn(|| waiting.try_recv().ok());
                batch.extend(commands.take(MOST_IN_COMMIT));
            }
            let mut commands = batch.drain(..).peekable();
            while let Some(next) = commands.next() {
                match next {
                    Command::Replace(replacement) => self.replacements.push_back(*replacement),
                    Command::TryOut(reply) => {
                        self.try_out();
                        let _ = reply.send(());
                    }
                    next => {
                        let result = self.commit(next, &mut commands, &mut answers);
                        self.settle(&result, &mut answers);
                    }
                }
            }
            drop(commands);
            self.replace_further();
        }
    }

    /// Applies `first` and the commands after it, up to the next that has a
    /// transaction of its own, and commits.
    fn commit(
        &mut self,
        first: Command,
        commands: &mut std::iter::Peekable<impl Iterator<Item = Command>>,
        answers: &mut Vec<Answer>,
    ) -> rusqlite::Result<()> {
        let mut result = self.fold_again().and_then(|()| self.store.begin());
        let mut next = Some(first);
        while let Some(command) = next.take() {
            // Once something failed, the rest is only taken to be answered.
            let applied = result.and_then(|()| self.apply(&command));
            result = match applied {
                Ok(outcome) => {
                    answers.push(command.answer(outcome));
                    Ok(())
                }
                Err(error) => {
                    answers.push(command.refuse(&error));
                    Err(error)
                }
            };
            next = commands.next_if(|next| !next.is_alone());
        }
        result?;
        self.store.commit()
    }

    fn apply(&mut self, command: &Command) -> rusqlite::Result<Outcome> {
        Ok(match command {
            Command::Add(new, _) => {
                let pending = self.store.pending();
                if pending >= self.most_pending || !self.store.has_room_for(new) {
                    return Ok(Outcome::Refused(LedgerError::Full { pending }));
                }
                self.store.add(new)?;
                Outcome::Added(self.store.tip().index + 1)
            }
            Command::Forge(after, ..) if self.is_replacing || *after != self.store.tip().hash => {
                Outcome::Refused(LedgerError::Stale)
            }
            Command::Forge(_, proof, _) => {
                let forged = self.store.forge(*proof)?;
                if forged.tip.text.len() > LARGE_BYTES {
                    self.fold_beside()?;
                }
                Outcome::Forged(Box::new(forged))
            }
            Command::Register(nodes, _) => {
                let known = self.store.peers()?;
                let all: BTreeSet<_> = known.iter().chain(nodes).collect();
                if all.len() > MOST_NODES {
                    return Ok(Outcome::Refused(LedgerError::TooManyNodes));
                }
                self.store.register(nodes)?;
                Outcome::Registered(self.store.peers()?)
            }
            Command::Replace(..) | Command::TryOut(_) => unreachable!("it is no part of a batch"),
        })
    }

    /// Shows what was committed and answers; or undoes, and says so.
    fn settle(&mut self, result: &rusqlite::Result<()>, answers: &mut Vec<Answer>) {
        self.gauges
            .is_failing
            .store(result.is_err(), Ordering::Relaxed);
        if let Err(error) = result {
            tracing::error!(%error, "a commit failed");
            self.roll_back();
            let error = LedgerError::Storage(error.to_string());
            for answer in answers.drain(..) {
                answer.fail(&error);
            }
            return;
        }
        self.gauges.commits.fetch_add(1, Ordering::Relaxed);
        self.publish();
        for answer in answers.drain(..) {
            match &answer {
                Answer::Register(_, Ok(peers)) => {
                    self.peers.send_replace(Arc::new(peers.clone()));
                }
                Answer::Forge(_, result) if result.is_ok() => {
                    self.gauges.blocks_forged.fetch_add(1, Ordering::Relaxed);
                }
                _ => {}
            }
            answer.send();
        }
    }

    /// Leaves what is about to be committed to the upkeep: to fold it in would
    /// hold up all who wait for the next commit.
    fn fold_beside(&mut self) -> rusqlite::Result<()> {
        self.is_folded_beside = true;
        self.store.set_folding(Folding::Beside)
    }

    /// Takes the folding back from the upkeep once that has caught up.
    fn fold_again(&mut self) -> rusqlite::Result<()> {
        if self.is_folded_beside && self.wake.is_folded() {
            self.store.set_folding(Folding::ByWriter)?;
            self.is_folded_beside = false;
        }
        Ok(())
    }

    /// Shows the end of the chain to everybody, if it is known.
    fn publish(&mut self) {
        if !self.store.is_known() {
            return;
        }
        self.gauges
            .pending
            .store(self.store.pending(), Ordering::Relaxed);
        let (tip, generation) = (self.store.tip(), self.store.generation());
        let is_new_tip = self.heads.send_if_modified(|head| {
            let is_new = head.tip.hash != tip.hash
                || head.generation != generation
                || head.is_partial != self.is_replacing;
            if is_new {
                *head = Arc::new(Head {
                    tip: tip.clone(),
                    generation,
                    is_partial: self.is_replacing,
                });
            }
            is_new
        });
        if is_new_tip {
            self.wake.call();
        }
    }

    /// Undoes what was not committed. Should that fail, the store builds on
    /// nothing until it has read again what is there.
    fn roll_back(&mut self) {
        if let Err(error) = self.store.roll_back() {
            tracing::error!(%error, "rolling back failed");
            self.gauges.is_failing.store(true, Ordering::Relaxed);
        }
    }

    /// Tries whether commits succeed again.
    fn try_out(&mut self) {
        match self.store.try_out() {
            Ok(()) => {
                tracing::info!("commits succeed again");
                self.gauges.is_failing.store(false, Ordering::Relaxed);
                self.publish();
            }
            Err(error) => {
                // The failure itself was told of: this one may come every second.
                tracing::debug!(%error, "commits still fail");
                self.roll_back();
            }
        }
    }
}
