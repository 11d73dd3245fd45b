//! What mining is held to.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use super::least;
use super::proportion::{self, Chain};
use super::queues;
use super::{Bench, Bound, Figure, Figures, FiguresError, FiguresPlan, RunTask};
use crate::batch::MineOptions;
use crate::bench::rate::{Calibration, Steady, efficiency, one_thread_rate};
use crate::bench::task::{self, Task};
use crate::bench::turns::Turns;
use crate::pow::{Control, NonceRange, Rule, Searcher, Target, Template};
use crate::sha256::KernelChoice;

/// Blocks of the chain that shows the efficiency: half a second on one thread
/// of the usual machine, and enough for chance to even out.
const BLOCKS: u64 = 200;

/// Measures what mining is held to: the share of the threads' time that
/// becomes proofs, what many queues gain, and what text costs.
///
/// # Errors
/// If mining fails, data cannot be written, or `control` is cancelled.
pub fn mine_figures<'a>(
    plan: &'a FiguresPlan,
    run_task: &'a mut RunTask<'a>,
    observe: &'a mut dyn FnMut(&str),
    control: &'a Control,
) -> Result<Figures, FiguresError> {
    let mut bench = Bench::new(plan, run_task, observe, control);
    let mut figures = four_zeros(&mut bench)?;
    figures.extend(between_searches(&mut bench)?);
    figures.push(whole_process(&mut bench)?);
    figures.extend(queues::figures(&mut bench)?);
    figures.extend(writing(&mut bench)?);
    // At four zeros the 108 searches of `last-proof` cost the same at any
    // size, and at 10 MB as much as all the text.
    figures.extend(proportion::figures(
        &mut bench,
        "mining (one zero)",
        |chain, threads| Task::Mine {
            queue: chain.queue(),
            output: chain.mined(),
            rule: Rule::LastProof,
            zeros: 1,
            threads,
        },
    )?);
    Ok(bench.finish(figures))
}

/// Four zeros under `last-hash`: how much of the one-thread rate, measured
/// right before and right after, becomes proofs.
fn four_zeros(bench: &mut Bench<'_>) -> Result<Vec<Figure>, FiguresError> {
    let kernel = KernelChoice::Measured;
    let mut counts = vec![NonZeroUsize::MIN, bench.plan.threads];
    counts.dedup();
    let searchers = counts
        .iter()
        .map(|threads| Searcher::new(*threads, kernel))
        .collect::<Result<Vec<_>, _>>()?;
    let mut shares = vec![Turns::default(); counts.len()];
    let mut rates = Turns::default();
    for round in bench.rounds() {
        bench.tell("mining at four zeros", round)?;
        bench.sha2_turn();
        for (searcher, shares) in searchers.iter().zip(&mut shares) {
            let calibration = Calibration::usual();
            let before = one_thread_rate(kernel, Rule::LastHash, calibration)?;
            let options = MineOptions {
                rule: Rule::LastHash,
                target: Target::FOUR_ZEROS,
                ..task::options()
            };
            let mined = bench.mine_in_memory(BLOCKS, &options, searcher)?;
            let after = one_thread_rate(kernel, Rule::LastHash, calibration)?;
            let rate = f64::midpoint(before, after);
            rates.push(rate / 1e6);
            shares.extend(efficiency(
                mined.hashes_needed,
                mined.elapsed,
                searcher.threads(),
                rate,
            ));
        }
    }
    let mut figures = vec![Figure::new(
        format!("last-hash, one-thread rate of {kernel}"),
        "MH/s",
        &rates,
        None,
    )];
    for (threads, shares) in counts.iter().zip(&shares) {
        let (noun, target) = match threads.get() {
            1 => ("thread", 0.97),
            _ => ("threads", 0.90),
        };
        figures.push(Figure::new(
            format!("four zeros, last-hash: efficiency, {threads} {noun}"),
            "",
            shares,
            Some(Bound::AtLeast(target)),
        ));
    }
    Ok(figures)
}

