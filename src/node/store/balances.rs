//! What every name received and sent, in the table `balances`.
//!
//! The sums count all transactions, in blocks and pending; beside them are those
//! of the pending ones, and a balance is the difference. Both change in the
//! commit that changes the transactions. A block usually takes everything that
//! is pending, so the sums of the pending transactions belong to a round: a new
//! round makes them zero for every name at once, however large the block is.

use std::collections::HashMap;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::chain::Amount;
use crate::node::transaction_row::{TransactionRow, write_column};

/// The sums are exact decimal numbers of any length.
pub(super) const TABLE: &str = "
CREATE TABLE balances (
    name TEXT PRIMARY KEY,
    received TEXT NOT NULL,
    sent TEXT NOT NULL,
    transactions INTEGER NOT NULL,
    pending_received TEXT NOT NULL,
    pending_sent TEXT NOT NULL,
    pending_transactions INTEGER NOT NULL,
    round INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO meta VALUES ('round', '0');
";

/// Names whose changes are held in memory before they are written.
const MOST_NAMES: usize = 50_000;

/// Sums of the transactions of one name.
#[derive(Clone, PartialEq, Debug, Default)]
pub(in crate::node) struct Sums {
    pub(in crate::node) received: Amount,
    pub(in crate::node) sent: Amount,
    pub(in crate::node) transactions: i64,
}

impl Sums {
    /// Counts a transaction `times` times: -1 takes it out. An amount that is not
    /// a number changes no sum.
    fn count(&mut self, times: i64, amount: ValueRef<'_>, receives: bool, sends: bool) {
        if times == 0 {
            return;
        }
        self.transactions += times;
        let Some(mut amount) = number(amount) else {
            return;
        };
        if times < 0 {
            amount = Amount::default().minus(&amount);
        }
        if receives {
            self.received.add(&amount);
        }
        if sends {
            self.sent.add(&amount);
        }
    }

    fn add(&mut self, other: &Self) {
        self.received.add(&other.received);
        self.sent.add(&other.sent);
        self.transactions += other.transactions;
    }
}

/// The sums of one name.
#[derive(Debug, Default)]
struct NameSums {
    all: Sums,
    pending: Sums,
}

/// Changes that are not written yet, by name.
#[derive(Debug, Default)]
pub(super) struct BalanceChanges(HashMap<String, NameSums>);

/// Whether a balance counts pending transactions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Pending {
    Counted,
    Ignored,
}

/// What happens to a transaction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Move {
    /// A new transaction is pending.
    Pend,
    /// A new transaction is in a block.
    Include,
    /// A pending transaction goes into a block.
    Mine,
    /// A transaction in a block becomes pending again.
    Return,
    /// A transaction in a block is removed.
    Remove,
    /// A pending transaction is removed.
    Drop,
}

impl BalanceChanges {
    pub(super) fn count(&mut self, change: Move, TransactionRow(columns): &TransactionRow) {
        self.count_columns(change, columns.each_ref().map(ValueRef::from));
    }

    /// Counts the transaction in the first columns of a row.
    pub(super) fn count_row(&mut self, change: Move, row: &Row<'_>) -> rusqlite::Result<()> {
        let columns = [row.get_ref(0)?, row.get_ref(1)?, row.get_ref(2)?];
        self.count_columns(change, columns);
        Ok(())
    }

