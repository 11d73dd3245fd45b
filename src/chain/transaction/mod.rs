//! Transactions, kept as canonical text.

mod layout;
mod strictness;

#[cfg(feature = "node")]
use std::cmp::Ordering;

use thiserror::Error;

pub(crate) use self::layout::TransactionLayout;
pub use self::strictness::Strictness;
pub(crate) use self::strictness::check_value;
pub(super) use self::strictness::{is_blank, is_positive};
#[cfg(feature = "node")]
use super::amount::Amount;
use super::json::{Kind, SyntaxError, Transcoder, View, write_string};

/// The three keys of a transaction, in the order in which they are written.
pub const TRANSACTION_FIELDS: [&str; 3] = ["amount", "recipient", "sender"];

/// The sender that creates money, as canonical text.
pub(super) const MINT: &[u8] = b"\"0\"";

/// Levels of nesting reserved for what surrounds a transaction: its block, the
/// chain file, and the stack frames of a Python program that reads it. Python's
/// limit for all of them is about [`MAX_DEPTH`](super::json::MAX_DEPTH).
pub(crate) const LEVELS_ABOVE: usize = 100;

/// What is wrong with a transaction.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum TransactionProblem {
    /// It is not a JSON object.
    #[error("{found} is not a transaction, expected an object")]
    NotAnObject {
        /// The JSON value, shortened if it is long.
        found: String,
    },
    /// One of the three keys is missing.
    #[error("the field \"{field}\" is missing")]
    MissingField {
        /// The key.
        field: &'static str,
    },
    /// A value is not what [`Strictness::Strict`] requires.
    #[error("the field \"{field}\" is {found}, expected {expected}")]
    WrongValue {
        /// The key.
        field: &'static str,
        /// The JSON value, shortened if it is long.
        found: String,
        /// What it should be.
        expected: &'static str,
    },
    /// The sender does not have the amount.
    #[error("the sender {sender} has {balance} and cannot send {amount}")]
    Overdraft {
        /// The sender as JSON. All three values are shortened if they are long.
        sender: Box<str>,
        /// What the sender has.
        balance: Box<str>,
        /// The amount.
        amount: Box<str>,
    },
}

