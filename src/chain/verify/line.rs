//! The batches on their way through the threads.

use std::collections::BTreeMap;

use super::ledger::Ledger;
use super::worker::{Summary, Worker};
use super::{ReadError, Report, VerifyError, VerifyOptions};
use crate::chain::file::{Batch, ChainReader, Input, PartedFile, Separator};
use crate::chain::json::Advance;
use crate::pow::Control;

/// Batches that are read with certainty where a guess failed, before the next
/// is tried.
const CERTAIN_BATCHES: u32 = 16;
/// A batch of up to so many bytes is always checked beside others.
const SMALL_BYTES: usize = 1 << 20;
/// Larger ones are only while those under way have no more than this together:
/// a block's canonical text can be six times as long, and much is noted of it.
const MOST_BYTES: usize = 8 << 20;

/// A source of which so much was read, by the first read of a file say, is
/// likely to fill a batch for each thread.
const LONG_BYTES: u64 = 128 << 10;

/// How the batch of a worker came about.
#[derive(Clone, Copy, Debug)]
enum Work {
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

/// A batch to check.
pub(super) struct Task {
    number: u64,
    worker: Worker,
    work: Work,
    bytes: usize,
    checked: Option<Checked>,
}

/// What a thread does next.
pub(super) enum Next {
    /// It [runs](Task::run) this and [brings it back](Line::bring_back).
    Task(Box<Task>),
    /// It makes room in this worker's batch and [gives it
    /// back](Line::give_back). New memory takes the system longer than to read
    /// as much into it, so others shall not wait for that.
    MakeRoom(Box<Worker>),
    /// It waits until another thread brings something back.
    Wait,
    /// The verdict is out.
    End,
}

/// A chain that is read, and the batches that are under way: a fixed number
/// of workers goes round, and what they found comes together in the order of
/// the file.
pub(super) struct Line<'a> {
    pub(super) options: &'a VerifyOptions,
    control: &'a Control,
    reader: ChainReader<Input<'a>>,
    ledger: Ledger,
    idle: Vec<Worker>,
    /// Batches that wait for one before them, or to be taken back.
    early: BTreeMap<u64, (Worker, Checked)>,
    /// Batches that were started.
    started: u64,
    /// Batches whose results are in the ledger, or were thrown away because a
    /// guess before them was wrong.
    folded: u64,
    /// Guesses among those started and not folded.
    guesses: usize,
    /// Batches to read with certainty before the next guess.
    certain: u32,
    /// Text that other threads are at.
    bytes_under_way: usize,
    /// Bytes of the source that the control knows of.
    bytes_counted: u64,
    /// What the reader ended with; to be told once every batch is folded.
    end: Option<Result<(), ReadError>>,
    verdict: Option<Result<(), VerifyError>>,
}

impl<'a> Line<'a> {
    pub(super) fn new(
        input: Input<'a>,
        workers: usize,
        options: &'a VerifyOptions,
        control: &'a Control,
    ) -> Self {
        Self {
            options,
            control,
            reader: ChainReader::new(input),
            ledger: Ledger::default(),
            idle: (0..workers).map(|_| Worker::default()).collect(),
            early: BTreeMap::new(),
            started: 0,
            folded: 0,
            guesses: 0,
            // The first is a single block.
            certain: 1,
            bytes_under_way: 0,
            bytes_counted: 0,
            end: None,
            verdict: None,
        }
    }

