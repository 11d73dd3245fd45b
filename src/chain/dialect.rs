//! The names that forks of the tutorial give to the fields of blocks and
//! transactions.
//!
//! Nothing here is needed to read a chain in the tutorial's own names. It tells
//! a block from other objects, and explains a field that is missing.

use std::fmt;

use super::json::{Kind, View};
use super::transaction::TRANSACTION_FIELDS;

/// The keys of a block, in the order in which the tutorial writes them.
pub const BLOCK_FIELDS: [&str; 5] = [
    "index",
    "timestamp",
    "transactions",
    "proof",
    "previous_hash",
];

/// Names of each field of a block, the likeliest first, as [`plain`] returns
/// them. The first is the field's own, for other spellings such as
/// `previousHash`.
const BLOCK_NAMES: [&[&str]; BLOCK_FIELDS.len()] = [
    &[
        "index",
        "blockindex",
        "blocknumber",
        "blockno",
        "height",
        "blockheight",
        "number",
        "no",
        "id",
    ],
    &[
        "timestamp",
        "time",
        "unixtime",
        "tstamp",
        "createdat",
        "datetime",
        "date",
    ],
    &[
        "transactions",
        "transaction",
        "transactionlist",
        "listoftransactions",
        "txs",
        "txns",
        "data",
    ],
    &["proof", "nonce", "proofofwork", "pow"],
    PREVIOUS_HASH,
];

/// Other objects rarely have one of these.
const PREVIOUS_HASH: &[&str] = &[
    "previoushash",
    "prevhash",
    "previousblockhash",
    "prevblockhash",
    "hashofpreviousblock",
    "hashprevblock",
    "parenthash",
    "lasthash",
];

/// The same for [`TRANSACTION_FIELDS`].
const TRANSACTION_NAMES: [&[&str]; TRANSACTION_FIELDS.len()] = [
    &["amount", "value", "quantity"],
    &[
        "recipient",
        "recipientaddress",
        "receiver",
        "receiveraddress",
        "to",
        "toaddress",
    ],
    &["sender", "senderaddress", "from", "fromaddress"],
];

/// How a block or a transaction differs from the tutorial's.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Difference {
    /// A field has another name.
    Name {
        /// The tutorial's name.
        field: &'static str,
        /// The name here.
        found: String,
    },
    /// A field is missing under all names that are known here.
    Missing {
        /// The tutorial's name.
        field: &'static str,
    },
    /// The timestamp is a text, where the tutorial has a number.
    TextTimestamp {
        /// The JSON value, shortened if it is long.
        found: String,
    },
    /// The index of the first block is 0.
    IndexFromZero,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name { field, found } => write!(f, "{field} is called \"{found}\" here"),
            Self::Missing { field } => write!(f, "{field} is missing"),
            Self::TextTimestamp { found } => {
                write!(f, "the timestamp is the text {found}, expected a number")
            }
            Self::IndexFromZero => f.write_str("the index counts from 0, expected 1"),
        }
    }
}

/// Whether an object is meant as a block: it has an `index`, a `proof`, or the
/// hash of another block under any name. Other keys of a block occur in other
/// objects too. `renamed` are keys that will become those of a block.
pub(crate) fn is_block(object: View<'_>, renamed: &[Vec<u8>]) -> bool {
    object
        .members()
        .any(|(key, _)| is_block_key(key) || renamed.iter().any(|renamed| renamed == key))
}

/// Whether only a block has `key`.
pub(crate) fn is_block_key(key: &[u8]) -> bool {
    matches!(key, b"index" | b"proof") || PREVIOUS_HASH.contains(&plain(key).as_str())
}

/// How a block that lacks a field differs from the tutorial's. Empty if none of
/// the missing fields has another name.
#[cold]
pub(super) fn block_differences(block: View<'_>, index: u64) -> Vec<Difference> {
    let (mut differences, values) = differences(block, BLOCK_FIELDS, BLOCK_NAMES);
    if differences.is_empty() {
        return differences;
    }
    let [stated_index, timestamp, ..] = values;
    if let Some(text) = timestamp.filter(|value| value.kind() == Kind::String) {
        let found = text.excerpt();
        differences.push(Difference::TextTimestamp { found });
    }
    if index == 1 && stated_index.is_some_and(|stated| stated.text() == b"0") {
        differences.push(Difference::IndexFromZero);
    }
    differences
}

/// The same for a transaction.
#[cold]
pub(super) fn transaction_differences(transaction: View<'_>) -> Vec<Difference> {
    differences(transaction, TRANSACTION_FIELDS, TRANSACTION_NAMES).0
}