/// A transaction that is not JSON, or not a transaction.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum TransactionError {
    /// The text is not JSON.
    #[error("at byte {}: {}", .0.offset, .0.kind)]
    Syntax(#[from] SyntaxError),
    /// The JSON value is not a transaction.
    #[error(transparent)]
    Problem(#[from] TransactionProblem),
}

/// The values of a transaction's three fields, in the order of [`TRANSACTION_FIELDS`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct TransactionView<'a>([View<'a>; 3]);

impl<'a> TransactionView<'a> {
    pub(crate) fn of(value: View<'a>, strictness: Strictness) -> Result<Self, TransactionProblem> {
        if value.kind() != Kind::Object {
            return Err(TransactionProblem::NotAnObject {
                found: value.excerpt(),
            });
        }
        let found = value.fields(TRANSACTION_FIELDS);
        if let Some(missing) = found.iter().position(Option::is_none) {
            let field = TRANSACTION_FIELDS[missing];
            return Err(TransactionProblem::MissingField { field });
        }
        let transaction = Self(found.map(|value| value.expect("no field is missing")));
        if strictness == Strictness::Strict {
            transaction.check_values()?;
        }
        Ok(transaction)
    }

    /// Whether it creates its coins, as a reward does.
    pub(super) fn is_minted(&self) -> bool {
        let [_, _, sender] = self.0;
        sender.text() == MINT
    }

    pub(crate) const fn values(&self) -> [View<'a>; 3] {
        self.0
    }

    fn check_values(&self) -> Result<(), TransactionProblem> {
        for (value, field) in self.0.into_iter().zip(TRANSACTION_FIELDS) {
            check_value(field, value)?;
        }
        Ok(())
    }

    /// Whether this is a miner's reward, if it is the last one of its block.
    #[cfg(feature = "node")]
    pub(super) fn is_reward(&self) -> bool {
        let [amount, _, sender] = self.0.map(View::text);
        sender == MINT && matches!(amount, b"1" | b"1.0")
    }

    /// The amount; `None` if it is not a number.
    #[cfg(feature = "node")]
    pub(crate) fn amount(&self) -> Option<Amount> {
        Amount::parse(std::str::from_utf8(self.0[0].text()).ok()?)
    }

    /// Checks that a sender who has `balance` can send the amount.
    #[cfg(feature = "node")]
    pub(crate) fn check_balance(&self, balance: &Amount) -> Result<(), TransactionProblem> {
        let sent = self.amount().unwrap_or_default();
        if balance.clone().minus(&sent).sign() != Ordering::Less {
            return Ok(());
        }
        let [amount, _, sender] = self.0.map(|value| value.excerpt().into());
        let balance = View::of(balance.to_string().as_bytes()).excerpt().into();
        Err(TransactionProblem::Overdraft {
            sender,
            balance,
            amount,
        })
    }

    /// Appends the canonical text of the object with just the three keys.
    #[inline(always)]
    fn write(&self, out: &mut Vec<u8>) {
        let [amount, recipient, sender] = self.0.map(View::text);
        out.reserve(64 + amount.len() + recipient.len() + sender.len());
        out.extend_from_slice(b"{\"amount\": ");
        out.extend_from_slice(amount);
        out.extend_from_slice(b", \"recipient\": ");
        out.extend_from_slice(recipient);
        out.extend_from_slice(b", \"sender\": ");
        out.extend_from_slice(sender);
        out.push(b'}');
    }
}

/// The transactions of one block: their canonical texts, joined as Python
/// joins the elements of a list.
///
/// ```
/// use fourzero::chain::{Strictness, Transactions};
///
/// let mut transactions = Transactions::new();
/// let text = br#"{"sender": "alice", "recipient": "bob", "amount": 5, "note": "dropped"}"#;
/// transactions.push_json(text, Strictness::Presence)?;
/// transactions.push_reward("me");
/// assert_eq!(transactions.count(), 2);
/// assert_eq!(
///     transactions.canonical_text(),
///     r#"{"amount": 5, "recipient": "bob", "sender": "alice"}, "#.to_owned()
///         + r#"{"amount": 1, "recipient": "me", "sender": "0"}"#,
/// );
/// # Ok::<(), fourzero::chain::TransactionError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Transactions {
    /// [`HEAD_ROOM`] unused bytes, then the text; empty without transactions.
    text: Vec<u8>,
    count: usize,
}

/// Bytes reserved before the text, into which a block writes its other fields.
/// The block can then be hashed and written without a copy.
pub(crate) const HEAD_ROOM: usize = 224;

impl Transactions {
    /// An empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty list with capacity for as much text as `other` has, up to a
    /// limit: the blocks of a queue are of about the same size.
    pub(crate) fn with_room_of(other: &Self) -> Self {
        const MOST_BYTES: usize = 64 << 10;
        Self {
            text: Vec::with_capacity((other.text.len() + 512).min(MOST_BYTES)),
            count: 0,
        }
    }

    pub(crate) fn into_empty(mut self) -> Self {
        self.text.clear();
        self.count = 0;
        self
    }

    pub(crate) const fn buffer_bytes(&self) -> usize {
        self.text.capacity()
    }

    pub(crate) fn into_text_with_room(mut self) -> Vec<u8> {
        self.make_room();
        self.text
    }

    fn make_room(&mut self) {
        if self.text.is_empty() {
            self.text.resize(HEAD_ROOM, 0);
        }
    }

    /// The number of transactions.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// Whether there are no transactions.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The elements of the block's `transactions` list, without its brackets.
    pub fn canonical_text(&self) -> &str {
        std::str::from_utf8(self.text()).expect("canonical text is ASCII")
    }

    pub(crate) fn text(&self) -> &[u8] {
        self.text.get(HEAD_ROOM..).unwrap_or_default()
    }

    pub(crate) fn text_bytes(&self) -> usize {
        self.text().len()
    }

    /// Reads one transaction from JSON text and appends it with the three
    /// required keys. Others are dropped, as in the tutorial's node.
    ///
    /// # Errors
    /// If `json` is not JSON or not a transaction.
    pub fn push_json(
        &mut self,
        json: &[u8],
        strictness: Strictness,
    ) -> Result<(), TransactionError> {
        self.push_raw(
            json,
            strictness,
            &mut Transcoder::default(),
            &mut Vec::new(),
        )
    }

