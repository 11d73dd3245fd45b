//! Queues in CSV with a header.
//!
//! The columns may stand in any order, and others beside them are passed
//! over. CSV has no types: sender and recipient are strings, and an amount is
//! a number if it is written as JSON writes one, else a string. As a number
//! ends where its blanks begin, the blanks around an amount are dropped; those
//! around a name belong to it, as RFC 4180 has it, but there must be a name.

mod header;
mod records;

use std::io::Read;

use thiserror::Error;

pub use self::header::HeaderProblem;
use self::header::columns;
use self::records::{Next, Records};
use super::{Item, KEPT_BYTES, MAX_BLOCK_BYTES, QueueError};
use crate::chain::json::{Position, SyntaxErrorKind, Transcoder, write_string, written_length};
use crate::chain::read_buffer::{ReadBuffer, Source};
use crate::chain::{Strictness, TRANSACTION_FIELDS, Transactions};

/// A CSV queue whose header was read.
pub(super) struct CsvQueue<R> {
    records: Records<R>,
    header_fields: usize,
    /// Where the three fields stand, in the order of [`TRANSACTION_FIELDS`].
    columns: [usize; 3],
    writer: RowWriter,
    /// Of the amounts that are no numbers, if there is one.
    texts: Option<TextAmounts>,
}

/// Amounts that are no numbers, and were taken as text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::batch) struct TextAmounts {
    /// The line in which the row of the first starts.
    pub(in crate::batch) line: u64,
    /// The first, quoted, and shortened if it is long.
    pub(in crate::batch) first: String,
    /// How many there are.
    pub(in crate::batch) count: u64,
}

impl<R: Read> CsvQueue<R> {
    /// Reads the header, which stands in line `line` of the file, from what
    /// was read of `source` and not taken.
    pub(super) fn new(unread: (ReadBuffer, Source<R>), line: u64) -> Result<Self, QueueError> {
        let mut records = Records::new(unread, line);
        let position = Position { line, column: 1 };
        match records.advance()? {
            Next::Record => {}
            Next::TooLarge => return Err(QueueError::ValueTooLarge { position }),
            Next::Unclosed => return Err(QueueError::UnclosedQuote { line }),
            Next::End => return Err(QueueError::Empty),
        }
        let names: Vec<_> = records
            .fields()
            .map(|name| std::str::from_utf8(name).ok())
            .collect::<Option<_>>()
            .ok_or(QueueError::Syntax {
                position,
                kind: SyntaxErrorKind::InvalidUtf8,
                start: None,
            })?;
        let columns = columns(&names, line)?;
        Ok(Self {
            header_fields: records.len(),
            records,
            columns,
            writer: RowWriter::default(),
            texts: None,
        })
    }

    /// The line in which the last row starts.
    pub(super) const fn line(&self) -> u64 {
        self.records.line()
    }

    /// The amounts that were taken as text so far.
    pub(super) const fn text_amounts(&self) -> Option<&TextAmounts> {
        self.texts.as_ref()
    }

    /// Appends the next row to `pending`.
    pub(super) fn next(
        &mut self,
        pending: &mut Transactions,
        strictness: Strictness,
    ) -> Result<Option<Item>, QueueError> {
        let next = self.records.advance()?;
        let line = self.records.line();
        let too_large = QueueError::ValueTooLarge {
            position: Position { line, column: 1 },
        };
        match next {
            Next::Record => {}
            Next::TooLarge => return Err(too_large),
            Next::Unclosed => return Err(QueueError::UnclosedQuote { line }),
            Next::End => return Ok(None),
        }
        if self.records.len() != self.header_fields {
            return Err(self.wrong_length());
        }
        let cells = self.columns.map(|column| self.records.field(column));
        if is_too_large(cells) {
            return Err(too_large);
        }
        let amount = match self.writer.write(cells, strictness) {
            Ok(amount) => amount,
            Err((_, FieldProblem::Empty)) if self.is_empty_row() => {
                return Err(QueueError::EmptyRow { line });
            }
            Err((field, problem)) => {
                let problem = problem.to_string();
                return Err(QueueError::Field {
                    line,
                    field,
                    problem,
                });
            }
        };
        if amount == Written::Text {
            let [amount, ..] = cells;
            let texts = self.texts.get_or_insert_with(|| TextAmounts {
                line,
                first: quoted(&String::from_utf8_lossy(amount)),
                count: 0,
            });
            texts.count += 1;
        }
        pending.push_text(&self.writer.text);
        self.writer.shrink();
        if pending.text_bytes() > MAX_BLOCK_BYTES {
            return Err(too_large);
        }
        Ok(Some(Item::Transaction))
    }

