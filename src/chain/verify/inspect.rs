//! What one block says of itself, and how it follows the one before.

use std::borrow::Cow;

use super::fault::{FaultKind, Lookalike};
use crate::chain::json::{Kind, View};
use crate::chain::transaction::{Strictness, TransactionView};
use crate::pow::LastBlock;
use crate::sha256::Digest;

/// The keys of a block, in the order in which the tutorial writes them.
const FIELDS: [&str; 5] = [
    "index",
    "timestamp",
    "transactions",
    "proof",
    "previous_hash",
];

/// A block that is sound in itself.
#[derive(Clone, Copy, Debug)]
pub(in crate::chain) struct Inspected<'a> {
    pub(in crate::chain) proof: View<'a>,
    pub(in crate::chain) previous_hash: View<'a>,
    pub(in crate::chain) transactions: u64,
}

/// Checks all of a block that needs no other block. `index` is its place in
/// the chain.
pub(in crate::chain) fn inspect(
    block: View<'_>,
    index: u64,
    strictness: Strictness,
) -> Result<Inspected<'_>, FaultKind> {
    if block.kind() != Kind::Object {
        return Err(FaultKind::Malformed {
            found: block.excerpt(),
        });
    }
    let mut found = [None; FIELDS.len()];
    for (key, value) in block.members() {
        for (slot, field) in found.iter_mut().zip(FIELDS) {
            if key == field.as_bytes() {
                *slot = Some(value);
            }
        }
    }
    if let Some(missing) = found.iter().position(Option::is_none) {
        return Err(FaultKind::MissingField {
            field: FIELDS[missing],
            lookalike: found.iter().all(Option::is_none).then(|| lookalike(block)),
        });
    }
    let [
        Some(index_value),
        Some(timestamp),
        Some(transactions),
        Some(proof),
        Some(previous_hash),
    ] = found
    else {
        unreachable!("no field is missing");
    };

    expect_kind("index", index_value, &[Kind::Integer], "an integer")?;
    expect_kind(
        "timestamp",
        timestamp,
        &[Kind::Float, Kind::Integer],
        "a number",
    )?;
    expect_kind("transactions", transactions, &[Kind::Array], "an array")?;
    expect_kind("proof", proof, &[Kind::Integer], "an integer")?;
    // Older chains start with the integer 1 where newer ones have "1".
    let (kinds, expected): (&[Kind], _) = match index {
        1 => (&[Kind::String, Kind::Integer], "a string or an integer"),
        _ => (&[Kind::String], "a string"),
    };
    expect_kind("previous_hash", previous_hash, kinds, expected)?;

    if index_value.text() != index.to_string().as_bytes() {
        return Err(FaultKind::Index {
            found: index_value.excerpt(),
            expected: index,
        });
    }
    let mut count = 0;
    for transaction in transactions.elements() {
        count += 1;
        TransactionView::of(transaction, strictness).map_err(|problem| FaultKind::Transaction {
            place: count,
            problem,
        })?;
    }
    Ok(Inspected {
        proof,
        previous_hash,
        transactions: count,
    })
}

/// What an object without any of a block's keys seems to be.
fn lookalike(object: View<'_>) -> Lookalike {
    match TransactionView::of(object, Strictness::Presence) {
        Ok(_) => Lookalike::Transaction,
        Err(_) => Lookalike::Other,
    }
}

fn expect_kind(
    field: &'static str,
    value: View<'_>,
    kinds: &[Kind],
    expected: &'static str,
) -> Result<(), FaultKind> {
    if kinds.contains(&value.kind()) {
        return Ok(());
    }
    Err(FaultKind::Type {
        field,
        found: value.excerpt(),
        expected,
    })
}

/// What the block after this one is checked against.
#[derive(Clone, Debug)]
pub(in crate::chain) struct Tip<'a> {
    proof: Cow<'a, [u8]>,
    previous_hash: Cow<'a, [u8]>,
    hash: Digest,
}

impl<'a> Tip<'a> {
    /// `previous_hash` as the block quotes it.
    pub(in crate::chain) fn new(proof: &'a [u8], previous_hash: View<'a>, hash: Digest) -> Self {
        Self {
            proof: Cow::Borrowed(proof),
            previous_hash: plain_text(previous_hash),
            hash,
        }
    }

    pub(in crate::chain) fn into_owned(self) -> Tip<'static> {
        Tip {
            proof: Cow::Owned(self.proof.into_owned()),
            previous_hash: Cow::Owned(self.previous_hash.into_owned()),
            hash: self.hash,
        }
    }

    pub(super) fn proof(&self) -> &[u8] {
        &self.proof
    }

    pub(in crate::chain) fn block(&self) -> LastBlock<'_> {
        LastBlock {
            proof: &self.proof,
            previous_hash: &self.previous_hash,
            hash: self.hash,
        }
    }
}

/// What Python's `str` gives for a string or an integer.
fn plain_text(value: View<'_>) -> Cow<'_, [u8]> {
    match value.string() {
        None => Cow::Borrowed(value.text()),
        Some(inner) if memchr::memchr(b'\\', inner).is_none() => Cow::Borrowed(inner),
        Some(_) => {
            let decoded: String = serde_json::from_slice(value.text())
                .expect("canonical text is JSON without lone surrogates");
            Cow::Owned(decoded.into_bytes())
        }
    }
}
