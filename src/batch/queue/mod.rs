//! Reads queue files: transactions that wait to be mined.
//!
//! A queue is JSON Lines, a JSON array, an object with the array under
//! `"transactions"`, or CSV with a header. The first character that is not white
//! space tells JSON from CSV. In JSON Lines, a line that is an array of
//! transactions becomes a separate block.

mod csv;
mod json;
mod other_object;

use std::io::Read;

use thiserror::Error;

use self::csv::CsvQueue;
pub use self::csv::{CsvDoubts, CsvProblem, DecimalSeparator, DoubtfulCells};
use self::json::JsonQueue;
pub use self::other_object::OtherObject;
use crate::chain::json::{
    ForeignFormat, JsonStream, MAX_VALUE_BYTES, Position, StreamError, SyntaxErrorKind,
};
use crate::chain::{Strictness, TransactionProblem, Transactions};

/// The most canonical text that the transactions of one block may take. A
/// reader accepts a little more, for the block's other fields.
const MAX_BLOCK_BYTES: usize = MAX_VALUE_BYTES - (1 << 20);

/// Buffers that a huge value made larger than this are freed.
const KEPT_BYTES: usize = 1 << 20;

/// Why a queue cannot be read. The message names the place in the file, but not
/// the file.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum QueueError {
    /// The source failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The queue holds no transaction.
    #[error("it has no transactions")]
    Empty,
    /// The file must be unpacked or saved in another format.
    #[error(transparent)]
    Foreign(#[from] ForeignFormat),
    /// The file is not JSON, or ends too early.
    #[error("{position}: {kind}{}{}", kind.remedy(), since(*.start))]
    Syntax {
        /// Where the error is.
        position: Position,
        /// What is wrong there.
        kind: SyntaxErrorKind,
        /// Where the value with the error starts, if in an earlier line: perhaps
        /// its end is missing there.
        start: Option<Position>,
    },
    /// The file ends inside an object or an array.
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
        /// Its number in the list, counted from 1, if it is in a list.
        place: Option<usize>,
        /// What is wrong with it.
        problem: TransactionProblem,
    },
    /// A JSON object is something else than a transaction.
    #[error("{position}: {}{found}", in_list(*.place))]
    OtherObject {
        /// Where the object, or the list that holds it, starts.
        position: Position,
        /// Its number in the list, counted from 1, if it is in a list.
        place: Option<usize>,
        /// What it is.
        found: OtherObject,
    },
    /// An object holds two lists under `"transactions"`.
    #[error("{position}: found another list \"transactions\", but there may be only one")]
    SecondList {
        /// Where its key starts.
        position: Position,
    },
    /// A transaction is larger than a block may be.
    #[error("{position}: this takes more than the {} MiB that a block has room for", MAX_BLOCK_BYTES >> 20)]
    ValueTooLarge {
        /// Where it starts.
        position: Position,
    },
    /// The transactions of one block are too large together.
    #[error("{position}: the transactions of one block take more than {} MiB", MAX_BLOCK_BYTES >> 20)]
    BlockTooLarge {
        /// Where the first transaction starts that does not fit.
        position: Position,
    },
    /// The header or a row of a CSV queue is wrong.
    #[error("line {line}: {problem}")]
    Csv {
        /// The line in which it starts.
        line: u64,
        /// What is wrong with it.
        problem: CsvProblem,
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

/// What [`Queue`] reads next from a file.
enum QueueItem {
    /// A transaction, which was appended to the pending ones.
    Transaction,
    /// A list of transactions that becomes a separate block.
    Block(Transactions),
}

/// A queue in one of its formats.
enum QueueFormat<R> {
    /// Nothing was read yet; `None` if the first read failed.
    Unknown(Option<JsonStream<R>>),
    Json(Box<JsonQueue<R>>),
    Csv(Box<CsvQueue<R>>),
}

/// Reads the transactions of one block after another from a queue.
///
/// Single transactions are grouped, `block_size` per block. The last block of a
/// queue may have fewer, and so may a block before a list that is a separate
/// block. After an error the iterator ends.
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
    format: QueueFormat<R>,
    pending: Transactions,
    /// Buffers for the transactions of further blocks.
    spare: Vec<Transactions>,
    /// A separate block, and its line, that comes after the pending
    /// transactions.
    next: Option<(Transactions, u64)>,
    block_size: usize,
    strictness: Strictness,
    decimal: DecimalSeparator,
    transactions: u64,
    has_ended: bool,
    keeps_lines: bool,
    /// The lines in which the pending transactions start, if they are kept,
    pending_lines: Vec<u64>,
    /// and those of the block that was returned last; one line for a list.
    block_lines: Vec<u64>,
}

impl<R: Read> Queue<R> {
    /// A queue that reads `source`, which need not be buffered.
    pub fn new(source: R, block_size: std::num::NonZeroUsize, strictness: Strictness) -> Self {
        Self {
            format: QueueFormat::Unknown(Some(JsonStream::new(source))),
            pending: Transactions::new(),
            spare: Vec::new(),
            next: None,
            block_size: block_size.get(),
            strictness,
            decimal: DecimalSeparator::default(),
            transactions: 0,
            has_ended: false,
            keeps_lines: false,
            pending_lines: Vec::new(),
            block_lines: Vec::new(),
        }
    }

