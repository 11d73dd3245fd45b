//! The printed results of a run.

use std::path::Path;
use std::time::Duration;

use fourzero::batch::{CsvDoubts, DoubtfulCells, MineSummary, Unfinished};
use fourzero::bench::Chosen;
use serde::Serialize;

use crate::cli::args::MineArgs;
use crate::cli::{hints, print};

/// What `--json` prints for a chain.
#[derive(Serialize)]
pub(super) struct MinedJson {
    output: String,
    blocks: u64,
    resumed_blocks: u64,
    transactions: u64,
    rewards: u64,
    hashes: u64,
    seconds: f64,
    hashrate: f64,
    efficiency: Option<f64>,
    last_hash: String,
    chosen: Vec<Chosen>,
}

/// The error and the advice on it.
pub(super) fn explained(error: Unfinished) -> String {
    let error = anyhow::Error::from(error);
    format!("{error:#}{}", hints::advice(&error))
}

pub(super) fn json(path: &Path, summary: &MineSummary, efficiency: Option<f64>) -> MinedJson {
    MinedJson {
        output: path.display().to_string(),
        blocks: summary.blocks,
        resumed_blocks: summary.resumed_blocks,
        transactions: summary.transactions + rewards(summary),
        rewards: rewards(summary),
        hashes: summary.hashes,
        seconds: summary.elapsed.as_secs_f64(),
        hashrate: summary.hashrate(),
        efficiency,
        last_hash: summary.last_hash.to_string(),
        chosen: Chosen::so_far(),
    }
}

/// One line about a chain.
pub(super) fn line(path: &Path, summary: &MineSummary) -> String {
    let resumed = match summary.resumed_blocks {
        0 => String::new(),
        blocks if blocks == summary.blocks => " (all there before)".to_owned(),
        blocks => format!(" ({} there before)", indicatif::HumanCount(blocks)),
    };
    let remembered = remembered_proofs(summary);
    format!(
        "{}: {}{resumed}, {}, {}{} in {:.3} s{}",
        path.display(),
        print::count(summary.blocks, "block"),
        print::transactions(summary.transactions + rewards(summary), rewards(summary)),
        print::count(summary.hashes, "hash"),
        match remembered {
            0 => String::new(),
            proofs => format!(" ({} remembered)", print::count(proofs, "proof")),
        },
        summary.elapsed.as_secs_f64(),
        hashrate(summary.hashes, summary.elapsed, remembered),
    )
}

/// Each block except the first has one.
const fn rewards(summary: &MineSummary) -> u64 {
    summary.blocks.saturating_sub(1)
}

/// Proofs that were looked up, not searched.
pub(super) const fn remembered_proofs(summary: &MineSummary) -> u64 {
    let genesis = if summary.resumed_blocks == 0 { 1 } else { 0 };
    let mined = summary.blocks - summary.resumed_blocks - genesis;
    mined - summary.proofs_searched
}

/// The hashrate in brackets. Empty if proofs were remembered, because it would
/// say nothing about the engine.
pub(super) fn hashrate(hashes: u64, elapsed: Duration, remembered_proofs: u64) -> String {
    let seconds = elapsed.as_secs_f64();
    if hashes == 0 || remembered_proofs > 0 || seconds == 0.0 {
        return String::new();
    }
    format!(" ({})", print::hashrate(hashes as f64 / seconds))
}

/// Warns once about each kind of cell that is probably not intended.
pub(super) fn warn(args: &MineArgs, doubts: &CsvDoubts) {
    if let Some(amounts) = &doubts.text_amounts {
        let decimal_comma = match !args.decimal_comma
            && amounts.first.contains(',')
            && !amounts.first.contains('.')
        {
            true => "; --decimal-comma reads a comma as the decimal point",
            false => "",
        };
        print::warning(&format!(
            "{} is not a number and is kept as text{}; --strict refuses such amounts{decimal_comma}",
            first(amounts),
            more(amounts)
        ));
    }
    if let Some(names) = &doubts.padded_names {
        print::warning(&format!(
            "{} starts or ends with white space{}, which is part of the name; remove it if it is not \
             intended",
            first(names),
            more(names)
        ));
    }
}

fn first(cells: &DoubtfulCells) -> String {
    let DoubtfulCells {
        queue,
        line,
        field,
        first,
        ..
    } = cells;
    format!("{queue}: line {line}: the {field} {first}")
}

fn more(cells: &DoubtfulCells) -> String {
    match cells.count {
        1 => String::new(),
        count => format!(" (and {} more)", indicatif::HumanCount(count - 1)),
    }
}

pub(super) const fn verdict(args: &MineArgs) -> &'static str {
    match args.no_verify {
        true => "not verified",
        false => "verified",
    }
}
