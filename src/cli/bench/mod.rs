//! `fourzero bench`.

mod plot;
mod table;

use std::fs::File;
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use fourzero::batch::{Overwrite, WholeFile};
use fourzero::bench::{AvailableCores, Chosen, Machine, Sweep, SweepProgress, SweepReport, sweep};
use fourzero::pow::{Control, SearchError};
use indicatif::{ProgressBar, ProgressStyle};

use super::args::BenchArgs;
use super::exit::Exit;
use super::interrupt::{self, WhenStuck};
use super::{input, print, progress};

pub(super) fn run(args: &BenchArgs) -> anyhow::Result<Exit> {
    let machine = Machine::here();
    let plan = args.plan(&machine.cores);
    // Problems with the files are reported now, not after minutes.
    if args.printing.json && args.baseline.is_some() {
        bail!(
            "--baseline adds a column to the table, but --json replaces the table; use --export \
             FILE for the JSON"
        );
    }
    let baseline = args.baseline.as_deref().map(read_baseline).transpose()?;
    let control = Control::new();
    interrupt::install(&control, WhenStuck::Wait)?;
    let create = |path| interrupt::removed_when_left(path, Overwrite::forced(args.force));
    let export = args.export.as_deref().map(create).transpose()?;
    let plot = args.plot.as_deref().map(create).transpose()?;
    if let Some(warning) = crowding(&plan.threads, &machine.cores) {
        print::warning(&warning);
    }
    if let Some(baseline) = &baseline {
        warn_of_another_machine(baseline, &machine);
    }

    let bar = progress_bar();
    let swept = sweep(&plan, &control, &mut |progress| show(&bar, &progress));
    // First the thread that draws, which might draw once more.
    bar.disable_steady_tick();
    bar.finish_and_clear();
    let Sweep { runs, partial } = match swept {
        Err(SearchError::Cancelled { .. }) => {
            print::message("interrupted before anything was measured");
            return Ok(Exit::Interrupted);
        }
        swept => swept?,
    };
    let report = SweepReport {
        machine,
        partial,
        runs,
        chosen: Chosen::so_far(),
    };

    // Each result is kept even if another cannot be.
    let mut results = Vec::new();
    if let Some(file) = export {
        let text = serde_json::to_string(&report)? + "\n";
        results.push(write(file, &text));
    }
    if let Some(file) = plot {
        let svg = plot::svg(&report).context("cannot draw the plot");
        results.push(svg.and_then(|svg| write(file, &svg)));
    }
    let printed = match args.printing.json {
        true => print::json(&report),
        false => print_table(&report, baseline.as_ref()),
    };
    results.push(printed.context(print::FAILED));
    if let Some(warning) = scatter(&report) {
        print::warning(&warning);
    }
    let mut errors: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    let last = errors.pop();
    for error in errors {
        print::error(&format!("{error:#}"));
    }
    match (last, report.partial) {
        (Some(error), _) => Err(error),
        (None, Some(_)) => Ok(Exit::Interrupted),
        (None, None) => Ok(Exit::Yes),
    }
}

fn progress_bar() -> ProgressBar {
    if print::is_quiet() {
        return ProgressBar::hidden();
    }
    // Draws on stderr, and only on a terminal.
    let template = "{spinner} [{bar:24}] {pos}/{len} samples, {eta} left: {msg}";
    let style = ProgressStyle::with_template(template).expect("the template is well formed");
    let bar = ProgressBar::with_draw_target(Some(0), progress::target())
        .with_style(style.progress_chars("=> "));
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

fn show(bar: &ProgressBar, progress: &SweepProgress) {
    bar.set_length(progress.total as u64);
    bar.set_position(progress.done as u64);
    let threads = print::count(progress.threads.get() as u64, "thread");
    let hashrate = print::hashrate(progress.hashrate);
    let (kernel, rule) = (progress.kernel, progress.rule);
    bar.set_message(format!("{kernel} {rule}, {threads}: {hashrate}"));
}

/// Gives a file its contents and its name.
fn write(file: WholeFile, contents: &str) -> anyhow::Result<()> {
    let name = file.named().display().to_string();
    file.write_all(contents.as_bytes())?;
    file.commit()?;
    print::unless_quiet(&format!("{name} written"));
    Ok(())
}

fn print_table(report: &SweepReport, baseline: Option<&SweepReport>) -> io::Result<()> {
    print::line(&table::machine(&report.machine))?;
    for line in table::runs(report, baseline) {
        print::line(&line)?;
    }
    for chosen in &report.chosen {
        print::line(&print::chosen(chosen))?;
    }
    if let Some(partial) = report.partial {
        print::line(&table::partial(partial))?;
    }
    Ok(())
}

/// More than the JSON of any sweep takes.
const MOST_BASELINE_MIB: u64 = 16;

fn read_baseline(path: &Path) -> anyhow::Result<SweepReport> {
    let name = input::name(path);
    // A device or a pipe may never end.
    let limit = MOST_BASELINE_MIB << 20;
    let mut text = Vec::new();
    open(path)
        .and_then(|file| file.take(limit + 1).read_to_end(&mut text))
        .with_context(|| format!("cannot read {name}"))?;
    let not_json = || format!("{name} is not what fourzero bench --export writes");
    if text.len() as u64 > limit {
        bail!("{}: it is larger than {MOST_BASELINE_MIB} MiB", not_json());
    }
    let text = input::text(text).with_context(|| format!("cannot read {name}"))?;
    let report: SweepReport = serde_json::from_str(&text).with_context(not_json)?;
    if report.runs.is_empty() {
        bail!("{name} has no runs to compare with");
    }
    for run in &report.runs {
        for (key, rate) in [("best", run.best), ("median", run.median)] {
            if rate <= 0.0 {
                let threads = print::count(run.threads as u64, "thread");
                let (kernel, rule) = (&run.kernel, &run.rule);
                bail!("{name}: \"{key}\" of {kernel} {rule} on {threads} is {rate}, not above 0");
            }
        }
    }
    Ok(report)
}

fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    if path == Path::new("-") {
        return Ok(Box::new(io::stdin()));
    }
    Ok(Box::new(File::open(path)?))
}

