//! What `inspect --json` prints. Amounts are strings, because they are exact
//! and JSON readers round numbers.

use fourzero::chain::{Cycle, Proofs, Range, Statistics};
use serde::Serialize;
use serde_json::Value;

use super::derived::{LeastZeros, least_zeros, utc};

#[derive(Serialize)]
pub(super) struct InspectSummary<'a> {
    file: &'a str,
    bytes: u64,
    blocks: u64,
    wrong_length: Option<&'a str>,
    transactions: u64,
    rewards: u64,
    odd_transactions: u64,
    odd_blocks: u64,
    block_transactions: Option<Range>,
    block_bytes: Option<Range>,
    time: TimeSummary,
    proofs: &'a Proofs,
    cycle: Option<Cycle>,
    zeros: Vec<LeastZeros>,
    balances: BalanceSummary<'a>,
}

#[derive(Serialize)]
struct TimeSummary {
    first: Option<f64>,
    first_utc: Option<String>,
    last: Option<f64>,
    last_utc: Option<String>,
    seconds: Option<f64>,
    backwards: u64,
    odd: u64,
}

#[derive(Serialize)]
struct BalanceSummary<'a> {
    names: u64,
    below_zero: Option<u64>,
    minted: Option<&'a str>,
    not_counted: u64,
    top: Vec<HolderSummary<'a>>,
}

#[derive(Serialize)]
struct HolderSummary<'a> {
    name: Value,
    balance: &'a str,
    transactions: u64,
}

impl<'a> InspectSummary<'a> {
    pub(super) fn new(file: &'a str, statistics: &'a Statistics) -> Self {
        let (times, balances) = (&statistics.times, &statistics.balances);
        let holders = balances.top.iter().map(|holder| HolderSummary {
            name: name(&holder.name),
            balance: &holder.balance,
            transactions: holder.transactions,
        });
        Self {
            file,
            bytes: statistics.bytes,
            blocks: statistics.blocks,
            wrong_length: statistics.wrong_length.as_deref(),
            transactions: statistics.transactions,
            rewards: statistics.rewards,
            odd_transactions: statistics.odd_transactions,
            odd_blocks: statistics.odd_blocks,
            block_transactions: statistics.block_transactions,
            block_bytes: statistics.block_bytes,
            time: TimeSummary {
                first: times.first,
                first_utc: times.first.and_then(utc),
                last: times.last,
                last_utc: times.last.and_then(utc),
                seconds: times.span(),
                backwards: times.backwards,
                odd: times.odd,
            },
            proofs: &statistics.proofs,
            cycle: statistics.proofs.cycle,
            zeros: least_zeros(statistics).collect(),
            balances: BalanceSummary {
                names: balances.names,
                below_zero: balances.below_zero,
                minted: balances.minted.as_deref(),
                not_counted: balances.not_counted,
                top: holders.collect(),
            },
        }
    }
}

/// A name as the JSON value that it is in the chain, or as its text if it is
/// shortened or a number that would be rounded.
fn name(json: &str) -> Value {
    match serde_json::from_str(json) {
        Ok(Value::Number(number)) if number.to_string() != json => json.into(),
        Ok(name) => name,
        Err(_) => json.into(),
    }
}