    /// The file from which a task reads its batch, if not the line does.
    pub(super) fn file(&self) -> Option<PartedFile<'a>> {
        self.reader.file()
    }

    /// What the thread that asks does next.
    pub(super) fn next(&mut self) -> Next {
        if self.verdict.is_some() {
            return Next::End;
        }
        let next = self.try_next();
        // Of a file, parts may be read once more.
        let read = self.reader.bytes_read().max(self.bytes_counted);
        self.control.add_bytes(read - self.bytes_counted);
        self.bytes_counted = read;
        next.unwrap_or_else(|error| {
            self.verdict = Some(Err(error));
            Next::End
        })
    }

    fn try_next(&mut self) -> Result<Next, VerifyError> {
        loop {
            if self.control.is_cancelled() {
                return Err(VerifyError::Cancelled);
            }
            if !self.fold()? {
                if self.folded + (self.early.len() as u64) < self.started {
                    return Ok(Next::Wait);
                }
                self.take_back();
                self.certain = CERTAIN_BATCHES;
            }
            if let Some(end) = self.end.take_if(|_| self.folded == self.started) {
                end?;
                self.verdict = Some(Ok(()));
                return Ok(Next::End);
            }
            let is_blocked = self.end.is_some() || self.certain > 0 && self.guesses > 0;
            let Some(mut worker) = self.idle.pop_if(|_| !is_blocked) else {
                return Ok(Next::Wait);
            };
            if self.certain == 0 {
                let is_read_here = self.file().is_none();
                let is_long = self.reader.bytes_read() >= LONG_BYTES;
                if is_read_here && is_long && !worker.batch.has_room() {
                    return Ok(Next::MakeRoom(Box::new(worker)));
                }
                if let Some(separator) = self.reader.guess_part(&mut worker.batch) {
                    self.guesses += 1;
                    return Ok(self.start(worker, Work::Guess(separator)));
                }
                self.certain = CERTAIN_BATCHES;
                self.idle.push(worker);
                continue;
            }
            self.certain -= 1;
            match self.reader.fill(&mut worker.batch) {
                // Checked here, large blocks come one after another, which
                // bounds what all batches together take.
                Ok(true) if self.is_full_for(&worker.batch) => {
                    let checked = worker.run(None, Work::Certain, self.options);
                    worker.shrink();
                    self.early.insert(self.started, (worker, checked));
                    self.started += 1;
                }
                Ok(true) => return Ok(self.start(worker, Work::Certain)),
                end => {
                    self.idle.push(worker);
                    self.end = Some(end.map(drop));
                }
            }
        }
    }

    fn start(&mut self, worker: Worker, work: Work) -> Next {
        let bytes = worker.batch.bytes();
        self.bytes_under_way += bytes;
        self.started += 1;
        Next::Task(Box::new(Task {
            number: self.started - 1,
            worker,
            work,
            bytes,
            checked: None,
        }))
    }

    /// Whether the batch is better checked before anything else is read, so
    /// that many large ones are not in memory at once.
    fn is_full_for(&self, batch: &Batch) -> bool {
        let bytes = batch.text().len();
        batch.is_large() || bytes > SMALL_BYTES && self.bytes_under_way + bytes > MOST_BYTES
    }

    /// Takes back a worker whose batch has room now.
    pub(super) fn give_back(&mut self, worker: Worker) {
        self.idle.push(worker);
    }

    /// Takes the task back with what was found.
    pub(super) fn bring_back(&mut self, task: Task) {
        self.bytes_under_way -= task.bytes;
        let checked = task.checked.expect("it was run");
        self.early.insert(task.number, (task.worker, checked));
    }

    /// Gives a wrong guess, and all that were made after it, back to the
    /// reader.
    fn take_back(&mut self) {
        self.reader
            .take_back_parts(self.early.values().map(|(worker, _)| &worker.batch));
        let early = std::mem::take(&mut self.early);
        self.idle
            .extend(early.into_values().map(|(worker, _)| worker));
        self.folded = self.started;
        self.guesses = 0;
    }

    /// Enters what is there into the ledger, in order; `false` if it comes to
    /// a wrong guess.
    fn fold(&mut self) -> Result<bool, ReadError> {
        while let Some(entry) = self
            .early
            .first_entry()
            .filter(|entry| *entry.key() == self.folded)
        {
            match &entry.get().1 {
                Checked::Guess(None) => return Ok(false),
                Checked::Guess(Some((summary, _)))
                    if summary.first_index != self.ledger.blocks + 1 =>
                {
                    return Ok(false);
                }
                _ => {}
            }
            let (worker, checked) = entry.remove();
            self.idle.push(worker);
            self.folded += 1;
            let summary = match checked {
                Checked::Certain(summary) => summary?,
                Checked::Guess(checked) => {
                    self.guesses -= 1;
                    let (summary, advance) = checked.expect("seen above");
                    self.reader.confirm(summary.blocks, advance);
                    summary
                }
            };
            summary.count(self.control);
            self.ledger.add(summary, self.options);
        }
        Ok(true)
    }

    /// Ends the work of all threads, because one panicked.
    pub(super) fn give_up(&mut self) {
        self.verdict = Some(Err(VerifyError::Cancelled));
    }

    /// The verdict, once it is out.
    pub(super) fn into_report(self) -> Result<Report, VerifyError> {
        self.verdict.expect("all threads worked to the end")?;
        let (ledger, options) = (self.ledger, self.options);
        let shape = self.reader.shape();
        Ok(Report {
            rule: ledger.rule(options),
            shape: shape.expect("without a shape there is an error"),
            blocks: ledger.blocks,
            transactions: ledger.transactions,
            fault: ledger.fault(options, self.reader.stated_length()),
        })
    }
}

impl Task {
    pub(super) fn run(&mut self, file: Option<PartedFile<'_>>, options: &VerifyOptions) {
        self.checked = Some(self.worker.run(file, self.work, options));
    }
}

impl Worker {
    fn run(
        &mut self,
        file: Option<PartedFile<'_>>,
        work: Work,
        options: &VerifyOptions,
    ) -> Checked {
        let checked = match work {
            Work::Certain => Checked::Certain(self.check(options)),
            Work::Guess(separator) => Checked::Guess(
                // What cannot be read is told by who reads it with certainty.
                (self.batch.read(file).ok()).and_then(|()| self.check_guess(separator, options)),
            ),
        };
        self.shrink_buffers();
        checked
    }
}
