//! Rate and peak memory over chains of several sizes. Both should be the same
//! at every size.

use anyhow::Result;

use crate::Bench;
use crate::measurement::{Goal, highest, median, print};
use crate::sample::SampleFiles;
use crate::task::Task;

/// Measures `task` on each size. The files that it needs must exist.
pub(crate) fn measure(
    bench: &mut Bench,
    what: &str,
    files: &[SampleFiles],
    task: impl Fn(&SampleFiles) -> Task,
) -> Result<()> {
    let (mut rates, mut peaks) = (vec![vec![]; files.len()], vec![vec![]; files.len()]);
    for _ in bench.rounds(&format!("{what} chains of several sizes")) {
        bench.sha2_round();
        for (index, files) in files.iter().enumerate() {
            let result = task(files).run_in_new_process()?;
            rates[index].push(result.bytes_per_second() / 1e6);
            peaks[index].extend(result.peak_memory_bytes.map(|bytes| bytes as f64 / 1e6));
        }
    }
    for (index, megabytes) in bench.args.sizes.iter().enumerate() {
        let name = format!("{what} {megabytes} MB");
        print(&name, "MB/s", &rates[index], Goal::High);
        let name = format!("{name}: peak memory");
        print(&name, "MB", &peaks[index], Goal::Low);
    }
    if files.len() < 2 {
        return Ok(());
    }
    let name = format!("{what}: spread of the sizes' best rates");
    let best: Vec<_> = rates.iter().map(|rounds| highest(rounds)).collect();
    print(&name, "", &[spread(&best)], Goal::AtMost(0.15));
    if peaks.iter().all(|rounds| !rounds.is_empty()) {
        let name = format!("{what}: spread of the sizes' peak memory");
        let medians: Vec<_> = peaks.iter().map(|rounds| median(rounds)).collect();
        print(&name, "", &[spread(&medians)], Goal::AtMost(0.10));
    }
    Ok(())
}

/// How far the lowest value is below the highest, as a share of the highest.
fn spread(values: &[f64]) -> f64 {
    let lowest = values.iter().copied().fold(f64::MAX, f64::min);
    1.0 - lowest / highest(values)
}
