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

use rusqlite::types::{Value, ValueRef};

use crate::chain::TRANSACTION_FIELDS;
use crate::chain::json::{Kind, View, write_float, write_string};

/// One transaction: amount, recipient and sender.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct TransactionRow(pub(super) [Value; 3]);

fn column(value: View<'_>) -> Value {
    let text = value.text();
    let exact = match value.kind() {
        Kind::String => Some(Value::Text(decode_string(value))),
        Kind::Integer => ascii(text).parse().ok().map(Value::Integer),
        // SQLite drops the sign of a zero.
        Kind::Float if text == b"-0.0" => None,
        Kind::Float => ascii(text).parse().ok().map(Value::Real),
        _ => None,
    };
    exact.unwrap_or_else(|| Value::Blob(text.to_vec()))
}

/// Appends the canonical text of a column.
pub(super) fn write_column(value: ValueRef<'_>, out: &mut Vec<u8>) {
    match value {
        ValueRef::Text(text) => write_string(&String::from_utf8_lossy(text), out),
        ValueRef::Integer(number) => out.extend_from_slice(number.to_string().as_bytes()),
        ValueRef::Real(number) => write_float(number, out),
        ValueRef::Blob(json) => out.extend_from_slice(json),
        ValueRef::Null => out.extend_from_slice(b"null"),
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
        Some(Self([amount, recipient, sender].map(column)))
    }

    /// Appends the canonical text.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        for (place, (column, field)) in self.0.iter().zip(TRANSACTION_FIELDS).enumerate() {
            out.extend_from_slice(if place == 0 { b"{\"" } else { b", \"" });
            out.extend_from_slice(field.as_bytes());
            out.extend_from_slice(b"\": ");
            write_column(column.into(), out);
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
                    write_column(row.get_ref(0)?, &mut back);
                    back.push(b' ');
                    write_column(row.get_ref(1)?, &mut back);
                    Ok(())
                })
                .unwrap();
            assert_eq!(ascii(&back), format!("{amount} {name}"));
        }
    }
}