    /// Reads amounts in CSV with this separator.
    #[must_use]
    pub fn with_decimal(mut self, decimal: DecimalSeparator) -> Self {
        self.decimal = decimal;
        self
    }

    /// Takes buffers for further blocks, in place of those it has.
    pub(super) fn reuse(&mut self, buffers: Vec<Transactions>) {
        self.spare = buffers;
    }

    /// Turns [`Self::line_of`] on or off. Reading is slower with it.
    pub(super) fn keep_lines(&mut self, keep: bool) {
        self.keeps_lines = keep;
        self.pending_lines.clear();
        self.block_lines.clear();
    }

    /// The line, counted from 1, in which a transaction of the last block
    /// starts, if it is known. The first transaction is number 0.
    pub(super) fn line_of(&self, transaction: usize) -> Option<u64> {
        let lines = &self.block_lines;
        lines.get(transaction).or(lines.last()).copied()
    }

    /// The doubtful cells so far. The queue is called `name`.
    pub(super) fn doubts(&self, name: &str) -> CsvDoubts {
        match &self.format {
            QueueFormat::Csv(queue) => queue.doubts(name),
            QueueFormat::Json(_) | QueueFormat::Unknown(_) => CsvDoubts::default(),
        }
    }

    /// The line in which the last item starts.
    fn line(&self) -> u64 {
        match &self.format {
            QueueFormat::Json(queue) => queue.line(),
            QueueFormat::Csv(queue) => queue.line(),
            QueueFormat::Unknown(_) => 1,
        }
    }

    fn next_block(&mut self) -> Result<Option<Transactions>, QueueError> {
        if let Some(block) = self.take_separate_block() {
            return Ok(Some(block));
        }
        loop {
            self.take_plain_lines();
            if self.pending.count() == self.block_size {
                return Ok(Some(self.take_pending()));
            }
            match self.next_item()? {
                Some(QueueItem::Transaction) => {
                    self.transactions += 1;
                    if self.keeps_lines {
                        self.pending_lines.push(self.line());
                    }
                    if self.pending.count() == self.block_size {
                        return Ok(Some(self.take_pending()));
                    }
                }
                Some(QueueItem::Block(block)) => {
                    self.transactions += block.count() as u64;
                    self.next = Some((block, self.line()));
                    if self.pending.is_empty() {
                        return Ok(self.take_separate_block());
                    }
                    return Ok(Some(self.take_pending()));
                }
                None if self.transactions == 0 => return Err(QueueError::Empty),
                None if self.pending.is_empty() => return Ok(None),
                None => return Ok(Some(self.take_pending())),
            }
        }
    }

    fn take_separate_block(&mut self) -> Option<Transactions> {
        let (block, line) = self.next.take()?;
        self.block_lines = vec![line];
        Some(block)
    }

    /// Appends transactions that are ordinary lines, up to a whole block. In
    /// most queues nearly all are.
    fn take_plain_lines(&mut self) {
        if let (QueueFormat::Json(queue), false) = (&mut self.format, self.keeps_lines) {
            let before = self.pending.count();
            queue.take_plain_lines(&mut self.pending, self.block_size, self.strictness);
            self.transactions += (self.pending.count() - before) as u64;
        }
    }

    fn take_pending(&mut self) -> Transactions {
        self.block_lines = std::mem::take(&mut self.pending_lines);
        let empty = match self.spare.pop() {
            Some(used) => used.into_empty(),
            None => Transactions::with_room_of(&self.pending),
        };
        std::mem::replace(&mut self.pending, empty)
    }

    fn next_item(&mut self) -> Result<Option<QueueItem>, QueueError> {
        loop {
            match &mut self.format {
                QueueFormat::Json(queue) => return queue.next(&mut self.pending, self.strictness),
                QueueFormat::Csv(queue) => return queue.next(&mut self.pending, self.strictness),
                QueueFormat::Unknown(stream) => {
                    let Some(mut stream) = stream.take() else {
                        return Ok(None);
                    };
                    let starts_with_tab = stream.first_byte()? == Some(b'\t');
                    let first = stream.peek()?;
                    let foreign = stream.foreign_format();
                    self.format = match (first, foreign) {
                        (None, _) => return Ok(None),
                        (Some(b'{' | b'['), None) => {
                            QueueFormat::Json(Box::new(JsonQueue::new(stream)?))
                        }
                        (Some(_), _) => {
                            let Position { line, column } = stream.position();
                            let (mut unread, source) = stream.into_bytes();
                            if starts_with_tab && (line, column) == (1, 2) {
                                // The header's first name is empty, as for row numbers.
                                unread.put_back(b"\t");
                            }
                            let queue = CsvQueue::new((unread, source), line, self.decimal);
                            QueueFormat::Csv(Box::new(queue.map_err(|error| {
                                match (error, foreign) {
                                    (error @ QueueError::Io(_), _) | (error, None) => error,
                                    // The foreign format explains the error.
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
