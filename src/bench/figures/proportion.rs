//! Whether cost grows in proportion: the same rate and the same memory at
//! every size of chain.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write as _};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use super::{Bench, Bound, Figure, FiguresError};
use crate::batch::{NamedQueue, mine};
use crate::bench::sample::{SampleQueue, compact};
use crate::bench::task::{self, Task};
use crate::bench::turns::Turns;
use crate::chain::Format;
use crate::pow::{Control, Searcher};
use crate::sha256::KernelChoice;

/// What a transaction of [`SampleQueue`] takes in a chain, its share of the
/// block's other text included, about.
const TRANSACTION_BYTES: u64 = 120;

/// A sample chain and the queue it is mined from.
#[derive(Debug)]
pub(super) struct Chain {
    transactions: u64,
    stem: PathBuf,
}

impl Chain {
    pub(super) fn of_transactions(folder: &Path, transactions: u64) -> Self {
        Self {
            transactions,
            stem: folder.join(format!("sample-{transactions}")),
        }
    }

    /// A chain of about so many megabytes.
    fn of_megabytes(folder: &Path, megabytes: u64) -> Self {
        Self::of_transactions(folder, megabytes * 1_000_000 / TRANSACTION_BYTES)
    }

    pub(super) fn queue(&self) -> PathBuf {
        self.stem.with_extension("jsonl")
    }

    /// The chain as fourzero writes it.
    pub(super) fn mined(&self) -> PathBuf {
        self.stem.with_extension("json")
    }

    /// The chain as Flask sends it.
    pub(super) fn compact(&self) -> PathBuf {
        self.stem.with_extension("compact.json")
    }

    /// A file for whatever is needed only for a moment.
    pub(super) fn scratch(&self) -> PathBuf {
        self.stem.with_extension("scratch")
    }

    pub(super) fn write_queue(&self) -> Result<(), FiguresError> {
        let write = || -> io::Result<()> {
            let mut out = BufWriter::with_capacity(1 << 20, File::create(self.queue())?);
            io::copy(&mut SampleQueue::new(self.transactions), &mut out)?;
            out.flush()
        };
        write().map_err(FiguresError::Data)
    }

    pub(super) fn write_mined(&self, control: &Control) -> Result<(), FiguresError> {
        let file = File::create(self.mined()).map_err(FiguresError::Data)?;
        let queue = NamedQueue::new("sample", SampleQueue::new(self.transactions));
        let threads = NonZeroUsize::new(num_cpus::get()).unwrap_or(NonZeroUsize::MIN);
        let searcher = Searcher::new(threads, KernelChoice::Measured)?;
        let out = BufWriter::with_capacity(1 << 20, file);
        let options = task::options();
        mine(vec![queue], out, Format::Json, &options, &searcher, control)?;
        Ok(())
    }

    /// Needs [`Self::mined`].
    pub(super) fn write_compact(&self) -> Result<(), FiguresError> {
        let write = || {
            let mined = BufReader::with_capacity(1 << 20, File::open(self.mined())?);
            compact(mined, BufWriter::new(File::create(self.compact())?))
        };
        write().map_err(FiguresError::Data)
    }

    /// Makes room. What cannot be removed goes with the folder.
    pub(super) fn remove(&self) {
        for path in [self.queue(), self.mined(), self.compact(), self.scratch()] {
            let _ = fs::remove_file(path);
        }
    }
}

/// Rate and peak memory at each size, and how far they lie apart.
pub(super) fn figures(
    bench: &mut Bench<'_>,
    what: &str,
    task: impl Fn(&Chain, NonZeroUsize) -> Task,
) -> Result<Vec<Figure>, FiguresError> {
    let sizes = bench.plan.megabytes.clone();
    let mut chains = Vec::new();
    for megabytes in &sizes {
        bench.check()?;
        (bench.observe)(&format!("making a chain of {megabytes} MB"));
        let chain = Chain::of_megabytes(&bench.plan.folder, *megabytes);
        match task(&chain, bench.plan.threads) {
            Task::Mine { .. } => chain.write_queue()?,
            Task::Verify { .. } => chain.write_mined(bench.control)?,
        }
        chains.push(chain);
    }
    let mut rates = vec![Turns::default(); chains.len()];
    let mut peaks = rates.clone();
    for round in bench.rounds() {
        bench.tell(&format!("{what} chains of several sizes"), round)?;
        bench.sha2_turn();
        for (index, chain) in chains.iter().enumerate() {
            let measured = bench.task(&task(chain, bench.plan.threads))?;
            rates[index].push(measured.bytes_per_second() / 1e6);
            if let Some(bytes) = measured.peak_bytes {
                peaks[index].push(bytes as f64 / 1e6);
            }
        }
    }
    chains.iter().for_each(Chain::remove);

    let mut figures = Vec::new();
    for (index, megabytes) in sizes.iter().enumerate() {
        let name = format!("{what} {megabytes} MB");
        figures.push(Figure::new(name.as_str(), "MB/s", &rates[index], None));
        if peaks[index].best() > 0.0 {
            let name = format!("{name}: peak memory");
            figures.push(Figure::of_cost(name, "MB", &peaks[index]));
        }
    }
    if sizes.len() > 1 {
        let apart = |name: &str, values: &[Turns], value: fn(&Turns) -> f64, most| {
            let turns = [spread(values.iter().map(value))].into_iter().collect();
            Figure::new(
                format!("{what}: {name}"),
                "",
                &turns,
                Some(Bound::AtMost(most)),
            )
        };
        figures.push(apart(
            "best rates of all sizes apart by",
            &rates,
            Turns::best,
            0.15,
        ));
        if peaks.iter().all(|peak| peak.best() > 0.0) {
            figures.push(apart(
                "peak memory of all sizes apart by",
                &peaks,
                Turns::median,
                0.10,
            ));
        }
    }
    Ok(figures)
}

/// By what share of the largest value the smallest lies below it.
fn spread(values: impl Iterator<Item = f64>) -> f64 {
    let turns: Turns = values.collect();
    if turns.best() > 0.0 {
        1.0 - turns.least() / turns.best()
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spread_is_what_the_smallest_lacks_of_the_largest() {
        assert!((spread([90.0, 100.0, 95.0].into_iter()) - 0.1).abs() < 1e-9);
        assert_eq!(spread(std::iter::empty()), 0.0);
    }

    #[test]
    fn a_chain_has_about_the_size_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let chain = Chain::of_megabytes(folder.path(), 2);
        chain.write_mined(&Control::new()).unwrap();
        let bytes = fs::metadata(chain.mined()).unwrap().len();
        assert!((1_900_000..2_100_000).contains(&bytes), "{bytes}");
        chain.write_compact().unwrap();
        assert!(fs::metadata(chain.compact()).unwrap().len() < bytes);
        chain.remove();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
