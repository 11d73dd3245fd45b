//! Tables for people.

use fourzero::bench::{Change, Machine, Report, Run};

use crate::cli::print;

/// The line above a table: what was measured.
pub(super) fn machine(machine: &Machine) -> String {
    format!(
        "{}, {}, {} logical, fourzero {}",
        machine.cpu,
        print::count(machine.physical_cores as u64, "physical core"),
        machine.logical_cores,
        machine.version
    )
}

/// The lines of a sweep's table, its heading first; with `changes`, a column
/// that says how each run differs from the baseline.
pub(super) fn runs(report: &Report, changes: Option<&[Change]>) -> Vec<String> {
    let mut heading = vec![
        "kernel",
        "rule",
        "threads",
        "MH/s",
        "median",
        "times one",
        "efficiency",
        "blocks/s",
    ];
    if changes.is_some() {
        heading.push("since the baseline");
    }
    let mut rows = vec![heading.into_iter().map(str::to_owned).collect()];
    for (index, run) in report.runs.iter().enumerate() {
        let mut row = cells(run);
        row.extend(changes.map(|changes| change(changes[index])));
        rows.push(row);
    }
    aligned(&rows, 2)
}

fn cells(run: &Run) -> Vec<String> {
    vec![
        run.kernel.clone(),
        run.rule.clone(),
        run.threads.to_string(),
        format!("{:.1}", run.best / 1e6),
        format!("{:.1}", run.median / 1e6),
        format!("{:.2}", run.speedup),
        format!("{:.2}", run.efficiency),
        run.blocks_per_second
            .map_or_else(|| "-".to_owned(), significant),
    ]
}

/// A `*` marks what the scatter of the turns does not explain.
fn change(change: Change) -> String {
    match change {
        Change::New => "not in it".to_owned(),
        Change::WithinScatter { by } => format!("{:+.1} %", 100.0 * by),
        Change::Faster { by } => format!("{:+.1} % * faster", 100.0 * by),
        Change::Slower { by } => format!("{:+.1} % * slower", 100.0 * by),
    }
}

/// Three digits that matter: block rates reach from thousands to a block in a
/// century.
pub(super) fn significant(number: f64) -> String {
    match number {
        0.0 => "0".to_owned(),
        number if number.abs() >= 100.0 => format!("{number:.0}"),
        number if number.abs() >= 10.0 => format!("{number:.1}"),
        number if number.abs() >= 1.0 => format!("{number:.2}"),
        number if number.abs() >= 0.001 => format!("{number:.3}"),
        number => format!("{number:.1e}"),
    }
}

/// Columns as wide as their widest cell: the first `left` to the left, the
/// others to the right, but for a last one that is text.
pub(super) fn aligned(rows: &[Vec<String>], left: usize) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<_> = (0..columns)
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    rows.iter()
        .map(|row| {
            let cells = row.iter().enumerate().map(|(column, cell)| {
                let width = widths[column];
                if column < left {
                    format!("{cell:<width$}")
                } else {
                    format!("{cell:>width$}")
                }
            });
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_lines_end_with_text() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let lines = aligned(&[row(["a", "1", "x"]), row(["long", "234", ""])], 1);
        assert_eq!(lines, ["a       1  x", "long  234"]);
    }

    #[test]
    fn numbers_keep_three_digits_that_matter() {
        let numbers = [0.0, 0.000_012, 0.0123, 1.234, 12.34, 1234.4];
        let shown = numbers.map(significant);
        assert_eq!(shown, ["0", "1.2e-5", "0.012", "1.23", "12.3", "1234"]);
    }
}
