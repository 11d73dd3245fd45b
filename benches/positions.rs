//! Nonces per second at every position that a nonce can have in its block:
//! prefixes of 0 to 130 bytes, several suffixes, nonces of 5 to 20 digits, on
//! one thread. `cargo bench --bench positions [KERNEL...]` prints one table.
//!
//! The slowest position is compared with the fastest among those that hash the
//! same number of blocks for each nonce: from the block with the last digit on.
//! If only one or two digits lie in that block, it has a constant schedule for
//! each of their values, and the block before is hashed once for ten or a
//! hundred nonces. These positions, marked "straddled", are a faster class.
//!
//! Samples of all positions alternate, and the best sample of each counts,
//! because other programs slow whole samples. Positions that still seem slow
//! are sampled again, together with the fastest of their class: on a busy
//! machine, all first samples of a position may have been disturbed.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Instant;

use fourzero::pow::{Control, Nonce, NonceRange, Searcher, Target, Template};
use fourzero::sha256::{Kernel, KernelChoice};

const PREFIXES: std::ops::RangeInclusive<usize> = 0..=130;

/// Lengths of suffixes, and the numbers of digits to measure with each.
const SHAPES: [(usize, &[u32]); 5] = [
    (
        0,
        &[5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20],
    ),
    (1, &[5, 9]),
    (55, &[5, 9]),
    (64, &[5, 6, 7, 8, 9, 20]),
    (130, &[5, 9]),
];

const SAMPLES: usize = 20;

/// The most further samples of a position below the bound.
const MORE_SAMPLES: usize = 200;

/// Nonces in a sample.
const NONCES: u64 = 32_000;

/// Positions below this share of the fastest rate are listed.
const BOUND: f64 = 0.8;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Position {
    prefix: usize,
    digits: u32,
    suffix: usize,
}

impl Position {
    fn all() -> impl Iterator<Item = Self> {
        SHAPES.into_iter().flat_map(|(suffix, digit_counts)| {
            digit_counts.iter().flat_map(move |&digits| {
                PREFIXES.map(move |prefix| Self {
                    prefix,
                    digits,
                    suffix,
                })
            })
        })
    }

    fn template(&self) -> Template {
        Template::new("7".repeat(self.prefix), "e".repeat(self.suffix))
    }

    fn range(&self) -> NonceRange {
        // Also below 2^64 with 20 digits.
        let first = 15 * 10u64.pow(self.digits - 2);
        NonceRange::new(Nonce(first), Nonce(first + NONCES))
    }

    /// Blocks from the one with the last digit on, and whether the digits
    /// straddle.
    fn class(&self) -> (usize, bool) {
        let digits_end = self.prefix + self.digits as usize;
        let blocks = (digits_end + self.suffix + 9).div_ceil(64);
        let digits_in_last = ((digits_end - 1) % 64 + 1).min(self.digits as usize);
        let straddled = digits_in_last <= 2;
        (blocks - (digits_end - 1) / 64, straddled)
    }
}

/// Nonces per second, in millions, of one sample.
fn sample(searcher: &Searcher, position: &Position) -> f64 {
    let unreachable = Target::from_bits(200).expect("within 256 bits");
    let template = position.template();
    let start = Instant::now();
    let outcome = searcher
        .find(&template, unreachable, position.range(), &Control::new())
        .expect("the search runs");
    let seconds = start.elapsed().as_secs_f64();
    assert_eq!((outcome.hit, outcome.hashes), (None, NONCES));
    NONCES as f64 / seconds / 1e6
}

/// Panics unless the search finds what the `sha2` kernel finds.
fn check(searcher: &Searcher, reference: &Searcher, position: &Position) {
    let target = Target::from_bits(10).expect("within 256 bits");
    let hit = |searcher: &Searcher| {
        searcher
            .find(
                &position.template(),
                target,
                position.range(),
                &Control::new(),
            )
            .expect("the search runs")
            .hit
    };
    assert_eq!(hit(searcher), hit(reference), "{position:?}");
}

fn measure(kernel: KernelChoice) {
    let positions: Vec<Position> = Position::all().collect();
    let one_thread = |kernel| Searcher::new(NonZeroUsize::MIN, kernel).expect("it starts");
    let searcher = one_thread(kernel);
    let reference = one_thread("sha2".parse().expect("it is everywhere"));
    for position in &positions {
        check(&searcher, &reference, position);
    }
    let mut best = vec![0.0f64; positions.len()];
    for _ in 0..SAMPLES {
        for (best, position) in best.iter_mut().zip(&positions) {
            *best = best.max(sample(&searcher, position));
        }
    }
    for _ in 0..MORE_SAMPLES {
        let mut fastest: BTreeMap<(usize, bool), f64> = BTreeMap::new();
        for (&rate, position) in best.iter().zip(&positions) {
            let fastest = fastest.entry(position.class()).or_default();
            *fastest = fastest.max(rate);
        }
        for (best, position) in best.iter_mut().zip(&positions) {
            let fastest = fastest[&position.class()];
            if *best < BOUND * fastest || *best == fastest {
                *best = best.max(sample(&searcher, position));
            }
        }
    }
    let mut by_class: BTreeMap<(usize, bool), Vec<(f64, &Position)>> = BTreeMap::new();
    for (rate, position) in best.into_iter().zip(&positions) {
        by_class
            .entry(position.class())
            .or_default()
            .push((rate, position));
    }
    println!(
        "{kernel}: best of {SAMPLES} samples of {NONCES} nonces, and of up to {MORE_SAMPLES} more \
         below {BOUND}"
    );
    println!("blocks     positions  best MH/s  median  slowest  slowest/best  below {BOUND}");
    for ((blocks, straddled), mut rates) in by_class {
        rates.sort_by(|left, right| left.0.total_cmp(&right.0));
        let fastest = rates[rates.len() - 1];
        let slowest = rates[0];
        let slow = rates.partition_point(|(rate, _)| *rate < BOUND * fastest.0);
        println!(
            "{blocks} {:<9} {:>10} {:>10.1} {:>7.1} {:>8.1} {:>13.2} {slow:>10}",
            if straddled { "straddled" } else { "" },
            rates.len(),
            fastest.0,
            rates[rates.len() / 2].0,
            slowest.0,
            slowest.0 / fastest.0,
        );
        for (rate, position) in rates[..slow].iter().take(20) {
            println!("        {rate:>8.1} {position:?}");
        }
        println!("   best {:>8.1} {:?}", fastest.0, fastest.1);
    }
}

fn main() {
    let names: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let kernels: Vec<KernelChoice> = if names.is_empty() {
        Kernel::available()
            .into_iter()
            .map(KernelChoice::Kernel)
            .collect()
    } else {
        names
            .iter()
            .map(|name| name.parse().unwrap_or_else(|error| panic!("{error}")))
            .collect()
    };
    for kernel in kernels {
        measure(kernel);
    }
    println!("not supported by this CPU: {:?}", Kernel::missing());
}
