//! The line while mining: how much of the queues is done, the rates and the
//! time left; then the syncing and verifying of the file.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fourzero::pow::Control;
use indicatif::{HumanCount, HumanDuration, ProgressBar};

use crate::cli::print;

/// An estimate of the time left needs this much time and this many blocks.
const ESTIMATE_TIME: Duration = Duration::from_secs(2);
const ESTIMATE_BLOCKS: u64 = 5;

/// If no hash was tried for this long, no proof is being searched for: proofs
/// are reused, or the queue is slow. A hashrate would look like a slow kernel.
const IDLE: Duration = Duration::from_millis(500);

/// The line while `queues` are mined into the file `output`, or each into its
/// own file.
pub(in crate::cli) fn mining(
    queues: &[PathBuf],
    output: Option<&Path>,
) -> impl FnMut(&Control, Duration) -> String + Send + 'static {
    let output = output.map(|path| path.display().to_string());
    let noun = if queues.len() == 1 { "queue" } else { "queues" };
    let size = size(queues);
    let mut rates = None;
    move |control, _| match (&output, control.next_step()) {
        (Some(output), Some(step)) => finishing(output, step.blocks(), control.blocks()),
        _ if mined(control) == 0 && control.hashes() == 0 => starting(control.given_blocks()),
        _ => {
            let rates = rates.get_or_insert_with(|| Rates::start(control, size));
            rates.update(control);
            let mut parts = vec![print::count(control.blocks(), "block")];
            parts.extend(size.and_then(|size| share(control.bytes_mined(), size, noun)));
            parts.extend(print::block_rate(rates.blocks.per_sec()));
            parts.extend(rates.hashrate());
            parts.extend(rates.time_left(mined(control)));
            format!("mining: {}", parts.join(", "))
        }
    }
}

/// The bytes of all queues together, if they are plain files.
fn size(queues: &[PathBuf]) -> Option<u64> {
    let sizes = queues.iter().map(|queue| {
        let metadata = fs::metadata(queue).ok()?;
        metadata.is_file().then_some(metadata.len())
    });
    sizes.sum()
}

/// Blocks that were mined, not counting those found in a journal.
fn mined(control: &Control) -> u64 {
    // The given blocks first, because the blocks include them.
    let given = control.given_blocks();
    control.blocks().saturating_sub(given)
}

/// The line before anything is mined, when `given` blocks were found.
fn starting(given: u64) -> String {
    match given {
        0 | 1 => "mining".to_owned(),
        given => format!("checking existing blocks: {}", print::count(given, "block")),
    }
}

/// The line after mining, when `verified` of the blocks have been verified.
fn finishing(output: &str, verified: u64, blocks: u64) -> String {
    let blocks = print::count(blocks, "block");
    if verified == 0 {
        return format!("syncing {output}: {blocks}");
    }
    format!("verifying {output}: {} of {blocks}", HumanCount(verified))
}

/// The share of the queues that is in finished blocks. It is rounded down, so
/// that it only reaches 100 % at the end.
fn share(bytes: u64, size: u64, noun: &str) -> Option<String> {
    // A queue may grow while it is read.
    if bytes > size || size == 0 {
        return None;
    }
    let percent = 100.0 * bytes as f64 / size as f64;
    Some(if percent < 10.0 {
        format!("{:.1} % of the {noun}", (10.0 * percent).floor() / 10.0)
    } else {
        format!("{} % of the {noun}", percent.floor())
    })
}

/// Recent rates, as the estimators of hidden bars know them. Blocks that were
/// already there do not count.
struct Rates {
    blocks: ProgressBar,
    hashes: ProgressBar,
    /// Bytes of the queues in finished blocks.
    bytes: ProgressBar,
    started: Instant,
    mined_before: u64,
    last_hash: Instant,
}

impl Rates {
    fn start(control: &Control, size: Option<u64>) -> Self {
        let bytes = ProgressBar::hidden();
        if let Some(size) = size {
            bytes.set_length(size);
        }
        let rates = Self {
            blocks: ProgressBar::hidden(),
            hashes: ProgressBar::hidden(),
            bytes,
            started: Instant::now(),
            mined_before: mined(control),
            last_hash: Instant::now(),
        };
        rates.set_positions(control);
        for bar in [&rates.blocks, &rates.hashes, &rates.bytes] {
            bar.reset_eta();
        }
        rates
    }

    fn update(&mut self, control: &Control) {
        if control.hashes() > self.hashes.position() {
            self.last_hash = Instant::now();
        }
        self.set_positions(control);
    }

    fn set_positions(&self, control: &Control) {
        self.blocks.set_position(mined(control));
        self.hashes.set_position(control.hashes());
        self.bytes.set_position(control.bytes_mined());
    }

    fn hashrate(&self) -> Option<String> {
        let rate = self.hashes.per_sec();
        let is_searching = self.last_hash.elapsed() < IDLE && rate > 0.0;
        is_searching.then(|| print::hashrate(rate).to_string())
    }

    fn time_left(&self, mined: u64) -> Option<String> {
        let is_known = self.started.elapsed() >= ESTIMATE_TIME
            && mined >= self.mined_before + ESTIMATE_BLOCKS
            && self
                .bytes
                .length()
                .is_some_and(|size| self.bytes.position() <= size)
            && self.bytes.per_sec() > 0.0;
        is_known.then(|| format!("{:#} left", HumanDuration(self.bytes.eta())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_reaches_100_percent_only_at_the_end() {
        for (bytes, percent) in [
            (0, "0.0"),
            (1, "0.0"),
            (99, "0.9"),
            (999, "9.9"),
            (1000, "10"),
            (9_999, "99"),
            (10_000, "100"),
        ] {
            let expected = format!("{percent} % of the queue");
            assert_eq!(share(bytes, 10_000, "queue"), Some(expected));
        }
        assert_eq!(share(10_001, 10_000, "queue"), None);
    }

    #[test]
    fn every_step_before_and_after_mining_has_its_name() {
        assert_eq!(starting(1), "mining");
        assert_eq!(starting(1_000), "checking existing blocks: 1,000 blocks");
        assert_eq!(
            finishing("big.json", 0, 200_001),
            "syncing big.json: 200,001 blocks"
        );
        assert_eq!(
            finishing("big.json", 12_000, 200_001),
            "verifying big.json: 12,000 of 200,001 blocks"
        );
    }
}
