//! Blocks and transactions as rows: how they are written, and what their
//! columns hold.

use rusqlite::types::{ToSqlOutput, Type, Value, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::chain::json::{View, canonical};
use crate::node::tip::{TipBlock, member};
use crate::node::transaction_row::{TransactionRow, write_column};
use crate::sha256::Digest;

pub(super) fn insert_entry(
    connection: &Connection,
    id: i64,
    entry: &TransactionRow,
) -> rusqlite::Result<()> {
    let TransactionRow([amount, recipient, sender]) = entry;
    connection
        .prepare_cached("INSERT INTO entries VALUES (?, ?, ?, ?)")?
        .execute(params![id, amount, recipient, sender])?;
    Ok(())
}

/// Appends the canonical text of the transaction in the first columns of a row.
/// Fails if a column does not hold what was written.
pub(super) fn write_entry(row: &rusqlite::Row<'_>, out: &mut Vec<u8>) -> rusqlite::Result<()> {
    for (column, field) in crate::chain::TRANSACTION_FIELDS.iter().enumerate() {
        out.extend_from_slice(if column == 0 { b"{\"" } else { b", \"" });
        out.extend_from_slice(field.as_bytes());
        out.extend_from_slice(b"\": ");
        let value = row.get_ref(column)?;
        if let ValueRef::Blob(json) = value
            && !is_canonical(json)
        {
            return Err(rusqlite::Error::FromSqlConversionFailure(
                column,
                Type::Blob,
                format!("the {field} of a transaction is not canonical JSON").into(),
            ));
        }
        write_column(value, out);
    }
    out.push(b'}');
    Ok(())
}

pub(super) fn is_canonical(json: &[u8]) -> bool {
    canonical(json).is_ok_and(|text| text.as_bytes() == json)
}

/// Inserts a block that holds the entries from `first_entry` to `last_entry`.
pub(super) fn insert_block(
    connection: &Connection,
    block: &TipBlock,
    first_entry: i64,
    last_entry: i64,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT INTO blocks VALUES (?, ?, ?, ?, ?, ?, ?, ?)")?
        .execute(params![
            block.index as i64,
            block.hash.to_string(),
            block.previous_hash,
            proof_column(block),
            timestamp_column(View::of(&block.text)),
            first_entry,
            last_entry,
            ToSqlOutput::Borrowed(ValueRef::Text(&block.text)),
        ])?;
    Ok(())
}

pub(super) fn proof_column(block: &TipBlock) -> Value {
    match block.proof.parse() {
        Ok(proof) => Value::Integer(proof),
        Err(_) => Value::Text(block.proof.clone()),
    }
}

pub(super) fn timestamp_column(block: View<'_>) -> f64 {
    member(block, "timestamp")
        .and_then(|value| std::str::from_utf8(value.text()).ok()?.parse().ok())
        .unwrap_or_default()
}

/// Whether the text of a stored block has this hash. The text is hashed: the
/// stored hash does not change when the text is damaged.
pub(super) fn has_text(
    connection: &Connection,
    number: u64,
    hash: Digest,
) -> rusqlite::Result<bool> {
    let stored = connection
        .prepare_cached("SELECT text FROM blocks WHERE number = ?")?
        .query_row([number as i64], |row| {
            Ok(Digest::of(row.get_ref(0)?.as_bytes()?))
        })
        .optional()?;
    Ok(stored == Some(hash))
}

/// The id of a block's last transaction, or 0 if the block does not exist.
pub(super) fn last_entry(connection: &Connection, block: u64) -> rusqlite::Result<i64> {
    let found = connection
        .prepare_cached("SELECT last_entry FROM blocks WHERE number = ?")?
        .query_row([block as i64], |row| row.get(0))
        .optional()?;
    Ok(found.unwrap_or(0))
}
