//! What is wrong with a CSV queue.

use thiserror::Error;

use crate::chain::TransactionProblem;

/// What is wrong with the header or a row of a CSV queue.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum CsvProblem {
    /// The first line names none of the three columns.
    #[error(
        "found {found}, but a queue is JSON ({{...}} on each line, or [...]) or CSV with a header \
         that names sender, recipient and amount"
    )]
    NotCsv {
        /// The line, quoted, and shortened if it is long.
        found: String,
    },
    /// A line names the delimiter, but the next line has none of the columns if
    /// it is split there.
    #[error("the line before names {delimiter:?} as the separator, but here is {found}")]
    WrongDelimiter {
        /// The named delimiter.
        delimiter: char,
        /// The next line, quoted, and shortened if it is long.
        found: String,
    },
    /// The header lacks columns.
    #[error("{}", missing_columns(columns, misspelt))]
    MissingColumns {
        /// All missing columns.
        columns: Vec<&'static str>,
        /// Names in the header that differ from a missing column only in case,
        /// and that column. The first for each.
        misspelt: Vec<(String, &'static str)>,
    },
    /// The header names a column twice.
    #[error("the header has two columns \"{0}\"")]
    DuplicateColumn(&'static str),
    /// A row has more or fewer fields than the header.
    #[error(
        "{}this row has {}, but the header has {expected}",
        missing_field(*missing),
        fields(*found)
    )]
    RowLength {
        /// The first of the three columns that the row does not reach.
        missing: Option<&'static str>,
        /// Fields in the row.
        found: usize,
        /// Fields in the header.
        expected: usize,
    },
    /// The file ends inside a quoted field.
    #[error("a quote is opened in this row and never closed")]
    UnclosedQuote,
    /// A field is empty.
    #[error("the field \"{0}\" is empty")]
    Empty(&'static str),
    /// A field is not UTF-8.
    #[error("the field \"{0}\" is not UTF-8; save the file as UTF-8")]
    NotUtf8(&'static str),
    /// A number is past the range of a double.
    #[error("the field \"{0}\" is past the range of a double")]
    OutOfRange(&'static str),
    /// An amount would be a number with a [decimal comma].
    ///
    /// [decimal comma]: crate::batch::DecimalSeparator::Comma
    #[error("the field \"{field}\" is {found}, which is a number only with a decimal comma")]
    DecimalComma {
        /// The column.
        field: &'static str,
        /// The field, quoted.
        found: String,
        /// The number that it is with a decimal comma, as JSON.
        number: String,
    },
    /// A point stands in a number, but numbers have a decimal comma.
    #[error(
        "the field \"{field}\" is {found}, but with a decimal comma a point may separate \
         thousands; write it without a point"
    )]
    AmbiguousPoint {
        /// The column.
        field: &'static str,
        /// The field, quoted, and shortened if it is long.
        found: String,
    },
    /// A value is not what [`Strictness::Strict`](crate::chain::Strictness)
    /// requires.
    #[error(transparent)]
    Value(#[from] TransactionProblem),
}

/// `the field "amount" is missing: `, if there is a missing field.
fn missing_field(missing: Option<&str>) -> String {
    let missing = missing.map(|field| format!("the field \"{field}\" is missing: "));
    missing.unwrap_or_default()
}

fn fields(count: usize) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} field{s}")
}

fn missing_columns(columns: &[&str], misspelt: &[(String, &str)]) -> String {
    let (found, meant): (Vec<_>, Vec<_>) = misspelt
        .iter()
        .map(|(found, meant)| (found.as_str(), *meant))
        .unzip();
    let absent = columns.iter().filter(|column| !meant.contains(column));
    let absent: Vec<_> = absent.copied().collect();
    let plural = |names: &[&str]| if names.len() == 1 { "" } else { "s" };
    let mut parts = Vec::new();
    if !found.is_empty() {
        parts.push(format!(
            "the header has {}, but the column{} must be called {}",
            listed(&found),
            plural(&meant),
            listed(&meant)
        ));
    }
    if !absent.is_empty() {
        let subject = if found.is_empty() { "the header" } else { "it" };
        let (s, absent) = (plural(&absent), listed(&absent));
        parts.push(format!("{subject} has no column{s} {absent}"));
    }
    parts.join("; ")
}

/// `"a", "b" and "c"`.
fn listed(names: &[&str]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("\"{name}\"")).collect();
    match &quoted[..] {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        _ => quoted.join(""),
    }
}
