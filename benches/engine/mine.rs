//! Mining: the share of the threads' time that becomes proofs, the gain from
//! many queues, and the cost of text.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use anyhow::Result;
use fourzero::batch::{
    ChainJob, MineOptions, MineSummary, OutputOptions, Overwrite, ReadBack, Resume, mine, mine_each,
};
use fourzero::bench::{efficiency, one_thread_rate};
use fourzero::chain::Format;
use fourzero::pow::{Control, Nonce, NonceRange, Rule, SearchError, Searcher, Target, Template};
use fourzero::sha256::KernelChoice;

use crate::measurement::{Goal, print};
use crate::sample::{SampleFiles, mine_options, queue};
use crate::task::Task;
use crate::{Bench, sizes};

const KERNEL: KernelChoice = KernelChoice::Measured;

/// How long the one-thread rate is measured.
const RATE_DURATION: Duration = Duration::from_millis(120);

pub(crate) fn measure(bench: &mut Bench) -> Result<()> {
    efficiency_of_threads(bench)?;
    gap_between_searches(bench)?;
    whole_process(bench)?;
    many_queues(bench)?;
    mining_by_verifying(bench)?;
    let files: Vec<_> = bench
        .args
        .sizes
        .iter()
        .map(|megabytes| SampleFiles::of_megabytes(bench.folder, *megabytes))
        .collect();
    for files in &files {
        files.write_queue()?;
    }
    // With four zeros, the 108 searches under `last-proof` would cost as much
    // as all the text of the smallest chain.
    let threads = bench.args.threads;
    sizes::measure(bench, "mining (one zero)", &files, |files| {
        mine_task(files, Rule::LastProof, 1, threads)
    })?;
    files.iter().for_each(SampleFiles::remove);
    Ok(())
}

fn last_hash() -> MineOptions {
    MineOptions {
        rule: Rule::LastHash,
        target: Target::FOUR_ZEROS,
        ..mine_options()
    }
}

fn mine_in_memory(blocks: u64, options: &MineOptions, searcher: &Searcher) -> Result<MineSummary> {
    let (queues, format) = (vec![queue(blocks)], Format::JsonLines);
    let control = Control::new();
    let (_, summary) = mine(queues, Vec::new(), format, options, searcher, &control)?;
    Ok(summary)
}

fn mine_task(files: &SampleFiles, rule: Rule, hex_zeros: u16, threads: NonZeroUsize) -> Task {
    Task::Mine {
        queue: files.queue.clone(),
        chain: files.chain.clone(),
        rule: rule.name().to_owned(),
        hex_zeros,
        threads,
    }
}

/// The share of the one-thread rate that becomes proofs. The rate is measured
/// right before and right after.
fn efficiency_of_threads(bench: &mut Bench) -> Result<()> {
    // Half a second on one thread at 25 MH/s.
    const BLOCKS: u64 = 200;

    let mut counts = vec![NonZeroUsize::MIN, bench.args.threads];
    counts.dedup();
    let searchers = counts
        .iter()
        .map(|threads| Searcher::new(*threads, KERNEL))
        .collect::<Result<Vec<_>, _>>()?;
    let (mut rates, mut shares) = (vec![], vec![vec![]; counts.len()]);
    for _ in bench.rounds("mining with four zeros") {
        bench.sha2_round();
        for (searcher, shares) in searchers.iter().zip(&mut shares) {
            let before = one_thread_rate(KERNEL, Rule::LastHash, RATE_DURATION)?;
            let mined = mine_in_memory(BLOCKS, &last_hash(), searcher)?;
            let after = one_thread_rate(KERNEL, Rule::LastHash, RATE_DURATION)?;
            let rate = f64::midpoint(before, after);
            rates.push(rate / 1e6);
            let (needed, threads) = (mined.hashes_needed, searcher.threads());
            shares.extend(efficiency(needed, mined.elapsed, threads, rate));
        }
    }
    let name = format!("last-hash, one-thread rate of {KERNEL}");
    print(&name, "MH/s", &rates, Goal::High);
    for (threads, shares) in counts.iter().zip(&shares) {
        let (threads, target) = match threads.get() {
            1 => ("1 thread".to_owned(), 0.97),
            _ => (format!("{threads} threads"), 0.90),
        };
        let name = format!("four zeros, last-hash: efficiency, {threads}");
        print(&name, "", shares, Goal::AtLeast(target));
    }
    Ok(())
}

