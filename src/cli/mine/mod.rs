//! `fourzero mine`: all queues into one chain, or each into its own.

mod each;
mod one;
mod resume;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use fourzero::batch::{
    Clock, MineOptions, MineSummary, NamedQueue, OutputOptions, Overwrite, ProofMemory, ReadBack,
    Resume, TextAmounts, fresh_node_id,
};
use fourzero::bench::Chosen;
use fourzero::chain::Format;
use serde::Serialize;

use super::args::MineArgs;
use super::exit::Exit;
use super::{explain, print};

/// What `--json` prints.
#[derive(Serialize)]
struct Summary<'a> {
    output: &'a str,
    blocks: u64,
    resumed_blocks: u64,
    transactions: u64,
    hashes: u64,
    seconds: f64,
    hashrate: f64,
    efficiency: Option<f64>,
    last_hash: String,
    chosen: Vec<Chosen>,
}

pub(super) fn run(args: &MineArgs) -> anyhow::Result<Exit> {
    explain::mining(args);
    match (&args.output, &args.out_dir) {
        (Some(output), _) => one::run(args, output),
        (None, Some(folder)) => each::run(args, folder),
        (None, None) => bail!("no output is named (--output or --out-dir)"),
    }
}

fn options(args: &MineArgs) -> MineOptions {
    MineOptions {
        rule: args.rule,
        target: args.difficulty.target,
        block_size: args.block_size,
        recipient: args.recipient.clone().unwrap_or_else(fresh_node_id),
        clock: args.timestamp.map_or(Clock::System, Clock::From),
        strictness: args.strict.strictness(),
        proof_memory: if args.no_proof_cache {
            ProofMemory::Off
        } else {
            ProofMemory::On
        },
    }
}

fn output_options(args: &MineArgs, path: PathBuf) -> OutputOptions {
    OutputOptions {
        format: args.format.unwrap_or_else(|| Format::of_path(&path)),
        path,
        overwrite: Overwrite::forced(args.force),
        read_back: if args.no_verify {
            ReadBack::Skip
        } else {
            ReadBack::Verify
        },
        resume: match (args.resume, &args.recipient) {
            (false, _) => Resume::Never,
            (true, Some(_)) => Resume::SameRecipient,
            (true, None) => Resume::JournalsRecipient,
        },
    }
}

/// Opens the queue in the file `path`, which must not be `output`.
fn open_queue(path: &Path, output: &Path) -> anyhow::Result<NamedQueue> {
    let name = path.display();
    let queue = NamedQueue::open(path).with_context(|| format!("cannot open {name}"))?;
    if is_same_file(path, output) {
        bail!("{name} is both a queue and the output; name another output");
    }
    Ok(queue)
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

fn print_json(path: &Path, summary: &MineSummary, efficiency: Option<f64>) -> io::Result<()> {
    print::json(&Summary {
        output: &path.display().to_string(),
        blocks: summary.blocks,
        resumed_blocks: summary.resumed_blocks,
        transactions: summary.transactions,
        hashes: summary.hashes,
        seconds: summary.elapsed.as_secs_f64(),
        hashrate: summary.hashrate(),
        efficiency,
        last_hash: summary.last_hash.to_string(),
        chosen: Chosen::so_far(),
    })
}

/// What was made and what it took, in words.
fn describe(summary: &MineSummary) -> String {
    let there = match summary.resumed_blocks {
        0 => String::new(),
        blocks if blocks == summary.blocks => " (all there before)".to_owned(),
        blocks => format!(" ({} there before)", indicatif::HumanCount(blocks)),
    };
    // Each block but the first pays one.
    let rewards = summary.blocks.saturating_sub(1);
    format!(
        "{}{there}, {} and {}, {}{} in {:.3} s{}",
        print::count(summary.blocks, "block"),
        print::count(summary.transactions, "transaction"),
        print::count(rewards, "reward"),
        print::count(summary.hashes, "hash"),
        match remembered(summary) {
            0 => String::new(),
            proofs => format!(" ({} remembered)", print::count(proofs, "proof")),
        },
        summary.elapsed.as_secs_f64(),
        rate(summary.hashes, summary.elapsed, remembered(summary)),
    )
}

/// Proofs that were not searched, for an earlier block had the same.
const fn remembered(summary: &MineSummary) -> u64 {
    let there = if summary.resumed_blocks == 0 {
        1
    } else {
        summary.resumed_blocks
    };
    let mined = summary.blocks.saturating_sub(there);
    mined.saturating_sub(summary.proofs_searched)
}

/// The hashrate, in brackets; none where not all of the time was for proofs
/// that had to be searched, for it would tell nothing of the engine.
fn rate(hashes: u64, elapsed: Duration, remembered: u64) -> String {
    let seconds = elapsed.as_secs_f64();
    if hashes == 0 || remembered > 0 || seconds == 0.0 {
        return String::new();
    }
    format!(" ({})", print::hashrate(hashes as f64 / seconds))
}

/// Warns of amounts that are probably not what they were meant to be.
fn warn(amounts: Option<&TextAmounts>) {
    if let Some(amounts) = amounts {
        print::warning(&format!("{amounts}; --strict refuses such amounts"));
    }
}

const fn verdict(args: &MineArgs) -> &'static str {
    if args.no_verify {
        "not verified"
    } else {
        "verified"
    }
}
