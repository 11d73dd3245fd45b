//! What every name received and sent, in the table `balances`.
//!
//! The sums count all transactions, those in blocks and the pending ones, and
//! change in the commit that adds or removes a transaction. Mining a block
//! therefore changes no sum but that of the reward, whatever the block holds.
//! A balance is the sums of a name without its pending transactions.

use std::collections::HashMap;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::chain::Amount;
use crate::chain::json::write_float;
use crate::node::entry::{Column, Entry};

/// The sums are exact decimal numbers of any length.
pub(super) const TABLE: &str = "
CREATE TABLE balances (
    name TEXT PRIMARY KEY,
    received TEXT NOT NULL,
    sent TEXT NOT NULL,
    transactions INTEGER NOT NULL
) WITHOUT ROWID;
";

/// Names whose changes are held in memory before they are written.
const MOST_NAMES: usize = 50_000;

/// The transactions of one name.
#[derive(Clone, PartialEq, Debug, Default)]
pub(in crate::node) struct Sums {
    pub(in crate::node) received: Amount,
    pub(in crate::node) sent: Amount,
    pub(in crate::node) transactions: i64,
}

/// Whether a transaction is added to sums or taken out of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Change {
    Add,
    Remove,
}

impl Sums {
    /// Counts one transaction. An amount that is not a number changes no sum.
    fn count(&mut self, change: Change, amount: ValueRef<'_>, receives: bool, sends: bool) {
        self.transactions += match change {
            Change::Add => 1,
            Change::Remove => -1,
        };
        let Some(mut amount) = number(amount) else {
            return;
        };
        if change == Change::Remove {
            amount = Amount::default().minus(&amount);
        }
        if receives {
            self.received.add(&amount);
        }
        if sends {
            self.sent.add(&amount);
        }
    }
}

/// Changes that are not written yet, by name.
#[derive(Debug, Default)]
pub(super) struct BalanceChanges(HashMap<String, Sums>);

impl BalanceChanges {
    pub(super) fn add(&mut self, Entry(columns): &Entry) {
        self.count(Change::Add, columns.each_ref().map(Column::value));
    }

    /// Takes out the transaction in the first columns of a row.
    pub(super) fn remove(&mut self, row: &rusqlite::Row<'_>) -> rusqlite::Result<()> {
        self.count(Change::Remove, transaction(row)?);
        Ok(())
    }

    /// Only texts are names.
    fn count(&mut self, change: Change, [amount, recipient, sender]: [ValueRef<'_>; 3]) {
        let [recipient, sender] = [recipient, sender].map(|value| value.as_str().ok());
        if let Some(name) = recipient {
            let sends = sender == recipient;
            self.sums(name).count(change, amount, true, sends);
        }
        if let Some(name) = sender
            && sender != recipient
        {
            self.sums(name).count(change, amount, false, true);
        }
    }

    fn sums(&mut self, name: &str) -> &mut Sums {
        self.0.entry(name.to_owned()).or_default()
    }

    /// Writes the changes if they take up much memory.
    pub(super) fn write_if_many(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        if self.0.len() < MOST_NAMES {
            return Ok(());
        }
        self.write(connection)
    }

    /// Writes the changes to the table, in its order.
    pub(super) fn write(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let mut changes: Vec<_> = self.0.drain().collect();
        changes.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        for (name, change) in changes {
            let mut sums = stored(connection, &name)?;
            sums.received.add(&change.received);
            sums.sent.add(&change.sent);
            sums.transactions += change.transactions;
            if sums.transactions == 0 {
                connection
                    .prepare_cached("DELETE FROM balances WHERE name = ?")?
                    .execute([name])?;
                continue;
            }
            connection
                .prepare_cached("INSERT OR REPLACE INTO balances VALUES (?, ?, ?, ?)")?
                .execute(params![
                    name,
                    sums.received.to_string(),
                    sums.sent.to_string(),
                    sums.transactions
                ])?;
        }
        Ok(())
    }
}

/// Computes the whole table from the transactions.
pub(super) fn rebuild(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM balances", [])?;
    let mut query = connection.prepare("SELECT amount, recipient, sender FROM entries")?;
    let mut rows = query.query([])?;
    let mut changes = BalanceChanges::default();
    while let Some(row) = rows.next()? {
        changes.count(Change::Add, transaction(row)?);
        changes.write_if_many(connection)?;
    }
    changes.write(connection)
}

/// What `name` received and sent in all blocks.
pub(super) fn read(connection: &Connection, name: &str) -> rusqlite::Result<Sums> {
    // Both queries see the same state of the database.
    let snapshot = connection.unchecked_transaction()?;
    let mut sums = stored(&snapshot, name)?;
    let mut query = snapshot.prepare_cached(
        "SELECT amount, recipient = ?1, sender = ?1 FROM pending
         WHERE recipient = ?1 OR sender = ?1",
    )?;
    let mut rows = query.query([name])?;
    while let Some(row) = rows.next()? {
        sums.count(Change::Remove, row.get_ref(0)?, row.get(1)?, row.get(2)?);
    }
    Ok(sums)
}

/// The sums of a name in the table; zero if it is not there.
fn stored(connection: &Connection, name: &str) -> rusqlite::Result<Sums> {
    let sum = |row: &rusqlite::Row<'_>, column| {
        Amount::parse(row.get_ref(column)?.as_str()?).ok_or(rusqlite::Error::InvalidQuery)
    };
    let found = connection
        .prepare_cached("SELECT received, sent, transactions FROM balances WHERE name = ?")?
        .query_row([name], |row| {
            Ok(Sums {
                received: sum(row, 0)?,
                sent: sum(row, 1)?,
                transactions: row.get(2)?,
            })
        })
        .optional()?;
    Ok(found.unwrap_or_default())
}

fn transaction<'a>(row: &'a rusqlite::Row<'_>) -> rusqlite::Result<[ValueRef<'a>; 3]> {
    Ok([row.get_ref(0)?, row.get_ref(1)?, row.get_ref(2)?])
}

/// The amount in a column; `None` if it is not a number.
fn number(value: ValueRef<'_>) -> Option<Amount> {
    match value {
        ValueRef::Integer(number) => Amount::parse(&number.to_string()),
        ValueRef::Real(number) => {
            let mut text = Vec::new();
            write_float(number, &mut text);
            Amount::parse(std::str::from_utf8(&text).ok()?)
        }
        ValueRef::Blob(json) => Amount::parse(std::str::from_utf8(json).ok()?),
        ValueRef::Text(_) | ValueRef::Null => None,
    }
}
