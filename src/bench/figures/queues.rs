//! Many queues at once, beside one.

use std::num::NonZeroUsize;
use std::time::Instant;

use super::{Bench, Bound, Figure, FiguresError};
use crate::batch::{
    ChainJob, MineOptions, NamedQueue, OutputError, OutputOptions, Overwrite, ReadBack, Resume,
    mine, mine_each,
};
use crate::bench::sample::SampleQueue;
use crate::bench::task;
use crate::bench::turns::Turns;
use crate::chain::Format;
use crate::pow::{Rule, Searcher, Target};
use crate::sha256::KernelChoice;

const QUEUES: u64 = 16;

/// Blocks of each queue's chain.
const BLOCKS: u64 = 50;

/// Four zeros under `last-hash`: what all threads do for many queues, by what
/// one thread does for one.
pub(super) fn figures(bench: &mut Bench<'_>) -> Result<Vec<Figure>, FiguresError> {
    let kernel = KernelChoice::Measured;
    let options = MineOptions {
        rule: Rule::LastHash,
        target: Target::FOUR_ZEROS,
        ..task::options()
    };
    let queue = |blocks| {
        let sample = SampleQueue::new(blocks * options.block_size.get() as u64);
        NamedQueue::new("sample", sample)
    };
    let one_thread = Searcher::new(NonZeroUsize::MIN, kernel)?;
    let mut times = Turns::default();
    for round in bench.rounds() {
        bench.tell("many queues at four zeros", round)?;
        let (_, alone) = mine(
            vec![queue(4 * BLOCKS)],
            Vec::new(),
            Format::JsonLines,
            &options,
            &one_thread,
            bench.control,
        )?;
        let jobs = (0..QUEUES).map(|number| ChainJob {
            queue: queue(BLOCKS),
            output: OutputOptions {
                path: bench.plan.folder.join(format!("queue-{number}.jsonl")),
                format: Format::JsonLines,
                overwrite: Overwrite::Replace,
                read_back: ReadBack::Verify,
                resume: Resume::Never,
            },
        });
        let (jobs, mut needed, mut failed) = (jobs.collect(), 0, None);
        let started = Instant::now();
        mine_each(
            jobs,
            &options,
            bench.plan.threads,
            kernel,
            bench.control,
            |_, mined| match mined {
                Ok(summary) => needed += summary.hashes_needed,
                Err(unfinished) => failed = Some(*unfinished.error),
            },
        )?;
        let seconds = started.elapsed().as_secs_f64();
        bench.check()?;
        if let Some(error) = failed {
            return Err(match error {
                OutputError::Mine(error) => error.into(),
                other => FiguresError::Output(other),
            });
        }
        let rate_alone = alone.hashes_needed as f64 / alone.elapsed.as_secs_f64();
        times.push(needed as f64 / seconds / rate_alone);
    }
    // Of two threads, 95 % each: nothing waits for anything but the last.
    let threads = bench.plan.threads;
    let least = 0.95 * threads.get() as f64;
    Ok(vec![Figure::new(
        format!("{QUEUES} queues, last-hash, {threads} threads: times one thread's rate"),
        "",
        &times,
        Some(Bound::AtLeast(least)),
    )])
}
