//! `fourzero mine`.

use std::fs::File;
use std::io;
use std::path::Path;

use anyhow::{Context as _, bail};
use fourzero::batch::{
    Clock, MineOptions, MineSummary, NamedQueue, OutputOptions, Overwrite, ProofMemory, ReadBack,
    fresh_node_id, mine_to_file,
};
use fourzero::bench::{self, Calibration, one_thread_rate};
use fourzero::chain::Format;
use fourzero::pow::{Control, Searcher};
use serde::Serialize;

use super::args::MineArgs;
use super::interrupt::{self, WhenStuck};
use super::progress::{self, Progress};
use super::{Exit, print};

/// What `--json` prints.
#[derive(Serialize)]
struct Summary<'a> {
    output: &'a str,
    blocks: u64,
    transactions: u64,
    hashes: u64,
    seconds: f64,
    hashrate: f64,
    efficiency: Option<f64>,
    last_hash: String,
}

pub(super) fn run(args: &MineArgs) -> anyhow::Result<Exit> {
    if args.output == Path::new("-") {
        bail!("a chain cannot be written to standard output (-); name a file");
    }
    let queues = open_queues(args)?;
    let options = MineOptions {
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
    };
    let output = OutputOptions {
        path: args.output.clone(),
        format: args.format.unwrap_or_else(|| Format::of_path(&args.output)),
        overwrite: if args.force {
            Overwrite::Replace
        } else {
            Overwrite::Never
        },
        read_back: if args.no_verify {
            ReadBack::Skip
        } else {
            ReadBack::Verify
        },
    };
    let searcher = args.engine.start()?;
    let control = Control::new();
    let interrupted = interrupt::install(&control, WhenStuck::Wait)?;

    let progress = Progress::start(&args.printing, &control, progress::mining);
    let mined = mine_to_file(queues, &output, &options, &searcher, &control);
    drop(progress);
    match mined {
        Ok(summary) => {
            report(args, &summary, &searcher).with_context(|| {
                let output = args.output.display();
                format!("{output} was written, but its summary cannot be printed")
            })?;
            Ok(Exit::Yes)
        }
        // The same Ctrl-C may have ended whoever writes the queue, too.
        Err(error) if error.is_cancelled() || interrupted.is_set() => {
            print::message(&format!(
                "interrupted after {}; nothing was kept, {} was not written",
                print::count(control.blocks(), "block"),
                args.output.display()
            ));
            Ok(Exit::Interrupted)
        }
        Err(error) => Err(error.into()),
    }
}

fn open_queues(args: &MineArgs) -> anyhow::Result<Vec<NamedQueue>> {
    let mut queues = Vec::new();
    let mut has_stdin = false;
    for path in &args.queues {
        if path == Path::new("-") {
            if has_stdin {
                bail!("standard input (-) is named twice as a queue");
            }
            has_stdin = true;
            queues.push(NamedQueue::new("standard input", io::stdin()));
            continue;
        }
        let name = path.display().to_string();
        let file = File::open(path).with_context(|| format!("cannot open {name}"))?;
        if is_same_file(path, &args.output) {
            bail!("{name} is both a queue and the output; mining would replace it");
        }
        queues.push(NamedQueue::new(name, file));
    }
    Ok(queues)
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

/// What share of the threads' time became proofs, by the rate that the same
/// kernel has now; `None` where no proof was searched.
fn efficiency(args: &MineArgs, summary: &MineSummary, searcher: &Searcher) -> Option<f64> {
    if summary.hashes_needed == 0 {
        return None;
    }
    let (kernel, elapsed) = (searcher.kernel(), summary.elapsed);
    let rate = one_thread_rate(kernel, args.rule, Calibration::after(elapsed)).ok()?;
    bench::efficiency(summary.hashes_needed, elapsed, searcher.threads(), rate)
}

fn report(args: &MineArgs, summary: &MineSummary, searcher: &Searcher) -> io::Result<()> {
    let output = args.output.display().to_string();
    if args.printing.json {
        return print::json(&Summary {
            output: &output,
            blocks: summary.blocks,
            transactions: summary.transactions,
            hashes: summary.hashes,
            seconds: summary.elapsed.as_secs_f64(),
            hashrate: summary.hashrate(),
            efficiency: efficiency(args, summary, searcher),
            last_hash: summary.last_hash.to_string(),
        });
    }
    print::line(&format!(
        "{output}: {}, {}, {} in {:.3} s ({})",
        print::count(summary.blocks, "block"),
        print::count(summary.transactions, "transaction"),
        print::count(summary.hashes, "hash"),
        summary.elapsed.as_secs_f64(),
        print::hashrate(summary.hashrate()),
    ))?;
    print::line(&format!("last hash: {}", summary.last_hash))?;
    print::line(if args.no_verify {
        "not verified"
    } else {
        "verified"
    })
}
