//! Finds the first transaction that sends more than its sender has.
//!
//! This needs all transactions in order, so it is a separate pass on one thread.

use std::collections::HashMap;
use std::io::Read;

use super::VerifyError;
use super::fault::{Fault, FaultKind};
use crate::chain::canonical::CanonicalReader;
use crate::chain::json::View;
use crate::chain::transaction::{Strictness, TransactionView};
use crate::chain::{Amount, TransactionProblem};
use crate::pow::Control;
use crate::sha256::Digest;

/// Reads a chain without faults, and finds the first transaction that sends more
/// than its sender has. Only the reward of a block is exempt: its last
/// transaction, one coin from `"0"`.
///
/// Memory grows by about 100 bytes for each name. `control` cancels between
/// batches.
///
/// # Errors
/// [`VerifyError::Read`] if the source cannot be read as a chain;
/// [`VerifyError::Cancelled`].
pub(crate) fn first_overdraft(
    source: impl Read,
    control: &Control,
) -> Result<Option<Fault>, VerifyError> {
    let mut reader = CanonicalReader::new(source);
    let mut balances = Balances::default();
    let mut block = 0;
    while reader.advance()? {
        if control.is_cancelled() {
            return Err(VerifyError::Cancelled);
        }
        for (text, _) in reader.blocks() {
            block += 1;
            if let Err(kind) = balances.add_block(View::of(text)) {
                return Ok(Some(Fault { block, kind }));
            }
        }
    }
    Ok(None)
}

/// What each name has, by the digest of the name's canonical text: names may be
/// long, and there may be millions.
#[derive(Debug, Default)]
struct Balances(HashMap<Digest, Amount>);

impl Balances {
    fn add_block(&mut self, block: View<'_>) -> Result<(), FaultKind> {
        let [list] = block.fields(["transactions"]);
        let mut transactions = list.into_iter().flat_map(View::elements).peekable();
        let mut place = 0;
        while let Some(transaction) = transactions.next() {
            place += 1;
            let is_last = transactions.peek().is_none();
            TransactionView::of(transaction, Strictness::Presence)
                .and_then(|transaction| self.add(&transaction, is_last))
                .map_err(|problem| FaultKind::Transaction {
                    place,
                    problem,
                    differences: Vec::new(),
                })?;
        }
        Ok(())
    }

    fn add(
        &mut self,
        transaction: &TransactionView<'_>,
        is_last: bool,
    ) -> Result<(), TransactionProblem> {
        let [_, recipient, sender] = transaction.values();
        let amount = transaction.amount().unwrap_or_default();
        let balance = self.0.entry(Digest::of(sender.text())).or_default();
        if !(is_last && transaction.is_reward()) {
            transaction.check_balance(balance)?;
        }
        balance.subtract(&amount);
        let balance = self.0.entry(Digest::of(recipient.text())).or_default();
        balance.add(&amount);
        Ok(())
    }
}