/// The names and the missing fields of an object, and the values of all fields
/// under any name. No differences if all missing fields are missing under every
/// name.
fn differences<'a, const N: usize>(
    object: View<'a>,
    fields: [&'static str; N],
    names: [&[&str]; N],
) -> (Vec<Difference>, [Option<View<'a>>; N]) {
    let mut values = object.fields(fields);
    let mut differences = Vec::new();
    for ((field, names), value) in fields.into_iter().zip(names).zip(&mut values) {
        if value.is_some() {
            continue;
        }
        let is_named = |name| {
            let mut members = object.members();
            members.find(|(key, _)| plain(key) == name && !is_field(key, &fields))
        };
        differences.push(match names.iter().find_map(|name| is_named(*name)) {
            Some((key, found)) => {
                *value = Some(found);
                let found = String::from_utf8_lossy(key).into_owned();
                Difference::Name { field, found }
            }
            None => Difference::Missing { field },
        });
    }
    let is_name = |difference: &Difference| matches!(difference, Difference::Name { .. });
    if !differences.iter().any(is_name) {
        differences.clear();
    }
    (differences, values)
}

fn is_field(key: &[u8], fields: &[&str]) -> bool {
    fields.iter().any(|field| field.as_bytes() == key)
}

/// A key in lower case and without what separates its words.
fn plain(key: &[u8]) -> String {
    key.iter()
        .filter(|byte| !matches!(byte, b'_' | b'-' | b' '))
        .map(|byte| char::from(byte.to_ascii_lowercase()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::json::canonical;

    /// What is found in each object, with the second function for blocks.
    fn shown(text: &str, find: impl Fn(View<'_>) -> Vec<Difference>) -> String {
        let text = canonical(text.as_bytes()).unwrap();
        let shown = find(View::of(text.as_bytes())).into_iter();
        let shown: Vec<_> = shown.map(|difference| difference.to_string()).collect();
        shown.join("; ")
    }

    #[test]
    fn the_names_in_forks_are_recognized() {
        for (block, expected) in [
            (
                r#"{"index":0,"timeStamp":"2020-01-01 10:00:00","data":[],"nonce":5,"previousHash":"0"}"#,
                "timestamp is called \"timeStamp\" here; transactions is called \"data\" here; \
                 proof is called \"nonce\" here; previous_hash is called \"previousHash\" here; \
                 the timestamp is the text \"2020-01-01 10:00:00\", expected a number; \
                 the index counts from 0, expected 1",
            ),
            // As in Go.
            (
                r#"{"Index":1,"Timestamp":1,"BPM":7,"Hash":"a","PrevHash":"","Proof":1}"#,
                "index is called \"Index\" here; timestamp is called \"Timestamp\" here; \
                 transactions is missing; proof is called \"Proof\" here; \
                 previous_hash is called \"PrevHash\" here",
            ),
            // The likeliest of several names.
            (
                r#"{"id":7,"block_number":1,"timestamp":1,"transactions":[],"proof":1,"previous_hash":"1"}"#,
                "index is called \"block_number\" here",
            ),
            // A field never is another's name.
            (
                r#"{"index":1,"timestamp":"noon","transactions":[],"proof":1,"hash":"1"}"#,
                "",
            ),
        ] {
            assert_eq!(
                shown(block, |view| block_differences(view, 1)),
                expected,
                "{block}"
            );
        }
        let transaction = r#"{"from":"a","to":"b","value":1,"amount":1}"#;
        assert_eq!(
            shown(transaction, transaction_differences),
            "recipient is called \"to\" here; sender is called \"from\" here"
        );
    }

    #[test]
    fn a_block_is_known_by_its_place_or_its_link() {
        for (object, expected) in [
            (r#"{"index":1}"#, true),
            (r#"{"proof":1}"#, true),
            (r#"{"nonce":1,"prev_hash":""}"#, true),
            (r#"{"Block":1,"PrevBlockHash":""}"#, true),
            (r#"{"my key":1}"#, true),
            (r#"{}"#, false),
            (r#"{"timestamp":1,"status":500,"error":"x"}"#, false),
            (r#"{"transactions":[]}"#, false),
            (r#"{"jsonrpc":"2.0","id":1,"result":{"index":1}}"#, false),
            (
                r#"{"count":1,"next":null,"previous":null,"results":[]}"#,
                false,
            ),
            (r#"{"sender":"a","recipient":"b","amount":1}"#, false),
        ] {
            let text = canonical(object.as_bytes()).unwrap();
            let renamed = [b"my key".to_vec()];
            assert_eq!(
                is_block(View::of(text.as_bytes()), &renamed),
                expected,
                "{object}"
            );
        }
    }
}
