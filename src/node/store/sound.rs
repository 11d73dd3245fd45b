//! Whether the tables say of the blocks what their texts say.
//!
//! The text of a block is what counts, and what a verification looks at. All
//! else is made from it, so that it can be queried: the hash, the transactions.

use rusqlite::{Connection, Row, params};

use super::schema;
use super::staged::member;
use super::write::{proof_column, write_entry};
use crate::chain::json::View;
use crate::node::tip::Tip;
use crate::node::transaction_row::TransactionRow;

/// The first of the blocks from `first` to `last` that is not [sound](is_sound),
/// or the one after `last`; `None` if the chain was replaced since `generation`.
pub(in crate::node) fn first_unsound(
    connection: &Connection,
    generation: u64,
    first: u64,
    last: u64,
) -> rusqlite::Result<Option<u64>> {
    // All reads see the same state of the database.
    let transaction = connection.unchecked_transaction()?;
    if schema::generation(&transaction)? != generation {
        return Ok(None);
    }
    for number in first..=last {
        if !is_sound(&transaction, number)? {
            return Ok(Some(number));
        }
    }
    Ok(Some(last + 1))
}

/// Whether the tables say of a block what its text, a block's, says.
pub(super) fn is_sound(connection: &Connection, number: u64) -> rusqlite::Result<bool> {
    let mut blocks = connection.prepare_cached(
        "SELECT text, hash, previous_hash, proof, timestamp, first_entry, last_entry,
             (SELECT last_entry FROM blocks WHERE number = ?1 - 1)
         FROM blocks WHERE number = ?1",
    )?;
    let mut rows = blocks.query([number as i64])?;
    let Some(row) = rows.next()? else {
        return Ok(false);
    };
    let Some(tip) = Tip::of_text(row.get_ref(0)?.as_bytes()?.to_vec()) else {
        return Ok(false);
    };
    let entries: [i64; 2] = [row.get(5)?, row.get(6)?];
    let before: Option<i64> = row.get(7)?;
    Ok(tip.index == number
        && entries[0] == before.unwrap_or(0) + 1
        && has_columns_of(row, &tip)?
        && are_entries_of(connection, entries, View::of(&tip.text))?)
}

/// Whether the columns from the hash to the timestamp are those of `tip`.
fn has_columns_of(row: &Row<'_>, tip: &Tip) -> rusqlite::Result<bool> {
    Ok(
        row.get_ref(1)?.as_bytes()? == tip.hash.to_string().as_bytes()
            && row.get_ref(2)?.as_bytes()? == tip.previous_hash.as_bytes()
            && row.get_ref(3)? == (&proof_column(tip)).into()
            && row.get::<_, f64>(4)? == timestamp_of(View::of(&tip.text)),
    )
}

/// Whether the entries from the first to the last are the block's transactions.
fn are_entries_of(
    connection: &Connection,
    [first, last]: [i64; 2],
    block: View<'_>,
) -> rusqlite::Result<bool> {
    let mut entries = connection.prepare_cached(
        "SELECT amount, recipient, sender FROM entries WHERE id BETWEEN ? AND ? ORDER BY id",
    )?;
    let mut rows = entries.query(params![first, last])?;
    let (mut stored, mut stated) = (Vec::new(), Vec::new());
    let transactions = member(block, "transactions").map(View::elements);
    for transaction in transactions.into_iter().flatten() {
        let (Some(row), Some(entry)) = (rows.next()?, TransactionRow::of(transaction)) else {
            return Ok(false);
        };
        stored.clear();
        stated.clear();
        write_entry(row, 0, &mut stored)?;
        entry.write(&mut stated);
        if stored != stated {
            return Ok(false);
        }
    }
    Ok(rows.next()?.is_none())
}

/// What is stored of a block as its time.
pub(super) fn timestamp_of(block: View<'_>) -> f64 {
    member(block, "timestamp")
        .and_then(|value| std::str::from_utf8(value.text()).ok()?.parse().ok())
        .unwrap_or_default()
}
