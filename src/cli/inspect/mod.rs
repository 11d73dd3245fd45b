//! `fourzero inspect`.

mod layout;
mod utc;

use anyhow::{Context as _, anyhow};
use fourzero::chain::{Cycle, Range, Statistics, StatisticsError, statistics};
use fourzero::pow::{Control, Rule};
use serde::Serialize;
use serde_json::Value;

use super::args::InspectArgs;
use super::interrupt::{self, WhenStuck};
use super::progress::{self, Progress};
use super::{Exit, input, print};

/// What `--json` prints for a file that could be read. Amounts are strings:
/// they are exact, and JSON's readers round numbers.
#[derive(Serialize)]
struct Figures<'a> {
    file: &'a str,
    bytes: u64,
    blocks: u64,
    wrong_length: Option<&'a str>,
    transactions: u64,
    rewards: u64,
    odd_transactions: u64,
    odd_blocks: u64,
    block_transactions: Option<RangeFigures>,
    block_bytes: Option<RangeFigures>,
    time: TimeFigures,
    proofs: ProofFigures,
    cycle: Option<CycleFigures>,
    zeros: Vec<ZeroFigures>,
    balances: BalanceFigures<'a>,
}

#[derive(Serialize)]
struct RangeFigures {
    min: u64,
    mean: f64,
    max: u64,
}

#[derive(Serialize)]
struct TimeFigures {
    first: Option<f64>,
    first_utc: Option<String>,
    last: Option<f64>,
    last_utc: Option<String>,
    seconds: Option<f64>,
    backwards: u64,
    odd: u64,
}

#[derive(Serialize)]
struct ProofFigures {
    count: u64,
    odd: u64,
    min: u64,
    lower_quartile: u64,
    median: u64,
    upper_quartile: u64,
    max: u64,
    mean: f64,
}

#[derive(Serialize)]
struct CycleFigures {
    start: u64,
    length: u64,
}

#[derive(Serialize)]
struct ZeroFigures {
    rule: &'static str,
    hex: Option<u16>,
    bits: Option<u16>,
}

#[derive(Serialize)]
struct BalanceFigures<'a> {
    names: u64,
    below_zero: u64,
    minted: &'a str,
    not_counted: u64,
    top: Vec<HolderFigures<'a>>,
}

#[derive(Serialize)]
struct HolderFigures<'a> {
    name: Value,
    balance: &'a str,
    transactions: u64,
}

/// What `--json` prints for a file that could not.
#[derive(Serialize)]
struct Unreadable<'a> {
    file: &'a str,
    error: String,
}

pub(super) fn run(args: &InspectArgs) -> anyhow::Result<Exit> {
    input::check_stdin(&args.chains)?;
    let control = Control::new();
    interrupt::install(&control, WhenStuck::Leave)?;
    let mut worst = Exit::Yes;
    for (place, path) in args.chains.iter().enumerate() {
        let control = control.with_fresh_counts();
        let name = input::name(path);
        let inspected = input::open(path).and_then(|(source, size)| {
            let line = progress::reading("inspecting", name.clone(), size);
            let _progress = Progress::start(&args.printing, &control, line);
            statistics(source, args.top, &control).map_err(|error| match error {
                StatisticsError::Cancelled => anyhow::Error::from(error),
                StatisticsError::Read(error) => {
                    anyhow!("{name}: {error}{}", input::hint(&error, path, "inspect"))
                }
                error => anyhow!("{name}: {error}"),
            })
        });
        match inspected {
            Ok(statistics) => {
                let printed = if args.printing.json {
                    print::json(&figures(&name, &statistics))
                } else {
                    if place > 0 {
                        print::line("").context(print::FAILED)?;
                    }
                    layout::print(&name, &statistics)
                };
                printed.context(print::FAILED)?;
            }
            Err(_) if control.is_cancelled() => {
                print::message(&format!("interrupted while inspecting {name}"));
                return Ok(Exit::Interrupted);
            }
            Err(error) => {
                let error = format!("{error:#}");
                print::error(&error);
                if args.printing.json {
                    print::json(&Unreadable { file: &name, error }).context(print::FAILED)?;
                }
                worst = Exit::Error;
            }
        }
    }
    Ok(worst)
}

fn figures<'a>(file: &'a str, statistics: &'a Statistics) -> Figures<'a> {
    let Statistics {
        times,
        proofs,
        balances,
        ..
    } = statistics;
    let range = |range: Range| RangeFigures {
        min: range.min,
        mean: range.mean,
        max: range.max,
    };
    let holders = balances.top.iter().map(|holder| HolderFigures {
        name: name(&holder.name),
        balance: &holder.balance,
        transactions: holder.transactions,
    });
    Figures {
        file,
        bytes: statistics.bytes,
        blocks: statistics.blocks,
        wrong_length: statistics.wrong_length.as_deref(),
        transactions: statistics.transactions,
        rewards: statistics.rewards,
        odd_transactions: statistics.odd_transactions,
        odd_blocks: statistics.odd_blocks,
        block_transactions: statistics.block_transactions.map(range),
        block_bytes: statistics.block_bytes.map(range),
        time: TimeFigures {
            first: times.first,
            first_utc: times.first.and_then(utc::date),
            last: times.last,
            last_utc: times.last.and_then(utc::date),
            seconds: times.span(),
            backwards: times.backwards,
            odd: times.odd,
        },
        proofs: ProofFigures {
            count: proofs.count,
            odd: proofs.odd,
            min: proofs.min,
            lower_quartile: proofs.lower_quartile,
            median: proofs.median,
            upper_quartile: proofs.upper_quartile,
            max: proofs.max,
            mean: proofs.mean,
        },
        cycle: proofs
            .cycle
            .map(|Cycle { start, length }| CycleFigures { start, length }),
        zeros: zeros(statistics).collect(),
        balances: BalanceFigures {
            names: balances.names,
            below_zero: balances.below_zero,
            minted: &balances.minted,
            not_counted: balances.not_counted,
            top: holders.collect(),
        },
    }
}

/// A name as the value that it is in the chain; or its text, where that is
/// shortened or a number that would be rounded.
fn name(json: &str) -> Value {
    match serde_json::from_str(json) {
        Ok(Value::Number(number)) if number.to_string() != json => json.into(),
        Ok(name) => name,
        Err(_) => json.into(),
    }
}

/// For each rule, the fewest zeros in front of a proof's digest.
fn zeros(statistics: &Statistics) -> impl Iterator<Item = ZeroFigures> {
    Rule::ALL
        .into_iter()
        .zip(statistics.proofs.zero_bits)
        .map(|(rule, bits)| ZeroFigures {
            rule: rule.name(),
            hex: bits.map(|bits| bits / 4),
            bits,
        })
}
