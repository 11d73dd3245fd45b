//! Pending transactions that are refused, mostly because their sender does not
//! have the amount.
//!
//! Our blocks take the pending transactions in the order in which they came. So
//! a sender has what all earlier transactions leave, including pending ones. Then
//! every transaction is covered at its place in the chain.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::balances::{Move, Pending};
use super::database::{Database, NewTransaction};
use super::replace::Moved;
use super::rows::write_entry;
use crate::chain::json::View;
use crate::chain::{Amount, Strictness, TransactionProblem, TransactionView};
use crate::node::config::Overdraft;
use crate::node::transaction_row::decode_string;

impl Database {
    /// Checks that the sender of a new transaction has the amount, if overdrafts
    /// are refused.
    pub(in crate::node) fn check_balance(
        &self,
        new: &NewTransaction,
    ) -> rusqlite::Result<Result<(), TransactionProblem>> {
        if self.overdraft == Overdraft::Allowed {
            return Ok(Ok(()));
        }
        let transaction = match TransactionView::of(View::of(new.text.text()), self.strictness) {
            Ok(transaction) => transaction,
            Err(problem) => return Ok(Err(problem)),
        };
        let [_, _, sender] = transaction.values();
        let (connection, sender) = (&self.connection, decode_string(sender));
        let balance = (self.balance_changes).balance(connection, &sender, Pending::Counted)?;
        Ok(transaction.check_balance(&balance))
    }

    /// Drops the pending transactions that this node refuses, in their order.
    /// They were taken by a run with other options, or their sender lost the
    /// amount when another chain replaced ours. Part of a transaction of the
    /// caller's.
    pub(in crate::node) fn drop_refused(&mut self) -> rusqlite::Result<()> {
        if self.takes_all_pending() {
            return Ok(());
        }
        let dropped = self.refused()?;
        if dropped.is_empty() {
            return Ok(());
        }
        self.end.last_entry = self.end.last_entry_in_block;
        self.connection.execute(
            "UPDATE entries SET id = -id WHERE id > ?",
            [self.end.last_entry],
        )?;
        self.move_back(&Moved {
            dropped,
            ..Moved::default()
        })?;
        self.reload()?;
        Ok(())
    }

    /// [`Self::drop_refused`] as a transaction.
    pub(in crate::node) fn drop_refused_and_commit(&mut self) -> rusqlite::Result<()> {
        if self.takes_all_pending() {
            return Ok(());
        }
        self.begin()?;
        self.drop_refused()?;
        self.commit()
    }

    fn takes_all_pending(&self) -> bool {
        self.strictness == Strictness::Presence || self.pending() == 0
    }

    /// The ids of the pending transactions that are refused. Counts those as
    /// dropped.
    fn refused(&mut self) -> rusqlite::Result<Vec<i64>> {
        let mut entries = self.connection.prepare(
            "SELECT amount, recipient, sender, id FROM entries WHERE id > ? ORDER BY id",
        )?;
        let mut rows = entries.query([self.end.last_entry_in_block])?;
        let mut balances = HashMap::new();
        let mut dropped = Vec::new();
        let mut text = Vec::new();
        while let Some(row) = rows.next()? {
            text.clear();
            write_entry(row, &mut text)?;
            let checked = match TransactionView::of(View::of(&text), self.strictness) {
                Ok(transaction) => self.apply(&transaction, &mut balances)?,
                Err(problem) => Err(problem),
            };
            if let Err(problem) = checked {
                let transaction = View::of(&text).excerpt();
                tracing::warn!(transaction, %problem, "a pending transaction is dropped");
                self.balance_changes.count_row(Move::Drop, row)?;
                dropped.push(row.get(3)?);
            }
        }
        Ok(dropped)
    }

    /// Moves the amount in `balances`, if the sender has it. Names without an
    /// entry have what they have at the end of the chain.
    fn apply(
        &self,
        transaction: &TransactionView<'_>,
        balances: &mut HashMap<String, Amount>,
    ) -> rusqlite::Result<Result<(), TransactionProblem>> {
        if self.overdraft == Overdraft::Allowed {
            return Ok(Ok(()));
        }
        let [_, recipient, sender] = transaction.values();
        let amount = transaction.amount().unwrap_or_default();
        let balance = self.balance(sender, balances)?;
        if let Err(problem) = transaction.check_balance(balance) {
            return Ok(Err(problem));
        }
        balance.subtract(&amount);
        self.balance(recipient, balances)?.add(&amount);
        Ok(Ok(()))
    }

    fn balance<'a>(
        &self,
        name: View<'_>,
        balances: &'a mut HashMap<String, Amount>,
    ) -> rusqlite::Result<&'a mut Amount> {
        Ok(match balances.entry(decode_string(name)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let (connection, changes) = (&self.connection, &self.balance_changes);
                let balance = changes.balance(connection, new.key(), Pending::Ignored)?;
                new.insert(balance)
            }
        })
    }
}