/// The warning about numbers of threads that exceed the cores that this process
/// may use, or its quota if that is less.
fn crowding(threads: &[NonZeroUsize], cores: &AvailableCores) -> Option<String> {
    let most = cores.physical.min(cores.threads().get());
    let crowded = threads.iter().filter(|threads| threads.get() > most);
    let crowded: Vec<_> = crowded.map(ToString::to_string).collect();
    if crowded.is_empty() {
        return None;
    }
    let threads = crowded.join(", ");
    Some(match cores.quota {
        Some(quota) if most < cores.physical => format!(
            "{threads} threads are more than the CPU quota of {} allows to run at the same time",
            print::cores(quota)
        ),
        _ => format!(
            "{threads} threads are more than the {}, so some share a core",
            print::count(most as u64, "physical core")
        ),
    })
}

fn warn_of_another_machine(baseline: &SweepReport, machine: &Machine) {
    let (before, now) = (&baseline.machine.cpu, &machine.cpu);
    if before != now {
        print::warning(&format!(
            "the baseline is from another CPU: {before}, not {now}"
        ));
    }
}

/// Samples that scatter more show the load of other programs rather than the
/// machine.
const MOST_SCATTER: f64 = 0.10;

/// The warning about results whose samples scatter.
fn scatter(report: &SweepReport) -> Option<String> {
    let scattered = report
        .runs
        .iter()
        .filter(|run| run.scatter() > MOST_SCATTER);
    let described = scattered.map(|run| {
        let threads = print::count(run.threads as u64, "thread");
        let (kernel, rule, percent) = (&run.kernel, &run.rule, 100.0 * run.scatter());
        format!("{kernel} {rule} on {threads} ({percent:.0} % below)")
    });
    let described: Vec<_> = described.collect();
    if described.is_empty() {
        return None;
    }
    Some(format!(
        "the median sample is over {:.0} % below the best, so other programs may have been \
         running: {}",
        100.0 * MOST_SCATTER,
        described.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use fourzero::bench::SweepRun;

    use super::*;

    #[test]
    fn more_threads_than_cores_give_a_warning() {
        let warning = |physical, logical, quota| {
            let cores = AvailableCores {
                physical,
                logical,
                quota,
            };
            let threads = [1, 2, 4].map(|count| NonZeroUsize::new(count).unwrap());
            crowding(&threads, &cores)
        };
        assert_eq!(warning(4, 8, None), None);
        assert_eq!(warning(4, 8, Some(3.5)), None);
        // Two hardware threads share a core.
        let expected = "4 threads are more than the 2 physical cores, so some share a core";
        assert_eq!(warning(2, 4, None).unwrap(), expected);
        assert_eq!(warning(2, 4, Some(3.5)).unwrap(), expected);
        let expected =
            "4 threads are more than the CPU quota of 1.5 cores allows to run at the same time";
        assert_eq!(warning(4, 8, Some(1.5)).unwrap(), expected);
    }

    #[test]
    fn scattered_samples_give_a_warning() {
        let run = |threads, median| SweepRun {
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
        let report = |runs| SweepReport {
            machine: Machine::here(),
            partial: None,
            runs,
            chosen: Vec::new(),
        };
        assert_eq!(scatter(&report(vec![run(1, 91.0), run(2, 100.0)])), None);
        let warning = scatter(&report(vec![run(1, 40.0), run(2, 91.0), run(4, 85.0)])).unwrap();
        assert!(warning.contains("sha-ni last-proof on 1 thread (60 % below), "));
        assert!(warning.ends_with("sha-ni last-proof on 4 threads (15 % below)"));
        assert!(!warning.contains("2 threads"));
    }
}
