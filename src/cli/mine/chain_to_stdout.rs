//! Mines all queues into one chain on standard output. It has no journal and is
//! not read back; its summary goes to stderr.

use std::io::{self, Write as _};
use std::path::Path;
use std::time::Instant;

use anyhow::bail;
use fourzero::batch::{MineError, mine};
use fourzero::chain::Format;
use fourzero::pow::Control;
use serde_json::json;

use super::{one_chain, setup, summary};
use crate::cli::args::MineArgs;
use crate::cli::exit::Exit;
use crate::cli::interrupt::{self, WhenStuck};
use crate::cli::progress::{self, Progress};
use crate::cli::{explain, print};

pub(super) fn run(args: &MineArgs) -> anyhow::Result<Exit> {
    if args.resume {
        bail!("a chain on standard output has no journal to resume from; name a file");
    }
    let path = Path::new("-");
    let queues = one_chain::open_queues(&args.queues, path)?;
    let options = setup::options(args);
    let format = args.format.unwrap_or_default();
    let searcher = setup::searcher(args)?;
    let control = Control::new();
    let interrupted = interrupt::install(&control, WhenStuck::Leave)?;

    let started = Instant::now();
    let progress = Progress::start(&control, progress::mining(&args.queues, None));
    let mined = mine(queues, io::stdout(), format, &options, &searcher, &control);
    drop(progress);
    let error = match mined {
        Ok((_, summary)) => {
            explain::mined(&summary, started.elapsed());
            summary::warn(args, &summary.doubts);
            print::message(&match args.printing.json {
                true => {
                    let efficiency = one_chain::efficiency(args, &summary, &searcher);
                    serde_json::to_string(&summary::json(path, &summary, efficiency))?
                }
                false => summary::line(Path::new("standard output"), &summary),
            });
            return Ok(Exit::Yes);
        }
        Err(error) => error,
    };
    let unfinished = format!(
        "the chain on standard output is unfinished, after {}",
        print::count(control.blocks(), "block")
    );
    // A JSON array shows that by its missing end.
    if format == Format::JsonLines && !matches!(error, MineError::Write(_)) {
        // If it cannot be written, the exit status still tells.
        let _ = writeln!(io::stdout(), "{}", json!({ "error": unfinished }));
    }
    if interrupted.is_set() {
        print::message(&format!("interrupted; {unfinished}"));
        return Ok(Exit::Interrupted);
    }
    Err(anyhow::Error::from(error).context(unfinished))
}
