//! Queues in CSV with a header.
//!
//! The columns may be in any order, and other columns are ignored. The header
//! shows what separates the fields. CSV has no types: sender and recipient are
//! strings, and an amount is a number if it is written like a JSON number,
//! otherwise a string. White space around an amount is dropped.
//! White space around a name belongs to it, as RFC 4180 says, but a name must not
//! be blank. Rows without any text are skipped, as blank lines are.

mod doubts;
mod header;
mod problem;
mod records;

use std::io::Read;

pub use self::doubts::{CsvDoubts, DoubtfulCells};
use self::header::{Header, read_header};
pub use self::problem::CsvProblem;
use self::records::Records;
use super::{KEPT_BYTES, MAX_BLOCK_BYTES, QueueError, QueueItem};
use crate::chain::json::{SyntaxErrorKind, Transcoder, View, write_string, written_length};
use crate::chain::read_buffer::{ReadBuffer, Source};
use crate::chain::{Strictness, TRANSACTION_FIELDS, Transactions, check_value};

/// What separates the whole and the fraction of an amount in CSV queues.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum DecimalSeparator {
    /// A point, as in JSON.
    #[default]
    Point,
    /// A comma: `1,5` is the number 1.5. An amount with a point is refused,
    /// because the point may separate thousands.
    Comma,
}

/// A CSV queue whose header was read.
pub(super) struct CsvQueue<R> {
    records: Records<R>,
    header: Header,
    writer: RowWriter,
    doubts: CsvDoubts,
}

impl<R: Read> CsvQueue<R> {
    /// Reads the header, which is in line `line` of the file, from the unread
    /// part of a source.
    pub(super) fn new(
        unread: (ReadBuffer, Source<R>),
        line: u64,
        decimal: DecimalSeparator,
    ) -> Result<Self, QueueError> {
        let mut records = Records::new(unread, line);
        let header = read_header(&mut records)?;
        let writer = RowWriter {
            decimal,
            // The program that wrote the file chose another delimiter because of
            // its decimal commas.
            refuses_commas: header.delimiter != b',',
            ..RowWriter::default()
        };
        Ok(Self {
            records,
            header,
            writer,
            doubts: CsvDoubts::default(),
        })
    }

    /// The line in which the last row starts.
    pub(super) const fn line(&self) -> u64 {
        self.records.line()
    }

    /// The doubtful cells so far. The queue is called `name`.
    pub(super) fn doubts(&self, name: &str) -> CsvDoubts {
        self.doubts.clone().in_queue(name)
    }

    /// Appends the next row to `pending`.
    pub(super) fn next(
        &mut self,
        pending: &mut Transactions,
        strictness: Strictness,
    ) -> Result<Option<QueueItem>, QueueError> {
        loop {
            if !self.records.advance()? {
                return Ok(None);
            }
            let line = self.records.line();
            let invalid = |problem| QueueError::Csv { line, problem };
            if self.records.len() != self.header.fields {
                if self.is_empty_row() {
                    continue;
                }
                return Err(invalid(self.wrong_length()));
            }
            let cells = self.header.columns.map(|column| self.records.field(column));
            if is_too_large(cells) {
                return Err(self.records.too_large());
            }
            match self.writer.write(cells, strictness) {
                Ok(doubtful) => self.doubts.note(doubtful, cells, line),
                Err(CsvProblem::Empty(_)) if self.is_empty_row() => continue,
                Err(problem) => return Err(invalid(problem)),
            }
            pending.push_text(&self.writer.text);
            self.writer.shrink();
            if pending.text_bytes() > MAX_BLOCK_BYTES {
                return Err(self.records.too_large());
            }
            return Ok(Some(QueueItem::Transaction));
        }
    }

    fn is_empty_row(&self) -> bool {
        let mut fields = self.records.fields();
        fields.all(|field| field.trim_ascii().is_empty())
    }

    fn wrong_length(&self) -> CsvProblem {
        let found = self.records.len();
        let columns = self.header.columns.into_iter().zip(TRANSACTION_FIELDS);
        let missing = columns.filter(|(column, _)| *column >= found).min();
        CsvProblem::RowLength {
            missing: missing.map(|(_, field)| field),
            found,
            expected: self.header.fields,
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
    decimal: DecimalSeparator,
    /// Whether an amount that is a number but for its decimal comma is an error.
    refuses_commas: bool,
    transcoder: Transcoder,
    text: Vec<u8>,
    /// A buffer for an amount.
    number: Vec<u8>,
}

impl RowWriter {
    /// Frees the memory of a huge row.
    fn shrink(&mut self) {
        self.text.clear();
        self.text.shrink_to(KEPT_BYTES);
        self.number.shrink_to(KEPT_BYTES);
        self.transcoder.shrink();
    }

    /// Writes the cells, which are in the order of [`TRANSACTION_FIELDS`] and
    /// of the canonical text. Returns which of them are doubtful.
    fn write(
        &mut self,
        cells: [&[u8]; 3],
        strictness: Strictness,
    ) -> Result<[bool; 3], CsvProblem> {
        self.text.clear();
        let mut doubtful = [false; 3];
        for (place, (cell, field)) in cells.into_iter().zip(TRANSACTION_FIELDS).enumerate() {
            self.text
                .extend_from_slice(if place == 0 { b"{\"" } else { b", \"" });
            self.text.extend_from_slice(field.as_bytes());
            self.text.extend_from_slice(b"\": ");
            let cell = std::str::from_utf8(cell).map_err(|_| CsvProblem::NotUtf8(field))?;
            let trimmed = trim(cell);
            if trimmed.is_empty() {
                return Err(CsvProblem::Empty(field));
            }
            let start = self.text.len();
            if field != "amount" {
                write_string(cell, &mut self.text);
                doubtful[place] = trimmed.len() != cell.len();
            } else if !self.write_number(trimmed, field)? {
                if strictness == Strictness::Strict || self.refuses_commas {
                    self.refuse_comma(trimmed, field)?;
                }
                write_string(cell, &mut self.text);
                doubtful[place] = true;
            }
            if strictness == Strictness::Strict {
                check_value(field, View::of(&self.text[start..]))?;
            }
        }
        self.text.push(b'}');
        Ok(doubtful)
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
        let number = match self.decimal {
            DecimalSeparator::Point => cell.as_bytes(),
            DecimalSeparator::Comma if cell.contains('.') => {
                let found = quoted(cell);
                return Err(CsvProblem::AmbiguousPoint { field, found });
            }
            DecimalSeparator::Comma => {
                self.number.clear();
                self.number.extend(cell.bytes().map(comma_to_point));
                &self.number
            }
        };
        let start = self.text.len();
        match self.transcoder.transcode(number, &mut self.text) {
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

    /// Fails if `cell`, which is not a number, would be one with a decimal comma.
    fn refuse_comma(&mut self, cell: &str, field: &'static str) -> Result<(), CsvProblem> {
        let start = self.text.len();
        let decimal = std::mem::replace(&mut self.decimal, DecimalSeparator::Comma);
        let is_number = self.write_number(cell, field).unwrap_or(false);
        self.decimal = decimal;
        if is_number {
            let number = String::from_utf8_lossy(&self.text[start..]).into_owned();
            let found = quoted(cell);
            return Err(CsvProblem::DecimalComma {
                field,
                found,
                number,
            });
        }
        Ok(())
    }
}

const fn comma_to_point(byte: u8) -> u8 {
    match byte {
        b',' => b'.',
        byte => byte,
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

#[cfg(test)]
mod tests;
