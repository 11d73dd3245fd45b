//! Transactions, kept as the canonical text that is hashed.

mod spelling;

use thiserror::Error;

pub(crate) use self::spelling::Spelling;
use super::json::{Kind, SyntaxError, Transcoder, View, write_string};

/// The three keys of a transaction, in the order in which they are written.
pub const TRANSACTION_FIELDS: [&str; 3] = ["amount", "recipient", "sender"];

/// Levels of nesting that are kept free for what stands around a transaction:
/// its block, the chain file, and the frames of a Python program that reads
/// it, whose limit is about [`MAX_DEPTH`](super::json::MAX_DEPTH) in all.
pub(crate) const LEVELS_ABOVE: usize = 100;

/// How much is asked of a transaction's values.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Strictness {
    /// The three keys are present, whatever their values: all that the
    /// tutorial asks.
    #[default]
    Presence,
    /// Also, sender and recipient are strings and the amount is a number.
    Typed,
}

/// What is wrong with a transaction.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum TransactionProblem {
    /// It is not a JSON object.
    #[error("{found} is no transaction, expected an object")]
    NotAnObject {
        /// The JSON value it is, shortened if it is long.
        found: String,
    },
    /// One of the three keys is missing.
    #[error("the field \"{field}\" is missing")]
    MissingField {
        /// The key.
        field: &'static str,
    },
    /// A value is not of the type that [`Strictness::Typed`] asks for.
    #[error("the field \"{field}\" is {found}, expected {expected}")]
    WrongType {
        /// The key.
        field: &'static str,
        /// The JSON value it has, shortened if it is long.
        found: String,
        /// The kind it should have.
        expected: &'static str,
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
    /// Finds the three fields in an object; other keys are passed over.
    pub(crate) fn of(value: View<'a>, strictness: Strictness) -> Result<Self, TransactionProblem> {
        if value.kind() != Kind::Object {
            return Err(TransactionProblem::NotAnObject {
                found: value.excerpt(),
            });
        }
        let mut found = [None; 3];
        for (key, member) in value.members() {
            for (slot, field) in found.iter_mut().zip(TRANSACTION_FIELDS) {
                if key == field.as_bytes() {
                    *slot = Some(member);
                }
            }
        }
        for (value, field) in found.iter().zip(TRANSACTION_FIELDS) {
            value.ok_or(TransactionProblem::MissingField { field })?;
        }
        let [Some(amount), Some(recipient), Some(sender)] = found else {
            unreachable!("every field was found above");
        };
        let transaction = Self([amount, recipient, sender]);
        if strictness == Strictness::Typed {
            transaction.check_types()?;
        }
        Ok(transaction)
    }

    /// The values, in the order of [`TRANSACTION_FIELDS`].
    pub(super) const fn values(&self) -> [View<'a>; 3] {
        self.0
    }

    fn check_types(&self) -> Result<(), TransactionProblem> {
        self.0
            .iter()
            .zip(TRANSACTION_FIELDS)
            .try_for_each(|(value, field)| check_type(field, *value))
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

/// What [`Strictness::Typed`] asks of one field.
fn check_type(field: &'static str, value: View<'_>) -> Result<(), TransactionProblem> {
    let kind = value.kind();
    let (is_right, expected) = match field {
        "amount" => (matches!(kind, Kind::Integer | Kind::Float), "a number"),
        _ => (kind == Kind::String, "a string"),
    };
    if is_right {
        Ok(())
    } else {
        Err(TransactionProblem::WrongType {
            field,
            found: value.excerpt(),
            expected,
        })
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
    /// [`HEAD_ROOM`] bytes that mean nothing, then the text; or nothing at
    /// all, while there is none.
    text: Vec<u8>,
    count: usize,
}

/// Bytes kept free before the text, into which a block writes what stands
/// before its transactions: to hash and write it then takes no copy.
pub(crate) const HEAD_ROOM: usize = 224;

impl Transactions {
    /// No transaction.
    pub fn new() -> Self {
        Self::default()
    }

    /// No transaction, but room for as much text as `other` has, within
    /// reason: the blocks of a queue are of one size.
    pub(crate) fn with_room_of(other: &Self) -> Self {
        const MOST_BYTES: usize = 64 << 10;
        Self {
            text: Vec::with_capacity((other.text.len() + 512).min(MOST_BYTES)),
            count: 0,
        }
    }

    /// No transaction, in the buffer of these.
    pub(crate) fn into_empty(mut self) -> Self {
        self.text.clear();
        self.count = 0;
        self
    }

    /// Bytes of memory that they take.
    pub(crate) const fn buffer_bytes(&self) -> usize {
        self.text.capacity()
    }

    /// [`HEAD_ROOM`] free bytes, then the text.
    pub(crate) fn into_text_with_room(mut self) -> Vec<u8> {
        self.make_room();
        self.text
    }

    fn make_room(&mut self) {
        if self.text.is_empty() {
            self.text.resize(HEAD_ROOM, 0);
        }
    }

    /// How many there are.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// Whether there is none.
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

    /// Bytes of canonical text.
    pub(crate) fn text_bytes(&self) -> usize {
        self.text().len()
    }

    /// Reads one transaction from JSON text and appends it with the three
    /// keys it must have; others are dropped, as the tutorial's node does.
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

    /// As [`Self::push_json`], with buffers to reuse.
    pub(crate) fn push_raw(
        &mut self,
        json: &[u8],
        strictness: Strictness,
        transcoder: &mut Transcoder,
        buffer: &mut Vec<u8>,
    ) -> Result<(), TransactionError> {
        if let Some((transaction, length)) = spelling::recognize(json)
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

    /// Appends the transaction at the start of `text` if it is spelled as most
    /// programs do, and returns its length: one line of ASCII. `None` says
    /// nothing about the text.
    #[inline(always)]
    pub(crate) fn push_recognized(
        &mut self,
        text: &[u8],
        strictness: Strictness,
        spelling: &mut Spelling,
    ) -> Result<Option<usize>, TransactionProblem> {
        let Some((transaction, length)) = spelling.recognize(text) else {
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
        if strictness == Strictness::Typed {
            transaction.check_types()?;
        }
        self.push(transaction);
        Ok(())
    }

    /// Appends a transaction that is canonical already.
    pub(crate) fn push_view(
        &mut self,
        value: View<'_>,
        strictness: Strictness,
    ) -> Result<(), TransactionProblem> {
        self.push(TransactionView::of(value, strictness)?);
        Ok(())
    }

    /// Appends a transaction by its canonical text.
    pub(crate) fn push_text(&mut self, text: &[u8]) {
        self.separate();
        self.text.extend_from_slice(text);
    }

    /// Appends all of `others`, in their order.
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

    /// Appends the reward for whoever mined the block: one coin from the
    /// sender `"0"`.
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
    fn presence_is_enough_unless_types_are_asked_for() {
        let odd = r#"{"sender": null, "recipient": [1], "amount": "many"}"#;
        assert_eq!(
            push(odd, Strictness::Presence).unwrap(),
            r#"{"amount": "many", "recipient": [1], "sender": null}"#
        );
        assert_eq!(
            push(odd, Strictness::Typed).unwrap_err(),
            "the field \"amount\" is \"many\", expected a number"
        );
        let fine = r#"{"sender": "a", "recipient": "b", "amount": 1.5}"#;
        assert!(push(fine, Strictness::Typed).is_ok());
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
            "7 is no transaction, expected an object"
        );
    }
}
