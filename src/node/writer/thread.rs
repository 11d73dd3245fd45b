//! The loop of the writer thread: batches of changes, and replacements of the
//! chain one step at a time, so that changes wait for a step and not for a
//! hundred thousand blocks.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot, watch};

use super::published::{ChainHead, Gauges, MOST_NODES, WriteError};
use crate::node::database_problem::DatabaseProblem;
use crate::node::store::{
    Database, Forged, NewTransaction, ReplaceError, Replacement, StagedChain,
};
use crate::pow::{Control, Nonce};
use crate::sha256::Digest;

/// The shortest time between two probes, and the longest that a caller waits for
/// one.
pub(super) const PROBE_TIME: Duration = Duration::from_secs(1);

/// Changes in one commit.
const MOST_IN_COMMIT: usize = 1024;

/// Time for the blocks of a step: several times that of its commit.
const STEP_TIME: Duration = Duration::from_millis(50);

pub(super) enum WriterCommand {
    Change(Box<dyn BatchedChange>),
    Replace(Box<QueuedReplacement>),
    /// Probe whether commits succeed.
    Probe(oneshot::Sender<()>),
}

/// A change that is committed together with others.
pub(super) trait BatchedChange: Send {
    /// Makes the change, or refuses it and changes nothing. Fails if the
    /// database does; then the whole batch is rolled back.
    fn apply(&mut self, writer: &mut WriterThread) -> rusqlite::Result<()>;

    /// Answers the caller after the commit.
    fn answer(self: Box<Self>, committed: &Result<(), WriteError>);
}

/// A change as a closure.
pub(super) struct Request<T, F> {
    apply: Option<F>,
    outcome: Option<Result<T, WriteError>>,
    reply: oneshot::Sender<Result<T, WriteError>>,
}

impl<T, F> Request<T, F> {
    pub(super) fn new(apply: F) -> (Self, oneshot::Receiver<Result<T, WriteError>>) {
        let (reply, answer) = oneshot::channel();
        let request = Self {
            apply: Some(apply),
            outcome: None,
            reply,
        };
        (request, answer)
    }
}

impl<T, F> BatchedChange for Request<T, F>
where
    T: Send,
    F: FnOnce(&mut WriterThread) -> rusqlite::Result<Result<T, WriteError>> + Send,
{
    fn apply(&mut self, writer: &mut WriterThread) -> rusqlite::Result<()> {
        let apply = self.apply.take().expect("a change is applied once");
        self.outcome = Some(apply(writer)?);
        Ok(())
    }

    fn answer(self: Box<Self>, committed: &Result<(), WriteError>) {
        let outcome = match committed {
            Ok(()) => self.outcome.expect("a committed change was applied"),
            Err(error) => Err(error.clone()),
        };
        // Fails if the caller no longer waits.
        let _ = self.reply.send(outcome);
    }
}

/// A replacement of the chain that has not ended.
pub(super) struct QueuedReplacement {
    pub(super) staged: StagedChain,
    pub(super) control: Control,
    pub(super) reply: oneshot::Sender<Result<Replacement, ReplaceError>>,
}

/// The state of the thread.
pub(super) struct WriterThread {
    pub(super) database: Database,
    pub(super) most_pending: u64,
    pub(super) heads: watch::Sender<Arc<ChainHead>>,
    pub(super) peers: watch::Sender<Arc<Vec<String>>>,
    pub(super) gauges: Arc<Gauges>,
    /// All peers, if the batch at hand registered some.
    pub(super) new_peers: Option<Vec<String>>,
    /// Blocks made by the batch at hand.
    pub(super) forged: u64,
    pub(super) last_probe: Option<Instant>,
    pub(super) replacements: VecDeque<QueuedReplacement>,
    /// Whether the first replacement has made a step and has more to make.
    pub(super) is_replacing: bool,
}

impl WriterThread {
    pub(super) fn run(mut self, mut waiting: mpsc::Receiver<WriterCommand>) {
        let mut commands = Vec::with_capacity(MOST_IN_COMMIT);
        loop {
            if self.replacements.is_empty() {
                if waiting.blocking_recv_many(&mut commands, MOST_IN_COMMIT) == 0 {
                    return;
                }
            } else {
                let ready = std::iter::from_fn(|| waiting.try_recv().ok());
                commands.extend(ready.take(MOST_IN_COMMIT));
            }
            let mut changes = Vec::new();
            for command in commands.drain(..) {
                match command {
                    WriterCommand::Change(change) => changes.push(change),
                    WriterCommand::Replace(replacement) => {
                        self.replacements.push_back(*replacement);
                    }
                    WriterCommand::Probe(reply) => {
                        self.probe();
                        let _ = reply.send(());
                    }
                }
            }
            if !changes.is_empty() {
                self.commit(changes);
            }
            self.continue_replacement();
        }
    }

    /// Applies changes, commits them and answers, or rolls them all back.
    fn commit(&mut self, mut changes: Vec<Box<dyn BatchedChange>>) {
        let committed = self
            .apply(&mut changes)
            .map_err(|error| WriteError::Storage(logged(&error, "a commit failed")));
        let (new_peers, forged) = (self.new_peers.take(), std::mem::take(&mut self.forged));
        self.set_failing(committed.is_err());
        match &committed {
            Ok(()) => {
                self.gauges.commits.fetch_add(1, Ordering::Relaxed);
                self.gauges
                    .blocks_forged
                    .fetch_add(forged, Ordering::Relaxed);
                if let Some(peers) = new_peers {
                    self.peers.send_replace(Arc::new(peers));
                }
                self.publish();
            }
            Err(_) => self.roll_back(),
        }
        for change in changes {
            change.answer(&committed);
        }
    }