/// The time that a search on all threads takes besides its hashes. The answers
/// of these searches are in the first piece.
fn gap_between_searches(bench: &Bench) -> Result<()> {
    const SEARCHES: usize = 2_000;

    let searcher = Searcher::new(bench.args.threads, KERNEL)?;
    let target = Target::from_bits(1)?;
    let (mut medians, mut tails) = (vec![], vec![]);
    for _ in bench.rounds("searches of a few hashes") {
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
    let (median, tail) = (Goal::AtMost(3.0), Goal::AtMost(50.0));
    print("between two searches, median", "us", &medians, median);
    print("between two searches, 99th percentile", "us", &tails, tail);
    Ok(())
}

/// The share of a long search's rate on all threads that becomes proofs, over the
/// whole life of a process. The rate is measured right before and right after.
fn whole_process(bench: &Bench) -> Result<()> {
    // 3,000 blocks: three seconds on two threads at 30 MH/s.
    const TRANSACTIONS: u64 = 30_000;

    let threads = bench.args.threads;
    let files = SampleFiles::of_transactions(bench.folder, TRANSACTIONS);
    files.write_queue()?;
    let task = mine_task(&files, Rule::LastHash, 4, threads);
    let searcher = Searcher::new(threads, KERNEL)?;
    let one = one_thread_rate(KERNEL, Rule::LastHash, RATE_DURATION)?;
    let nonces = (one * threads.get() as f64 * 0.1) as u64;
    let mut shares = vec![];
    for _ in bench.rounds("mining with four zeros in a new process") {
        let before = rate_of_one_search(&searcher, nonces)?;
        let started = Instant::now();
        let result = task.run_in_new_process()?;
        let elapsed = started.elapsed();
        let after = rate_of_one_search(&searcher, nonces)?;
        // This is the rate of all threads together.
        let (rate, threads) = (f64::midpoint(before, after), NonZeroUsize::MIN);
        shares.extend(efficiency(result.hashes_needed, elapsed, threads, rate));
    }
    files.remove();
    let name = "four zeros, last-hash: whole process by one long search's rate";
    print(name, "", &shares, Goal::AtLeast(0.95));
    Ok(())
}

/// The rate of a search that finds nothing, in hashes per second.
fn rate_of_one_search(searcher: &Searcher, nonces: u64) -> Result<f64, SearchError> {
    let template = Template::new("35293", "e".repeat(64));
    let unreachable = Target::from_bits(256).expect("a digest has 256 bits");
    let range = NonceRange::new(Nonce(100_000), Nonce(100_000 + nonces));
    let started = Instant::now();
    let outcome = searcher.find(&template, unreachable, range, &Control::new())?;
    Ok(outcome.hashes as f64 / started.elapsed().as_secs_f64())
}

/// The rate of all threads over many queues, as a multiple of one thread's
/// rate over one queue.
fn many_queues(bench: &Bench) -> Result<()> {
    const QUEUES: u64 = 16;
    const BLOCKS: u64 = 50;

    let threads = bench.args.threads;
    let one_thread = Searcher::new(NonZeroUsize::MIN, KERNEL)?;
    let mut multiples = vec![];
    for _ in bench.rounds("mining many queues with four zeros") {
        let alone = mine_in_memory(4 * BLOCKS, &last_hash(), &one_thread)?;
        let jobs = (0..QUEUES).map(|number| ChainJob {
            queue: queue(BLOCKS),
            output: OutputOptions {
                path: bench.folder.join(format!("queue-{number}.jsonl")),
                format: Format::JsonLines,
                overwrite: Overwrite::Replace,
                read_back: ReadBack::Verify,
                resume: Resume::Never,
            },
        });
        let (jobs, control, mut mined) = (jobs.collect(), Control::new(), vec![]);
        let started = Instant::now();
        mine_each(
            jobs,
            &last_hash(),
            threads,
            KERNEL,
            &control,
            |_, result| {
                mined.push(result);
            },
        )?;
        let seconds = started.elapsed().as_secs_f64();
        let mut needed = 0;
        for result in mined {
            needed += result?.hashes_needed;
        }
        let rate_alone = alone.hashes_needed as f64 / alone.elapsed.as_secs_f64();
        multiples.push(needed as f64 / seconds / rate_alone);
    }
    let name = format!("{QUEUES} queues, last-hash, {threads} threads: times one thread's rate");
    let target = 0.95 * threads.get() as f64;
    print(&name, "", &multiples, Goal::AtLeast(target));
    Ok(())
}

/// Mining many transactions under `last-proof`, whose proofs are remembered,
/// compared with verifying the chain.
fn mining_by_verifying(bench: &mut Bench) -> Result<()> {
    let (threads, transactions) = (bench.args.threads, bench.args.transactions);
    let files = SampleFiles::of_transactions(bench.folder, transactions);
    files.write_queue()?;
    let mine = mine_task(&files, Rule::LastProof, 4, threads);
    let verify = Task::Verify {
        chain: files.chain.clone(),
        threads,
    };
    let (mut mined, mut limits, mut verified, mut ratios) = Default::default();
    for _ in bench.rounds("mining many transactions, and verifying them") {
        let [sha2, _] = bench.sha2_round();
        let mining = mine.run_in_new_process()?;
        let verifying = verify.run_in_new_process()?;
        let fastest = shortest_mining_seconds(bench, &files, mining.bytes, sha2)?;
        Vec::push(&mut mined, mining.bytes_per_second() / 1e6);
        Vec::push(&mut limits, mining.bytes as f64 / fastest / 1e6);
        Vec::push(&mut verified, verifying.bytes_per_second() / 1e6);
        Vec::push(&mut ratios, mining.seconds / verifying.seconds);
    }
    files.remove();
    let print = |what: &str, unit, rounds: &[f64], goal| {
        print(
            &format!("{transactions} transactions: {what}"),
            unit,
            rounds,
            goal,
        );
    };
    let limit = "searches, SHA-256 and copying alone";
    print("mining, last-proof", "MB/s", &mined, Goal::High);
    print(limit, "MB/s", &limits, Goal::High);
    print("verifying that chain", "MB/s", &verified, Goal::High);
    print(
        "time to mine by time to verify",
        "",
        &ratios,
        Goal::AtMost(2.5),
    );
    Ok(())
}

/// A lower limit for the seconds that mining takes. All threads search the
/// proofs. Then one thread hashes the text, while the others read the queue and
/// write the chain. Threads cannot share the hashing, because each block quotes
/// the hash before it. `sha2` is the bytes per second that one thread hashes.
///
/// Work between reading and writing is not included.
fn shortest_mining_seconds(
    bench: &Bench,
    files: &SampleFiles,
    chain_bytes: u64,
    sha2: f64,
) -> Result<f64> {
    // After these, the proofs repeat.
    const SEARCHES: u64 = 108;

    let searcher = Searcher::new(bench.args.threads, KERNEL)?;
    let searching = mine_in_memory(SEARCHES, &mine_options(), &searcher)?;
    let hashing = chain_bytes as f64 / sha2;
    let copying = copying_seconds(bench, files, chain_bytes)?;
    let shared_evenly = (hashing + copying) / bench.args.threads.get() as f64;
    Ok(searching.elapsed.as_secs_f64() + shared_evenly.max(hashing))
}

/// Reads the queue, and writes `bytes` to a new file.
fn copying_seconds(bench: &Bench, files: &SampleFiles, bytes: u64) -> Result<f64> {
    let copy = bench.folder.join("copy");
    let mut buffer = vec![b'7'; 128 << 10];
    let started = Instant::now();
    let mut queue = File::open(&files.queue)?;
    while queue.read(&mut buffer)? > 0 {}
    let mut out = File::create(&copy)?;
    for start in (0..bytes).step_by(buffer.len()) {
        let count = buffer.len().min((bytes - start) as usize);
        out.write_all(&buffer[..count])?;
    }
    let seconds = started.elapsed().as_secs_f64();
    fs::remove_file(copy)?;
    Ok(seconds)
}
