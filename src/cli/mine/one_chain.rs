//! Mines all queues into one chain.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context as _;
use fourzero::batch::{MineSummary, NamedQueue, mine_to_file};
use fourzero::bench::{self, one_thread_rate};
use fourzero::pow::{Control, Searcher};

use super::{resume, setup, summary};
use crate::cli::args::MineArgs;
use crate::cli::exit::Exit;
use crate::cli::interrupt;
use crate::cli::progress::{self, Progress};
use crate::cli::{explain, input, print};

pub(super) fn run(args: &MineArgs, path: &Path) -> anyhow::Result<Exit> {
    let queues = open_queues(&args.queues, path)?;
    let options = setup::options(args);
    let output = setup::output_options(args, path.to_owned());
    let searcher = setup::searcher(args)?;
    let control = Control::new();
    let interrupted = interrupt::install(&control, resume::when_stuck())?;

    let started = Instant::now();
    let describe = progress::mining(&args.queues, Some(path));
    let progress = Progress::start(&control, describe);
    let mined = mine_to_file(queues, &output, &options, &searcher, &control);
    drop(progress);
    match mined {
        Ok(summary) => {
            explain::mined(&summary, started.elapsed());
            summary::warn(args, &summary.doubts);
            report(args, path, &summary, &searcher).with_context(|| {
                let output = path.display();
                format!("{output} was written, but its summary cannot be printed")
            })?;
            Ok(Exit::Yes)
        }
        Err(error) if resume::is_interrupted(&error, &interrupted) => {
            print::message(&match error.kept {
                Some(kept) => format!(
                    "interrupted: {}; to resume: {}",
                    resume::kept(&kept),
                    resume::command()
                ),
                None => format!(
                    "interrupted after {}; nothing was kept, {} was not written",
                    print::count(control.blocks(), "block"),
                    path.display()
                ),
            });
            Ok(Exit::Interrupted)
        }
        Err(error) => {
            let kept = error.kept.clone();
            print::error(&summary::explained(error));
            if let Some(kept) = kept {
                let kept = resume::kept(&kept);
                print::message(&format!("{kept}; {}", resume::after_failure()));
            }
            Ok(Exit::Error)
        }
    }
}

pub(super) fn open_queues(paths: &[PathBuf], output: &Path) -> anyhow::Result<Vec<NamedQueue>> {
    input::check_stdin(paths)?;
    let open = |path: &PathBuf| match path == Path::new("-") {
        true => Ok(NamedQueue::new("standard input", io::stdin())),
        false => setup::open_queue(path, output),
    };
    paths.iter().map(open).collect()
}

/// The share of the threads' time that went into necessary hashes, by the rate
/// that the same kernel has now. `None` if no proof was searched.
pub(super) fn efficiency(
    args: &MineArgs,
    summary: &MineSummary,
    searcher: &Searcher,
) -> Option<f64> {
    if summary.hashes_needed == 0 {
        return None;
    }
    let (choice, elapsed) = (searcher.choice(), summary.elapsed);
    let rate = one_thread_rate(choice, args.rule, elapsed / 10).ok()?;
    bench::efficiency(summary.hashes_needed, elapsed, searcher.threads(), rate)
}

fn report(
    args: &MineArgs,
    path: &Path,
    summary: &MineSummary,
    searcher: &Searcher,
) -> io::Result<()> {
    if args.printing.json {
        return print::json(&summary::json(
            path,
            summary,
            efficiency(args, summary, searcher),
        ));
    }
    print::line(&summary::line(path, summary))?;
    print::line(&format!("last hash: {}", summary.last_hash))?;
    print::line(summary::verdict(args))
}
