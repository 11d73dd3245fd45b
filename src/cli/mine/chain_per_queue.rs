//! Mines each queue into its own chain.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, anyhow, bail};
use fourzero::batch::{ChainJob, CsvDoubts, mine_each};
use fourzero::pow::Control;
use serde::Serialize;

use super::{resume, setup, summary};
use crate::cli::args::MineArgs;
use crate::cli::exit::Exit;
use crate::cli::interrupt;
use crate::cli::print;
use crate::cli::progress::{self, Progress};

/// What `--json` prints for a queue that failed.
#[derive(Serialize)]
struct FailedJson<'a> {
    queue: &'a str,
    output: &'a str,
    error: &'a str,
}

pub(super) fn run(args: &MineArgs, folder: &Path) -> anyhow::Result<Exit> {
    // A broken link counts, too.
    if folder.symlink_metadata().is_ok() && !folder.is_dir() {
        let folder = folder.display();
        bail!("{folder} is not a folder; --out-dir names the folder for the chains");
    }
    // All checks come first: mining the earlier chains may take hours.
    let jobs = jobs(args, folder)?;
    fs::create_dir_all(folder)
        .with_context(|| format!("cannot create the folder {}", folder.display()))?;
    for job in &jobs {
        job.output.check()?;
    }
    let paths: Vec<_> = jobs.iter().map(|job| job.output.path.clone()).collect();
    let options = setup::options(args);
    let control = Control::new();
    let interrupted = interrupt::install(&control, resume::when_stuck())?;

    let started = Instant::now();
    let describe = progress::mining(&args.queues, None);
    let progress = Progress::start(&control, describe);
    let (mut written, mut failed, mut unfinished, mut journals) = (0, 0, 0, 0);
    let (mut hashes, mut remembered) = (0, 0);
    let mut doubts = BTreeMap::new();
    let mut unprinted = Ok(());
    let (threads, kernel) = (args.engine.threads(), args.engine.kernel());
    mine_each(jobs, &options, threads, kernel, &control, |index, mined| {
        let path = &paths[index];
        let printed = match mined {
            Ok(summary) => {
                written += 1;
                hashes += summary.hashes;
                remembered += summary::remembered_proofs(&summary);
                doubts.insert(index, summary.doubts.clone());
                progress.suspend(|| match args.printing.json {
                    true => print::json(&summary::json(path, &summary, None)),
                    false => print::line(&summary::line(path, &summary)),
                })
            }
            Err(error) => {
                let kept = error.kept.clone();
                journals += u64::from(kept.is_some());
                if resume::is_interrupted(&error, &interrupted) {
                    unfinished += 1;
                    return;
                }
                failed += 1;
                let error = summary::explained(error);
                progress.suspend(|| {
                    print::error(&error);
                    if let Some(kept) = kept {
                        print::message(&resume::kept(&kept));
                    }
                    if !args.printing.json {
                        return Ok(());
                    }
                    print::json(&FailedJson {
                        queue: &args.queues[index].display().to_string(),
                        output: &path.display().to_string(),
                        error: &error,
                    })
                })
            }
        };
        if unprinted.is_ok() {
            unprinted = printed;
        }
    })?;
    drop(progress);
    // One warning of each kind. It names the first cell in the order of the queues.
    let doubts = doubts.into_values();
    summary::warn(args, &doubts.fold(CsvDoubts::default(), CsvDoubts::and));
    let chains = print::count(written, "chain");
    let unprinted =
        unprinted.with_context(|| format!("{chains} written, but the results cannot be printed"));
    if unfinished > 0 {
        if let Err(error) = unprinted {
            print::error(&format!("{error:#}"));
        }
        print::message(&format!(
            "interrupted: {chains} written, {} not, {} kept; to resume: {}",
            indicatif::HumanCount(unfinished + failed),
            print::count(journals, "journal"),
            resume::command()
        ));
        return Ok(Exit::Interrupted);
    }
    unprinted?;
    if !args.printing.json {
        let mut results = Vec::new();
        if written > 0 {
            let elapsed = started.elapsed();
            results.push(format!(
                "{chains} in {:.3} s{}, {}",
                elapsed.as_secs_f64(),
                summary::hashrate(hashes, elapsed, remembered),
                summary::verdict(args)
            ));
        }
        if failed > 0 {
            results.push(format!("{} failed", print::count(failed, "queue")));
        }
        print::line(&results.join("; "))?;
    }
    if journals > 0 {
        print::message(&resume::after_failure());
    }
    Ok(if failed > 0 { Exit::Error } else { Exit::Yes })
}

/// One job for each queue. The chain has the queue's name with the extension of
/// the chain's format.
fn jobs(args: &MineArgs, folder: &Path) -> anyhow::Result<Vec<ChainJob>> {
    let mut names: HashMap<PathBuf, &Path> = HashMap::new();
    let mut jobs = Vec::new();
    for queue in &args.queues {
        if queue == Path::new("-") {
            bail!(
                "standard input (-) has no name for a file in {}; name the chain with --output",
                folder.display()
            );
        }
        let extension = args.format.unwrap_or_default().extension();
        let name = queue.with_extension(extension);
        let Some(name) = name.file_name() else {
            bail!("{} names no file", queue.display());
        };
        let path = folder.join(name);
        if let Some(other) = names.insert(path.clone(), queue) {
            bail!(
                "both {} and {} would become {}",
                other.display(),
                queue.display(),
                path.display()
            );
        }
        let queue = setup::open_queue(queue, &path)
            .map_err(|error| anyhow!("{error:#}; nothing was mined"))?;
        let output = setup::output_options(args, path);
        jobs.push(ChainJob { queue, output });
    }
    Ok(jobs)
}
