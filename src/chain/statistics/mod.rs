//! What a chain holds, in figures: its size and span of time, who owns how
//! much, and what its proofs look like.
//!
//! Nothing here says whether the chain is valid: a figure counts what can be
//! counted, and says how much could not.

mod balances;
mod proofs;
mod sum;
mod times;

use std::io::Read;

use serde::Serialize;
use thiserror::Error;

pub use self::balances::{Balances, Holder};
pub use self::proofs::{Cycle, Proofs};
pub use self::times::Times;

use self::balances::Accounts;
use self::proofs::ProofTally;
use super::canonical::{BlockError, CanonicalBlock, CanonicalReader};
use super::file::ReadError;
use super::json::{Kind, Position, View, canonical_number};
use super::transaction::{Spelling, Strictness, TransactionView};
use crate::pow::Control;
use crate::sha256::digest_texts;

/// The figures of a chain.
#[derive(Clone, PartialEq, Debug)]
pub struct Statistics {
    /// Bytes of the file.
    pub bytes: u64,
    /// Blocks, the genesis block included.
    pub blocks: u64,
    /// The `"length"` that the file states, as JSON, where that is not the
    /// number of its blocks.
    pub wrong_length: Option<String>,
    /// Transactions, those that [`Self::odd_transactions`] counts left out.
    pub transactions: u64,
    /// Those of them that come from the sender `"0"`: the miners' rewards.
    pub rewards: u64,
    /// Elements of `transactions` lists that lack one of the three fields.
    pub odd_transactions: u64,
    /// Blocks whose `transactions` are missing or no list.
    pub odd_blocks: u64,
    /// Transactions a block, the rewards included; `None` without a block.
    pub block_transactions: Option<Range>,
    /// Bytes a block, in its canonical text; `None` without a block.
    pub block_bytes: Option<Range>,
    /// When its blocks were made.
    pub times: Times,
    /// Its proofs.
    pub proofs: Proofs,
    /// Who owns how much.
    pub balances: Balances,
}

/// The least and the greatest of some numbers, and their mean.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Range {
    /// The least.
    pub min: u64,
    /// The mean.
    pub mean: f64,
    /// The greatest.
    pub max: u64,
}

/// Why there are no figures.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StatisticsError {
    /// The file cannot be read as a chain.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// One of its blocks is no object.
    #[error("{position}: block {index} is {found}, expected an object")]
    NotAnObject {
        /// Where it stands.
        position: Position,
        /// Its place in the chain, counted from 1.
        index: u64,
        /// The JSON value it is, shortened if it is long.
        found: String,
    },
    /// The [`Control`] was cancelled.
    #[error("the chain was not read to its end: cancelled")]
    Cancelled,
}

impl From<BlockError> for StatisticsError {
    fn from(error: BlockError) -> Self {
        match error {
            BlockError::Read(error) => Self::Read(error),
            BlockError::NotAnObject {
                position,
                index,
                found,
            } => Self::NotAnObject {
                position,
                index,
                found,
            },
        }
    }
}

/// Reads `source` to its end and counts; the balances name as many of the
/// richest as `top` says.
///
/// Memory grows with the chain: by 12 bytes a block for its proofs, and by 100
/// to 300 for each name that stands in a transaction. `control` counts blocks and
/// bytes, and cancels between batches.
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
        let texts: Vec<_> = reader.blocks().map(|block| block.text).collect();
        digests.clear();
        digest_texts(&texts, &mut digests);
        for (block, hash) in reader.blocks().zip(&digests) {
            let fields = Fields::of(&block);
            tally.add(block.text, &fields);
            tally.proofs.add(fields.proof, fields.previous_hash, *hash);
        }
        control.add_blocks(texts.len() as u64);
        control.add_bytes(reader.bytes_read() - bytes);
        bytes = reader.bytes_read();
    }
    Ok(Statistics {
        bytes: reader.bytes_read(),
        blocks: reader.count(),
        wrong_length: reader.wrong_length(),
        transactions: tally.transactions,
        rewards: tally.accounts.rewards(),
        odd_transactions: tally.odd_transactions,
        odd_blocks: tally.odd_blocks,
        block_transactions: tally.block_transactions.range(),
        block_bytes: tally.block_bytes.range(),
        times: tally.times,
        proofs: tally.proofs.finish(),
        balances: tally.accounts.finish(top),
    })
}

/// What is counted while blocks are read.
#[derive(Debug, Default)]
struct Tally {
    transactions: u64,
    odd_transactions: u64,
    odd_blocks: u64,
    block_transactions: RangeTally,
    block_bytes: RangeTally,
    times: Times,
    proofs: ProofTally,
    accounts: Accounts,
    spelling: Spelling,
}

impl Tally {
    fn add(&mut self, text: &[u8], fields: &Fields<'_>) {
        self.block_bytes.add(text.len() as u64);
        self.times.add(fields.timestamp);
        let before = self.transactions;
        match fields.transactions {
            Some(list) if list.kind() == Kind::Array => self.add_transactions(list),
            _ => self.odd_blocks += 1,
        }
        self.block_transactions.add(self.transactions - before);
    }

    fn add_transactions(&mut self, list: View<'_>) {
        let mut left = list.elements();
        while !left.text().is_empty() {
            let transaction = match self.spelling.recognize(left.text()) {
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
                    self.transactions += 1;
                    self.accounts.add(&transaction);
                }
                None => self.odd_transactions += 1,
            }
        }
    }
}

/// The values of a block that are counted.
#[derive(Debug, Default)]
struct Fields<'a> {
    timestamp: Option<View<'a>>,
    transactions: Option<View<'a>>,
    proof: Option<View<'a>>,
    previous_hash: Option<View<'a>>,
}

impl<'a> Fields<'a> {
    fn of(block: &CanonicalBlock<'a>) -> Self {
        Self::of_known(block).unwrap_or_else(|| Self::of_any(View::of(block.text)))
    }

    /// In a block whose spelling is known, they stand where they must.
    fn of_known(block: &CanonicalBlock<'a>) -> Option<Self> {
        let (parts, text) = (block.parts?, block.text);
        let rest = text[parts.proof.end..].strip_prefix(b", \"timestamp\": ")?;
        let (timestamp, rest) = rest.split_at(canonical_number(rest)?);
        let list = rest.strip_prefix(b", \"transactions\": ")?;
        Some(Self {
            timestamp: Some(View::of(timestamp)),
            transactions: Some(View::of(list.strip_suffix(b"}")?)),
            proof: Some(View::of(&text[parts.proof.clone()])),
            previous_hash: Some(View::of(&text[parts.previous_hash.clone()])),
        })
    }

    fn of_any(block: View<'a>) -> Self {
        let mut fields = Self::default();
        for (key, value) in block.members() {
            match key {
                b"timestamp" => fields.timestamp = Some(value),
                b"transactions" => fields.transactions = Some(value),
                b"proof" => fields.proof = Some(value),
                b"previous_hash" => fields.previous_hash = Some(value),
                _ => {}
            }
        }
        fields
    }
}

/// A [`Range`] in the making.
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
