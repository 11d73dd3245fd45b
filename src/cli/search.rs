//! `fourzero search`.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use fourzero::bench::Chosen;
use fourzero::pow::{Control, Nonce, NonceRange, SearchError, Template};
use serde::Serialize;

use super::args::SearchArgs;
use super::exit::Exit;
use super::interrupt::{self, WhenStuck};
use super::progress::{self, Progress};
use super::{explain, print};

/// The output of `--json`; `nonce` and `digest` are null if none was found.
#[derive(Serialize)]
struct SearchSummary {
    nonce: Option<u64>,
    digest: Option<String>,
    hashes: u64,
    seconds: f64,
    hashrate: f64,
    /// The nonce to continue with, if the time limit ended the search.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<u64>,
    chosen: Vec<Chosen>,
}

pub(super) fn run(args: &SearchArgs) -> anyhow::Result<Exit> {
    let target = args.target();
    let template = Template::new(args.prefix.as_str(), args.suffix.as_str());
    if args.end < args.start.0.into() {
        bail!("--end {} is below --start {}", args.end, args.start);
    }
    let range = match u64::try_from(args.end) {
        Ok(end) => NonceRange::new(args.start, Nonce(end)),
        Err(_) => NonceRange::starting_at(args.start),
    };
    explain::engine(&args.engine);
    explain::difficulty(target);
    let searcher = args.engine.start()?;
    let control = Control::new();
    let interrupted = interrupt::install(&control, WhenStuck::Wait)?;

    let progress = Progress::start(&control, progress::searching(target));
    if let Some(limit) = args.time_limit {
        cancel_after(limit, &control)?;
    }
    let started = Instant::now();
    let result = if args.any {
        searcher.find_any(&template, target, range, &control)
    } else {
        searcher.find(&template, target, range, &control)
    };
    let elapsed = started.elapsed();
    drop(progress);
    explain::chosen();

    let (hit, hashes, next) = match result {
        Ok(outcome) => (outcome.hit, outcome.hashes, None),
        Err(SearchError::Cancelled { next }) => {
            let tried = print::count(control.hashes(), "hash");
            let advice = format!("continue with --start {next}");
            if interrupted.is_set() {
                print::message(&format!("interrupted after {tried}; {advice}"));
                return Ok(Exit::Interrupted);
            }
            print::message(&format!(
                "no nonce found within the time limit, after {tried}; {advice}"
            ));
            (None, control.hashes(), Some(next.0))
        }
        Err(error) => return Err(error.into()),
    };
    let seconds = elapsed.as_secs_f64();
    let summary = SearchSummary {
        nonce: hit.map(|hit| hit.nonce.0),
        digest: hit.map(|hit| hit.digest.to_string()),
        hashes,
        seconds,
        hashrate: hashes as f64 / seconds.max(1e-9),
        next,
        chosen: Chosen::so_far(),
    };
    let printed = match (args.printing.json, next) {
        (true, _) => print::json(&summary),
        (false, None) => print_summary(args, &template, &summary),
        // The message says it all.
        (false, Some(_)) => Ok(()),
    };
    printed.context(print::FAILED)?;
    Ok(match hit {
        Some(_) => Exit::Yes,
        None => Exit::No,
    })
}

fn cancel_after(limit: Duration, control: &Control) -> anyhow::Result<()> {
    let control = control.clone();
    // The thread is left behind if the search ends first.
    thread::Builder::new()
        .name("time-limit".into())
        .spawn(move || {
            thread::sleep(limit);
            control.cancel();
        })
        .context("cannot start the thread for the time limit")?;
    Ok(())
}

fn print_summary(
    args: &SearchArgs,
    template: &Template,
    summary: &SearchSummary,
) -> io::Result<()> {
    if let (Some(nonce), Some(digest)) = (summary.nonce, &summary.digest) {
        let message = template.message(Nonce(nonce));
        let message = String::from_utf8_lossy(&message);
        print::line(&format!("nonce = {nonce}"))?;
        print::line(&format!("sha256({message:?}) = {digest}"))?;
    } else {
        print::line(&format!(
            "no nonce found from {} up to, but not including, {}",
            args.start, args.end
        ))?;
    }
    print::line(&format!(
        "{} in {:.3} s ({})",
        print::count(summary.hashes, "hash"),
        summary.seconds,
        print::hashrate(summary.hashrate),
    ))
}
