//! Integrity check: whether the columns of a block and its transactions agree
//! with its text.
//!
//! The text is what counts, and verification reads nothing else. The columns
//! are derived from it so that they can be queried.

use rusqlite::{Connection, Row, params};

use super::rows::{proof_column, timestamp_column, write_entry};
use super::schema;
use crate::chain::json::View;
use crate::node::tip::{TipBlock, member};
use crate::node::transaction_row::TransactionRow;

/// The first block from `first` to `last` whose columns do not agree with its
/// text, or `last + 1`; `None` if the chain was replaced since `generation`.
pub(in crate::node) fn first_damaged(
    connection: &Connection,
    generation: u64,
    first: u64,
    last: u64,
) -> rusqlite::Result<Option<u64>> {
    // All queries see the same state of the database.
    let snapshot = connection.unchecked_transaction()?;
    if schema::generation(&snapshot)? != generation {
        return Ok(None);
    }
    for number in first..=last {
        if !is_intact(&snapshot, number)? {
            return Ok(Some(number));
        }
    }
    Ok(Some(last + 1))
}

/// Whether the columns and transactions of a block agree with its text.
fn is_intact(connection: &Connection, number: u64) -> rusqlite::Result<bool> {
    let mut blocks = connection.prepare_cached(
        "SELECT text, hash, previous_hash, proof, timestamp, first_entry, last_entry,
             (SELECT last_entry FROM blocks WHERE number = ?1 - 1)
         FROM blocks WHERE number = ?1",
    )?;
    let mut rows = blocks.query([number as i64])?;
    let Some(row) = rows.next()? else {
        return Ok(false);
    };
    let Some(block) = TipBlock::of_text(row.get_ref(0)?.as_bytes()?.to_vec()) else {
        return Ok(false);
    };
    let entries: [i64; 2] = [row.get(5)?, row.get(6)?];
    let before: Option<i64> = row.get(7)?;
    Ok(block.index == number
        && entries[0] == before.unwrap_or(0) + 1
        && columns_agree(row, &block)?
        && entries_agree(connection, entries, View::of(&block.text))?)
}

/// Whether the columns from the hash to the timestamp are those of `block`.
fn columns_agree(row: &Row<'_>, block: &TipBlock) -> rusqlite::Result<bool> {
    Ok(
        row.get_ref(1)?.as_bytes()? == block.hash.to_string().as_bytes()
            && row.get_ref(2)?.as_bytes()? == block.previous_hash.as_bytes()
            && row.get_ref(3)? == (&proof_column(block)).into()
            && row.get::<_, f64>(4)? == timestamp_column(View::of(&block.text)),
    )
}

/// Whether the entries from `first` to `last` are the block's transactions.
fn entries_agree(
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
        write_entry(row, &mut stored)?;
        entry.write(&mut stated);
        if stored != stated {
            return Ok(false);
        }
    }
    Ok(rows.next()?.is_none())
}
