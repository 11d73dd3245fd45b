//! Queues in CSV with a header.
//!
//! The columns may be in any order, and other columns are ignored. CSV has no
//! types: sender and recipient are strings, and an amount is a number if it is
//! written like a JSON number, otherwise a string. Blanks around an amount are
//! dropped. Blanks around a name belong to it, as RFC 4180 says, but a name must
//! not be all blank.

mod header;
mod problem;
mod records;

use std::fmt;
use std::io::Read;

use self::header::columns;
pub use self::problem::CsvProblem;
use self::records::Records;
use super::{KEPT_BYTES, MAX_BLOCK_BYTES, QueueError, QueueItem};
use crate::chain::json::{
    Position, SyntaxErrorKind, Transcoder, View, write_string, written_length,
};
use crate::chain::read_buffer::{ReadBuffer, Source};
use crate::chain::{Strictness, TRANSACTION_FIELDS, Transactions, check_value};

/// A CSV queue whose header was read.
pub(super) struct CsvQueue<R> {
    records: Records<R>,
    header_fields: usize,
    /// The positions of the three columns, in the order of
    /// [`TRANSACTION_FIELDS`].
    columns: [usize; 3],
    writer: RowWriter,
    /// The line and the text of the first amount that is not a number, and how
    /// many there are.
    text_amounts: Option<(u64, String, u64)>,
}

/// Amounts in CSV queues that are not numbers, and become text in the chain.
/// Python accepts them, too, but they are rarely intended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TextAmounts {
    /// The first queue that holds one.
    pub queue: String,
    /// The line in that queue where its row starts.
    pub line: u64,
    /// The first one, quoted, and shortened if it is long.
    pub first: String,
    /// How many there are in all queues.
    pub count: u64,
}

impl TextAmounts {
    /// These amounts and those of a later queue.
    #[must_use]
    pub fn and(mut self, later: Self) -> Self {
        self.count += later.count;
        self
    }
}

impl fmt::Display for TextAmounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            queue,
            line,
            first,
            count,
        } = self;
        write!(
            f,
            "{queue}: line {line}: the amount {first} is not a number and is kept as text"
        )?;
        match count {
            1 => Ok(()),
            _ => write!(f, " (and {} more)", count - 1),
        }
    }
}

impl<R: Read> CsvQueue<R> {
    /// Reads the header, which is in line `line` of the file, from the unread
    /// part of a source.
    pub(super) fn new(unread: (ReadBuffer, Source<R>), line: u64) -> Result<Self, QueueError> {
        let mut records = Records::new(unread, line);
        if !records.advance()? {
            return Err(QueueError::Empty);
        }
        let names: Vec<_> = records
            .fields()
            .map(|name| std::str::from_utf8(name).ok())
            .collect::<Option<_>>()
            .ok_or(QueueError::Syntax {
                position: Position { line, column: 1 },
                kind: SyntaxErrorKind::InvalidUtf8,
                start: None,
            })?;
        let columns = columns(&names).map_err(|problem| QueueError::Csv { line, problem })?;
        Ok(Self {
            header_fields: records.len(),
            records,
            columns,
            writer: RowWriter::default(),
            text_amounts: None,
        })
    }

    /// The line in which the last row starts.
    pub(super) const fn line(&self) -> u64 {
        self.records.line()
    }

    /// The amounts so far that are not numbers. The queue is called `queue`.
    pub(super) fn text_amounts(&self, queue: &str) -> Option<TextAmounts> {
        let (line, first, count) = self.text_amounts.clone()?;
        Some(TextAmounts {
            queue: queue.to_owned(),
            line,
            first,
            count,
        })
    }

    /// Appends the next row to `pending`.
    pub(super) fn next(
        &mut self,
        pending: &mut Transactions,
        strictness: Strictness,
    ) -> Result<Option<QueueItem>, QueueError> {
        if !self.records.advance()? {
            return Ok(None);
        }
        let line = self.records.line();
        let invalid = |problem| QueueError::Csv { line, problem };
        if self.records.len() != self.header_fields {
            return Err(invalid(self.wrong_length()));
        }
        let cells = self.columns.map(|column| self.records.field(column));
        if is_too_large(cells) {
            return Err(self.records.too_large());
        }
        let amount_is_text = match self.writer.write(cells, strictness) {
            Ok(amount_is_text) => amount_is_text,
            Err(CsvProblem::Empty(_)) if self.is_empty_row() => {
                return Err(invalid(CsvProblem::EmptyRow));
            }
            Err(problem) => return Err(invalid(problem)),
        };
        if amount_is_text {
            let first = || (line, quoted(&String::from_utf8_lossy(cells[0])), 0);
            self.text_amounts.get_or_insert_with(first).2 += 1;
        }
        pending.push_text(&self.writer.text);
        self.writer.shrink();
        if pending.text_bytes() > MAX_BLOCK_BYTES {
            return Err(self.records.too_large());
        }
        Ok(Some(QueueItem::Transaction))
    }