    fn apply(&mut self, changes: &mut [Box<dyn BatchedChange>]) -> rusqlite::Result<()> {
        self.database.begin()?;
        for change in changes {
            change.apply(self)?;
        }
        self.database.commit()
    }

    pub(super) fn add(
        &mut self,
        new: &NewTransaction,
    ) -> rusqlite::Result<Result<u64, WriteError>> {
        let pending = self.database.pending();
        if pending >= self.most_pending || !self.database.has_room_for(new) {
            return Ok(Err(WriteError::Full { pending }));
        }
        if let Err(problem) = self.database.check_balance(new)? {
            return Ok(Err(WriteError::Refused(problem)));
        }
        self.database.add(new)?;
        Ok(Ok(self.database.tip().index + 1))
    }

    pub(super) fn forge(
        &mut self,
        after: Digest,
        proof: Nonce,
    ) -> rusqlite::Result<Result<Forged, WriteError>> {
        if self.is_replacing || after != self.database.tip().hash {
            return Ok(Err(WriteError::Stale));
        }
        self.forged += 1;
        self.database.forge(proof).map(Ok)
    }

    pub(super) fn register(
        &mut self,
        nodes: &[String],
    ) -> rusqlite::Result<Result<Vec<String>, WriteError>> {
        let known = self.database.peers()?;
        let all: BTreeSet<_> = known.iter().chain(nodes).collect();
        if all.len() > MOST_NODES {
            return Ok(Err(WriteError::TooManyNodes));
        }
        self.database.register(nodes)?;
        let peers = self.database.peers()?;
        self.new_peers = Some(peers.clone());
        Ok(Ok(peers))
    }

    /// Makes the next step of the oldest replacement, if there is one.
    fn continue_replacement(&mut self) {
        let Some(mut queued) = self.replacements.pop_front() else {
            return;
        };
        let stepped = self.replace_step(&mut queued);
        self.is_replacing = matches!(stepped, Ok(None));
        match &stepped {
            Ok(_) => {
                self.set_failing(false);
                self.gauges.commits.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => {
                if let ReplaceError::Database(error) = error {
                    logged(error, "replacing the chain failed");
                    self.set_failing(true);
                }
                self.roll_back();
                if queued.staged.appended.is_some() {
                    self.drop_refused();
                }
            }
        }
        self.publish();
        match stepped {
            Ok(None) => self.replacements.push_front(queued),
            Ok(Some(replacement)) => drop(queued.reply.send(Ok(replacement))),
            Err(error) => drop(queued.reply.send(Err(error))),
        }
    }

    fn replace_step(
        &mut self,
        QueuedReplacement {
            staged, control, ..
        }: &mut QueuedReplacement,
    ) -> Result<Option<Replacement>, ReplaceError> {
        self.database.begin()?;
        let (theirs, ours) = (staged.blocks, self.database.tip().index);
        if staged.appended.is_none() && theirs <= ours {
            return Err(ReplaceError::NotLonger { theirs, ours });
        }
        let mut replaced = self.database.replace_step(staged, STEP_TIME, control)?;
        if let Some(replacement) = &mut replaced {
            self.database.drop_refused()?;
            replacement.pending = self.database.pending();
        }
        self.database.commit()?;
        Ok(replaced)
    }

    /// Drops what a part of another chain made invalid.
    fn drop_refused(&mut self) {
        if let Err(error) = self.database.drop_refused_and_commit() {
            tracing::error!(%error, "a commit failed");
            self.set_failing(true);
            self.roll_back();
        }
    }

    /// Shows the end of the chain to everybody, if it is known.
    fn publish(&self) {
        if !self.database.is_known() {
            return;
        }
        self.gauges
            .pending
            .store(self.database.pending(), Ordering::Relaxed);
        let (tip, generation) = (self.database.tip(), self.database.generation());
        self.heads.send_if_modified(|head| {
            let is_new = head.tip.hash != tip.hash
                || head.generation != generation
                || head.is_partial != self.is_replacing;
            if is_new {
                *head = Arc::new(ChainHead {
                    tip: tip.clone(),
                    generation,
                    is_partial: self.is_replacing,
                });
            }
            is_new
        });
    }

    /// Undoes what was not committed. If that fails too, the database makes no
    /// change until it has read again what it holds.
    fn roll_back(&mut self) {
        if let Err(error) = self.database.roll_back() {
            logged(&error, "rolling back failed");
            self.set_failing(true);
        }
    }

    fn set_failing(&self, is_failing: bool) {
        self.gauges.is_failing.store(is_failing, Ordering::Relaxed);
    }

    /// Probes whether commits succeed again, unless it just did. Lost files never
    /// come back, but the first probe saves what the log holds.
    fn probe(&mut self) {
        let is_recent = |at: Instant| at.elapsed() < PROBE_TIME;
        if self.last_probe.is_some_and(is_recent) && !self.database.files().is_lost() {
            return;
        }
        self.last_probe = Some(Instant::now());
        match self.database.probe_commit() {
            Ok(()) => {
                tracing::info!("commits succeed again");
                self.set_failing(false);
                self.publish();
            }
            Err(error) => {
                // The failure was logged when it happened, and probes repeat.
                tracing::debug!(error = %DatabaseProblem::from(error), "commits still fail");
                self.roll_back();
            }
        }
    }
}

/// Logs a failure. That the files are lost was logged when it was noticed.
fn logged(error: &rusqlite::Error, what: &str) -> DatabaseProblem {
    let problem = DatabaseProblem::from(error);
    if problem != DatabaseProblem::Lost {
        tracing::error!(error = %problem, "{what}");
    }
    problem
}
