//! The reading stage: queues into the transactions of blocks.
//!
//! Where work goes on that was interrupted, the queues' first blocks are in
//! the journal, and are compared with it.

use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};
use std::vec;

use super::Bundle;
use super::error::MineError;
use super::text_amounts::TextAmounts;
use crate::batch::detached::Readiness;
use crate::batch::journal::replay::{Replay, ResumePoint, Step};
use crate::batch::named::NamedQueue;
use crate::batch::options::MineOptions;
use crate::batch::queue::Queue;
use crate::chain::{Strictness, Transactions};
use crate::pow::Control;

/// A bundle is full once its blocks have so many bytes together ...
const BUNDLE_BYTES: usize = 128 << 10;
/// ... or so long after it was begun, or if there may be nothing more to read
/// for now: to change turns costs as much as to read a block, but a queue may
/// also come slowly.
const BUNDLE_TIME: Duration = Duration::from_millis(1);

/// The reading stage.
pub(super) struct Reader {
    blocks: Blocks,
    has_ended: bool,
}

impl Reader {
    pub(super) const fn new(blocks: Blocks) -> Self {
        Self {
            blocks,
            has_ended: false,
        }
    }

    pub(super) fn into_blocks(self) -> Blocks {
        self.blocks
    }

    /// Reads the next blocks. Says whether there are any, or an error.
    pub(super) fn read(&mut self, bundle: &mut Bundle) -> bool {
        if self.has_ended {
            return false;
        }
        self.blocks.reuse(std::mem::take(&mut bundle.blocks));
        let begun = Instant::now();
        let mut bytes = 0;
        loop {
            match self.blocks.next().transpose() {
                Ok(Some(transactions)) => {
                    bytes += transactions.text_bytes();
                    bundle.blocks.push(transactions);
                }
                end => {
                    self.has_ended = true;
                    bundle.error = end.err();
                    break;
                }
            }
            let is_enough = bytes >= BUNDLE_BYTES || begun.elapsed() >= BUNDLE_TIME;
            if is_enough || self.blocks.may_wait() {
                break;
            }
        }
        self.blocks.control.add_text_read(bytes as u64);
        !bundle.blocks.is_empty() || bundle.error.is_some()
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
    texts: Option<TextAmounts>,
    /// Of the current queue, if a read of it may take long.
    readiness: Option<Readiness>,
}

impl Blocks {
    pub(super) fn new(queues: Vec<NamedQueue>, options: &MineOptions, control: &Control) -> Self {
        Self {
            queues: queues.into_iter(),
            current: None,
            name: String::new(),
            next: None,
            block_size: options.block_size,
            strictness: options.strictness,
            control: control.clone(),
            keeps_lines: false,
            texts: None,
            readiness: None,
        }
    }

    /// The amounts that were taken as text, in the queues that were read.
    pub(super) fn into_text_amounts(self) -> Option<TextAmounts> {
        self.texts
    }

    /// Whether the next block may be long in coming.
    fn may_wait(&self) -> bool {
        self.readiness.as_ref().is_some_and(Readiness::may_wait)
    }

    /// Takes the buffers of blocks that were sealed.
    fn reuse(&mut self, blocks: Vec<Transactions>) {
        if let Some(queue) = &mut self.current {
            queue.reuse(blocks);
        }
    }

    fn next(&mut self) -> Option<Result<Transactions, MineError>> {
        if self.control.is_winding_down() {
            return Some(Err(MineError::Cancelled));
        }
        if let Some(block) = self.next.take() {
            return Some(Ok(block));
        }
        loop {
            let source = match &mut self.current {
                Some(queue) => match queue.next() {
                    Some(Ok(block)) => return Some(Ok(block)),
                    Some(Err(error)) => error,
                    None => {
                        if let Some(found) = queue.text_amounts() {
                            let found = TextAmounts::of(&self.name, found);
                            self.texts = Some(match self.texts.take() {
                                Some(earlier) => earlier.and(found),
                                None => found,
                            });
                        }
                        self.current = None;
                        continue;
                    }
                },
                None => {
                    let NamedQueue { name, source } = self.queues.next()?;
                    self.name = name;
                    match source.open(&self.control) {
                        Ok((source, readiness)) => {
                            self.readiness = readiness;
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
            return Some(Err(if self.control.is_winding_down() {
                MineError::Cancelled
            } else {
                MineError::Queue { name, source }
            }));
        }
    }

    fn put_back(&mut self, block: Transactions) {
        self.next = Some(block);
    }

    /// The line, counted from 1, of a transaction of the last block, whose
    /// first is number 0.
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
