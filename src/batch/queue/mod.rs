//! Queue files: transactions that wait to be mined.
//!
//! A queue is JSON Lines, a JSON array, or CSV with a header; its first
//! character that is not white space tells which. In JSON Lines, a line that
//! is an array of transactions is a block of its own.

mod csv;
mod json;

use std::io::Read;

use thiserror::Error;

use self::csv::CsvQueue;
pub use self::csv::HeaderProblem;
pub(super) use self::csv::TextAmounts;
use self::json::JsonQueue;
use crate::chain::json::{
    ForeignFormat, JsonStream, MAX_VALUE_BYTES, Position, StreamError, SyntaxErrorKind,
};
use crate::chain::{Strictness, TransactionProblem, Transactions};

/// The most canonical text that the transactions of one block may take, so
/// that the block stays readable: the rest is for its other fields.
const MAX_BLOCK_BYTES: usize = MAX_VALUE_BYTES - (1 << 20);

/// What a reader's buffers keep after a value that took more.
const KEPT_BYTES: usize = 1 << 20;

/// Why a queue cannot be read. The message names the place in the file, not
/// the file.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum QueueError {
    /// The source failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// It holds no transaction.
    #[error("there is no transaction in it")]
    Empty,
    /// It is in a format that has to be unpacked or saved anew.
    #[error(transparent)]
    Foreign(#[from] ForeignFormat),
    /// It is not JSON, or ends too early.
    #[error("{position}: {kind}{}{}", kind.remedy(), since(*.start))]
    Syntax {
        /// Where.
        position: Position,
        /// What is wrong there.
        kind: SyntaxErrorKind,
        /// Where the value starts in which that is, if that is in a line
        /// before: its end may be what is missing.
        start: Option<Position>,
    },
    /// It ends inside an object or an array.
    #[error("{position}: this {what} has no end")]
    NoEnd {
        /// Where that starts.
        position: Position,
        /// `"object"` or `"array"`.
        what: &'static str,
    },
    /// A JSON value is not a transaction.
    #[error("{position}: {}{problem}", in_list(*.place))]
    Transaction {
        /// Where the value, or the list that holds it, starts.
        position: Position,
        /// Its place in the list, counted from 1, where the line is a list.
        place: Option<usize>,
        /// What is wrong with it.
        problem: TransactionProblem,
    },
    /// A value, or a row of CSV, is larger than a block may be.
    #[error("{position}: this takes more than the {} MiB that a block has room for", MAX_BLOCK_BYTES >> 20)]
    ValueTooLarge {
        /// Where it starts.
        position: Position,
    },
    /// The transactions of one block together are too large.
    #[error(
        "{position}: the transactions of one block take more than {} MiB; give it fewer \
         (--block-size), or smaller ones",
        MAX_BLOCK_BYTES >> 20
    )]
    TooLarge {
        /// Where that became clear.
        position: Position,
    },
    /// The first line is no header of a CSV queue.
    #[error("line {line}: {problem}")]
    Header {
        /// The line.
        line: u64,
        /// What is wrong with it.
        problem: HeaderProblem,
    },
    /// The CSV header names a column twice.
    #[error("line {line}: the header has two columns \"{column}\"")]
    DuplicateColumn {
        /// The header's line.
        line: u64,
        /// The column.
        column: &'static str,
    },
    /// A CSV row has not as many fields as the header.
    #[error("line {line}: {}this row has {}, but the header has {expected}", missing(.field), fields(.found))]
    RowLength {
        /// The row's line.
        line: u64,
        /// The first of the three columns that the row does not reach.
        field: Option<&'static str>,
        /// Fields in the row.
        found: usize,
        /// Fields in the header.
        expected: usize,
    },
    /// A CSV row has nothing in any of its fields.
    #[error("line {line}: the row is empty")]
    EmptyRow {
        /// The row's line.
        line: u64,
    },
    /// The file ends inside a quoted field of a CSV row.
    #[error("line {line}: a quote is opened in this row and never closed")]
    UnclosedQuote {
        /// The line in which the row starts.
        line: u64,
    },
    /// A field of a CSV row is unusable.
    #[error("line {line}: the field \"{field}\" {problem}")]
    Field {
        /// The row's line.
        line: u64,
        /// The column.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}

fn since(start: Option<Position>) -> String {
    start.map_or_else(String::new, |start| format!(" (in what starts at {start})"))
}

fn in_list(place: Option<usize>) -> String {
    place.map_or_else(String::new, |place| {
        format!("transaction {place} of the list: ")
    })
}

fn fields(count: &usize) -> String {
    match count {
        1 => "1 field".to_owned(),
        count => format!("{count} fields"),
    }
}

fn missing(field: &Option<&'static str>) -> String {
    field.map_or_else(String::new, |field| {
        format!("the field \"{field}\" is missing: ")
    })
}

impl From<StreamError> for QueueError {
    fn from(error: StreamError) -> Self {
        match error {
            StreamError::Read(error) => Self::Io(error),
            StreamError::Syntax { position, kind } => Self::Syntax {
                position,
                kind,
                start: None,
            },
            StreamError::TooLarge { position } => Self::ValueTooLarge { position },
        }
    }
}

/// One thing that a queue holds.
enum Item {
    /// A transaction was appended to the pending ones.
    Transaction,
    /// A list of transactions that is a block of its own.
    Block(Transactions),
}

/// A queue in one of its formats.
enum Source<R> {
    /// Nothing was read yet.
    Unopened(Option<JsonStream<R>>),
    Json(Box<JsonQueue<R>>),
    Csv(Box<CsvQueue<R>>),
}

/// Reads a queue as the transactions of one block after another.
///
/// Transactions that stand alone are gathered, `block_size` a block; the last
/// block of a queue may have fewer, and so may one before a list that is a
/// block of its own. After an error the iterator ends.
///
/// ```
/// use std::num::NonZeroUsize;
/// use fourzero::batch::Queue;
/// use fourzero::chain::Strictness;
///
/// let csv = "sender,recipient,amount\nalice,bob,5\nbob,carol,2.5\ncarol,alice,1\n";
/// let two = NonZeroUsize::new(2).unwrap();
/// let blocks: Result<Vec<_>, _> =
///     Queue::new(csv.as_bytes(), two, Strictness::Presence).collect();
/// let counts: Vec<_> = blocks?.iter().map(|block| block.count()).collect();
/// assert_eq!(counts, [2, 1]);
/// # Ok::<(), fourzero::batch::QueueError>(())
/// ```
pub struct Queue<R> {
    source: Source<R>,
    pending: Transactions,
    /// Buffers for the transactions of further blocks.
    spare: Vec<Transactions>,
    /// A block that must wait for the pending transactions before it.
    next: Option<Transactions>,
    block_size: usize,
    strictness: Strictness,
    transactions: u64,
    has_ended: bool,
    lines: Option<Lines>,
}

/// In which lines transactions start.
#[derive(Default)]
struct Lines {
    /// Those of the pending ones.
    pending: Vec<u64>,
    /// Those of the block that was handed out last; of a list in one line,
    /// just that line.
    block: Vec<u64>,
    /// That of the block that waits.
    next: u64,
}

impl<R: Read> Queue<R> {
    /// A queue that reads `source`, which need not be buffered.
    pub fn new(source: R, block_size: std::num::NonZeroUsize, strictness: Strictness) -> Self {
        Self {
            source: Source::Unopened(Some(JsonStream::new(source))),
            pending: Transactions::new(),
            spare: Vec::new(),
            next: None,
            block_size: block_size.get(),
            strictness,
            transactions: 0,
            has_ended: false,
            lines: None,
        }
    }

    /// Takes buffers for the transactions of further blocks, in place of those
    /// it has.
    pub(super) fn reuse(&mut self, buffers: Vec<Transactions>) {
        self.spare = buffers;
    }

    /// Whether to know the lines of each block's transactions.
    pub(super) fn keep_lines(&mut self, keep: bool) {
        self.lines = keep.then(Lines::default);
    }

    /// The line, counted from 1, in which a transaction of the last block
    /// starts, if that is known. The first transaction is number 0.
    pub(super) fn line_of(&self, transaction: usize) -> Option<u64> {
        let lines = &self.lines.as_ref()?.block;
        lines.get(transaction).or(lines.last()).copied()
    }

    /// The amounts so far that are no numbers in CSV, and are kept as text.
    pub(super) fn text_amounts(&self) -> Option<&TextAmounts> {
        match &self.source {
            Source::Csv(queue) => queue.text_amounts(),
            Source::Json(_) | Source::Unopened(_) => None,
        }
    }

    /// The line in which the last item starts.
    fn line(&self) -> u64 {
        match &self.source {
            Source::Json(queue) => queue.line(),
            Source::Csv(queue) => queue.line(),
            Source::Unopened(_) => 1,
        }
    }

    fn next_block(&mut self) -> Result<Option<Transactions>, QueueError> {
        if let Some(block) = self.next.take() {
            if let Some(lines) = &mut self.lines {
                lines.block = vec![lines.next];
            }
            return Ok(Some(block));
        }
        loop {
            self.take_plain_lines();
            if self.pending.count() == self.block_size {
                return Ok(Some(self.take_pending()));
            }
            match self.next_item()? {
                Some(Item::Transaction) => {
                    self.transactions += 1;
                    let line = self.line();
                    if let Some(lines) = &mut self.lines {
                        lines.pending.push(line);
                    }
                    if self.pending.count() == self.block_size {
                        return Ok(Some(self.take_pending()));
                    }
                }
                Some(Item::Block(block)) => {
                    self.transactions += block.count() as u64;
                    let line = self.line();
                    if let Some(lines) = &mut self.lines {
                        lines.next = line;
                    }
                    if self.pending.is_empty() {
                        if let Some(lines) = &mut self.lines {
                            lines.block = vec![line];
                        }
                        return Ok(Some(block));
                    }
                    self.next = Some(block);
                    return Ok(Some(self.take_pending()));
                }
                None if self.transactions == 0 => return Err(QueueError::Empty),
                None if self.pending.is_empty() => return Ok(None),
                None => return Ok(Some(self.take_pending())),
            }
        }
    }

    /// Takes transactions as far as they need no second look, up to a whole
    /// block: nearly all there are, in most queues.
    fn take_plain_lines(&mut self) {
        if let (Source::Json(queue), None) = (&mut self.source, &self.lines) {
            let before = self.pending.count();
            queue.take_plain_lines(&mut self.pending, self.block_size, self.strictness);
            self.transactions += (self.pending.count() - before) as u64;
        }
    }

    fn take_pending(&mut self) -> Transactions {
        if let Some(lines) = &mut self.lines {
            lines.block = std::mem::take(&mut lines.pending);
        }
        let empty = match self.spare.pop() {
            Some(used) => used.into_empty(),
            None => Transactions::with_room_of(&self.pending),
        };
        std::mem::replace(&mut self.pending, empty)
    }

    fn next_item(&mut self) -> Result<Option<Item>, QueueError> {
        loop {
            match &mut self.source {
                Source::Json(queue) => return queue.next(&mut self.pending, self.strictness),
                Source::Csv(queue) => return queue.next(&mut self.pending, self.strictness),
                Source::Unopened(stream) => {
                    let Some(mut stream) = stream.take() else {
                        return Ok(None);
                    };
                    self.source = match stream.peek()? {
                        None => return Ok(None),
                        Some(b'{' | b'[') => Source::Json(Box::new(JsonQueue::new(stream)?)),
                        Some(_) => {
                            let line = stream.position().line;
                            let foreign = stream.foreign_format();
                            let queue = CsvQueue::new(stream.into_bytes(), line);
                            Source::Csv(Box::new(queue.map_err(|error| {
                                // The cause, where it is known.
                                match (error, foreign) {
                                    (error @ QueueError::Io(_), _) | (error, None) => error,
                                    (_, Some(foreign)) => foreign.into(),
                                }
                            })?))
                        }
                    };
                }
            }
        }
    }
}

impl<R: Read> Iterator for Queue<R> {
    type Item = Result<Transactions, QueueError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_ended {
            return None;
        }
        let block = self.next_block().transpose();
        self.has_ended = !matches!(block, Some(Ok(_)));
        block
    }
}

#[cfg(test)]
mod tests;
