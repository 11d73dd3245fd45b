//! Statistics over rounds, and the printed lines.

use std::fmt;

/// What a figure should be.
#[derive(Clone, Copy)]
pub(crate) enum Goal {
    /// The median must not be lower.
    AtLeast(f64),
    /// The median must not be higher.
    AtMost(f64),
    /// Higher is better, without a target.
    High,
    /// Lower is better, without a target.
    Low,
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let target = match self {
            Self::AtLeast(target) => format!(">= {target}"),
            Self::AtMost(target) => format!("<= {target}"),
            Self::High | Self::Low => String::new(),
        };
        f.pad(&target)
    }
}

pub(crate) fn print_heading() {
    let columns = ["median", "best", "unit", "target"];
    let [median, best, unit, target] = columns;
    println!("{:<66} {median:>9} {best:>9} {unit:<4} {target}", "figure");
}

/// Prints the median and the best of all rounds, and the target. Each figure is
/// printed as soon as it is known, because some take minutes.
pub(crate) fn print(name: &str, unit: &str, rounds: &[f64], goal: Goal) {
    if rounds.is_empty() {
        return;
    }
    let median = median(rounds);
    let (best, verdict) = match goal {
        Goal::AtLeast(target) => (highest(rounds), verdict(median >= target)),
        Goal::AtMost(target) => (lowest(rounds), verdict(median <= target)),
        Goal::High => (highest(rounds), ""),
        Goal::Low => (lowest(rounds), ""),
    };
    let line = format!("{name:<66} {median:>9.3} {best:>9.3} {unit:<4} {goal:<8} {verdict}");
    println!("{}", line.trim_end());
}

fn verdict(is_held: bool) -> &'static str {
    if is_held { "held" } else { "missed" }
}

pub(crate) fn median(rounds: &[f64]) -> f64 {
    let mut sorted = rounds.to_vec();
    sorted.sort_by(f64::total_cmp);
    f64::midpoint(sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2])
}

pub(crate) fn highest(rounds: &[f64]) -> f64 {
    rounds.iter().copied().fold(f64::MIN, f64::max)
}

fn lowest(rounds: &[f64]) -> f64 {
    rounds.iter().copied().fold(f64::MAX, f64::min)
}
