//! The header of a CSV queue: which column is which, and what is wrong with
//! one that does not say so.

use std::fmt;

use super::super::QueueError;
use crate::chain::TRANSACTION_FIELDS;

/// Where the three fields stand, in the order of [`TRANSACTION_FIELDS`], in
/// the header whose names these are.
pub(super) fn columns(names: &[&str], line: u64) -> Result<[usize; 3], QueueError> {
    let mut columns = [0; 3];
    for (column, field) in columns.iter_mut().zip(TRANSACTION_FIELDS) {
        let mut places = (0..names.len()).filter(|place| names[*place].trim() == field);
        *column = places.next().ok_or_else(|| QueueError::Header {
            line,
            problem: HeaderProblem::of(names),
        })?;
        if places.next().is_some() {
            return Err(QueueError::DuplicateColumn {
                line,
                column: field,
            });
        }
    }
    Ok(columns)
}

/// Why the first line of a file is not the header of a CSV queue.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum HeaderProblem {
    /// Nothing in it looks like one of the three columns.
    NotCsv,
    /// Something else separates its columns.
    Separator {
        /// What does.
        found: &'static str,
    },
    /// It lacks columns.
    MissingColumns {
        /// All that are missing.
        columns: Vec<&'static str>,
        /// Names that would be some of these in lower case, and what they
        /// should be: the first for each.
        misspelt: Vec<(String, &'static str)>,
    },
}

impl HeaderProblem {
    /// What is wrong with a header that lacks a column.
    fn of(names: &[&str]) -> Self {
        if let [name] = names {
            for (separator, found) in [(';', "semicolons"), ('\t', "tabs"), ('|', "bars")] {
                let mut parts = name.split(separator);
                let is_field = |part: &str| field_like(part).is_some();
                if name.contains(separator) && parts.any(is_field) {
                    return Self::Separator { found };
                }
            }
        }
        // In the order in which people say it.
        let fields = TRANSACTION_FIELDS.into_iter().rev();
        let columns: Vec<_> = fields
            .filter(|field| names.iter().all(|name| name.trim() != *field))
            .collect();
        // One of each: a header may repeat it for megabytes.
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
            Self::NotCsv
        } else {
            Self::MissingColumns { columns, misspelt }
        }
    }
}

/// The field that a name means, whatever its case.
fn field_like(name: &str) -> Option<&'static str> {
    let name = name.trim();
    TRANSACTION_FIELDS
        .into_iter()
        .find(|field| name.eq_ignore_ascii_case(field))
}

impl fmt::Display for HeaderProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotCsv => f.write_str(
                "this is neither JSON nor CSV with a header that names sender, recipient and amount",
            ),
            Self::Separator { found } => {
                write!(f, "the header has {found} where commas are expected")
            }
            Self::MissingColumns { columns, misspelt } => {
                let (found, meant): (Vec<_>, Vec<_>) = misspelt
                    .iter()
                    .map(|(found, meant)| (found.as_str(), *meant))
                    .unzip();
                if !found.is_empty() {
                    let s = if meant.len() == 1 { "" } else { "s" };
                    write!(
                        f,
                        "the header has {}, but the column{s} must be called {}",
                        listed(&found),
                        listed(&meant)
                    )?;
                }
                let absent: Vec<_> = columns
                    .iter()
                    .copied()
                    .filter(|column| !meant.contains(column))
                    .collect();
                if absent.is_empty() {
                    return Ok(());
                }
                let start = match found.is_empty() {
                    true => "the header has",
                    false => "; it has",
                };
                let s = if absent.len() == 1 { "" } else { "s" };
                write!(f, "{start} no column{s} {}", listed(&absent))
            }
        }
    }
}

/// `"a", "b" and "c"`.
fn listed(names: &[&str]) -> String {
    let mut text = String::new();
    for (place, name) in names.iter().enumerate() {
        text += match place {
            0 => "",
            _ if place + 1 == names.len() => " and ",
            _ => ", ",
        };
        text += &format!("\"{name}\"");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_told_what_it_lacks() {
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
            let error = columns(&names, 7).unwrap_err().to_string();
            assert_eq!(error, format!("line 7: {expected}"));
        }
        let names = ["amount", "Sender", " recipient", "sender"];
        assert_eq!(columns(&names, 1).unwrap(), [0, 2, 3]);
        // As text processors have it, with spaces that are no ASCII.
        let names = ["sender\u{a0}", "\u{3000}recipient", "amount"];
        assert_eq!(columns(&names, 1).unwrap(), [2, 1, 0]);
    }
}
