//! Finds the three columns in the header of a CSV queue.

use super::CsvProblem;
use crate::chain::TRANSACTION_FIELDS;

/// The positions of the three columns in a header of these names, in the order
/// of [`TRANSACTION_FIELDS`].
pub(super) fn columns(names: &[&str]) -> Result<[usize; 3], CsvProblem> {
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
    if let [name] = names {
        for (separator, found) in [(';', "semicolons"), ('\t', "tabs"), ('|', "bars")] {
            let mut parts = name.split(separator);
            if name.contains(separator) && parts.any(|part| field_like(part).is_some()) {
                return CsvProblem::Separator { found };
            }
        }
    }
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
        CsvProblem::NotCsv
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
                "the header has semicolons where commas are expected",
            ),
            (
                "Sender\trecipient",
                "the header has tabs where commas are expected",
            ),
            (
                "hello; world",
                "this is neither JSON nor CSV with a header that names sender, recipient and amount",
            ),
        ] {
            let names: Vec<_> = header.split(',').collect();
            let error = columns(&names).unwrap_err().to_string();
            assert_eq!(error, expected);
        }
        let names = ["amount", "Sender", " recipient", "sender"];
        assert_eq!(columns(&names).unwrap(), [0, 2, 3]);
        // Word processors write spaces that are not ASCII.
        let names = ["sender\u{a0}", "\u{3000}recipient", "amount"];
        assert_eq!(columns(&names).unwrap(), [2, 1, 0]);
    }
}