    fn is_empty_row(&self) -> bool {
        let mut fields = self.records.fields();
        fields.all(|field| field.trim_ascii().is_empty())
    }

    fn wrong_length(&self) -> CsvProblem {
        if self.is_empty_row() {
            return CsvProblem::EmptyRow;
        }
        let found = self.records.len();
        let columns = self.columns.into_iter().zip(TRANSACTION_FIELDS);
        let missing = columns.filter(|(column, _)| *column >= found).min();
        CsvProblem::RowLength {
            missing: missing.map(|(_, field)| field),
            found,
            expected: self.header_fields,
        }
    }
}

/// Whether the canonical text of a row is too large. At most it is six times as
/// large as the row.
fn is_too_large(cells: [&[u8]; 3]) -> bool {
    let bytes: usize = cells.iter().map(|cell| cell.len()).sum();
    bytes > MAX_BLOCK_BYTES / 6 && {
        let written = cells.map(|cell| std::str::from_utf8(cell).map_or(0, written_length));
        written.iter().sum::<usize>() > MAX_BLOCK_BYTES
    }
}

/// Writes the canonical text of one row.
#[derive(Default)]
struct RowWriter {
    transcoder: Transcoder,
    text: Vec<u8>,
}

impl RowWriter {
    /// Frees the memory of a huge row.
    fn shrink(&mut self) {
        self.text.clear();
        self.text.shrink_to(KEPT_BYTES);
        self.transcoder.shrink();
    }

    /// Writes the cells, which are in the order of [`TRANSACTION_FIELDS`] and
    /// of the canonical text. Returns whether the amount is not a number.
    fn write(&mut self, cells: [&[u8]; 3], strictness: Strictness) -> Result<bool, CsvProblem> {
        self.text.clear();
        let mut amount_is_text = false;
        for (place, (cell, field)) in cells.into_iter().zip(TRANSACTION_FIELDS).enumerate() {
            self.text
                .extend_from_slice(if place == 0 { b"{\"" } else { b", \"" });
            self.text.extend_from_slice(field.as_bytes());
            self.text.extend_from_slice(b"\": ");
            let cell = std::str::from_utf8(cell).map_err(|_| CsvProblem::NotUtf8(field))?;
            if trim(cell).is_empty() {
                return Err(CsvProblem::Empty(field));
            }
            let start = self.text.len();
            if field != "amount" {
                write_string(cell, &mut self.text);
            } else if !self.write_number(trim(cell), field)? {
                write_string(cell, &mut self.text);
                amount_is_text = true;
            }
            if strictness == Strictness::Strict {
                check_value(field, View::of(&self.text[start..]))?;
            }
        }
        self.text.push(b'}');
        Ok(amount_is_text)
    }

    /// Writes `cell` if it is a number, and returns whether it is.
    fn write_number(&mut self, cell: &str, field: &'static str) -> Result<bool, CsvProblem> {
        if is_short_integer(cell.as_bytes()) {
            self.text.extend_from_slice(cell.as_bytes());
            return Ok(true);
        }
        if !cell.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
            return Ok(false);
        }
        let start = self.text.len();
        match self.transcoder.transcode(cell.as_bytes(), &mut self.text) {
            Ok(()) => Ok(true),
            Err(error) if error.kind == SyntaxErrorKind::NumberOutOfRange => {
                Err(CsvProblem::OutOfRange(field))
            }
            Err(_) => {
                self.text.truncate(start);
                Ok(false)
            }
        }
    }
}

/// Like [`str::trim`], but faster for text without blanks at its ends.
fn trim(cell: &str) -> &str {
    match cell.as_bytes() {
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => cell,
        _ => cell.trim(),
    }
}

/// Whether it is a canonical integer with few digits, as nearly all amounts are.
fn is_short_integer(amount: &[u8]) -> bool {
    const MAX_DIGITS: usize = 18;
    let has_canonical_start = matches!(amount, [b'0'] | [b'1'..=b'9', ..]);
    has_canonical_start && amount.len() <= MAX_DIGITS && amount.iter().all(u8::is_ascii_digit)
}

/// A text as messages show it: without control characters, and shortened if it
/// is long.
fn quoted(text: &str) -> String {
    const MAX_CHARS: usize = 80;
    match text.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{:?}...", &text[..end]),
        None => format!("{text:?}"),
    }
}
