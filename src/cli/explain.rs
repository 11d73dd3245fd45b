//! What `--verbose` says: which choices were made and why, and what it cost.

use std::time::{Duration, Instant};

use fourzero::batch::MineSummary;
use fourzero::bench::Chosen;
use fourzero::chain::{Report, VerifyOptions};
use fourzero::pow::{Rule, Target};
use fourzero::sha256::{Kernel, KernelChoice};
use indicatif::HumanBytes;

use super::args::{Engine, MineArgs, Threads};
use super::print;

/// Which kernel searches, on how many threads.
pub(super) fn engine(engine: &Engine) {
    print::note(|| {
        let available: Vec<_> = Kernel::available().into_iter().map(Kernel::name).collect();
        let available = available.join(", ");
        match engine.kernel() {
            KernelChoice::Measured => format!("kernel: the fastest of {available}"),
            asked => format!("kernel: {asked}, as --kernel asks; this CPU runs {available}"),
        }
    });
    threads(engine.threads_args());
}

/// Which kernels were chosen by measurement.
pub(super) fn chosen() {
    for chosen in Chosen::so_far() {
        print::note(|| print::chosen(&chosen));
    }
}

/// How many threads are at work.
pub(super) fn threads(threads: &Threads) {
    print::note(|| {
        let why = if threads.is_given() {
            "as --threads asks"
        } else {
            "one for each logical core"
        };
        let count = print::count(threads.count().get() as u64, "thread");
        format!("{count}, {why}")
    });
}

/// What a proof has to be.
pub(super) fn proofs(rule: Option<Rule>, target: Target) {
    print::note(|| {
        let rule = match rule {
            Some(rule) => format!("rule {rule}"),
            None => "the rule is to be found".to_owned(),
        };
        format!(
            "{rule}; a digest starts with {target}, about {} hashes a proof",
            hashes(target)
        )
    });
}

/// How many hashes a digest takes on average.
fn hashes(target: Target) -> indicatif::HumanCount {
    indicatif::HumanCount(target.expected_hashes() as u64)
}

/// What `search` is about to do.
pub(super) fn searching(args: &Engine, target: Target) {
    engine(args);
    print::note(|| {
        let hashes = hashes(target);
        format!("a digest that starts with {target} takes about {hashes} hashes")
    });
}

/// What `mine` is about to do.
pub(super) fn mining(args: &MineArgs) {
    engine(&args.engine);
    proofs(Some(args.rule), args.difficulty.target);
    print::note(|| {
        let per_block = print::count(args.block_size.get() as u64, "transaction");
        let cache = match (args.rule, args.no_proof_cache) {
            (Rule::LastProof, false) => "proofs are searched once and remembered",
            _ => "every proof is searched",
        };
        format!("up to {per_block} a block; {cache}")
    });
}

/// What came of it: `elapsed` is the time for all of it.
pub(super) fn mined(summary: &MineSummary, elapsed: Duration) {
    chosen();
    print::note(|| {
        let mining = summary.elapsed;
        format!(
            "mined in {:.3} s; synced, read back and named in {:.3} s",
            mining.as_secs_f64(),
            elapsed.saturating_sub(mining).as_secs_f64()
        )
    });
}

/// What `verify` is about to do.
pub(super) fn verifying(options: &VerifyOptions, count: &Threads) {
    threads(count);
    proofs(options.rule, options.target);
}

/// What came of it for one file.
pub(super) fn verified(name: &str, report: &Report, bytes: u64, elapsed: Duration) {
    print::note(|| {
        let seconds = elapsed.as_secs_f64();
        format!(
            "{name}: format {}, {} in {seconds:.3} s ({}/s)",
            report.format,
            HumanBytes(bytes),
            HumanBytes((bytes as f64 / seconds.max(1e-9)) as u64)
        )
    });
}

/// What the whole command took.
pub(super) fn cost(started: Instant) {
    print::note(|| {
        let seconds = started.elapsed().as_secs_f64();
        let memory = fourzero::bench::peak_bytes().map_or_else(String::new, |bytes| {
            format!(", at most {} of memory", HumanBytes(bytes))
        });
        format!("{seconds:.3} s in all{memory}")
    });
}
