//! `fourzero bench`.

mod bar;
mod figures;
mod plot;
mod table;

use std::fs::File;
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::path::Path;

use anyhow::{Context as _, bail};
use fourzero::batch::{Overwrite, WholeFile};
use fourzero::bench::{self, Change, Chosen, Machine, Report, SweepPlan, sweep};
use fourzero::pow::Control;

use self::bar::Bar;
use super::args::{BenchArgs, BenchCommand, SweepArgs};
use super::exit::Exit;
use super::interrupt::{self, WhenStuck};
use super::{input, print};

pub(super) fn run(args: &BenchArgs) -> anyhow::Result<Exit> {
    match &args.command {
        None => run_sweep(&args.sweep),
        Some(BenchCommand::Mine(args)) => figures::mine(args),
        Some(BenchCommand::Verify(args)) => figures::verify(args),
        Some(BenchCommand::Task { task }) => figures::run_task(task),
    }
}

fn run_sweep(args: &SweepArgs) -> anyhow::Result<Exit> {
    let machine = Machine::here();
    let plan = SweepPlan {
        kernels: args.kernels(),
        rules: args.rules(),
        threads: args.threads(machine.physical_cores, machine.logical_cores),
        target: args.difficulty.target,
        per_point: args.seconds,
        pinning: args.pinning(),
    };
    // Whatever is wrong with the files is said now, not after minutes.
    let to_stdout = args.json.as_deref() == Some(Path::new("-"));
    if to_stdout && args.baseline.is_some() {
        bail!(
            "--baseline adds a column to the table, which --json - leaves out; name a file for \
             the JSON"
        );
    }
    let baseline = args.baseline.as_deref().map(read_baseline).transpose()?;
    // Before there is a file to put away.
    let control = Control::new();
    interrupt::install(&control, WhenStuck::Wait)?;
    let json = args.json.as_deref().filter(|_| !to_stdout);
    let create = |path| interrupt::removed_when_left(path, Overwrite::forced(args.force));
    let json = json.map(create).transpose()?;
    let plot = args.plot.as_deref().map(create).transpose()?;
    if let Some(warning) = crowding(&plan.threads, &machine) {
        print::warning(&warning);
    }
    if let Some(baseline) = &baseline {
        warn_of_another_machine(baseline, &machine);
    }

    let bar = Bar::start(args.quiet);
    let measured = sweep(&plan, &control, &mut |turn| bar.show(&turn));
    drop(bar);
    let runs = match measured {
        Ok(runs) => runs,
        Err(error) if error.is_cancelled() => {
            print::message("interrupted; nothing was kept");
            return Ok(Exit::Interrupted);
        }
        Err(error) => return Err(error.into()),
    };
    let report = Report {
        machine,
        runs,
        chosen: Chosen::so_far(),
    };
    let changes = baseline.map(|baseline| bench::compare(&report, &baseline));

    // What took minutes is kept wherever it can be: each file whatever becomes of
    // the other, and both whatever becomes of the table.
    let json = json.map_or(Ok(()), |file| write_json(args, file, &report));
    let plot = plot.map_or(Ok(()), |file| write_plot(args, file, &report));
    let printed = if to_stdout {
        print::json(&report)
    } else {
        print_table(&report, changes.as_deref())
    };
    if let Some(warning) = scatter(&report) {
        print::warning(&warning);
    }
    match (json, plot) {
        (Err(json), Err(plot)) => {
            print::error(&format!("{json:#}"));
            return Err(plot);
        }
        (json, plot) => json.and(plot)?,
    }
    printed.context(print::FAILED)?;
    Ok(Exit::Yes)
}

fn write_json(args: &SweepArgs, file: WholeFile, report: &Report) -> anyhow::Result<()> {
    let text = serde_json::to_string(report)? + "\n";
    write(args, file, &text)
}

fn write_plot(args: &SweepArgs, file: WholeFile, report: &Report) -> anyhow::Result<()> {
    let svg = plot::svg(report).context("cannot draw the plot")?;
    write(args, file, &svg)
}

/// Gives a file its contents and its name, and says that it is there.
fn write(args: &SweepArgs, file: WholeFile, contents: &str) -> anyhow::Result<()> {
    let name = file.named().display().to_string();
    file.write_all(contents.as_bytes())?;
    file.commit()?;
    if !args.quiet {
        print::message(&format!("{name} written"));
    }
    Ok(())
}

fn print_table(report: &Report, changes: Option<&[Change]>) -> io::Result<()> {
    print::line(&table::machine(&report.machine))?;
    for line in table::runs(report, changes) {
        print::line(&line)?;
    }
    for chosen in &report.chosen {
        print::line(&print::chosen(chosen))?;
    }
    Ok(())
}

/// More than a baseline has, even of all kernels under all rules on each number
/// of threads that can be asked for.
const MOST_BASELINE_MIB: u64 = 16;

