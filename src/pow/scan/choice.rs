//! The choice of the variant that a search runs on, by measurement.
//!
//! No list of CPUs can know which is fastest: that depends on latencies, on
//! ports, on caches and on the shape of the messages. So the candidates scan
//! nonces of the search at hand, in turns, for about two milliseconds at most,
//! and the process remembers the result for every message of that shape.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::layout::Layout;
use crate::sha256::{FirstBlock, KernelChoice, Variant};

/// What is hashed for each nonce: it decides which variant is the fastest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// One block, with the low digits in it.
    OneBlock,
    /// A block with the low digits, and after it blocks that are the same for
    /// all nonces.
    ConstantTail,
    /// The last digits lie in a block of their own, which is prepared for each
    /// of their values.
    DigitsInTail,
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::OneBlock => "one block",
            Self::ConstantTail => "constant tail",
            Self::DigitsInTail => "digits in the tail",
        })
    }
}

/// What was measured for one shape of message.
#[derive(Clone, PartialEq, Debug)]
pub struct Measurement {
    /// What was to be chosen from.
    pub choice: KernelChoice,
    /// The shape.
    pub shape: Shape,
    /// The candidates and the hashes a second of each in its best turn, on one
    /// thread, fastest first. The first was chosen. Those that fell far behind
    /// in the first, short turns took no longer ones.
    pub rates: Vec<(Variant, f64)>,
}

/// The choices that this process has measured, in the order in which they were
/// made.
pub fn measurements() -> Vec<Measurement> {
    known().clone()
}

static KNOWN: Mutex<Vec<Measurement>> = Mutex::new(Vec::new());

fn known() -> MutexGuard<'static, Vec<Measurement>> {
    // The list is only ever pushed to.
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Groups of fewer nonces are not measured. Nonces of so few digits are hashed
/// sooner than a choice is made.
const LEAST_GROUP: u64 = 1_000;

/// The fastest candidate for messages of this layout.
pub(super) fn choose(choice: KernelChoice, layout: &Layout) -> Variant {
    let candidates = choice.candidates();
    let first = *candidates.first().expect("a choice has a candidate");
    let shape = layout.shape();
    if candidates.len() == 1 {
        return first;
    }
    // Held while measuring: other threads would disturb it, and want to know.
    let mut known = known();
    let same = |known: &&Measurement| (known.choice, known.shape) == (choice, shape);
    if let Some(known) = known.iter().find(same) {
        return known.rates[0].0;
    }
    if layout.group_size() < LEAST_GROUP {
        return first;
    }
    let rates = measure(candidates, layout);
    let fastest = rates[0].0;
    known.push(Measurement {
        choice,
        shape,
        rates,
    });
    fastest
}

/// A candidate and the fewest seconds it took for a message.
struct Timed {
    variant: Variant,
    block: FirstBlock,
    seconds: f64,
}

impl Timed {
    /// Hashes about so many messages.
    fn take_turn(&mut self, layout: &Layout, messages: u64) {
        let group = layout.group(&self.block, u32::MAX);
        let at_once = messages.min(layout.group_size());
        let calls = messages.div_ceil(at_once);
        let start = Instant::now();
        for _ in 0..calls {
            // Only a first digest word of zero matches, and it ends the call early.
            self.variant.first_match(&group, 0..at_once as usize);
        }
        let seconds = start.elapsed().as_secs_f64() / (calls * at_once) as f64;
        self.seconds = self.seconds.min(seconds);
    }
}

/// The candidates and their rates, fastest first. They take short turns that
/// tell the slow ones from the others, and then the others long ones: the best
/// turn counts, for whatever else runs on the machine only makes turns longer.
fn measure(candidates: Vec<Variant>, layout: &Layout) -> Vec<(Variant, f64)> {
    const SHORT_TURNS: u32 = 3;
    /// Candidates this many times slower than the fastest take no long turns.
    const FAR_BEHIND: f64 = 1.3;
    const LONG_TURN: f64 = 100e-6;
    const LONG_TURNS: u32 = 6;
    const LONG_TURNS_AT_LEAST: u32 = 3;
    const LIMIT: Duration = Duration::from_micros(1_500);

    let mut timed: Vec<Timed> = candidates
        .into_iter()
        .map(|variant| Timed {
            variant,
            block: layout.first_block(variant, 0),
            seconds: f64::INFINITY,
        })
        .collect();
    // Enough rows for the widest vector, and some microseconds of work.
    let short = (32 * layout.row_size()).max(320);
    for _ in 0..SHORT_TURNS {
        for candidate in &mut timed {
            candidate.take_turn(layout, short);
        }
    }
    let by_time = |one: &Timed, other: &Timed| one.seconds.total_cmp(&other.seconds);
    timed.sort_by(by_time);
    let fastest = timed[0].seconds;
    let close = timed.partition_point(|candidate| candidate.seconds < FAR_BEHIND * fastest);
    if close > 1 {
        let long = ((LONG_TURN / fastest) as u64).next_multiple_of(short);
        let start = Instant::now();
        for turn in 0..LONG_TURNS {
            if turn >= LONG_TURNS_AT_LEAST && start.elapsed() > LIMIT {
                break;
            }
            for candidate in &mut timed[..close] {
                candidate.take_turn(layout, long);
            }
        }
        timed[..close].sort_by(by_time);
    }
    timed
        .into_iter()
        .map(|candidate| (candidate.variant, 1.0 / candidate.seconds))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::pow::scan::Scanner;
    use crate::pow::{Nonce, Target, Template};

    #[test]
    fn every_shape_is_measured_once_for_all_threads() {
        let shapes = [
            (5, Shape::OneBlock),
            (55, Shape::ConstantTail),
            (60, Shape::DigitsInTail),
        ];
        let choice = KernelChoice::Measured;
        let variant = |prefix: usize| {
            let template = Template::new("p".repeat(prefix), "");
            Scanner::new(choice, template, Target::FOUR_ZEROS).variant_for(Nonce(54_321))
        };
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| shapes.map(|(prefix, _)| variant(prefix)));
            }
        });
        for (prefix, shape) in shapes {
            let is_same = |one: &Measurement| (one.choice, one.shape) == (choice, shape);
            let measured: Vec<_> = measurements().into_iter().filter(is_same).collect();
            if choice.candidates().len() == 1 {
                assert!(measured.is_empty());
                continue;
            }
            let [Measurement { rates, .. }] = &measured[..] else {
                panic!("{shape}: {measured:?}");
            };
            assert_eq!(rates[0].0, variant(prefix));
            assert!(rates.is_sorted_by(|one, next| one.1 >= next.1) && rates[0].1 > 0.0);
            let candidates = choice.candidates();
            assert!(
                candidates
                    .iter()
                    .all(|one| rates.iter().any(|rate| rate.0 == *one))
            );
        }
    }
}
