//! `fourzero inspect`.

mod derived;
mod json;
mod text;

use std::path::Path;

use anyhow::{Context as _, anyhow};
use fourzero::chain::{Statistics, StatisticsError, statistics};
use fourzero::pow::Control;

use self::json::InspectSummary;
use super::args::InspectArgs;
use super::exit::Exit;
use super::input::{self, Unreadable};
use super::interrupt::{self, WhenStuck};
use super::print;
use super::progress::{self, Progress};

pub(super) fn run(args: &InspectArgs) -> anyhow::Result<Exit> {
    input::check_stdin(&args.chains)?;
    let control = Control::new();
    interrupt::install(&control, WhenStuck::Leave)?;
    let mut worst = Exit::Yes;
    for (place, path) in args.chains.iter().enumerate() {
        let name = input::name(path);
        match inspect(args, path, &control.with_fresh_counts()) {
            Ok(statistics) if args.printing.json => {
                let summary = InspectSummary::new(&name, &statistics);
                print::json(&summary).context(print::FAILED)?;
            }
            Ok(statistics) => {
                if place > 0 {
                    print::line("").context(print::FAILED)?;
                }
                text::print(&name, &statistics).context(print::FAILED)?;
            }
            Err(_) if control.is_cancelled() => {
                print::message(&format!("interrupted while inspecting {name}"));
                return Ok(Exit::Interrupted);
            }
            Err(error) => {
                let error = format!("{error:#}");
                print::error(&error);
                if args.printing.json {
                    print::json(&Unreadable { file: &name, error }).context(print::FAILED)?;
                }
                worst = Exit::Error;
            }
        }
    }
    Ok(worst)
}

fn inspect(args: &InspectArgs, path: &Path, control: &Control) -> anyhow::Result<Statistics> {
    let name = input::name(path);
    let (source, size) = input::open(path)?;
    let line = progress::reading("inspecting", name.clone(), size);
    let _progress = Progress::start(control, line);
    statistics(source, args.top, control).map_err(|error| {
        let hint = match &error {
            StatisticsError::Read(error) => input::hint(error, path, "inspect"),
            _ => String::new(),
        };
        anyhow!("{name}: {error}{hint}")
    })
}
