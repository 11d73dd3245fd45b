//! `fourzero bench mine` and `fourzero bench verify`: runs the measurements
//! and prints them beside what is asked of them.

use std::error::Error;
use std::io::{self, Read as _};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use fourzero::bench::{
    Figure, Figures, FiguresError, FiguresPlan, Machine, Measured, RunTask, Task, mine_figures,
    verify_figures,
};
use fourzero::pow::Control;
use serde::Serialize;

use super::bar::Bar;
use super::table::{self, aligned, significant};
use crate::cli::args::FiguresArgs;
use crate::cli::exit::Exit;
use crate::cli::interrupt::{self, WhenStuck};
use crate::cli::print;

/// What `--json` prints.
#[derive(Serialize)]
struct Summary<'a> {
    #[serde(flatten)]
    machine: &'a Machine,
    threads: usize,
    rounds: usize,
    #[serde(flatten)]
    figures: &'a Figures,
}

/// `fourzero bench mine`.
pub(super) fn mine(args: &FiguresArgs) -> anyhow::Result<Exit> {
    run(args, mine_figures)
}

/// `fourzero bench verify`.
pub(super) fn verify(args: &FiguresArgs) -> anyhow::Result<Exit> {
    run(args, verify_figures)
}

fn run(
    args: &FiguresArgs,
    measure: impl for<'a> FnOnce(
        &'a FiguresPlan,
        &'a mut RunTask<'a>,
        &'a mut dyn FnMut(&str),
        &'a Control,
    ) -> Result<Figures, FiguresError>,
) -> anyhow::Result<Exit> {
    let folder = tempfile::Builder::new()
        .prefix("fourzero-bench.")
        .tempdir()
        .context("cannot make a temporary folder for the data")?;
    let plan = FiguresPlan {
        threads: args.threads,
        rounds: args.rounds,
        transactions: args.transactions.get() as u64,
        megabytes: args.megabytes(),
        folder: folder.path().to_owned(),
    };
    let control = Control::new();
    interrupt::install(&control, WhenStuck::Wait)?;
    let bar = Bar::line(args.quiet);
    let figures = measure(
        &plan,
        &mut in_a_process,
        &mut |step| bar.tell(step),
        &control,
    );
    drop(bar);
    let figures = match figures {
        Ok(figures) => figures,
        Err(FiguresError::Cancelled) => {
            print::message("interrupted; nothing was kept");
            return Ok(Exit::Interrupted);
        }
        Err(error) => return Err(error.into()),
    };
    print_figures(args, &figures).context(print::FAILED)?;
    Ok(Exit::Yes)
}

/// Runs a task as `fourzero bench task`.
fn in_a_process(task: &Task) -> Result<Measured, Box<dyn Error + Send + Sync>> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["bench", "task", &serde_json::to_string(task)?])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut answer = String::new();
    if let Some(stdout) = &mut child.stdout {
        stdout.read_to_string(&mut answer)?;
    }
    let status = child.wait()?;
    if !status.success() {
        // The child said on stderr what was wrong. If it was Ctrl-C, this
        // process learns of it, too, within a moment.
        thread::sleep(Duration::from_millis(100));
        return Err(format!("it ended with {status}").into());
    }
    Ok(serde_json::from_str(&answer)?)
}

/// `fourzero bench task`: one measurement, as JSON.
pub(super) fn run_task(task: &Task) -> anyhow::Result<Exit> {
    print::json(&task.run(&Control::new())?).context(print::FAILED)?;
    Ok(Exit::Yes)
}

fn print_figures(args: &FiguresArgs, figures: &Figures) -> io::Result<()> {
    let machine = Machine::here();
    if args.json {
        return print::json(&Summary {
            machine: &machine,
            threads: args.threads.get(),
            rounds: args.rounds.get(),
            figures,
        });
    }
    print::line(&table::machine(&machine))?;
    let heading = ["figure", "median", "best", "unit", "target", ""].map(str::to_owned);
    let mut rows = vec![heading.to_vec()];
    rows.extend(figures.figures.iter().map(cells));
    for rate in &figures.sha2 {
        let threads = print::count(rate.threads.get() as u64, "thread");
        rows.push(vec![
            format!("sha2 in the same run, {threads}"),
            significant(rate.median / 1e6),
            significant(rate.best / 1e6),
            "MB/s".to_owned(),
        ]);
    }
    for line in aligned(&rows, 1) {
        print::line(&line)?;
    }
    Ok(())
}

fn cells(figure: &Figure) -> Vec<String> {
    let mut cells = vec![
        figure.name.clone(),
        significant(figure.median),
        significant(figure.best),
        figure.unit.to_owned(),
    ];
    if let (Some(target), Some(holds)) = (figure.target, figure.holds) {
        let verdict = if holds { "held" } else { "missed" };
        cells.extend([target.to_string(), verdict.to_owned()]);
    }
    cells
}