    fn is_empty_row(&self) -> bool {
        self.records
            .fields()
            .all(|field| field.trim_ascii().is_empty())
    }

    fn wrong_length(&self) -> QueueError {
        let line = self.records.line();
        if self.is_empty_row() {
            return QueueError::EmptyRow { line };
        }
        let found = self.records.len();
        let missing = self.columns.into_iter().zip(TRANSACTION_FIELDS);
        let first_missing = missing.filter(|(column, _)| *column >= found).min();
        QueueError::RowLength {
            line,
            field: first_missing.map(|(_, field)| field),
            found,
            expected: self.header_fields,
        }
    }
}

/// Whether the canonical text of a row is too large to be written at all: six
/// times as large as the row, at the worst.
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
    /// Gives back the memory that one huge row took.
    fn shrink(&mut self) {
        self.text.clear();
        self.text.shrink_to(KEPT_BYTES);
        self.transcoder.shrink();
    }

    /// `cells` are in the order of [`TRANSACTION_FIELDS`], which is that of
    /// the canonical text. Says what became of the amount; an error names the
    /// field.
    fn write(
        &mut self,
        cells: [&[u8]; 3],
        strictness: Strictness,
    ) -> Result<Written, (&'static str, FieldProblem)> {
        self.text.clear();
        let mut amount = Written::Number;
        for (place, (cell, field)) in cells.into_iter().zip(TRANSACTION_FIELDS).enumerate() {
            self.text
                .extend_from_slice(if place == 0 { b"{\"" } else { b", \"" });
            self.text.extend_from_slice(field.as_bytes());
            self.text.extend_from_slice(b"\": ");
            let cell = std::str::from_utf8(cell).map_err(|_| (field, FieldProblem::NotUtf8))?;
            if trim(cell).is_empty() {
                return Err((field, FieldProblem::Empty));
            }
            if field == "amount" {
                amount = self
                    .write_amount(cell, strictness)
                    .map_err(|problem| (field, problem))?;
            } else {
                write_string(cell, &mut self.text);
            }
        }
        self.text.push(b'}');
        Ok(amount)
    }

    fn write_amount(
        &mut self,
        cell: &str,
        strictness: Strictness,
    ) -> Result<Written, FieldProblem> {
        let amount = trim(cell);
        if is_short_integer(amount.as_bytes()) {
            self.text.extend_from_slice(amount.as_bytes());
            return Ok(Written::Number);
        }
        let start = self.text.len();
        if amount.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
            match self.transcoder.transcode(amount.as_bytes(), &mut self.text) {
                Ok(()) => return Ok(Written::Number),
                Err(error) if error.kind == SyntaxErrorKind::NumberOutOfRange => {
                    return Err(FieldProblem::OutOfRange);
                }
                Err(_) => self.text.truncate(start),
            }
        }
        if strictness == Strictness::Typed {
            return Err(FieldProblem::NoNumber(quoted(amount)));
        }
        write_string(cell, &mut self.text);
        Ok(Written::Text)
    }
}

/// As [`str::trim`], which looks at whole characters.
fn trim(cell: &str) -> &str {
    match cell.as_bytes() {
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => cell,
        _ => cell.trim(),
    }
}

/// Whether it is an integer that is canonical as it stands: nearly all amounts
/// are.
fn is_short_integer(amount: &[u8]) -> bool {
    const MOST_DIGITS: usize = 18;
    let is_written_so = matches!(amount, [b'0'] | [b'1'..=b'9', ..]);
    is_written_so && amount.len() <= MOST_DIGITS && amount.iter().all(u8::is_ascii_digit)
}

/// What became of an amount.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Written {
    Number,
    Text,
}

/// What is wrong with a field.
#[derive(Debug, Error)]
enum FieldProblem {
    #[error("is empty")]
    Empty,
    #[error("is not UTF-8; save the file as UTF-8")]
    NotUtf8,
    #[error("is past the range of a double")]
    OutOfRange,
    #[error("is {0}, expected a number")]
    NoNumber(String),
}

/// A text as messages show it: with nothing in it that a terminal would obey,
/// and not all of it if it is long.
fn quoted(text: &str) -> String {
    const MOST: usize = 80;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{:?}...", &text[..end]),
        None => format!("{text:?}"),
    }
}
