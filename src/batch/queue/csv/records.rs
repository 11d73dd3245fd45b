//! CSV records, each with the line it starts in.
//!
//! The parsing is `csv-core`'s. Around it, blank lines are skipped here and
//! lines are counted here: the `csv` crate above it counts a record from the
//! blank lines before it, and a line that ends in CR LF one too late, so its
//! line numbers cannot be shown to a person. It also has no limit on the size
//! of a record.

use std::io::{self, Read};

use csv_core::{ReadRecordResult, Reader};

use super::super::KEPT_BYTES;
use crate::chain::json::MAX_VALUE_BYTES;
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

/// What came of reading a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Next {
    /// It can be looked at.
    Record,
    /// It takes more than [`MAX_VALUE_BYTES`].
    TooLarge,
    /// The file ends inside a quoted field. `csv-core` would take that for
    /// the end of the field, and all rows behind the quote for its text.
    Unclosed,
    /// There are no more.
    End,
}

impl<R: Read> Records<R> {
    /// Reads what is in the buffer, then the rest of the source; this starts
    /// in line `line` of its file.
    pub(super) fn new((buffer, source): (ReadBuffer, Source<R>), line: u64) -> Self {
        let mut parser = Reader::new();
        // In its first call it would leave a byte order mark out, if it saw all
        // three bytes of it at once. At the start of a file there is none left.
        let _ = parser.read_record(b"\n", &mut [0], &mut [0]);
        Self {
            source,
            buffer,
            parser,
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

    /// One of them; there must be so many.
    pub(super) fn field(&self, field: usize) -> &[u8] {
        let start = if field == 0 { 0 } else { self.ends[field - 1] };
        &self.text[..self.text_length][start..self.ends[field]]
    }

    /// Moves to the next record.
    pub(super) fn advance(&mut self) -> io::Result<Next> {
        // One huge record must not keep its memory.
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
            // At the end of the file, a line feed ends the record, unless it
            // belongs to a quoted field.
            let is_probe = input.is_empty() && is_begun;
            let input = if is_probe { b"\n" } else { input };
            let (result, read, written, ended) = self.parser.read_record(
                input,
                &mut self.text[self.text_length..],
                &mut self.ends[self.fields..],
            );
            self.next_line += line_ends(&input[..read], &mut self.is_after_cr);
            self.buffer.take(if is_probe { 0 } else { read });
            is_begun |= read > 0;
            self.text_length += written;
            self.fields += ended;
            match result {
                ReadRecordResult::InputEmpty if is_probe => return Ok(Next::Unclosed),
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.text.len() >= MAX_VALUE_BYTES => {
                    return Ok(Next::TooLarge);
                }
                ReadRecordResult::OutputFull => self.text.resize(self.text.len() * 2, 0),
                ReadRecordResult::OutputEndsFull if self.ends.len() >= MAX_VALUE_BYTES / 16 => {
                    return Ok(Next::TooLarge);
                }
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record => return Ok(Next::Record),
                ReadRecordResult::End => return Ok(Next::End),
            }
        }
    }

    /// Also takes the line feed of a CR LF that ended the record before.
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

/// Lines that end in `bytes`, with LF, CR LF or CR alone, as records do. A CR
/// LF ends its line with the CR, and may be cut behind it: `is_after_cr` says
/// so from one call to the next.
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

    /// Gives few bytes a read, so that records are cut everywhere.
    struct Drip<'a>(&'a [u8], usize);

    impl Read for Drip<'_> {
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
    fn every_record_knows_its_line_whatever_ends_the_lines() {
        for end in ["\n", "\r\n", "\r"] {
            let text = ["h,i", "", "a,\"b", "", "\"\"x\"", "", "", "c,", "d,e"].join(end);
            for step in 1..=text.len() {
                let mut records = records(Drip(text.as_bytes(), step), 5);
                let mut found = Vec::new();
                while records.advance().unwrap() == Next::Record {
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
    fn a_file_that_ends_inside_a_quote_is_told_from_one_that_ends_without_a_line_feed() {
        for (text, expected) in [
            ("a,b", Next::Record),
            ("a,\"b\"", Next::Record),
            ("a,\"b\"\"\"", Next::Record),
            ("a,b\"c", Next::Record),
            ("a,\"b", Next::Unclosed),
            ("a,\"b\nc,d\n", Next::Unclosed),
            ("a,\"b\"\"", Next::Unclosed),
            ("a,\"", Next::Unclosed),
            ("", Next::End),
            ("\n\r\n", Next::End),
        ] {
            assert_eq!(
                records(text.as_bytes(), 1).advance().unwrap(),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn a_read_that_a_signal_interrupts_is_not_the_end() {
        struct Interrupted<R>(R, bool);
        impl<R: Read> Read for Interrupted<R> {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                self.1 = !self.1;
                if self.1 {
                    return Err(io::ErrorKind::Interrupted.into());
                }
                self.0.read(buffer)
            }
        }
        let source = Interrupted(Drip(b"a,b\nc,d", 1), false);
        let mut records = records(source, 1);
        assert_eq!(records.advance().unwrap(), Next::Record);
        assert_eq!(records.advance().unwrap(), Next::Record);
        assert_eq!(records.field(1), b"d");
        assert_eq!(records.advance().unwrap(), Next::End);
    }

    #[test]
    fn a_record_past_the_limit_is_refused() {
        let endless = b"a,\"".chain(io::repeat(b'x'));
        assert_eq!(records(endless, 1).advance().unwrap(), Next::TooLarge);
        assert_eq!(
            records(io::repeat(b','), 1).advance().unwrap(),
            Next::TooLarge
        );
    }
}
