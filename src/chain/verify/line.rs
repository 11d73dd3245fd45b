//! The batches on their way through the threads.

use std::collections::BTreeMap;
use std::panic::{self, AssertUnwindSafe};
use std::thread;

use crossbeam_channel::{Receiver, Sender, unbounded};
use rayon::Scope;

use super::ledger::Ledger;
use super::worker::{Summary, Worker};
use super::{ReadError, VerifyOptions};
use crate::chain::file::{Batch, ChainReader, Separator};
use crate::chain::json::Advance;
use crate::pow::Control;

/// How the batch of a worker came about.
#[derive(Clone, Copy, Debug)]
pub(super) enum Work {
    /// Its blocks are known to be blocks.
    Certain,
    /// It is a [guess](ChainReader::guess).
    Guess(Separator),
}

/// What a worker says of its batch.
enum Checked {
    Certain(Result<Summary, ReadError>),
    /// `None` if the guess is wrong.
    Guess(Option<(Summary, Advance)>),
}

/// A worker that comes back with the number of its batch, or what it
/// panicked with.
type Done = thread::Result<(u64, Worker, Checked)>;

/// A fixed number of workers, which go round; their results come together in
/// the order of the file.
pub(super) struct Line {
    idle: Vec<Worker>,
    done_sender: Sender<Done>,
    done: Receiver<Done>,
    /// Results that wait for one before them, or for [`Self::take_back`].
    early: BTreeMap<u64, (Worker, Checked)>,
    /// Batches that were started.
    started: u64,
    /// Batches whose results are in the ledger.
    folded: u64,
    /// Guesses among those started and not folded.
    guesses: usize,
    /// Text that the threads of the pool are at.
    bytes_under_way: usize,
}

/// A batch of up to so many bytes always goes to a thread of the pool.
const SMALL_BYTES: usize = 1 << 20;
/// Larger ones do only while those there have no more than this together: a
/// block's canonical text can be six times as long, and much is noted of it.
const MOST_BYTES: usize = 8 << 20;

impl Line {
    pub(super) fn new(workers: usize) -> Self {
        // As many results as there are workers wait at most.
        let (done_sender, done) = unbounded();
        Self {
            idle: (0..workers).map(|_| Worker::default()).collect(),
            done_sender,
            done,
            early: BTreeMap::new(),
            started: 0,
            folded: 0,
            guesses: 0,
            bytes_under_way: 0,
        }
    }

    /// Whether the batch is better checked on the thread that reads, so that
    /// many large ones are not in memory at once.
    pub(super) fn is_full_for(&self, batch: &Batch) -> bool {
        let bytes = batch.text().len();
        batch.is_large() || bytes > SMALL_BYTES && self.bytes_under_way + bytes > MOST_BYTES
    }

    /// Whether a guess is not settled yet.
    pub(super) const fn has_guesses(&self) -> bool {
        self.guesses > 0
    }

