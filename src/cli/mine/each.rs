//! Each queue into a chain of its own.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, anyhow, bail};
use fourzero::batch::{ChainJob, TextAmounts, mine_each};
use fourzero::pow::Control;
use serde::Serialize;

use super::{open_queue, resume};
use crate::cli::args::MineArgs;
use crate::cli::exit::Exit;
use crate::cli::interrupt;
use crate::cli::progress::{self, Progress};
use crate::cli::{input, print};

/// What `--json` prints for a queue that failed.
#[derive(Serialize)]
struct Failed<'a> {
    queue: &'a str,
    output: &'a str,
    error: &'a str,
}

pub(super) fn run(args: &MineArgs, folder: &Path) -> anyhow::Result<Exit> {
    // A link to nothing is something, too.
    if folder.symlink_metadata().is_ok() && !folder.is_dir() {
        bail!(
            "{} is no folder; --out-dir names one for the chains",
            folder.display()
        );
    }
    let jobs = jobs(args, folder)?;
    // Only now: what is refused leaves nothing behind.
    fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    for job in &jobs {
        // Before anything is mined: it may take hours to come to the last.
        job.output.check()?;
    }
    let paths: Vec<_> = jobs.iter().map(|job| job.output.path.clone()).collect();
    let options = super::options(args);
    let control = Control::new();
    let interrupted = interrupt::install(&control, resume::when_stuck())?;

    let started = Instant::now();
    let progress = Progress::start(
        &args.printing,
        &control,
        progress::mining(&args.queues, None),
    );
    let (mut kept, mut failed, mut unfinished) = (0, 0, 0);
    let mut journals = 0;
    let (mut hashes, mut remembered) = (0, 0);
    let mut text_amounts = BTreeMap::new();
    let mut unprinted = Ok(());
    let (threads, kernel) = (args.engine.threads(), args.engine.kernel());
    mine_each(jobs, &options, threads, kernel, &control, |place, mined| {
        let path = &paths[place];
        match mined {
            Ok(summary) => {
                kept += 1;
                hashes += summary.hashes;
                remembered += super::remembered(&summary);
                text_amounts.extend(summary.text_amounts.clone().map(|found| (place, found)));
                let printed = progress.suspend(|| {
                    if args.printing.json {
                        super::print_json(path, &summary, None)
                    } else {
                        let description = super::describe(&summary);
                        print::line(&format!("{}: {description}", path.display()))
                    }
                });
                if printed.is_err() && unprinted.is_ok() {
                    unprinted = printed;
                }
            }
            Err(error) => {
                let journal = error.kept.clone();
                journals += u64::from(journal.is_some());
                if resume::is_interrupted(&error, &interrupted) {
                    unfinished += 1;
                    return;
                }
                failed += 1;
                let hint = input::queue_hint(&error.error);
                let error = format!("{:#}{hint}", anyhow::Error::from(error));
                let printed = progress.suspend(|| {
                    print::error(&error);
                    if let Some(journal) = journal {
                        print::message(&resume::kept(&journal));
                    }
                    if args.printing.json {
                        print::json(&Failed {
                            queue: &args.queues[place].display().to_string(),
                            output: &path.display().to_string(),
                            error: &error,
                        })
                    } else {
                        Ok(())
                    }
                });
                if printed.is_err() && unprinted.is_ok() {
                    unprinted = printed;
                }
            }
        }
    })?;
    drop(progress);
    // One warning for all, in the order of the queues.
    super::warn(text_amounts.into_values().reduce(TextAmounts::and).as_ref());
    let unprinted = unprinted.with_context(|| {
        let kept = print::count(kept, "chain");
        format!("{kept} written, but what was made cannot be printed")
    });
    if unfinished > 0 {
        if let Err(error) = unprinted {
            print::error(&format!("{error:#}"));
        }
        print::message(&format!(
            "interrupted: {} written, {} not, {} kept; to go on: {}",
            print::count(kept, "chain"),
            indicatif::HumanCount(unfinished + failed),
            print::count(journals, "journal"),
            resume::command()
        ));
        return Ok(Exit::Interrupted);
    }
    unprinted?;
    if !args.printing.json {
        let mut came_of_it = Vec::new();
        if kept > 0 {
            let elapsed = started.elapsed();
            came_of_it.push(format!(
                "{} in {:.3} s{}, {}",
                print::count(kept, "chain"),
                elapsed.as_secs_f64(),
                super::rate(hashes, elapsed, remembered),
                super::verdict(args)
            ));
        }
        if failed > 0 {
            came_of_it.push(format!("{} failed", print::count(failed, "queue")));
        }
        print::line(&came_of_it.join("; "))?;
    }
    if journals > 0 {
        print::message(&format!(
            "once that is mended, go on: {}",
            resume::command()
        ));
    }
    Ok(if failed > 0 { Exit::Error } else { Exit::Yes })
}

/// A chain for each queue: a file of the same name, but for its ending.
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
        let output = super::output_options(args, path);
        // What cannot be read later keeps no other queue from being mined.
        let queue = open_queue(queue, &output.path)
            .map_err(|error| anyhow!("{error:#}; nothing was mined"))?;
        jobs.push(ChainJob { queue, output });
    }
    Ok(jobs)
}
