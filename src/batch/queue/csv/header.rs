//! Reads the header of a CSV queue: what separates the fields, and the positions
//! of the three columns.

use std::io::Read;

use super::records::Records;
use super::{CsvProblem, QueueError, quoted};
use crate::chain::TRANSACTION_FIELDS;
use crate::chain::json::{Position, SyntaxErrorKind};

/// What may separate fields: semicolons where Excel writes decimal commas, tabs
/// in text that was copied from a table, bars from databases. The first one that
/// gives all three columns is taken.
const DELIMITERS: [u8; 4] = *b",;\t|";

/// What a header says.
pub(super) struct Header {
    pub(super) delimiter: u8,
    /// Fields in the header.
    pub(super) fields: usize,
    /// The positions of the three columns, in the order of
    /// [`TRANSACTION_FIELDS`].
    pub(super) columns: [usize; 3],
}

/// Reads the header, and a line `sep=;` before it if there is one. `records` then
/// splits at the right character.
pub(super) fn read_header<R: Read>(records: &mut Records<R>) -> Result<Header, QueueError> {
    let mut text = Vec::new();
    if !records.advance_with(|piece| text.extend_from_slice(piece))? {
        return Err(QueueError::Empty);
    }
    if let Some(delimiter) = named_delimiter(&text) {
        records.set_delimiter(delimiter);
        if !records.advance()? {
            return Err(QueueError::Empty);
        }
        return header(records, delimiter).map_err(|(error, _)| match error {
            QueueError::Csv {
                line,
                problem: CsvProblem::NotCsv { found },
            } => QueueError::Csv {
                line,
                problem: CsvProblem::WrongDelimiter {
                    delimiter: delimiter.into(),
                    found,
                },
            },
            error => error,
        });
    }
    let mut best = match header(records, DELIMITERS[0]) {
        Ok(header) => return Ok(header),
        Err(error) => error,
    };
    for delimiter in DELIMITERS.into_iter().skip(1) {
        records.put_back(&std::mem::take(&mut text));
        records.set_delimiter(delimiter);
        match records.advance_with(|piece| text.extend_from_slice(piece)) {
            Err(QueueError::Io(error)) => return Err(error.into()),
            // The header may have no end with this delimiter.
            Err(_) => continue,
            Ok(_) => {}
        }
        match header(records, delimiter) {
            Ok(header) => return Ok(header),
            Err(error) if error.1 > best.1 => best = error,
            Err(_) => {}
        }
    }
    Err(best.0)
}

/// The delimiter that the line `sep=;` names, which Excel understands.
fn named_delimiter(line: &[u8]) -> Option<u8> {
    let end = |end| line.strip_suffix(end);
    let line = end(b"\n").or_else(|| end(b"\r")).unwrap_or(line);
    let line = match line {
        [b'"', inside @ .., b'"'] => inside,
        line => line,
    };
    match line {
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', delimiter] => (delimiter.is_ascii()
            && !matches!(delimiter, b'"' | b'\r' | b'\n'))
        .then_some(*delimiter),
        _ => None,
    }
}

/// The current record as a header, or what is wrong with it and how many names in
/// it look like the three.
fn header<R: Read>(records: &Records<R>, delimiter: u8) -> Result<Header, (QueueError, usize)> {
    let line = records.line();
    let names = records.fields().map(|name| std::str::from_utf8(name).ok());
    let Some(names) = names.collect::<Option<Vec<_>>>() else {
        let error = QueueError::Syntax {
            position: Position { line, column: 1 },
            kind: SyntaxErrorKind::InvalidUtf8,
            start: None,
        };
        return Err((error, 0));
    };
    let columns = columns(&names).map_err(|problem| {
        let similar = names.iter().filter(|name| field_like(name).is_some());
        (QueueError::Csv { line, problem }, similar.count())
    })?;
    Ok(Header {
        delimiter,
        fields: names.len(),
        columns,
    })
}