    fn count_columns(&mut self, change: Move, [amount, recipient, sender]: [ValueRef<'_>; 3]) {
        let (all, pending) = match change {
            Move::Pend => (1, 1),
            Move::Include => (1, 0),
            Move::Mine => (0, -1),
            Move::Return => (0, 1),
            Move::Remove => (-1, 0),
            Move::Drop => (-1, -1),
        };
        // Only a text is a name.
        let [recipient, sender] = [recipient, sender].map(|value| value.as_str().ok());
        let other = sender.filter(|_| sender != recipient);
        for name in [recipient, other].into_iter().flatten() {
            let account = self.0.entry(name.to_owned()).or_default();
            let (receives, sends) = (recipient == Some(name), sender == Some(name));
            account.all.count(all, amount, receives, sends);
            account.pending.count(pending, amount, receives, sends);
        }
    }

    /// What `name` received less what it sent, with the changes: in blocks and,
    /// if asked for, in pending transactions.
    pub(super) fn balance(
        &self,
        connection: &Connection,
        name: &str,
        pending: Pending,
    ) -> rusqlite::Result<Amount> {
        let mut sums = stored(connection, name)?;
        if let Some(change) = self.0.get(name) {
            sums.all.add(&change.all);
            sums.pending.add(&change.pending);
        }
        let balance = |sums: Sums| sums.received.minus(&sums.sent);
        let all = balance(sums.all);
        Ok(match pending {
            Pending::Counted => all,
            Pending::Ignored => all.minus(&balance(sums.pending)),
        })
    }

    /// Starts a new round: a block takes everything that is pending.
    pub(super) fn mine_all(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        for account in self.0.values_mut() {
            account.pending = Sums::default();
        }
        connection
            .prepare_cached("UPDATE meta SET value = value + 1 WHERE key = 'round'")?
            .execute([])?;
        Ok(())
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
            let NameSums {
                mut all,
                mut pending,
            } = stored(connection, &name)?;
            all.add(&change.all);
            pending.add(&change.pending);
            if all.transactions == 0 {
                connection
                    .prepare_cached("DELETE FROM balances WHERE name = ?")?
                    .execute([name])?;
                continue;
            }
            connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO balances VALUES (?, ?, ?, ?, ?, ?, ?,
                     (SELECT value FROM meta WHERE key = 'round'))",
                )?
                .execute(params![
                    name,
                    all.received.to_string(),
                    all.sent.to_string(),
                    all.transactions,
                    pending.received.to_string(),
                    pending.sent.to_string(),
                    pending.transactions,
                ])?;
        }
        Ok(())
    }
}

/// Computes the whole table from the transactions.
pub(super) fn rebuild(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM balances", [])?;
    let mut query = connection.prepare(
        "SELECT amount, recipient, sender, id > coalesce(
             (SELECT last_entry FROM blocks ORDER BY number DESC LIMIT 1), 0)
         FROM entries",
    )?;
    let mut rows = query.query([])?;
    let mut changes = BalanceChanges::default();
    while let Some(row) = rows.next()? {
        let is_pending: bool = row.get(3)?;
        let change = if is_pending {
            Move::Pend
        } else {
            Move::Include
        };
        changes.count_row(change, row)?;
        changes.write_if_many(connection)?;
    }
    changes.write(connection)
}

/// What `name` received and sent in all blocks.
pub(super) fn read(connection: &Connection, name: &str) -> rusqlite::Result<Sums> {
    let NameSums { all, pending } = stored(connection, name)?;
    Ok(Sums {
        received: all.received.minus(&pending.received),
        sent: all.sent.minus(&pending.sent),
        transactions: all.transactions - pending.transactions,
    })
}

/// The sums of a name in the table; zero if it is not there.
fn stored(connection: &Connection, name: &str) -> rusqlite::Result<NameSums> {
    let sum = |row: &Row<'_>, column| {
        Amount::parse(row.get_ref(column)?.as_str()?).ok_or(rusqlite::Error::InvalidQuery)
    };
    let sums = |row: &Row<'_>, column| -> rusqlite::Result<Sums> {
        Ok(Sums {
            received: sum(row, column)?,
            sent: sum(row, column + 1)?,
            transactions: row.get(column + 2)?,
        })
    };
    let found = connection
        .prepare_cached(
            "SELECT received, sent, transactions,
                 pending_received, pending_sent, pending_transactions,
                 round = (SELECT value FROM meta WHERE key = 'round')
             FROM balances WHERE name = ?",
        )?
        .query_row([name], |row| {
            let is_this_round: bool = row.get(6)?;
            Ok(NameSums {
                all: sums(row, 0)?,
                pending: if is_this_round {
                    sums(row, 3)?
                } else {
                    Sums::default()
                },
            })
        })
        .optional()?;
    Ok(found.unwrap_or_default())
}

/// The amount in a column; `None` if it is not a number.
fn number(value: ValueRef<'_>) -> Option<Amount> {
    if matches!(value, ValueRef::Text(_)) {
        return None;
    }
    let mut text = Vec::new();
    write_column(value, &mut text);
    Amount::parse(std::str::from_utf8(&text).ok()?)
}
