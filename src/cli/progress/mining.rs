//! The line while mining: how much of the queues is done, how fast, and what
//! that leaves; then how far the syncing and reading back is.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fourzero::pow::Control;
use indicatif::HumanCount;

use crate::cli::print;

/// Rates are those of the last so many seconds, for under a rule that
/// remembers proofs the beginning is nothing like the rest ...
const WINDOW: Duration = Duration::from_secs(15);
/// ... or of the last so many blocks where they take longer: fewer say little,
/// for how long a proof takes is chance.
const WINDOW_BLOCKS: u64 = 20;

/// How far apart the moments are kept that rates are told from.
const SAMPLE_INTERVAL: Duration = Duration::from_secs(1);

/// Before so much is done, nobody can tell how long the rest takes.
const LEAST_TIME: Duration = Duration::from_secs(2);
const LEAST_BLOCKS: u64 = 5;

/// Where no hash was tried for so long, proofs come from memory, or the queue
/// keeps the miner waiting; a hashrate would then read as slowness.
const SEARCHES_NOTHING: Duration = Duration::from_millis(500);

/// The line while mining.
pub(in crate::cli) struct Mining {
    /// The one chain that is made, if it is one.
    output: Option<String>,
    /// The queues' bytes, if all of them have a size.
    size: Option<u64>,
    queues: &'static str,
    /// The moments that rates are told from, the oldest first.
    samples: VecDeque<Sample>,
    /// The last moment in which hashes were tried.
    searched: Option<Sample>,
}

/// How far the mining was at one moment.
#[derive(Clone, Copy, Default, Debug)]
struct Sample {
    at: Duration,
    /// Blocks in the chains.
    blocks: u64,
    /// Those that nobody had to mine.
    given: u64,
    hashes: u64,
    /// Bytes of the queues in the blocks that are done.
    bytes: u64,
}

impl Sample {
    fn of(control: &Control, at: Duration) -> Self {
        // What was given first: the blocks hold it.
        let given = control.given_blocks();
        Self {
            at,
            blocks: control.blocks(),
            given,
            hashes: control.hashes(),
            bytes: control.bytes_mined(),
        }
    }

    /// Blocks that were mined.
    const fn mined(self) -> u64 {
        self.blocks.saturating_sub(self.given)
    }
}

