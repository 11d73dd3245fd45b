//! Who owns how much: exact sums, one a name.
//!
//! There may be millions of names, and what takes the time is to fetch their
//! accounts from memory. So an account is small and all in one place: nearly
//! every name fits in its key, and nearly every sum in an integer that counts
//! billionths.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};

use super::sum::{Side, Sum, Uncounted};
use crate::chain::json::View;
use crate::chain::transaction::TransactionView;
use crate::sha256::Digest;

/// Whose transactions make money instead of spending it.
const MINT: &[u8] = b"\"0\"";

/// Of a longer name, this much is kept, and its digest to tell it by.
const MOST_NAME_BYTES: usize = 256;

/// Who owns how much in a chain, by its transactions: what each name received
/// less what it sent. All sums are exact.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Balances {
    /// The richest, as many as were asked for; of equally rich ones, in the
    /// order of their names. The sender `"0"` is not among them: it owes what
    /// was minted.
    pub top: Vec<Holder>,
    /// How many names sent or received something, without `"0"`.
    pub names: u64,
    /// How many of them own less than nothing.
    pub below_zero: u64,
    /// What the sender `"0"` sent less what it received, as a decimal number.
    pub minted: String,
    /// Transactions that are not in the sums: their amount is no number, or
    /// one of more than 4,300 characters.
    pub not_counted: u64,
    /// Those of them whose amount is such a number.
    pub too_long: u64,
}

/// A name and what it owns.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Holder {
    /// The name as JSON: a string, or whatever stands in its place. Shortened
    /// to 256 bytes, with `...` behind, if it is longer.
    pub name: String,
    /// What it owns, as a decimal number without an exponent.
    pub balance: String,
    /// Transactions that it sent or received.
    pub transactions: u64,
}

/// [`Balances`] in the making.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    accounts: HashMap<Name, Account>,
    mint: Account,
    /// Transactions from the mint.
    rewards: u64,
    no_number: u64,
    too_long: u64,
}

#[derive(Debug, Default)]
struct Account {
    sum: Sum,
    transactions: u64,
}

impl Accounts {
    pub(super) fn add(&mut self, transaction: &TransactionView<'_>) {
        let [amount, recipient, sender] = transaction.values();
        self.rewards += u64::from(sender.text() == MINT);
        let amount = Sum::parse(amount);
        match amount {
            Ok(_) => {}
            Err(Uncounted::NoNumber) => self.no_number += 1,
            Err(Uncounted::TooLong) => self.too_long += 1,
        }
        let amount = amount.ok();
        self.book(sender, amount.as_ref(), Side::Sent);
        if recipient == sender {
            // One transaction, not two; its amount changes nothing.
            let account = self.account(recipient);
            if let Some(amount) = &amount {
                account.sum.add(amount, Side::Received);
            }
        } else {
            self.book(recipient, amount.as_ref(), Side::Received);
        }
    }

    pub(super) const fn rewards(&self) -> u64 {
        self.rewards
    }

    fn book(&mut self, name: View<'_>, amount: Option<&Sum>, side: Side) {
        let account = self.account(name);
        account.transactions += 1;
        if let Some(amount) = amount {
            account.sum.add(amount, side);
        }
    }

    fn account(&mut self, name: View<'_>) -> &mut Account {
        if name.text() == MINT {
            return &mut self.mint;
        }
        self.accounts.entry(Name::of(name.text())).or_default()
    }

    /// The balances, with so many of the richest.
    pub(super) fn finish(mut self, top: usize) -> Balances {
        self.mint.sum.negate();
        let below_zero = self
            .accounts
            .values()
            .filter(|account| account.sum.sign() == Ordering::Less)
            .count() as u64;
        let holders = self.richest(top).into_iter().map(|(name, account)| Holder {
            name: name.shown(),
            balance: account.sum.to_string(),
            transactions: account.transactions,
        });
        Balances {
            top: holders.collect(),
            names: self.accounts.len() as u64,
            below_zero,
            minted: self.mint.sum.to_string(),
            not_counted: self.no_number + self.too_long,
            too_long: self.too_long,
        }
    }

    /// So many accounts, the richest first. Never looks at more than twice as
    /// many at once: there may be millions, few of them asked for.
    fn richest(&self, count: usize) -> Vec<(&Name, &Account)> {
        let order = |(name, account): &(&Name, &Account), (other, than): &(&Name, &Account)| {
            let richer = than.sum.compare(&account.sum);
            richer.then_with(|| name.bytes().cmp(other.bytes()))
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

/// Bytes that a short name may take: those of a node id between quotes, and
/// some more.
const SHORT_NAME_BYTES: usize = 38;

/// What an account is found by.
#[derive(Debug)]
enum Name {
    Short {
        length: u8,
        bytes: [u8; SHORT_NAME_BYTES],
    },
    Long(Box<[u8]>),
}

impl Name {
    /// By the canonical text of a name.
    fn of(text: &[u8]) -> Self {
        let mut bytes = [0; SHORT_NAME_BYTES];
        if let Some(start) = bytes.get_mut(..text.len()) {
            start.copy_from_slice(text);
            let length = text.len() as u8;
            return Self::Short { length, bytes };
        }
        if text.len() <= MOST_NAME_BYTES {
            return Self::Long(text.into());
        }
        // Its start, a byte that canonical text never holds, and its digest.
        let digest = Digest::of(text).to_hex();
        Self::Long([&text[..MOST_NAME_BYTES], b"\0", &digest].concat().into())
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Short { length, bytes } => &bytes[..usize::from(*length)],
            Self::Long(bytes) => bytes,
        }
    }

    fn shown(&self) -> String {
        let bytes = self.bytes();
        let (text, end) = match memchr::memchr(b'\0', bytes) {
            Some(cut) => (&bytes[..cut], "..."),
            None => (bytes, ""),
        };
        String::from_utf8_lossy(text).into_owned() + end
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Name {}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bytes().hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::super::sum::MOST_AMOUNT_BYTES;
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
        assert_eq!((found.names, found.below_zero), (4, 1));
        assert_eq!((found.minted.as_str(), found.not_counted), ("0.3", 0));
    }

    #[test]
    fn what_cannot_be_counted_is_told_and_not_lost_in_silence() {
        let long = "1".repeat(MOST_AMOUNT_BYTES + 1);
        let longest = "1".repeat(MOST_AMOUNT_BYTES);
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
    fn names_are_told_apart_by_their_json() {
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
        let shown = format!("{}...", &one[..MOST_NAME_BYTES]);
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
        assert_eq!(found.minted, "11");
    }

    #[test]
    fn as_many_are_told_as_asked_for_and_equals_in_the_order_of_their_names() {
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
