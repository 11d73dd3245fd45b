//! Reads CSV records, each with the line where it starts.
//!
//! `csv-core` does the parsing. Blank lines are skipped and lines are counted
//! here, because the line numbers of the `csv` crate are wrong after blank lines
//! and after lines that end in CR LF. That crate also has no limit on the size
//! of a record.

use std::io::{self, Read};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use super::super::{KEPT_BYTES, QueueError};
use super::CsvProblem;
use crate::chain::json::{MAX_VALUE_BYTES, Position};
use crate::chain::read_buffer::{ReadBuffer, Source};

/// Bytes read at once.
const CHUNK_BYTES: usize = 256 << 10;

/// Reads records one by one.
pub(super) struct Records<R> {
    source: Source<R>,
    buffer: ReadBuffer,
    parser: Reader,
    /// The line of the next unread byte.
    next_line: u64,
    /// Whether the byte before that is a CR.
    is_after_cr: bool,
    /// The current record's fields, one after another.
    text: Vec<u8>,
    text_length: usize,
    /// Where each field ends in `text`.
    ends: Vec<usize>,
    fields: usize,
    line: u64,
}

impl<R: Read> Records<R> {
    /// Reads what is in the buffer, then the rest of the source. The buffer
    /// starts in line `line` of the file. Commas separate the fields.
    pub(super) fn new((buffer, source): (ReadBuffer, Source<R>), line: u64) -> Self {
        Self {
            source,
            buffer,
            parser: parser(b','),
            next_line: line,
            is_after_cr: false,
            text: vec![0; 1024],
            text_length: 0,
            ends: vec![0; 16],
            fields: 0,
            line,
        }
    }

    /// The line in which the current record starts.
    pub(super) const fn line(&self) -> u64 {
        self.line
    }

    /// Fields in the current record.
    pub(super) const fn len(&self) -> usize {
        self.fields
    }

    /// The current record's fields.
    pub(super) fn fields(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.fields).map(|field| self.field(field))
    }

    /// One of the current record's fields.
    pub(super) fn field(&self, field: usize) -> &[u8] {
        let start = if field == 0 { 0 } else { self.ends[field - 1] };
        &self.text[..self.text_length][start..self.ends[field]]
    }

    /// Splits the following records at another character.
    pub(super) fn set_delimiter(&mut self, delimiter: u8) {
        self.parser = parser(delimiter);
    }

    /// Makes `text` unread again: the text of the current record.
    pub(super) fn put_back(&mut self, text: &[u8]) {
        self.buffer.put_back(text);
        self.next_line = self.line;
        self.is_after_cr = false;
    }

    /// Moves to the next record, if there is one.
    pub(super) fn advance(&mut self) -> Result<bool, QueueError> {
        self.advance_with(|_| {})
    }

    /// The same, and calls `take` with the record's text, piece by piece.
    #[inline(always)]
    pub(super) fn advance_with(&mut self, mut take: impl FnMut(&[u8])) -> Result<bool, QueueError> {
        // Frees the memory of a huge record.
        if self.text.len() > KEPT_BYTES {
            self.text.truncate(KEPT_BYTES);
            self.text.shrink_to_fit();
        }
        self.skip_blank_lines()?;
        self.line = self.next_line;
        self.text_length = 0;
        self.fields = 0;
        let mut is_begun = false;
        loop {
            self.fill_if_empty()?;
            let input = self.buffer.unread();
            // At the end of the file, a line feed ends the record, unless it is
            // inside quotes.
            let is_probe = input.is_empty() && is_begun;
            let input = if is_probe { b"\n" } else { input };
            let (result, read, written, ended) = self.parser.read_record(
                input,
                &mut self.text[self.text_length..],
                &mut self.ends[self.fields..],
            );
            self.next_line += line_ends(&input[..read], &mut self.is_after_cr);
            if !is_probe {
                take(&input[..read]);
                self.buffer.take(read);
            }
            is_begun |= read > 0;
            self.text_length += written;
            self.fields += ended;
            match result {
                // `csv-core` would end the field here, with all rows after the quote.
                ReadRecordResult::InputEmpty if is_probe => {
                    return Err(QueueError::Csv {
                        line: self.line,
                        problem: CsvProblem::UnclosedQuote,
                    });
                }
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.text.len() >= MAX_VALUE_BYTES => {
                    return Err(self.too_large());
                }
                ReadRecordResult::OutputFull => self.text.resize(self.text.len() * 2, 0),
                ReadRecordResult::OutputEndsFull if self.ends.len() >= MAX_VALUE_BYTES / 16 => {
                    return Err(self.too_large());
                }
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record => return Ok(true),
                ReadRecordResult::End => return Ok(false),
            }
        }
    }

    /// The error that the current record is too large.
    pub(super) const fn too_large(&self) -> QueueError {
        QueueError::ValueTooLarge {
            position: Position {
                line: self.line,
                column: 1,
            },
        }
    }

    /// Skips the line feed of a CR LF that ended the last record, too.
    fn skip_blank_lines(&mut self) -> io::Result<()> {
        loop {
            self.fill_if_empty()?;
            let input = self.buffer.unread();
            let blank = input
                .iter()
                .take_while(|byte| matches!(byte, b'\r' | b'\n'))
                .count();
            self.next_line += line_ends(&input[..blank], &mut self.is_after_cr);
            self.buffer.take(blank);
            if blank == 0 {
                return Ok(());
            }
        }
    }

    fn fill_if_empty(&mut self) -> io::Result<()> {
        if self.buffer.unread().is_empty() {
            self.buffer.fill(&mut self.source, CHUNK_BYTES)?;
        }
        Ok(())
    }
}

