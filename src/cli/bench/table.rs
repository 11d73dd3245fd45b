//! The table of a sweep.

use fourzero::bench::{Machine, Partial, SweepReport, SweepRun};

use crate::cli::print;

/// The machine in one line.
pub(super) fn machine(machine: &Machine) -> String {
    let cores = &machine.cores;
    let quota = cores.quota.map_or_else(String::new, |quota| {
        format!(", CPU quota {}", print::cores(quota))
    });
    format!(
        "{}, {}, {} logical{quota}, fourzero {}",
        machine.cpu,
        print::count(cores.physical as u64, "physical core"),
        cores.logical,
        machine.version
    )
}

/// The mark of a sweep that was stopped.
pub(super) fn partial(partial: Partial) -> String {
    let (samples, planned) = (partial.samples, partial.planned_samples);
    format!("partial: interrupted after {samples} of {planned} samples")
}

/// The lines of the table, its heading first; with a baseline, a last column
/// shows the change of each run.
pub(super) fn runs(report: &SweepReport, baseline: Option<&SweepReport>) -> Vec<String> {
    let heading = "kernel,rule,threads,MH/s,median,speedup,efficiency,blocks/s";
    let mut heading: Vec<_> = heading.split(',').map(str::to_owned).collect();
    heading.extend(baseline.map(|_| "since the baseline".to_owned()));
    let mut rows = vec![heading];
    for run in &report.runs {
        let blocks = run.blocks_per_second.map(significant);
        let mut row = vec![
            run.kernel.clone(),
            run.rule.clone(),
            run.threads.to_string(),
            format!("{:.1}", run.best / 1e6),
            format!("{:.1}", run.median / 1e6),
            format!("{:.2}", run.speedup),
            format!("{:.2}", run.efficiency),
            blocks.unwrap_or_else(|| "-".to_owned()),
        ];
        row.extend(baseline.map(|baseline| change(run, baseline)));
        rows.push(row);
    }
    aligned(&rows)
}

/// A `*` marks a change beyond the scatter.
fn change(run: &SweepRun, baseline: &SweepReport) -> String {
    let Some(change) = run.change_since(baseline) else {
        return "not in it".to_owned();
    };
    let mark = match change.exceeds_scatter {
        true if change.by > 0.0 => " * faster",
        true => " * slower",
        false => "",
    };
    format!("{:+.1} %{mark}", 100.0 * change.by)
}

/// Three significant digits: blocks per second range from thousands to a few in
/// a century.
pub(super) fn significant(number: f64) -> String {
    match number.abs() {
        0.0 => "0".to_owned(),
        size if size >= 100.0 => format!("{number:.0}"),
        size if size >= 10.0 => format!("{number:.1}"),
        size if size >= 1.0 => format!("{number:.2}"),
        size if size >= 0.001 => format!("{number:.3}"),
        _ => format!("{number:.1e}"),
    }
}

/// Columns as wide as their widest cell: two columns of names aligned to the
/// left, the others to the right.
fn aligned(rows: &[Vec<String>]) -> Vec<String> {
    let mut widths = vec![0; rows[0].len()];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate();
        let cells = cells.map(|(column, (cell, width))| match column {
            0 | 1 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        cells.collect::<Vec<_>>().join("  ")
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_aligned_to_the_left_and_numbers_to_the_right() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let lines = aligned(&[row(["a", "b", "1"]), row(["long", "é", "234"])]);
        assert_eq!(lines, ["a     b    1", "long  é  234"]);
    }

    #[test]
    fn numbers_have_three_significant_digits() {
        let numbers = [0.0, 0.000_012, 0.0123, 1.234, 12.34, 1234.4];
        let shown = numbers.map(significant);
        assert_eq!(shown, ["0", "1.2e-5", "0.012", "1.23", "12.3", "1234"]);
    }
}
