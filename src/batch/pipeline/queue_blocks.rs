//! The reading stage: the transactions of one block after another, from several
//! queues.

use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};
use std::vec;

use super::Bundle;
use super::error::MineError;
use crate::batch::background_reader::Readiness;
use crate::batch::named_queue::NamedQueue;
use crate::batch::options::MineOptions;
use crate::batch::queue::{CsvDoubts, DecimalSeparator, Queue, QueueError};
use crate::chain::{Strictness, Transactions};
use crate::pow::Control;

/// A bundle is full with this many bytes of transactions ...
const BUNDLE_BYTES: usize = 128 << 10;
/// ... or after this time, or when the next read may block. Passing on a
/// bundle costs as much as reading a block, but a queue may be slow.
const BUNDLE_TIME: Duration = Duration::from_millis(1);

/// The blocks of several queues, one queue after another.
pub(in crate::batch) struct QueueBlocks {
    queues: vec::IntoIter<NamedQueue>,
    current: Option<Queue<CountingReader>>,
    /// The name of the queue that was read last.
    name: String,
    /// A block that was returned by [`Self::put_back`].
    next: Option<Transactions>,
    has_ended: bool,
    block_size: NonZeroUsize,
    strictness: Strictness,
    decimal: DecimalSeparator,
    keeps_lines: bool,
    /// Whether reading the current queue may block, if it is not a file.
    readiness: Option<Readiness>,
    /// The doubtful cells of the queues so far.
    pub(in crate::batch) doubts: CsvDoubts,
    /// When the first queue was about to be read.
    pub(in crate::batch) started: Instant,
    /// Controls the mining of these queues alone.
    pub(in crate::batch) control: Control,
}

impl QueueBlocks {
    pub(in crate::batch) fn new(
        queues: Vec<NamedQueue>,
        options: &MineOptions,
        control: &Control,
    ) -> Self {
        Self {
            queues: queues.into_iter(),
            current: None,
            name: String::new(),
            next: None,
            has_ended: false,
            block_size: options.block_size,
            strictness: options.strictness,
            decimal: options.decimal,
            keeps_lines: false,
            readiness: None,
            doubts: CsvDoubts::default(),
            started: Instant::now(),
            control: control.part(),
        }
    }

    /// Fills `bundle` with the next blocks. Returns whether there were any, or
    /// an error.
    pub(super) fn read(&mut self, bundle: &mut Bundle) -> bool {
        if self.has_ended {
            return false;
        }
        if let Some(queue) = &mut self.current {
            queue.reuse(std::mem::take(&mut bundle.blocks));
        }
        let begun = Instant::now();
        let mut bytes = 0;
        loop {
            match self.next() {
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
            let is_full = bytes >= BUNDLE_BYTES || begun.elapsed() >= BUNDLE_TIME;
            if is_full || self.readiness.as_ref().is_some_and(Readiness::may_block) {
                break;
            }
        }
        self.control.add_text_read(bytes as u64);
        !bundle.blocks.is_empty() || bundle.error.is_some()
    }

    /// The next block, or `None` after the last.
    pub(in crate::batch) fn next(&mut self) -> Result<Option<Transactions>, MineError> {
        if self.control.is_winding_down() {
            return Err(MineError::Cancelled);
        }
        if self.next.is_some() {
            return Ok(self.next.take());
        }
        self.next_of_queues().map_err(|source| {
            // An abandoned read fails, too.
            if self.control.is_winding_down() {
                return MineError::Cancelled;
            }
            let name = self.name.clone();
            MineError::Queue { name, source }
        })
    }

    fn next_of_queues(&mut self) -> Result<Option<Transactions>, QueueError> {
        loop {
            if let Some(queue) = &mut self.current {
                if let Some(block) = queue.next().transpose()? {
                    return Ok(Some(block));
                }
                let earlier = std::mem::take(&mut self.doubts);
                self.doubts = earlier.and(queue.doubts(&self.name));
                self.current = None;
            }
            let Some(NamedQueue { name, source }) = self.queues.next() else {
                return Ok(None);
            };
            self.name = name;
            let (source, readiness) = source.open(&self.control)?;
            self.readiness = readiness;
            let control = self.control.clone();
            let source = CountingReader { source, control };
            let mut queue =
                Queue::new(source, self.block_size, self.strictness).with_decimal(self.decimal);
            queue.keep_lines(self.keeps_lines);
            self.current = Some(queue);
        }
    }

    /// Makes `block` the next block again.
    pub(in crate::batch) fn put_back(&mut self, block: Transactions) {
        self.next = Some(block);
    }

    /// Turns [`Self::place`] on or off. Reading is slower with it.
    pub(in crate::batch) fn keep_lines(&mut self, keep: bool) {
        self.keeps_lines = keep;
        if let Some(queue) = &mut self.current {
            queue.keep_lines(keep);
        }
    }

    /// The name of the queue that was read last.
    pub(in crate::batch) fn name(&self) -> &str {
        &self.name
    }

    /// The queue and the line, counted from 1, of a transaction of the last
    /// block. Its first transaction is number 0.
    pub(in crate::batch) fn place(&self, transaction: usize) -> (String, u64) {
        let line = self
            .current
            .as_ref()
            .and_then(|queue| queue.line_of(transaction));
        (self.name.clone(), line.unwrap_or(1))
    }
}

/// Counts the bytes that are read.
struct CountingReader {
    source: Box<dyn Read + Send>,
    control: Control,
}

impl Read for CountingReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.control.add_bytes(count as u64);
        Ok(count)
    }
}