/// What a search takes besides its hashes, on all threads: searches one after
/// another that a nonce in the first piece ends. On 64 threads a proof of four
/// zeros takes 26 microseconds.
fn between_searches(bench: &mut Bench<'_>) -> Result<[Figure; 2], FiguresError> {
    const SEARCHES: usize = 2_000;

    let searcher = Searcher::new(bench.plan.threads, KernelChoice::Measured)?;
    let target = Target::from_bits(1).expect("a digest has more bits");
    let (mut medians, mut tails) = (Turns::default(), Turns::default());
    for round in bench.rounds() {
        bench.tell("searches without hashes", round)?;
        let mut microseconds = Vec::with_capacity(SEARCHES);
        for number in 0..SEARCHES {
            let template = Template::new(number.to_string(), "");
            let started = Instant::now();
            searcher.find(&template, target, NonceRange::ALL, &Control::new())?;
            microseconds.push(started.elapsed().as_secs_f64() * 1e6);
        }
        microseconds.sort_by(f64::total_cmp);
        medians.push(microseconds[SEARCHES / 2]);
        tails.push(microseconds[SEARCHES * 99 / 100]);
    }
    let figure = |part, turns: &Turns, most| {
        let name = format!("between two searches, {part}");
        Figure::new(name, "us", turns, Some(Bound::AtMost(most)))
    };
    Ok([
        figure("median", &medians, 3.0),
        figure("99 in 100", &tails, 50.0),
    ])
}

/// Four zeros under `last-hash`, from the start of a process to its end: how
/// much of the rate that the same threads have in one long search, measured
/// right before and right after, becomes proofs.
fn whole_process(bench: &mut Bench<'_>) -> Result<Figure, FiguresError> {
    /// A second on two threads of the usual machine.
    const BLOCKS: u64 = 1_000;
    const LONG: Duration = Duration::from_millis(100);

    let threads = bench.plan.threads;
    let per_block = task::options().block_size.get() as u64;
    let chain = Chain::of_transactions(&bench.plan.folder, BLOCKS * per_block);
    chain.write_queue()?;
    let mining = Task::Mine {
        queue: chain.queue(),
        output: chain.mined(),
        rule: Rule::LastHash,
        zeros: 4,
        threads,
    };
    let searcher = Searcher::new(threads, KernelChoice::Measured)?;
    let (mut steady, mut shares) = (Steady::new(Rule::LastHash), Turns::default());
    for round in bench.rounds() {
        bench.tell("mining at four zeros in a process of its own", round)?;
        let before = steady.turn(&searcher, LONG, &Control::new())?.rate();
        let started = Instant::now();
        let mined = bench.task(&mining)?;
        let elapsed = started.elapsed();
        let after = steady.turn(&searcher, LONG, &Control::new())?.rate();
        // Of all threads together: there is one such rate to share.
        let rate = f64::midpoint(before, after);
        shares.extend(efficiency(
            mined.hashes_needed,
            elapsed,
            NonZeroUsize::MIN,
            rate,
        ));
    }
    chain.remove();
    Ok(Figure::new(
        "four zeros, last-hash: whole process by one long search's rate",
        "",
        &shares,
        Some(Bound::AtLeast(0.95)),
    ))
}

/// Mining many transactions under `last-proof`, whose proofs are remembered,
/// beside verifying what was mined.
fn writing(bench: &mut Bench<'_>) -> Result<Vec<Figure>, FiguresError> {
    let (threads, transactions) = (bench.plan.threads, bench.plan.transactions);
    let chain = Chain::of_transactions(&bench.plan.folder, transactions);
    chain.write_queue()?;
    let mining = Task::Mine {
        queue: chain.queue(),
        output: chain.mined(),
        rule: Rule::LastProof,
        zeros: 4,
        threads,
    };
    let verifying = Task::Verify {
        chain: chain.mined(),
        threads,
    };
    let (mut mined, mut most, mut verified, mut times) = Default::default();
    for round in bench.rounds() {
        bench.tell("mining many transactions, and verifying them", round)?;
        let sha2 = bench.sha2_turn();
        let mining = bench.task(&mining)?;
        let verifying = bench.task(&verifying)?;
        Turns::push(&mut mined, mining.bytes_per_second() / 1e6);
        let least = least::seconds(bench, &chain, sha2.one)?;
        Turns::push(&mut most, mining.bytes as f64 / least / 1e6);
        Turns::push(&mut verified, verifying.bytes_per_second() / 1e6);
        Turns::push(&mut times, mining.seconds / verifying.seconds.max(1e-9));
    }
    chain.remove();
    let of = format!("{transactions} transactions");
    Ok(vec![
        Figure::new(format!("{of}: mining, last-proof"), "MB/s", &mined, None),
        Figure::new(
            format!("{of}: searches, SHA-256 and copying alone"),
            "MB/s",
            &most,
            None,
        ),
        Figure::new(
            format!("{of}: verifying that chain"),
            "MB/s",
            &verified,
            None,
        ),
        Figure::new(
            format!("{of}: time to mine by time to verify"),
            "",
            &times,
            Some(Bound::AtMost(2.5)),
        ),
    ])
}
