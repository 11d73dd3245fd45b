//! `fourzero mine`: mines all queues into one chain, or each into its own.

mod each;
mod one;
mod resume;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use fourzero::batch::{
    Clock, MineOptions, MineSummary, NamedQueue, OutputOptions, Overwrite, ProofMemory, ReadBack,
    Resume, TextAmounts, Unfinished, fresh_node_id,
};
use fourzero::bench::Chosen;
use fourzero::chain::Format;
use serde::Serialize;

use super::args::MineArgs;
use super::exit::Exit;
use super::{explain, hints, print};

/// What `--json` prints for a chain.
#[derive(Serialize)]
struct MinedJson<'a> {
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
        proof_memory: match args.no_proof_cache {
            true => ProofMemory::Off,
            false => ProofMemory::On,
        },
    }
}

fn output_options(args: &MineArgs, path: PathBuf) -> OutputOptions {
    OutputOptions {
        format: args.format.unwrap_or_else(|| Format::of_path(&path)),
        path,
        overwrite: Overwrite::forced(args.force),
        read_back: match args.no_verify {
            true => ReadBack::Skip,
            false => ReadBack::Verify,
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
    if let (Ok(path), Ok(output)) = (path.canonicalize(), output.canonicalize())
        && path == output
    {
        bail!("{name} is both a queue and the output; name another output");
    }
    Ok(queue)
}

/// The error and the advice on it.
fn explained(error: Unfinished) -> String {
    let error = anyhow::Error::from(error);
    format!("{error:#}{}", hints::advice(&error))
}

fn print_json(path: &Path, summary: &MineSummary, efficiency: Option<f64>) -> io::Result<()> {
    print::json(&MinedJson {
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

fn print_summary(path: &Path, summary: &MineSummary) -> io::Result<()> {
    let resumed = match summary.resumed_blocks {
        0 => String::new(),
        blocks if blocks == summary.blocks => " (all there before)".to_owned(),
        blocks => format!(" ({} there before)", indicatif::HumanCount(blocks)),
    };
    let remembered = remembered_proofs(summary);
    // Each block except the first has one.
    let rewards = summary.blocks.saturating_sub(1);
    print::line(&format!(
        "{}: {}{resumed}, {} and {}, {}{} in {:.3} s{}",
        path.display(),
        print::count(summary.blocks, "block"),
        print::count(summary.transactions, "transaction"),
        print::count(rewards, "reward"),
        print::count(summary.hashes, "hash"),
        match remembered {
            0 => String::new(),
            proofs => format!(" ({} remembered)", print::count(proofs, "proof")),
        },
        summary.elapsed.as_secs_f64(),
        hashrate(summary.hashes, summary.elapsed, remembered),
    ))
}

/// Proofs that were looked up, not searched.
const fn remembered_proofs(summary: &MineSummary) -> u64 {
    let genesis = if summary.resumed_blocks == 0 { 1 } else { 0 };
    let mined = summary.blocks - summary.resumed_blocks - genesis;
    mined - summary.proofs_searched
}

/// The hashrate in brackets. Empty if proofs were remembered, because it would
/// say nothing about the engine.
fn hashrate(hashes: u64, elapsed: Duration, remembered_proofs: u64) -> String {
    let seconds = elapsed.as_secs_f64();
    if hashes == 0 || remembered_proofs > 0 || seconds == 0.0 {
        return String::new();
    }
    format!(" ({})", print::hashrate(hashes as f64 / seconds))
}

/// Warns of amounts that are probably not intended.
fn warn(amounts: Option<&TextAmounts>) {
    if let Some(amounts) = amounts {
        print::warning(&format!("{amounts}; --strict refuses such amounts"));
    }
}

const fn verdict(args: &MineArgs) -> &'static str {
    match args.no_verify {
        true => "not verified",
        false => "verified",
    }
}
