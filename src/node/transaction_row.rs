//! A transaction as a row of the database.
//!
//! People can query the columns with `sqlite3`, and the exact canonical text
//! can be restored from them:
//!
//! | JSON | column |
//! |---|---|
//! | string | `TEXT` |
//! | integer that fits 64 bits | `INTEGER` |
//! | double except -0.0 | `REAL` |
//! | anything else | `BLOB`, its canonical text |

use rusqlite::ToSql;
use rusqlite::types::{ToSqlOutput, ValueRef};

use crate::chain::TRANSACTION_FIELDS;
use crate::chain::json::{Kind, View, write_float, write_string};

/// One value of a transaction.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Column {
    Text(String),
    Integer(i64),
    Real(f64),
    Json(Vec<u8>),
}

/// One transaction: amount, recipient and sender.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct TransactionRow(pub(super) [Column; 3]);

impl Column {
    fn of(value: View<'_>) -> Self {
        let text = value.text();
        match value.kind() {
            Kind::String => Self::Text(decode_string(value)),
            Kind::Integer => match ascii(text).parse() {
                Ok(number) => Self::Integer(number),
                Err(_) => Self::Json(text.to_vec()),
            },
            Kind::Float => match ascii(text).parse::<f64>() {
                // SQLite drops the sign of a zero.
                Ok(number) if number != 0.0 || number.is_sign_positive() => Self::Real(number),
                _ => Self::Json(text.to_vec()),
            },
            _ => Self::Json(text.to_vec()),
        }
    }

    pub(super) fn value(&self) -> ValueRef<'_> {
        match self {
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Real(number) => ValueRef::Real(*number),
            Self::Json(json) => ValueRef::Blob(json),
        }
    }

    /// Appends the canonical text of a value that SQLite holds.
    pub(super) fn write(value: ValueRef<'_>, out: &mut Vec<u8>) {
        match value {
            ValueRef::Text(text) => write_string(&String::from_utf8_lossy(text), out),
            ValueRef::Integer(number) => out.extend_from_slice(number.to_string().as_bytes()),
            ValueRef::Real(number) => write_float(number, out),
            ValueRef::Blob(json) => out.extend_from_slice(json),
            ValueRef::Null => out.extend_from_slice(b"null"),
        }
    }
}

impl ToSql for Column {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(self.value()))
    }
}

impl TransactionRow {
    /// The row of a transaction in canonical text, without keys other than the
    /// three. `None` if one of the three is missing.
    pub(super) fn of(transaction: View<'_>) -> Option<Self> {
        let mut found = [None; 3];
        for (key, value) in transaction.members() {
            for (slot, field) in found.iter_mut().zip(TRANSACTION_FIELDS) {
                if key == field.as_bytes() {
                    *slot = Some(value);
                }
            }
        }
        let [Some(amount), Some(recipient), Some(sender)] = found else {
            return None;
        };
        Some(Self([amount, recipient, sender].map(Column::of)))
    }

    /// Appends the canonical text.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        for (place, (column, field)) in self.0.iter().zip(TRANSACTION_FIELDS).enumerate() {
            out.extend_from_slice(if place == 0 { b"{\"" } else { b", \"" });
            out.extend_from_slice(field.as_bytes());
            out.extend_from_slice(b"\": ");
            Column::write(column.value(), out);
        }
        out.push(b'}');
    }
}

/// The text of a canonical string.
pub(super) fn decode_string(value: View<'_>) -> String {
    let inner = value.string().unwrap_or_default();
    if inner.contains(&b'\\') {
        serde_json::from_slice(value.text())
            .expect("canonical text is JSON without lone surrogates")
    } else {
        ascii(inner).to_owned()
    }
}

pub(super) fn ascii(text: &[u8]) -> &str {
    std::str::from_utf8(text).expect("canonical text is ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::json::canonical;

    #[test]
    fn sqlite_returns_a_transaction_unchanged() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        connection
            .execute("CREATE TABLE t (amount, recipient, sender)", [])
            .unwrap();
        for (amount, name) in [
            ("5", r#""bob""#),
            ("-0.0", r#""\u0000 after \ud83d\ude00 \" \\""#),
            ("0.0", r#""""#),
            ("5.0", "null"),
            ("9223372036854775807", "[1, {\"a\": 1e-07}]"),
            ("9223372036854775808", "{}"),
            ("123456789012345678901234567890", "true"),
            ("1e+22", "\"1\""),
            ("5e-324", "1"),
            ("0.1", "1.5"),
            ("\"5\"", "\"5\""),
        ] {
            let text = format!(r#"{{"amount": {amount}, "recipient": {name}, "sender": {name}}}"#);
            assert_eq!(canonical(text.as_bytes()).unwrap(), text);
            let row = TransactionRow::of(View::of(text.as_bytes())).unwrap();
            let mut written = Vec::new();
            row.write(&mut written);
            assert_eq!(ascii(&written), text);
            let TransactionRow(columns) = row;
            connection.execute("DELETE FROM t", []).unwrap();
            connection
                .execute("INSERT INTO t VALUES (?, ?, ?)", columns.each_ref())
                .unwrap();
            let mut back = Vec::new();
            connection
                .query_row("SELECT amount, recipient FROM t", [], |row| {
                    Column::write(row.get_ref(0)?, &mut back);
                    back.push(b' ');
                    Column::write(row.get_ref(1)?, &mut back);
                    Ok(())
                })
                .unwrap();
            assert_eq!(ascii(&back), format!("{amount} {name}"));
        }
    }
}
