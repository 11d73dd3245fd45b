//! The reading stage: queues into the transactions of blocks.
//!
//! Where work goes on that was interrupted, the queues' first blocks are in
//! the journal, and are compared with it.

use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};
use std::vec;

use crossbeam_channel::{Receiver, Sender};

use super::Pending;
use super::error::MineError;
use super::text_amounts::FoundTexts;
use crate::batch::budget::Budget;
use crate::batch::journal::replay::{Replay, ResumePoint, Step};
use crate::batch::named::NamedQueue;
use crate::batch::options::MineOptions;
use crate::batch::queue::Queue;
use crate::chain::{Strictness, Transactions};
use crate::pow::Control;

/// The reader hands blocks on once they have so many bytes together ...
const BUNDLE_BYTES: usize = 128 << 10;
/// ... or so long after it handed on the last: waking a thread costs as much
/// as reading a block, but a queue may also come slowly.
const BUNDLE_TIME: Duration = Duration::from_millis(1);

/// Reads every queue, in order, until the miner is gone.
pub(super) fn read(mut blocks: Blocks, pending: &Sender<Result<Pending, MineError>>) {
    let budget = Budget::default();
    let mut bundle = Vec::new();
    let mut bytes = 0;
    let mut last_sent = Instant::now();
    let control = blocks.control.clone();
    let send = |bundle: &mut Vec<Transactions>, bytes: usize| {
        control.add_text_read(bytes as u64);
        let message = Pending {
            permit: budget.acquire(bytes),
            blocks: std::mem::take(bundle),
        };
        pending.send(Ok(message)).is_ok()
    };
    while let Some(block) = blocks.next() {
        match block {
            Ok(transactions) => {
                bytes += transactions.text_bytes();
                bundle.push(transactions);
            }
            Err(error) => {
                // What was read before the error is still mined: an error
                // of its own there comes first.
                let _ = bundle.is_empty() || send(&mut bundle, bytes);
                let _ = pending.send(Err(error));
                return;
            }
        }
        if bytes >= BUNDLE_BYTES || last_sent.elapsed() >= BUNDLE_TIME {
            if !send(&mut bundle, bytes) {
                return;
            }
            bytes = 0;
            last_sent = Instant::now();
        }
    }
    if !bundle.is_empty() {
        send(&mut bundle, bytes);
    }
}

/// Compares the first blocks of the queues with a journal, up to the first
/// that is not in it.
pub(super) fn replay<R: Read>(
    mut replay: Replay<R>,
    blocks: &mut Blocks,
    control: &Control,
) -> Result<ResumePoint, MineError> {
    if replay.genesis()? == Step::Ended {
        return Ok(replay.finish()?);
    }
    control.add_given_blocks(1);
    blocks.keeps_lines = true;
    loop {
        if control.is_winding_down() {
            return Err(MineError::Cancelled);
        }
        let Some(transactions) = blocks.next().transpose()? else {
            replay.queues_end(&blocks.name)?;
            break;
        };
        let place = |number| (blocks.name.clone(), blocks.line_of(number));
        if replay.block(&transactions, place)? == Step::Ended {
            blocks.put_back(transactions);
            break;
        }
        let bytes = transactions.text_bytes() as u64;
        control.add_text_read(bytes);
        control.add_text_done(bytes);
        control.add_given_blocks(1);
    }
    blocks.stop_keeping_lines();
    Ok(replay.finish()?)
}

/// The blocks of several queues, one after another.
pub(super) struct Blocks {
    queues: vec::IntoIter<NamedQueue>,
    current: Option<Queue<Counted>>,
    /// What the queue is called that was read last.
    name: String,
    /// A block that was read too early.
    next: Option<Transactions>,
    block_size: NonZeroUsize,
    strictness: Strictness,
    control: Control,
    keeps_lines: bool,
    texts: FoundTexts,
    /// Transactions of blocks that were sealed.
    spent: Receiver<Vec<Transactions>>,
}

impl Blocks {
    pub(super) fn new(
        queues: Vec<NamedQueue>,
        options: &MineOptions,
        control: &Control,
        texts: FoundTexts,
        spent: Receiver<Vec<Transactions>>,
    ) -> Self {
        Self {
            queues: queues.into_iter(),
            current: None,
            name: String::new(),
            next: None,
            block_size: options.block_size,
            strictness: options.strictness,
            control: control.clone(),
            keeps_lines: false,
            texts,
            spent,
        }
    }

    fn next(&mut self) -> Option<Result<Transactions, MineError>> {
        if let Some(block) = self.next.take() {
            return Some(Ok(block));
        }
        loop {
            let source = match &mut self.current {
                Some(queue) => match queue.next() {
                    Some(Ok(block)) => {
                        queue.reuse(|| self.spent.try_recv().ok());
                        return Some(Ok(block));
                    }
                    Some(Err(error)) => error,
                    None => {
                        if let Some(found) = queue.text_amounts() {
                            self.texts.add(&self.name, found);
                        }
                        self.current = None;
                        continue;
                    }
                },
                None => {
                    let NamedQueue { name, source } = self.queues.next()?;
                    self.name = name;
                    match source.open() {
                        Ok(source) => {
                            let control = self.control.clone();
                            let counted = Counted { source, control };
                            let mut queue = Queue::new(counted, self.block_size, self.strictness);
                            queue.keep_lines(self.keeps_lines);
                            self.current = Some(queue);
                            continue;
                        }
                        Err(error) => error.into(),
                    }
                }
            };
            let name = self.name.clone();
            return Some(Err(MineError::Queue { name, source }));
        }
    }

    fn put_back(&mut self, block: Transactions) {
        self.next = Some(block);
    }

    /// The line of a transaction of the last block, counted from 0.
    fn line_of(&self, transaction: usize) -> u64 {
        self.current
            .as_ref()
            .and_then(|queue| queue.line_of(transaction))
            .unwrap_or(1)
    }

    fn stop_keeping_lines(&mut self) {
        self.keeps_lines = false;
        if let Some(queue) = &mut self.current {
            queue.keep_lines(false);
        }
    }
}

/// Counts the bytes that are read.
struct Counted {
    source: Box<dyn Read + Send>,
    control: Control,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.control.add_bytes(count as u64);
        Ok(count)
    }
}
