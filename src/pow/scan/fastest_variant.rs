//! Measures which variant is the fastest for a search.
//!
//! A list of CPUs would not do, because speed depends on latencies, ports, caches
//! and the shape of the messages. So the candidates take turns at nonces of the
//! search itself, for one or two milliseconds. The process remembers the result
//! for all messages of the same shape.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::message_layout::{MessageLayout, Shape};
use crate::sha256::{FirstBlock, KernelChoice, Variant};

/// The rates that were measured for one shape of message.
#[derive(Clone, PartialEq, Debug)]
pub struct Measurement {
    /// The candidates, as requested.
    pub choice: KernelChoice,
    /// The shape.
    pub shape: Shape,
    /// The candidates, fastest first, and the hashes per second of each on one
    /// thread. The first is used. Rates far behind it are less exact, because
    /// they come from short turns.
    pub rates: Vec<(Variant, f64)>,
}

/// The measurements of this process, oldest first.
pub fn measurements() -> Vec<Measurement> {
    known().clone()
}

static KNOWN: Mutex<Vec<Measurement>> = Mutex::new(Vec::new());

fn known() -> MutexGuard<'static, Vec<Measurement>> {
    // A push is the only change, so the list is whole even after a panic.
    KNOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Smaller groups are not measured, because hashing all nonces with so few digits
/// takes less time than a measurement.
const LEAST_GROUP: u64 = 1_000;

pub(super) fn fastest_variant(choice: KernelChoice, layout: &MessageLayout) -> Variant {
    let candidates = choice.candidates();
    let first = *candidates.first().expect("there is at least one candidate");
    let shape = layout.shape();
    if candidates.len() == 1 {
        return first;
    }
    // Locked while measuring, because other threads would disturb it.
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

struct Candidate {
    variant: Variant,
    block: FirstBlock,
    /// The seconds for a message in its best turn.
    seconds: f64,
}

impl Candidate {
    fn take_turn(&mut self, layout: &MessageLayout, messages: u64) {
        let group = layout.group(&self.block, u32::MAX);
        let at_once = messages.min(layout.group_size());
        let calls = messages.div_ceil(at_once);
        let start = Instant::now();
        for _ in 0..calls {
            // A match would end the call early, but needs 32 zero bits.
            self.variant.first_match(&group, 0..at_once as usize);
        }
        let seconds = start.elapsed().as_secs_f64() / (calls * at_once) as f64;
        self.seconds = self.seconds.min(seconds);
    }
}

/// The variants and their rates, fastest first. Short turns find the slow ones,
/// and the others then take long turns. The best turn counts, because other
/// work on the machine only makes turns longer.
fn measure(variants: Vec<Variant>, layout: &MessageLayout) -> Vec<(Variant, f64)> {
    const SHORT_TURNS: u32 = 3;
    /// Candidates this many times slower than the fastest take no long turns.
    const FAR_BEHIND: f64 = 1.3;
    const LONG_TURN: f64 = 100e-6;
    const LONG_TURNS: u32 = 5;

    let mut candidates: Vec<_> = variants
        .into_iter()
        .map(|variant| Candidate {
            variant,
            block: layout.first_block(variant, 0),
            seconds: f64::INFINITY,
        })
        .collect();
    let take_turns = |candidates: &mut [Candidate], turns, messages| {
        for _ in 0..turns {
            for candidate in &mut *candidates {
                candidate.take_turn(layout, messages);
            }
        }
        candidates.sort_by(|one, other| one.seconds.total_cmp(&other.seconds));
    };
    // Enough rows for the widest vector, and some microseconds of work.
    let short = (32 * layout.row_size()).max(320);
    take_turns(&mut candidates, SHORT_TURNS, short);
    let fastest = candidates[0].seconds;
    let close = candidates.partition_point(|one| one.seconds < FAR_BEHIND * fastest);
    if close > 1 {
        let long = ((LONG_TURN / fastest) as u64).next_multiple_of(short);
        take_turns(&mut candidates[..close], LONG_TURNS, long);
    }
    candidates
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
    fn each_shape_is_measured_once_for_all_threads() {
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