fn read_baseline(path: &Path) -> anyhow::Result<Report> {
    let name = input::name(path);
    let text = read_at_most(path, MOST_BASELINE_MIB << 20)
        .with_context(|| format!("cannot read {name}"))?;
    let is_none = || format!("{name} is not what fourzero bench --json writes");
    let Some(text) = text else {
        bail!("{}: it has over {MOST_BASELINE_MIB} MiB", is_none());
    };
    let report: Report = serde_json::from_slice(&text).with_context(is_none)?;
    if report.runs.is_empty() {
        bail!("{name} holds no runs to compare with");
    }
    for run in &report.runs {
        for (key, rate) in [("best", run.best), ("median", run.median)] {
            if rate <= 0.0 {
                let threads = print::count(run.threads as u64, "thread");
                bail!(
                    "{name}: the \"{key}\" of {} {} on {threads} is {rate}, but a rate is above 0",
                    run.kernel,
                    run.rule
                );
            }
        }
    }
    Ok(report)
}

/// What is in the file, or comes from standard input; `None` if it is longer.
/// Devices and pipes may never end.
fn read_at_most(path: &Path, bytes: u64) -> io::Result<Option<Vec<u8>>> {
    let source: Box<dyn Read> = if path == Path::new("-") {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(path)?)
    };
    let mut read = Vec::new();
    source.take(bytes + 1).read_to_end(&mut read)?;
    Ok(Some(read).filter(|read| read.len() as u64 <= bytes))
}

/// What to say of numbers of threads that have no core each: physical cores,
/// or those that this process may use, which may be fewer.
fn crowding(threads: &[NonZeroUsize], machine: &Machine) -> Option<String> {
    let cores = machine.physical_cores.min(machine.logical_cores);
    let crowded: Vec<_> = threads
        .iter()
        .filter(|threads| threads.get() > cores)
        .map(ToString::to_string)
        .collect();
    if crowded.is_empty() {
        return None;
    }
    let cores = if machine.logical_cores < machine.physical_cores {
        let cores = print::count(cores as u64, "core");
        format!("{cores} that this process may use")
    } else {
        print::count(cores as u64, "physical core")
    };
    Some(format!(
        "{} threads are more than the {cores}, so some share one",
        crowded.join(", ")
    ))
}

fn warn_of_another_machine(baseline: &Report, machine: &Machine) {
    if baseline.machine.cpu != machine.cpu {
        print::warning(&format!(
            "the baseline is from another CPU: {}, not {}",
            baseline.machine.cpu, machine.cpu
        ));
    }
}

/// Turns that lie further apart than this tell more of the neighbours than of
/// the machine.
const MOST_SCATTER: f64 = 0.10;

/// What to say of points whose turns lie far apart.
fn scatter(report: &Report) -> Option<String> {
    let scattered: Vec<_> = report
        .runs
        .iter()
        .filter(|run| run.scatter() > MOST_SCATTER)
        .map(|run| {
            let threads = print::count(run.threads as u64, "thread");
            let percent = 100.0 * run.scatter();
            format!(
                "{} {} on {threads} (the median {percent:.0} % below)",
                run.kernel, run.rule
            )
        })
        .collect();
    if scattered.is_empty() {
        return None;
    }
    Some(format!(
        "half of the turns or more were over {:.0} % below the best, as if something else ran on \
         this machine: {}",
        100.0 * MOST_SCATTER,
        scattered.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use fourzero::bench::Run;

    use super::*;

    #[test]
    fn threads_without_a_core_each_are_told() {
        let told = |physical_cores, logical_cores| {
            let machine = Machine {
                physical_cores,
                logical_cores,
                ..Machine::here()
            };
            let threads = [1, 2, 4].map(|count| NonZeroUsize::new(count).unwrap());
            crowding(&threads, &machine)
        };
        let expected = [
            (4, 8, None),
            // Threads share the units of a core,
            (2, 4, Some("4 threads are more than the 2 physical cores")),
            (1, 2, Some("2, 4 threads are more than the 1 physical core")),
            // or the process may not use all cores.
            (
                64,
                3,
                Some("4 threads are more than the 3 cores that this process may use"),
            ),
            (
                2,
                1,
                Some("2, 4 threads are more than the 1 core that this process may use"),
            ),
        ];
        for (physical, logical, start) in expected {
            let expected = start.map(|start| format!("{start}, so some share one"));
            assert_eq!(told(physical, logical), expected);
        }
    }

    #[test]
    fn scatter_is_told_as_what_the_median_lacks_of_the_best() {
        let run = |threads, median| Run {
            kernel: "sha-ni".into(),
            rule: "last-proof".into(),
            threads,
            hashes: 1,
            seconds: 1.0,
            hashrate: median,
            best: 100.0,
            median,
            speedup: 1.0,
            efficiency: 1.0,
            blocks_per_second: None,
            zero_bits: None,
        };
        let report = |runs| Report {
            machine: Machine::here(),
            runs,
            chosen: Vec::new(),
        };
        assert_eq!(scatter(&report(vec![run(1, 91.0), run(2, 100.0)])), None);
        let told = scatter(&report(vec![run(1, 40.0), run(2, 91.0), run(4, 85.0)]));
        let expected = "half of the turns or more were over 10 % below the best, as if something \
                        else ran on this machine: sha-ni last-proof on 1 thread (the median 60 % \
                        below), sha-ni last-proof on 4 threads (the median 15 % below)";
        assert_eq!(told.as_deref(), Some(expected));
    }
}