    pub(crate) fn push_raw(
        &mut self,
        json: &[u8],
        strictness: Strictness,
        transcoder: &mut Transcoder,
        buffer: &mut Vec<u8>,
    ) -> Result<(), TransactionError> {
        if let Some((transaction, length)) = TransactionLayout::default().recognize(json)
            && length == json.len()
        {
            self.push_checked(transaction, strictness)?;
            return Ok(());
        }
        buffer.clear();
        transcoder.transcode_nested(json, LEVELS_ABOVE, buffer)?;
        self.push_view(View::of(buffer), strictness)?;
        Ok(())
    }

    /// Appends the transaction at the start of `text` if it has a common layout,
    /// and returns its length: one line of ASCII. `None` says nothing about the
    /// text.
    #[inline(always)]
    pub(crate) fn push_recognized(
        &mut self,
        text: &[u8],
        strictness: Strictness,
        layout: &mut TransactionLayout,
    ) -> Result<Option<usize>, TransactionProblem> {
        let Some((transaction, length)) = layout.recognize(text) else {
            return Ok(None);
        };
        self.push_checked(transaction, strictness)?;
        Ok(Some(length))
    }

    #[inline(always)]
    fn push_checked(
        &mut self,
        transaction: TransactionView<'_>,
        strictness: Strictness,
    ) -> Result<(), TransactionProblem> {
        if strictness == Strictness::Strict {
            transaction.check_values()?;
        }
        self.push(transaction);
        Ok(())
    }

    pub(crate) fn push_view(
        &mut self,
        value: View<'_>,
        strictness: Strictness,
    ) -> Result<(), TransactionProblem> {
        self.push(TransactionView::of(value, strictness)?);
        Ok(())
    }

    pub(crate) fn push_text(&mut self, text: &[u8]) {
        self.separate();
        self.text.extend_from_slice(text);
    }

    #[cfg(feature = "node")]
    pub(crate) fn append(&mut self, others: &Self) {
        if others.is_empty() {
            return;
        }
        self.separate();
        self.text.extend_from_slice(others.text());
        self.count += others.count - 1;
    }

    #[inline(always)]
    fn push(&mut self, transaction: TransactionView<'_>) {
        self.separate();
        transaction.write(&mut self.text);
    }

    /// Appends the miner's reward: one coin from the sender `"0"`.
    pub fn push_reward(&mut self, recipient: &str) {
        self.separate();
        self.text
            .extend_from_slice(b"{\"amount\": 1, \"recipient\": ");
        write_string(recipient, &mut self.text);
        self.text.extend_from_slice(b", \"sender\": \"0\"}");
    }

    #[inline(always)]
    fn separate(&mut self) {
        match self.count {
            0 => self.make_room(),
            _ => self.text.extend_from_slice(b", "),
        }
        self.count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(json: &str, strictness: Strictness) -> Result<String, String> {
        let mut transactions = Transactions::new();
        transactions
            .push_json(json.as_bytes(), strictness)
            .map_err(|error| error.to_string())?;
        Ok(transactions.canonical_text().to_owned())
    }

    #[test]
    fn values_are_checked_only_if_required() {
        let odd = r#"{"sender": null, "recipient": [1], "amount": "many"}"#;
        assert_eq!(
            push(odd, Strictness::Presence).unwrap(),
            r#"{"amount": "many", "recipient": [1], "sender": null}"#
        );
        assert_eq!(
            push(odd, Strictness::Strict).unwrap_err(),
            "the field \"amount\" is \"many\", expected a number above 0"
        );
        let mut reward = Transactions::new();
        reward.push_reward("me");
        for fine in [
            r#"{"sender": "a", "recipient": "b", "amount": 1.5}"#,
            reward.canonical_text(),
        ] {
            assert!(push(fine, Strictness::Strict).is_ok());
        }
    }

    #[test]
    fn each_missing_field_is_named() {
        for field in TRANSACTION_FIELDS {
            let members: Vec<_> = TRANSACTION_FIELDS
                .iter()
                .filter(|other| **other != field)
                .map(|other| format!("\"{other}\": 1"))
                .collect();
            let error = push(&format!("{{{}}}", members.join(",")), Strictness::Presence);
            assert_eq!(
                error.unwrap_err(),
                format!("the field \"{field}\" is missing")
            );
        }
        assert_eq!(
            push("7", Strictness::Presence).unwrap_err(),
            "7 is not a transaction, expected an object"
        );
    }
}
