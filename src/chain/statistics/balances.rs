//! The exact balance of each name.
//!
//! There may be millions of names, and most of the time goes into fetching their
//! accounts from memory. Nearly every name and balance is therefore stored
//! inline in the map.

use std::cmp::Ordering;
use std::collections::HashMap;

use smallvec::SmallVec;

use crate::chain::amount::Amount;
use crate::chain::json::{Kind, View};
use crate::chain::transaction::{MINT, TransactionView};
use crate::sha256::Digest;

/// Of a longer name, only the start and the digest are stored.
const MAX_NAME_BYTES: usize = 256;

/// Longer amounts are not counted. By default, CPython does not read longer
/// integers; and an account must not take megabytes.
const MAX_AMOUNT_BYTES: usize = 4_300;

/// The canonical text of a name. A node id fits inline with its quotes.
type NameText = SmallVec<[u8; 40]>;

/// The balances of a chain: for each name, the sum of what it received less the
/// sum of what it sent. All sums are exact.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Balances {
    /// The richest names, as many as requested; equal balances are ordered by
    /// name. The sender `"0"` is not included: it owes what was minted. Empty if
    /// no amount is in the sums, and then the next two are `None`.
    pub top: Vec<Holder>,
    /// The number of names that sent or received something, without `"0"`.
    pub names: u64,
    /// The number of names with a negative balance.
    pub below_zero: Option<u64>,
    /// The sum the sender `"0"` sent less what it received, as a decimal number.
    pub minted: Option<String>,
    /// Transactions that are not in the sums: their amount is not a number, or
    /// has more than 4,300 characters.
    pub not_counted: u64,
    /// Transactions whose amount is such a long number.
    pub too_long: u64,
}

/// A name and its balance.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Holder {
    /// The name as JSON, of any type. If it has more than 256 bytes, the first
    /// 256 and `...`.
    pub name: String,
    /// The balance as a decimal number without an exponent.
    pub balance: String,
    /// The number of transactions it sent or received.
    pub transactions: u64,
}

#[derive(Debug, Default)]
pub(super) struct Accounts {
    accounts: HashMap<NameText, Account>,
    mint: Account,
    rewards: u64,
    counted: u64,
    not_a_number: u64,
    too_long: u64,
}

#[derive(Debug, Default)]
struct Account {
    balance: Amount,
    transactions: u64,
}

impl Accounts {
    pub(super) fn add(&mut self, transaction: &TransactionView<'_>) {
        let [amount, recipient, sender] = transaction.values();
        self.rewards += u64::from(transaction.is_minted());
        let amount = self.amount(amount);
        let account = self.account(sender);
        account.transactions += 1;
        // A transaction with oneself counts once and changes no balance.
        if recipient == sender {
            return;
        }
        if let Some(amount) = &amount {
            account.balance.subtract(amount);
        }
        let account = self.account(recipient);
        account.transactions += 1;
        if let Some(amount) = &amount {
            account.balance.add(amount);
        }
    }

    pub(super) const fn rewards(&self) -> u64 {
        self.rewards
    }

    fn amount(&mut self, value: View<'_>) -> Option<Amount> {
        let is_number = matches!(value.kind(), Kind::Integer | Kind::Float);
        if is_number && value.text().len() > MAX_AMOUNT_BYTES {
            self.too_long += 1;
            return None;
        }
        let text = std::str::from_utf8(value.text()).ok();
        let amount = text.filter(|_| is_number).and_then(Amount::parse);
        self.counted += u64::from(amount.is_some());
        self.not_a_number += u64::from(amount.is_none());
        amount
    }

    fn account(&mut self, name: View<'_>) -> &mut Account {
        if name.text() == MINT {
            return &mut self.mint;
        }
        self.accounts.entry(stored_name(name.text())).or_default()
    }

    pub(super) fn finish(self, top: usize) -> Balances {
        let has_amounts = self.counted > 0;
        let top = if has_amounts { top } else { 0 };
        let holders = self.richest(top).into_iter().map(|(name, account)| Holder {
            name: shown_name(name),
            balance: account.balance.to_string(),
            transactions: account.transactions,
        });
        let is_negative = |account: &&Account| account.balance.sign() == Ordering::Less;
        let below_zero = self.accounts.values().filter(is_negative).count() as u64;
        let minted = Amount::default().minus(&self.mint.balance);
        Balances {
            top: holders.collect(),
            names: self.accounts.len() as u64,
            below_zero: has_amounts.then_some(below_zero),
            minted: has_amounts.then(|| minted.to_string()),
            not_counted: self.not_a_number + self.too_long,
            too_long: self.too_long,
        }
    }

    /// The `count` richest accounts in order. Looks at no more than twice as
    /// many at once: there may be millions, and few are requested.
    fn richest(&self, count: usize) -> Vec<(&NameText, &Account)> {
        let order = |one: &(&NameText, &Account), other: &(&NameText, &Account)| {
            let difference = other.1.balance.clone().minus(&one.1.balance);
            difference.sign().then_with(|| one.0.cmp(other.0))
        };
        let mut richest = Vec::new();
        if count == 0 {
            return richest;
        }
        for account in &self.accounts {
            richest.push(account);
            if richest.len() == count.saturating_mul(2) {
                richest.select_nth_unstable_by(count - 1, order);
                richest.truncate(count);
            }
        }
        richest.sort_unstable_by(order);
        richest.truncate(count);
        richest
    }
}