/// The positions of the three columns in a header of these names, in the order
/// of [`TRANSACTION_FIELDS`].
fn columns(names: &[&str]) -> Result<[usize; 3], CsvProblem> {
    let mut columns = [0; 3];
    for (column, field) in columns.iter_mut().zip(TRANSACTION_FIELDS) {
        let mut places = (0..names.len()).filter(|place| names[*place].trim() == field);
        *column = places.next().ok_or_else(|| missing_columns(names))?;
        if places.next().is_some() {
            return Err(CsvProblem::DuplicateColumn(field));
        }
    }
    Ok(columns)
}

/// What is wrong with a header that lacks a column.
fn missing_columns(names: &[&str]) -> CsvProblem {
    // Reversed, this is the usual order: sender, recipient, amount.
    let fields = TRANSACTION_FIELDS.into_iter().rev();
    let columns: Vec<_> = fields
        .filter(|field| names.iter().all(|name| name.trim() != *field))
        .collect();
    // One of each: a header may repeat a name for megabytes.
    let mut misspelt: Vec<(String, &'static str)> = Vec::new();
    for name in names {
        if let Some(field) = field_like(name)
            && columns.contains(&field)
            && misspelt.iter().all(|(_, known)| *known != field)
        {
            misspelt.push((name.trim().to_owned(), field));
        }
    }
    if columns.len() == TRANSACTION_FIELDS.len() && misspelt.is_empty() {
        let found = quoted(&names.join(","));
        CsvProblem::NotCsv { found }
    } else {
        CsvProblem::MissingColumns { columns, misspelt }
    }
}

/// The field with this name, in any case.
fn field_like(name: &str) -> Option<&'static str> {
    let name = name.trim();
    TRANSACTION_FIELDS
        .into_iter()
        .find(|field| name.eq_ignore_ascii_case(field))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::read_buffer::{ReadBuffer, Source};

    fn read(text: &str) -> Result<(u8, [usize; 3]), String> {
        let unread = (ReadBuffer::default(), Source::new(text.as_bytes()));
        let header = read_header(&mut Records::new(unread, 1));
        header
            .map(|header| (header.delimiter, header.columns))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_error_says_what_a_header_lacks() {
        for (header, expected) in [
            (
                "Date,Sender,Recipient,Amount",
                "the header has \"Sender\", \"Recipient\" and \"Amount\", but the columns must be \
                 called \"sender\", \"recipient\" and \"amount\"",
            ),
            (
                "sender,recipient, AMOUNT ",
                "the header has \"AMOUNT\", but the column must be called \"amount\"",
            ),
            (
                "Amount,sender,Sender,AMOUNT,Amount,recipient",
                "the header has \"Amount\", but the column must be called \"amount\"",
            ),
            (
                "sender,Amount",
                "the header has \"Amount\", but the column must be called \"amount\"; it has no \
                 column \"recipient\"",
            ),
            (
                "sender,note",
                "the header has no columns \"recipient\" and \"amount\"",
            ),
            (
                "date;sender;Recipient;amount",
                "the header has \"Recipient\", but the column must be called \"recipient\"",
            ),
            (
                "Sender\trecipient",
                "the header has \"Sender\", but the column must be called \"sender\"; it has no \
                 column \"amount\"",
            ),
            (
                "sep=;\nsender,recipient,amount",
                "names ';' as the separator, but here is \"sender,recipient,amount\"",
            ),
            ("sep=ab\n", "found \"sep=ab\", but"),
            ("hello; world", "found \"hello; world\", but"),
        ] {
            let error = read(header).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn columns_are_found_by_their_names() {
        for (header, expected) in [
            ("amount,Sender, recipient,sender", (b',', [0, 2, 3])),
            // Word processors write spaces that are not ASCII.
            ("sender\u{a0},\u{3000}recipient,amount", (b',', [2, 1, 0])),
            ("a,b;sender;\"recipient\";amount", (b';', [3, 2, 1])),
            ("\tsender\trecipient\tamount", (b'\t', [3, 2, 1])),
            ("\"a\n,|\"|amount|recipient|sender", (b'|', [1, 2, 3])),
            ("sep=,\nsender,recipient,amount", (b',', [2, 1, 0])),
            ("SEP=;\r\nsender;recipient;amount", (b';', [2, 1, 0])),
            ("\"sep=:\"\r\rsender:recipient:amount", (b':', [2, 1, 0])),
        ] {
            assert_eq!(read(header), Ok(expected), "{header}");
        }
    }
}