/// The line while `queues` are mined into the file `output`, or each into a
/// file of its own.
pub(in crate::cli) fn mining(
    queues: &[PathBuf],
    output: Option<&Path>,
) -> impl FnMut(&Control, Duration) -> String + Send + 'static {
    let mut mining = Mining::new(size(queues), queues.len(), output);
    move |control, elapsed| match (&mining.output, control.next_step()) {
        (Some(output), Some(step)) => finishing(output, step.blocks(), control.blocks()),
        _ => mining.line(Sample::of(control, elapsed)),
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

/// The line once all is mined, and `read` of the blocks were read back.
fn finishing(output: &str, read: u64, blocks: u64) -> String {
    let blocks = print::count(blocks, "block");
    if read == 0 {
        return format!("syncing {output}: {blocks}");
    }
    format!("verifying {output}: {} of {blocks}", HumanCount(read))
}

impl Mining {
    fn new(size: Option<u64>, queues: usize, output: Option<&Path>) -> Self {
        Self {
            output: output.map(|path| path.display().to_string()),
            size,
            queues: if queues == 1 { "queue" } else { "queues" },
            samples: VecDeque::new(),
            searched: None,
        }
    }

    fn line(&mut self, now: Sample) -> String {
        if now.mined() == 0 && now.hashes == 0 {
            // Whatever time this takes is not the mining's.
            self.samples = [now].into();
            return match now.given {
                0 | 1 => "mining".to_owned(),
                given => format!(
                    "comparing with what is there: {}",
                    print::count(given, "block")
                ),
            };
        }
        let since = self.window(now);
        let mut parts = vec![print::count(now.blocks, "block")];
        parts.extend(self.share(now));
        let seconds = now.at.saturating_sub(since.at).as_secs_f64();
        if seconds > 0.0 {
            let blocks = now.mined().saturating_sub(since.mined());
            parts.extend(print::block_rate(blocks as f64 / seconds));
            if self.is_searching(now) {
                let hashes = now.hashes.saturating_sub(since.hashes) as f64;
                parts.push(print::hashrate(hashes / seconds).to_string());
            }
            parts.extend(self.time_left(since, now));
        }
        format!("mining: {}", parts.join(", "))
    }

    /// The moment that the rates of `now` are told from.
    fn window(&mut self, now: Sample) -> Sample {
        let last = self.samples.back().copied().unwrap_or_default();
        let is_apart = now.at.saturating_sub(last.at) >= SAMPLE_INTERVAL;
        if self.samples.is_empty() || (is_apart && now.mined() > last.mined()) {
            self.samples.push_back(now);
        }
        while let Some(next) = self.samples.get(1)
            && now.at.saturating_sub(next.at) >= WINDOW
            && now.mined().saturating_sub(next.mined()) >= WINDOW_BLOCKS
        {
            self.samples.pop_front();
        }
        self.samples.front().copied().unwrap_or(now)
    }

    fn is_searching(&mut self, now: Sample) -> bool {
        let before = self.searched.get_or_insert(now);
        if now.hashes > before.hashes {
            *before = now;
        }
        now.hashes > 0 && now.at.saturating_sub(before.at) < SEARCHES_NOTHING
    }

    /// How much of the queues is in blocks that are done.
    fn share(&self, now: Sample) -> Option<String> {
        // More than all, if a queue grows or had to be read twice.
        let size = self.size.filter(|size| (1..=*size).contains(&now.bytes))?;
        // Nothing is all done before it is.
        let percent = (1000.0 * now.bytes as f64 / size as f64).floor() / 10.0;
        let digits = usize::from(percent < 10.0);
        let whole = if digits == 0 {
            percent.floor()
        } else {
            percent
        };
        Some(format!("{whole:.digits$} % of the {}", self.queues))
    }

    fn time_left(&self, since: Sample, now: Sample) -> Option<String> {
        let left = self.size?.checked_sub(now.bytes)?;
        let time = now.at.saturating_sub(since.at);
        let bytes = now.bytes.saturating_sub(since.bytes);
        let is_known = time >= LEAST_TIME && now.mined() >= since.mined() + LEAST_BLOCKS;
        if !is_known || bytes == 0 {
            return None;
        }
        let seconds = time.as_secs_f64() * left as f64 / bytes as f64;
        Some(format!("{} left", print::rough_time(seconds)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn at(seconds: f64, blocks: u64, given: u64, hashes: u64, bytes: u64) -> Sample {
        Sample {
            at: Duration::from_secs_f64(seconds),
            blocks,
            given,
            hashes,
            bytes,
        }
    }

    fn of_one_queue(size: Option<u64>) -> Mining {
        Mining::new(size, 1, Some(Path::new("chain.json")))
    }

    #[test]
    fn the_line_says_how_much_is_done_and_what_is_left() {
        let mut mining = of_one_queue(Some(100 * MIB));
        assert_eq!(mining.line(at(0.1, 1, 1, 0, 0)), "mining");
        assert_eq!(
            mining.line(at(10.1, 1351, 1, 90_000_000, MIB)),
            "mining: 1,351 blocks, 1.0 % of the queue, 135 blocks/s, 9.0 MH/s, 16 min left"
        );
        let mut pipe = of_one_queue(None);
        pipe.line(at(0.1, 1, 1, 0, 0));
        assert_eq!(
            pipe.line(at(10.1, 1351, 1, 90_000_000, MIB)),
            "mining: 1,351 blocks, 135 blocks/s, 9.0 MH/s"
        );
    }

    #[test]
    fn nothing_is_said_to_be_all_done_before_it_is() {
        let share = |bytes| of_one_queue(Some(10_000)).share(at(1.0, 2, 1, 1, bytes));
        let shown = [0, 1, 99, 999, 1000, 9_999, 10_000, 10_001].map(share);
        let expected = ["", "0.0", "0.9", "9.9", "10", "99", "100", ""];
        for (shown, percent) in shown.iter().zip(expected) {
            let expected = (!percent.is_empty()).then(|| format!("{percent} % of the queue"));
            assert_eq!(*shown, expected);
        }
    }

    #[test]
    fn what_was_there_before_is_no_speed() {
        let mut mining = of_one_queue(Some(100 * MIB));
        assert_eq!(
            mining.line(at(4.0, 1_000, 1_000, 0, 10 * MIB)),
            "comparing with what is there: 1,000 blocks"
        );
        mining.line(at(5.0, 5_000, 5_000, 0, 50 * MIB));
        assert_eq!(
            mining.line(at(15.0, 6_000, 5_000, 80_000_000, 60 * MIB)),
            "mining: 6,000 blocks, 60 % of the queue, 100 blocks/s, 8.0 MH/s, 40 s left"
        );
    }

    #[test]
    fn while_proofs_come_from_memory_there_is_no_hashrate() {
        let mut mining = of_one_queue(None);
        mining.line(at(0.0, 1, 1, 0, 0));
        let line = mining.line(at(1.0, 101, 1, 7_000_000, 1));
        assert_eq!(line, "mining: 101 blocks, 100 blocks/s, 7.0 MH/s");
        let line = mining.line(at(2.0, 200_001, 1, 7_000_000, 1));
        assert_eq!(line, "mining: 200,001 blocks, 100,000 blocks/s");
        // Remembered from the journal, all of them.
        let mut mining = of_one_queue(None);
        mining.line(at(0.0, 200, 200, 0, 0));
        let line = mining.line(at(1.0, 400, 200, 0, 1));
        assert_eq!(line, "mining: 400 blocks, 200 blocks/s");
    }

    #[test]
    fn rates_are_those_of_late() {
        let mut mining = of_one_queue(Some(1000 * MIB));
        let mut line = String::new();
        // A hundred seconds of one block a second, then of a thousand.
        for second in 0..=200_u64 {
            let mined = second.min(100) + second.saturating_sub(100) * 1000;
            line = mining.line(at(second as f64, 1 + mined, 1, 1 + second, mined * 1000));
        }
        assert!(line.contains(" 1,000 blocks/s, "), "{line}");
        assert!(mining.samples.len() < 30, "{}", mining.samples.len());
    }

    #[test]
    fn slow_blocks_are_told_by_what_one_takes() {
        let mut mining = of_one_queue(Some(MIB));
        mining.line(at(0.0, 1, 1, 0, 0));
        let line = mining.line(at(3.0, 1, 1, 30_000_000, 0));
        assert_eq!(line, "mining: 1 block, 10.0 MH/s");
        let line = mining.line(at(60.0, 6, 1, 600_000_000, MIB / 4));
        assert_eq!(
            line,
            "mining: 6 blocks, 25 % of the queue, 12 s a block, 10.0 MH/s, 3 min left"
        );
    }

    #[test]
    fn the_rest_of_the_work_is_named() {
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