fn stored_name(text: &[u8]) -> NameText {
    if text.len() <= MAX_NAME_BYTES {
        // `into` copies byte by byte.
        return NameText::from_slice(text);
    }
    // The start, a byte that canonical text never has, and the digest.
    let digest = Digest::of(text).to_hex();
    SmallVec::from_vec([&text[..MAX_NAME_BYTES], b"\0", &digest].concat())
}

fn shown_name(stored: &[u8]) -> String {
    let (text, end) = match memchr::memchr(b'\0', stored) {
        Some(cut) => (&stored[..cut], "..."),
        None => (stored, ""),
    };
    String::from_utf8_lossy(text).into_owned() + end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::Strictness;
    use crate::chain::json::canonical;

    fn balances(transactions: &[(&str, &str, &str)]) -> Balances {
        accounts(transactions).finish(10)
    }

    fn accounts(transactions: &[(&str, &str, &str)]) -> Accounts {
        let mut accounts = Accounts::default();
        for (sender, recipient, amount) in transactions {
            let text = format!(
                "{{\"sender\": {sender}, \"recipient\": {recipient}, \"amount\": {amount}}}"
            );
            let text = canonical(text.as_bytes()).unwrap();
            let view = View::of(text.as_bytes());
            accounts.add(&TransactionView::of(view, Strictness::Presence).unwrap());
        }
        accounts
    }

    fn top(balances: &Balances) -> Vec<(&str, &str, u64)> {
        let holders = balances.top.iter();
        holders
            .map(|holder| (&*holder.name, &*holder.balance, holder.transactions))
            .collect()
    }

    #[test]
    fn every_sum_is_exact() {
        let found = balances(&[
            ("\"0\"", "\"a\"", "0.1"),
            ("\"0\"", "\"a\"", "0.2"),
            ("\"a\"", "\"b\"", "1e-05"),
            ("\"c\"", "\"b\"", "123456789012345678901234567890"),
            ("\"c\"", "\"d\"", "1e-12"),
            ("\"d\"", "\"d\"", "7"),
        ]);
        assert_eq!(
            top(&found),
            [
                ("\"b\"", "123456789012345678901234567890.00001", 2),
                ("\"a\"", "0.29999", 3),
                ("\"d\"", "0.000000000001", 2),
                ("\"c\"", "-123456789012345678901234567890.000000000001", 2),
            ]
        );
        assert_eq!((found.names, found.below_zero), (4, Some(1)));
        assert_eq!(
            (found.minted.as_deref(), found.not_counted),
            (Some("0.3"), 0)
        );
    }

    #[test]
    fn amounts_that_cannot_be_summed_are_counted() {
        let long = "1".repeat(MAX_AMOUNT_BYTES + 1);
        let longest = "1".repeat(MAX_AMOUNT_BYTES);
        let found = balances(&[
            ("\"a\"", "\"b\"", "\"5\""),
            ("\"a\"", "\"b\"", "null"),
            ("\"a\"", "\"b\"", &long),
            ("\"0\"", "\"b\"", &longest),
        ]);
        assert_eq!(
            top(&found),
            [("\"b\"", longest.as_str(), 4), ("\"a\"", "0", 3)]
        );
        assert_eq!((found.not_counted, found.too_long), (3, 1));
    }

    #[test]
    fn names_with_different_json_are_different() {
        let long = |end: &str| format!("\"{}{end}\"", "x".repeat(300));
        let (one, other) = (long("1"), long("2"));
        let found = balances(&[
            ("\"0\"", "7", "3"),
            ("\"0\"", "\"7\"", "2"),
            ("0", "\"\\u00e9\"", "1"),
            ("\"0\"", "\"é\"", "1"),
            ("\"0\"", &one, "5"),
            (&one, &other, "1"),
        ]);
        let shown = format!("{}...", &one[..MAX_NAME_BYTES]);
        assert_eq!(
            top(&found),
            [
                (shown.as_str(), "4", 2),
                ("7", "3", 1),
                ("\"7\"", "2", 1),
                ("\"\\u00e9\"", "2", 2),
                (shown.as_str(), "1", 1),
                ("0", "-1", 1),
            ]
        );
        assert_eq!(found.minted.as_deref(), Some("11"));
    }

    #[test]
    fn the_requested_number_of_names_is_listed_and_equals_in_order() {
        let names: Vec<_> = (10..35).map(|number| format!("\"n{number}\"")).collect();
        let transactions: Vec<_> = names
            .iter()
            .rev()
            .map(|name| {
                (
                    "\"0\"",
                    name.as_str(),
                    if name < &names[3] { "1" } else { "2" },
                )
            })
            .collect();
        let order: Vec<_> = names[3..].iter().chain(&names[..3]).collect();
        for count in [0, 1, 2, 10, 12, 13, 24, 25, 26, usize::MAX] {
            let found = accounts(&transactions).finish(count);
            let told: Vec<_> = found.top.iter().map(|holder| &holder.name).collect();
            assert_eq!(told, order[..count.min(25)], "{count}");
            assert_eq!(found.names, 25);
        }
    }
}