fn parser(delimiter: u8) -> Reader {
    let mut parser = ReaderBuilder::new().delimiter(delimiter).build();
    // The first call skips a byte order mark. The one at the start of the file
    // was already skipped, and any other belongs to its field.
    let _ = parser.read_record(b"\n", &mut [0], &mut [0]);
    parser
}

/// The number of lines that end in `bytes`, with LF, CR LF or CR, as records do.
/// A CR LF ends its line at the CR. `is_after_cr` is kept from call to call,
/// because a CR LF may be cut in two.
fn line_ends(bytes: &[u8], is_after_cr: &mut bool) -> u64 {
    let mut count = 0;
    for place in memchr::memchr2_iter(b'\r', b'\n', bytes) {
        let follows_cr = match place.checked_sub(1) {
            Some(before) => bytes[before] == b'\r',
            None => *is_after_cr,
        };
        count += u64::from(bytes[place] == b'\r' || !follows_cr);
    }
    if let Some(last) = bytes.last() {
        *is_after_cr = *last == b'\r';
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns few bytes per read, so that records are cut everywhere.
    struct SlowReader<'a>(&'a [u8], usize);

    impl Read for SlowReader<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(self.0.len()).min(buffer.len());
            let (now, later) = self.0.split_at(count);
            buffer[..count].copy_from_slice(now);
            self.0 = later;
            Ok(count)
        }
    }

    fn records<R: Read>(source: R, line: u64) -> Records<R> {
        Records::new((ReadBuffer::default(), Source::new(source)), line)
    }

    #[test]
    fn lines_are_counted_whatever_ends_them() {
        for end in ["\n", "\r\n", "\r"] {
            let text = ["h,i", "", "a,\"b", "", "\"\"x\"", "", "", "c,", "d,e"].join(end);
            for step in 1..=text.len() {
                let mut records = records(SlowReader(text.as_bytes(), step), 5);
                let mut found = Vec::new();
                while records.advance().unwrap() {
                    let fields: Vec<_> = records
                        .fields()
                        .map(|field| String::from_utf8(field.to_vec()).unwrap())
                        .collect();
                    found.push((records.line(), fields.join("|")));
                }
                let quoted = format!("a|b{end}{end}\"x");
                let expected = [(5, "h|i"), (7, &quoted), (12, "c|"), (13, "d|e")];
                let expected = expected.map(|(line, fields)| (line, fields.to_owned()));
                assert_eq!(found, expected, "{step} bytes a read");
            }
        }
    }

    #[test]
    fn a_quote_that_is_never_closed_is_an_error() {
        for (text, expected) in [
            ("a,b", Some(true)),
            ("a,\"b\"", Some(true)),
            ("a,\"b\"\"\"", Some(true)),
            ("a,b\"c", Some(true)),
            ("a,\"b", None),
            ("a,\"b\nc,d\n", None),
            ("a,\"b\"\"", None),
            ("a,\"", None),
            ("", Some(false)),
            ("\n\r\n", Some(false)),
        ] {
            let found = match records(text.as_bytes(), 1).advance() {
                Err(QueueError::Csv {
                    line: 1,
                    problem: CsvProblem::UnclosedQuote,
                }) => None,
                found => Some(found.unwrap()),
            };
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn an_interrupted_read_is_not_the_end() {
        struct InterruptedReader<R>(R, bool);
        impl<R: Read> Read for InterruptedReader<R> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                self.1 = !self.1;
                if self.1 {
                    return Err(io::ErrorKind::Interrupted.into());
                }
                self.0.read(buffer)
            }
        }
        let source = InterruptedReader(SlowReader(b"a,b\nc,d", 1), false);
        let mut records = records(source, 1);
        assert!(records.advance().unwrap());
        assert!(records.advance().unwrap());
        assert_eq!(records.field(1), b"d");
        assert!(!records.advance().unwrap());
    }

    #[test]
    fn a_record_past_the_limit_is_refused() {
        let endless = b"a,\"".chain(io::repeat(b'x'));
        for mut records in [
            records(Box::new(endless) as Box<dyn Read>, 1),
            records(Box::new(io::repeat(b',')), 1),
        ] {
            let error = records.advance().unwrap_err();
            assert!(matches!(error, QueueError::ValueTooLarge { .. }), "{error}");
        }
    }
}
