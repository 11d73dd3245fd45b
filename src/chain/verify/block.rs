//! Checks one block by itself.

use std::ops::Range;

use super::fault::FaultKind;
use crate::chain::canonical::BlockFields;
use crate::chain::dialect::{BLOCK_FIELDS, block_differences, transaction_differences};
use crate::chain::json::{Kind, View};
use crate::chain::transaction::{Strictness, TransactionView};

/// Checks everything in a block that needs no other block. `index` is its place
/// in the chain.
#[cold]
pub(in crate::chain) fn check_block(
    block: View<'_>,
    index: u64,
    strictness: Strictness,
) -> Result<BlockFields, FaultKind> {
    if block.kind() != Kind::Object {
        return Err(FaultKind::Malformed {
            found: block.excerpt(),
        });
    }
    let found = block.fields(BLOCK_FIELDS);
    if let Some(missing) = found.iter().position(Option::is_none) {
        return Err(FaultKind::MissingField {
            field: BLOCK_FIELDS[missing],
            differences: block_differences(block, index),
        });
    }
    let values = found.map(|value| value.expect("no field is missing"));
    let expected: [(&[Kind], _); BLOCK_FIELDS.len()] = [
        (&[Kind::Integer], "an integer"),
        (&[Kind::Float, Kind::Integer], "a number"),
        (&[Kind::Array], "an array"),
        (&[Kind::Integer], "an integer"),
        // Older chains start with the integer 1 where newer ones have "1".
        match index {
            1 => (&[Kind::String, Kind::Integer], "a string or an integer"),
            _ => (&[Kind::String], "a string"),
        },
    ];
    for ((field, value), (kinds, expected)) in BLOCK_FIELDS.into_iter().zip(values).zip(expected) {
        if !kinds.contains(&value.kind()) {
            return Err(FaultKind::Type {
                field,
                found: value.excerpt(),
                expected,
            });
        }
    }
    let [stated_index, _, list, proof, previous_hash] = values;
    if stated_index.text() != index.to_string().as_bytes() {
        return Err(FaultKind::Index {
            found: stated_index.excerpt(),
            expected: index,
        });
    }
    let (mut transactions, mut rewards) = (0, 0);
    for transaction in list.elements() {
        transactions += 1;
        let checked = TransactionView::of(transaction, strictness);
        let transaction = checked.map_err(|problem| FaultKind::Transaction {
            place: transactions,
            differences: transaction_differences(transaction),
            problem,
        })?;
        rewards += u64::from(transaction.is_minted());
    }
    Ok(BlockFields {
        index,
        proof: place_in(block, proof),
        previous_hash: place_in(block, previous_hash),
        transactions,
        rewards,
    })
}

/// Where `value`, a part of `block`, is in its text.
fn place_in(block: View<'_>, value: View<'_>) -> Range<usize> {
    let start = value.text().as_ptr().addr() - block.text().as_ptr().addr();
    start..start + value.text().len()
}
