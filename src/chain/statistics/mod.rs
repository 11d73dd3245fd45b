//! Statistics of a chain: its size and time span, balances, and proofs.
//!
//! The chain need not be valid: each figure counts what can be counted, and
//! another says how much could not.

mod balances;
mod proofs;
mod times;

use std::io::Read;

use serde::Serialize;
use thiserror::Error;

pub use self::balances::{Balances, Holder};
pub use self::proofs::{Cycle, Proofs};
pub use self::times::Times;

use self::balances::Accounts;
use self::proofs::ProofTally;
use super::canonical::{BlockFields, CanonicalReader};
use super::file::ReadError;
use super::json::{Kind, View, canonical_number};
use super::transaction::{Strictness, TransactionLayout, TransactionView};
use crate::pow::Control;
use crate::sha256::{Digest, digest_texts};

/// The figures of a chain.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Statistics {
    /// Bytes of the file.
    pub bytes: u64,
    /// Blocks, the genesis block included.
    pub blocks: u64,
    /// The file's `"length"` as JSON, if it is not the number of blocks.
    pub wrong_length: Option<String>,
    /// Transactions, without those that [`Self::odd_transactions`] counts.
    pub transactions: u64,
    /// Transactions from the sender `"0"`: the miners' rewards.
    pub rewards: u64,
    /// Elements of `transactions` lists that lack one of the three fields.
    pub odd_transactions: u64,
    /// Blocks whose `transactions` are missing or not a list.
    pub odd_blocks: u64,
    /// Transactions per block with a list of them, rewards included; `None`
    /// without such a block.
    pub block_transactions: Option<Range>,
    /// Bytes per block as canonical text; `None` without a block.
    pub block_bytes: Option<Range>,
    /// The timestamps.
    pub times: Times,
    /// The proofs.
    pub proofs: Proofs,
    /// The balances.
    pub balances: Balances,
}

/// The minimum, maximum and mean of some numbers.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Range {
    /// The minimum.
    pub min: u64,
    /// The mean.
    pub mean: f64,
    /// The maximum.
    pub max: u64,
}

/// Why there are no statistics.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StatisticsError {
    /// The file cannot be read as a chain, or a block is not an object.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The [`Control`] was cancelled.
    #[error("the chain was not read to its end: cancelled")]
    Cancelled,
}

/// Reads `source` to its end and counts; the balances list the `top` richest
/// names.
///
/// Memory grows with the chain: by 12 bytes for each block and by 100 to 300
/// bytes for each name. `control` counts blocks and bytes, and cancels between
/// batches.
///
/// ```
/// use fourzero::chain::statistics;
/// use fourzero::pow::Control;
///
/// let chain = br#"[{"index": 1, "previous_hash": "1", "proof": 100, "timestamp": 5.5,
///     "transactions": [{"sender": "0", "recipient": "me", "amount": 1}]}]"#;
/// let figures = statistics(&chain[..], 10, &Control::new())?;
/// assert_eq!((figures.blocks, figures.rewards), (1, 1));
/// assert_eq!(figures.balances.top[0].name, "\"me\"");
/// # Ok::<(), fourzero::chain::StatisticsError>(())
/// ```
///
/// # Errors
/// See [`StatisticsError`].
pub fn statistics(
    source: impl Read,
    top: usize,
    control: &Control,
) -> Result<Statistics, StatisticsError> {
    let mut reader = CanonicalReader::new(source);
    let mut tally = Tally::default();
    let mut digests = Vec::new();
    let mut bytes = 0;
    while reader.advance()? {
        if control.is_cancelled() {
            return Err(StatisticsError::Cancelled);
        }
        let texts: Vec<_> = reader.blocks().map(|(text, _)| text).collect();
        digests.clear();
        digest_texts(&texts, &mut digests);
        for ((text, fields), hash) in reader.blocks().zip(&digests) {
            tally.add(text, values(text, fields), *hash);
        }
        control.add_blocks(texts.len() as u64);
        control.add_bytes(reader.bytes_read() - bytes);
        bytes = reader.bytes_read();
    }
    let blocks = reader.count();
    Ok(Statistics {
        bytes: reader.bytes_read(),
        blocks,
        wrong_length: reader.wrong_length(),
        rewards: tally.accounts.rewards(),
        block_transactions: tally.block_transactions.range(),
        block_bytes: tally.block_bytes.range(),
        proofs: tally.proofs.finish(),
        balances: tally.accounts.finish(top),
        ..tally.counts
    })
}

#[derive(Debug, Default)]
struct Tally {
    /// The figures that are counted in place.
    counts: Statistics,
    block_transactions: RangeTally,
    block_bytes: RangeTally,
    proofs: ProofTally,
    accounts: Accounts,
    layout: TransactionLayout,
}

impl Tally {
    fn add(&mut self, text: &[u8], values: Values<'_>, hash: Digest) {
        let [timestamp, transactions, proof, previous_hash] = values;
        self.block_bytes.add(text.len() as u64);
        self.counts.times.add(timestamp);
        self.proofs.add(proof, previous_hash, hash);
        match transactions {
            Some(list) if list.kind() == Kind::Array => {
                let before = self.counts.transactions;
                self.add_transactions(list);
                (self.block_transactions).add(self.counts.transactions - before);
            }
            _ => self.counts.odd_blocks += 1,
        }
    }

    fn add_transactions(&mut self, list: View<'_>) {
        let mut left = list.elements();
        while !left.text().is_empty() {
            let transaction = match self.layout.recognize(left.text()) {
                Some((transaction, length)) => {
                    left.pass(length);
                    Some(transaction)
                }
                None => left
                    .next()
                    .and_then(|value| TransactionView::of(value, Strictness::Presence).ok()),
            };
            match transaction {
                Some(transaction) => {
                    self.counts.transactions += 1;
                    self.accounts.add(&transaction);
                }
                None => self.counts.odd_transactions += 1,
            }
        }
    }
}

/// The keys of a block that the figures need.
const FIELDS: [&str; 4] = ["timestamp", "transactions", "proof", "previous_hash"];

type Values<'a> = [Option<View<'a>>; FIELDS.len()];

fn values<'a>(text: &'a [u8], fields: Option<&BlockFields>) -> Values<'a> {
    fields
        .and_then(|fields| standard_values(text, fields))
        .unwrap_or_else(|| View::of(text).fields(FIELDS))
}

/// The same for a block that has just the standard keys, in order.
fn standard_values<'a>(text: &'a [u8], fields: &BlockFields) -> Option<Values<'a>> {
    let rest = text[fields.proof.end..].strip_prefix(b", \"timestamp\": ")?;
    let (timestamp, rest) = rest.split_at(canonical_number(rest)?);
    let list = rest.strip_prefix(b", \"transactions\": ")?;
    let transactions = list.strip_suffix(b"}")?;
    let proof = &text[fields.proof.clone()];
    let previous_hash = &text[fields.previous_hash.clone()];
    Some([timestamp, transactions, proof, previous_hash].map(|value| Some(View::of(value))))
}

#[derive(Debug, Default)]
struct RangeTally {
    min: Option<u64>,
    max: u64,
    sum: u64,
    count: u64,
}

impl RangeTally {
    fn add(&mut self, number: u64) {
        self.min = Some(self.min.map_or(number, |min| min.min(number)));
        self.max = self.max.max(number);
        self.sum += number;
        self.count += 1;
    }

    fn range(&self) -> Option<Range> {
        Some(Range {
            min: self.min?,
            mean: self.sum as f64 / self.count as f64,
            max: self.max,
        })
    }
}

#[cfg(test)]
mod tests;
