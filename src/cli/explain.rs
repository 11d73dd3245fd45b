//! The notes that `--verbose` prints: choices, their reasons, and costs.

use std::time::{Duration, Instant};

use fourzero::batch::MineSummary;
use fourzero::bench::{AvailableCores, Chosen};
use fourzero::chain::{Report, VerifyOptions};
use fourzero::pow::{Rule, Target};
use fourzero::sha256::{Kernel, KernelChoice};
use indicatif::{HumanBytes, HumanCount};

use super::args::MineArgs;
use super::args::common::{Engine, Threads};
use super::print::{self, note};

/// The kernel and the threads that search.
pub(super) fn engine(engine: &Engine) {
    note(|| {
        let available: Vec<_> = Kernel::available().into_iter().map(Kernel::name).collect();
        let available = available.join(", ");
        match engine.kernel() {
            KernelChoice::Measured => format!("kernel: the fastest of {available}"),
            given => format!("kernel: {given} (--kernel); this CPU supports {available}"),
        }
    });
    threads(&engine.threads);
}

/// The kernels that were chosen by measurement.
pub(super) fn chosen() {
    for chosen in Chosen::so_far() {
        note(|| print::chosen(&chosen));
    }
}

/// The number of threads.
pub(super) fn threads(threads: &Threads) {
    note(|| {
        let cores = AvailableCores::here();
        let reason = match (threads.given, cores.quota) {
            (Some(_), _) => "--threads".to_owned(),
            (None, Some(quota)) if cores.is_limited_by_quota() => {
                format!("the CPU quota is {}", print::cores(quota))
            }
            (None, _) => "one per logical core".to_owned(),
        };
        let count = print::count(threads.count().get() as u64, "thread");
        format!("{count} ({reason})")
    });
}

/// The rule, or that it is detected, and the difficulty of a proof.
pub(super) fn proofs(rule: Option<Rule>, target: Target) {
    note(|| match rule {
        Some(rule) => format!("rule: {rule}"),
        None => "rule: detected from the proofs".to_owned(),
    });
    difficulty(target);
}

/// The difficulty and the expected number of hashes.
pub(super) fn difficulty(target: Target) {
    note(|| {
        let hashes = HumanCount(target.expected_hashes() as u64);
        format!("difficulty: {target}, about {hashes} hashes per proof")
    });
}

/// What `mine` is about to do.
pub(super) fn mining(args: &MineArgs) {
    engine(&args.engine);
    proofs(Some(args.rule), args.difficulty.target);
    note(|| {
        let per_block = print::count(args.block_size.get() as u64, "transaction");
        let proofs = match (args.rule, args.no_proof_cache) {
            (Rule::LastProof, false) => "remembered proofs are reused",
            _ => "every proof is searched for",
        };
        format!("up to {per_block} per block; {proofs}")
    });
}

/// What `mine` chose, and the time it took: `elapsed` in total.
pub(super) fn mined(summary: &MineSummary, elapsed: Duration) {
    chosen();
    note(|| {
        let finishing = elapsed.saturating_sub(summary.elapsed);
        format!(
            "{:.3} s to mine, {:.3} s to sync, verify and rename the file",
            summary.elapsed.as_secs_f64(),
            finishing.as_secs_f64()
        )
    });
}

/// What `verify` is about to do.
pub(super) fn verifying(options: &VerifyOptions, count: &Threads) {
    threads(count);
    proofs(options.rule, options.target);
}

/// The format, the size and the time of a chain that was verified.
pub(super) fn verified(name: &str, report: &Report, bytes: u64, elapsed: Duration) {
    note(|| {
        let seconds = elapsed.as_secs_f64();
        format!(
            "{name}: format {}, {} in {seconds:.3} s ({}/s)",
            report.format,
            HumanBytes(bytes),
            HumanBytes((bytes as f64 / seconds.max(1e-9)) as u64)
        )
    });
}

/// The time and memory of the whole command.
pub(super) fn cost(started: Instant) {
    note(|| {
        let seconds = started.elapsed().as_secs_f64();
        let memory = fourzero::bench::peak_memory_bytes().map_or_else(String::new, |bytes| {
            format!(", at most {} of memory", HumanBytes(bytes))
        });
        format!("{seconds:.3} s in total{memory}")
    });
}