    /// Hands the worker's batch to a thread of the pool.
    pub(super) fn start<'scope>(
        &mut self,
        mut worker: Worker,
        work: Work,
        scope: &Scope<'scope>,
        options: &'scope VerifyOptions,
    ) {
        let (number, done) = (self.number(work), self.done_sender.clone());
        self.bytes_under_way += worker.batch.text().len();
        scope.spawn(move |_| {
            // A panic must end the wait for this worker, too. It is lost then.
            let run = AssertUnwindSafe(move || {
                let checked = worker.run(work, options);
                (number, worker, checked)
            });
            // The receiver is gone only if the verdict is out.
            let _ = done.send(panic::catch_unwind(run));
        });
    }

    /// Checks the worker's batch on this thread.
    pub(super) fn run(&mut self, mut worker: Worker, work: Work, options: &VerifyOptions) {
        let number = self.number(work);
        let checked = worker.run(work, options);
        worker.shrink();
        self.early.insert(number, (worker, checked));
    }

    fn number(&mut self, work: Work) -> u64 {
        self.guesses += usize::from(matches!(work, Work::Guess(_)));
        self.started += 1;
        self.started - 1
    }

    /// A worker that has nothing to do: waits for one if need be, and enters
    /// what is done into the ledger. `None` if a guess was wrong, which is to
    /// be taken back first.
    pub(super) fn idle_worker<R: std::io::Read>(
        &mut self,
        ledger: &mut Ledger,
        reader: &mut ChainReader<R>,
        options: &VerifyOptions,
        control: &Control,
    ) -> Result<Option<Worker>, ReadError> {
        loop {
            while let Ok(done) = self.done.try_recv() {
                self.take(done);
            }
            if !self.fold(ledger, reader, options, control)? {
                return Ok(None);
            }
            if let Some(worker) = self.idle.pop() {
                return Ok(Some(worker));
            }
            self.receive();
        }
    }

    /// Takes a worker back that was not used.
    pub(super) fn put_idle(&mut self, worker: Worker) {
        self.idle.push(worker);
    }

    /// Waits until every batch is in the ledger; `false` if a guess was wrong.
    pub(super) fn wait_for_all<R: std::io::Read>(
        &mut self,
        ledger: &mut Ledger,
        reader: &mut ChainReader<R>,
        options: &VerifyOptions,
        control: &Control,
    ) -> Result<bool, ReadError> {
        loop {
            if !self.fold(ledger, reader, options, control)? {
                return Ok(false);
            }
            if self.folded == self.started {
                return Ok(true);
            }
            self.receive();
        }
    }

    /// Gives a wrong guess, and all that were made after it, back to the
    /// reader.
    pub(super) fn take_back<R: std::io::Read>(&mut self, reader: &mut ChainReader<R>) {
        while self.early.len() as u64 + self.folded < self.started {
            self.receive();
        }
        reader.take_back(self.early.values().map(|(worker, _)| &worker.batch));
        let early = std::mem::take(&mut self.early);
        self.idle
            .extend(early.into_values().map(|(worker, _)| worker));
        self.folded = self.started;
        self.guesses = 0;
    }

    fn receive(&mut self) {
        let done = self.done.recv().expect("this thread holds a sender");
        self.take(done);
    }

    fn take(&mut self, done: Done) {
        let (number, worker, checked) = done.unwrap_or_else(|panic| panic::resume_unwind(panic));
        self.bytes_under_way -= worker.batch.text().len();
        self.early.insert(number, (worker, checked));
    }

    /// Enters what is there into the ledger, in order, up to a wrong guess.
    fn fold<R: std::io::Read>(
        &mut self,
        ledger: &mut Ledger,
        reader: &mut ChainReader<R>,
        options: &VerifyOptions,
        control: &Control,
    ) -> Result<bool, ReadError> {
        while let Some(entry) = self
            .early
            .first_entry()
            .filter(|entry| *entry.key() == self.folded)
        {
            match &entry.get().1 {
                Checked::Guess(None) => return Ok(false),
                Checked::Guess(Some((summary, _))) if summary.first_index != ledger.blocks + 1 => {
                    return Ok(false);
                }
                _ => {}
            }
            let (worker, checked) = entry.remove();
            self.idle.push(worker);
            self.folded += 1;
            match checked {
                Checked::Certain(summary) => {
                    let summary = summary?;
                    summary.count(control);
                    ledger.add(summary, options);
                }
                Checked::Guess(checked) => {
                    self.guesses -= 1;
                    let (summary, advance) = checked.expect("seen above");
                    reader.confirm(summary.blocks, advance);
                    summary.count(control);
                    ledger.add(summary, options);
                }
            }
        }
        Ok(true)
    }
}

impl Worker {
    fn run(&mut self, work: Work, options: &VerifyOptions) -> Checked {
        let checked = match work {
            Work::Certain => Checked::Certain(self.check(options)),
            Work::Guess(separator) => Checked::Guess(self.check_guess(separator, options)),
        };
        self.shrink_buffers();
        checked
    }
}
