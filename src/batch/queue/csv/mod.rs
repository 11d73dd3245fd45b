//! Queues in CSV with a header.
//!
//! The columns may stand in any order, and others beside them are passed
//! over. CSV has no types: sender and recipient are strings, and an amount is
//! a number if it is written as JSON writes one, else a string.

mod records;

use std::io::Read;

use self::records::{Next, Records};
use super::{Item, KEPT_BYTES, MAX_BLOCK_BYTES, QueueError};
use crate::chain::json::{
    Position, SyntaxErrorKind, Transcoder, View, write_string, written_length,
};
use crate::chain::{Strictness, TRANSACTION_FIELDS, Transactions};

/// A CSV queue whose header was read.
pub(super) struct CsvQueue<R> {
    records: Records<R>,
    header_fields: usize,
    /// Where the three fields stand, in the order of [`TRANSACTION_FIELDS`].
    columns: [usize; 3],
    writer: RowWriter,
}

impl<R: Read> CsvQueue<R> {
    /// Reads the header, which stands in line `line` of the file.
    pub(super) fn new(source: R, line: u64) -> Result<Self, QueueError> {
        let mut records = Records::new(source, line);
        let position = Position { line, column: 1 };
        match records.advance()? {
            Next::Record => {}
            Next::TooLarge => return Err(QueueError::TooLarge { position }),
            Next::Unclosed => return Err(QueueError::UnclosedQuote { line }),
            Next::End => return Err(QueueError::Empty),
        }
        if records
            .fields()
            .any(|name| std::str::from_utf8(name).is_err())
        {
            return Err(QueueError::Syntax {
                position,
                kind: SyntaxErrorKind::InvalidUtf8,
            });
        }
        let mut columns = [0; 3];
        for (column, field) in columns.iter_mut().zip(TRANSACTION_FIELDS) {
            let mut places = records
                .fields()
                .enumerate()
                .filter(|(_, name)| name.trim_ascii() == field.as_bytes())
                .map(|(place, _)| place);
            *column = places.next().ok_or(QueueError::MissingColumn {
                line,
                column: field,
            })?;
            if places.next().is_some() {
                return Err(QueueError::DuplicateColumn {
                    line,
                    column: field,
                });
            }
        }
        Ok(Self {
            header_fields: records.len(),
            records,
            columns,
            writer: RowWriter::default(),
        })
    }

    /// The line in which the last row starts.
    pub(super) const fn line(&self) -> u64 {
        self.records.line()
    }

    /// Appends the next row to `pending`.
    pub(super) fn next(
        &mut self,
        pending: &mut Transactions,
        strictness: Strictness,
    ) -> Result<Option<Item>, QueueError> {
        let next = self.records.advance()?;
        let line = self.records.line();
        let too_large = QueueError::TooLarge {
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
        let text = self
            .writer
            .write(cells, strictness)
            .map_err(|(field, problem)| QueueError::Field {
                line,
                field,
                problem,
            })?;
        pending
            .push_view(View::of(text), strictness)
            .expect("the row was written with all fields and their types");
        self.writer.shrink();
        if pending.text_bytes() > MAX_BLOCK_BYTES {
            return Err(too_large);
        }
        Ok(Some(Item::Transaction))
    }

    fn wrong_length(&self) -> QueueError {
        let found = self.records.len();
        let missing = self.columns.into_iter().zip(TRANSACTION_FIELDS);
        let first_missing = missing.filter(|(column, _)| *column >= found).min();
        QueueError::RowLength {
            line: self.records.line(),
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
    /// the canonical text. An error names the field and what is wrong.
    fn write(
        &mut self,
        cells: [&[u8]; 3],
        strictness: Strictness,
    ) -> Result<&[u8], (&'static str, String)> {
        self.text.clear();
        for (place, (cell, field)) in cells.into_iter().zip(TRANSACTION_FIELDS).enumerate() {
            self.text
                .extend_from_slice(if place == 0 { b"{\"" } else { b", \"" });
            self.text.extend_from_slice(field.as_bytes());
            self.text.extend_from_slice(b"\": ");
            let cell = std::str::from_utf8(cell).map_err(|_| (field, "is not UTF-8".to_owned()))?;
            if field == "amount" {
                self.write_amount(cell, strictness)
                    .map_err(|problem| (field, problem))?;
            } else {
                write_string(cell, &mut self.text);
            }
        }
        self.text.push(b'}');
        Ok(&self.text)
    }

    fn write_amount(&mut self, cell: &str, strictness: Strictness) -> Result<(), String> {
        let amount = cell.trim();
        if amount.is_empty() {
            return Err("is empty".to_owned());
        }
        let start = self.text.len();
        if amount.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
            match self.transcoder.transcode(amount.as_bytes(), &mut self.text) {
                Ok(()) => return Ok(()),
                Err(error) if error.kind == SyntaxErrorKind::NumberOutOfRange => {
                    return Err("is past the range of a double".to_owned());
                }
                Err(_) => self.text.truncate(start),
            }
        }
        if strictness == Strictness::Typed {
            return Err(format!("is {amount:?}, expected a number"));
        }
        write_string(cell, &mut self.text);
        Ok(())
    }
}
