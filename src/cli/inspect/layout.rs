//! The figures of a chain, laid out for people in lines of 80 columns.

use std::io;

use fourzero::chain::{Balances, Proofs, Range, Statistics, Times};
use indicatif::{HumanBytes, HumanCount, HumanFloatCount};

use super::{utc, zeros};
use crate::cli::print;

/// Columns that the name of a figure takes.
const LABEL: usize = 14;

/// Of longer names, this much is shown: all of a node id.
const NAME_CHARACTERS: usize = 32;

/// A sum that takes more is rounded.
const SUM_CHARACTERS: usize = 20;

/// Lines under the names of their figures.
#[derive(Debug, Default)]
struct Lines(Vec<String>);

impl Lines {
    fn add(&mut self, label: &str, text: &str) {
        self.0.push(format!("  {label:LABEL$}{text}"));
    }
}

/// Prints the figures of the chain in the file `name`.
///
/// # Errors
/// If stdout is closed or full.
pub(super) fn print(name: &str, statistics: &Statistics) -> io::Result<()> {
    let mut lines = Lines::default();
    size(statistics, &mut lines);
    time(&statistics.times, &mut lines);
    difficulty(statistics, &mut lines);
    proofs(&statistics.proofs, &mut lines);
    balances(&statistics.balances, &mut lines);
    print::line(name)?;
    for line in lines.0 {
        print::line(&line)?;
    }
    print::line("  not checked: whether the chain is valid; fourzero verify tells")
}

fn size(statistics: &Statistics, lines: &mut Lines) {
    let Statistics {
        bytes,
        blocks,
        transactions,
        rewards,
        ..
    } = *statistics;
    lines.add("size", &HumanBytes(bytes).to_string());
    let of = statistics
        .block_bytes
        .map_or_else(String::new, |range| format!(", {} bytes", spread(range)));
    lines.add("blocks", &format!("{}{of}", HumanCount(blocks)));
    if let Some(stated) = &statistics.wrong_length {
        lines.add("", &format!("the file's \"length\" is {stated}"));
    }
    let a_block = statistics
        .block_transactions
        .map_or_else(String::new, |range| format!(", {} a block", spread(range)));
    lines.add(
        "transactions",
        &format!(
            "{}, {} of them from \"0\"{a_block}",
            HumanCount(transactions),
            HumanCount(rewards)
        ),
    );
    odd(
        statistics.odd_transactions,
        "transaction",
        "without all three fields, in no figure below",
        lines,
    );
    odd(
        statistics.odd_blocks,
        "block",
        "without a list of transactions",
        lines,
    );
}

fn time(times: &Times, lines: &mut Lines) {
    let moment = |seconds: f64| utc::date(seconds).unwrap_or_else(|| format!("{seconds:?}"));
    let text = match (times.first, times.last, times.span()) {
        (Some(first), Some(last), Some(span)) => {
            format!("{} to {}: {}", moment(first), moment(last), length(span))
        }
        _ => "none".to_owned(),
    };
    lines.add("time", &text);
    let words = "before the block before";
    odd(times.backwards, "block", words, lines);
    odd(times.odd, "block", "without a number as timestamp", lines);
}

fn difficulty(statistics: &Statistics, lines: &mut Lines) {
    let mut label = "difficulty";
    for zeros in zeros(statistics) {
        let (Some(hex), Some(bits)) = (zeros.hex, zeros.bits) else {
            lines.add(label, "no proof to tell by");
            return;
        };
        let found = match (hex, bits) {
            (_, 0) => "no zeros".to_owned(),
            (0, _) => format!("at least {}", print::count(bits.into(), "zero bit")),
            _ => format!(
                "at least {} ({})",
                print::count(hex.into(), "hex zero"),
                print::count(bits.into(), "bit")
            ),
        };
        lines.add(label, &format!("{found} under {}", zeros.rule));
        label = "";
    }
}

fn proofs(proofs: &Proofs, lines: &mut Lines) {
    if proofs.count > 0 {
        lines.add(
            "proofs",
            &format!(
                "min {}, median {}, mean {}, max {}",
                HumanCount(proofs.min),
                HumanCount(proofs.median),
                HumanCount(proofs.mean.round() as u64),
                HumanCount(proofs.max)
            ),
        );
        lines.add(
            "",
            &format!(
                "half of them from {} to {}",
                HumanCount(proofs.lower_quartile),
                HumanCount(proofs.upper_quartile)
            ),
        );
    }
    odd(
        proofs.odd,
        "proof",
        "missing, or no integer of 63 bits",
        lines,
    );
    let text = match proofs.cycle {
        Some(cycle) => format!(
            "from block {} on, the proofs repeat every {}",
            HumanCount(cycle.start),
            print::count(cycle.length, "block")
        ),
        None => "none: the proofs do not end in a repetition".to_owned(),
    };
    lines.add("cycle", &text);
}

fn balances(balances: &Balances, lines: &mut Lines) {
    let names = print::count(balances.names, "name");
    lines.add(
        "balances",
        &format!(
            "{names}, {} below zero, {} minted by \"0\"",
            HumanCount(balances.below_zero),
            sum(&balances.minted)
        ),
    );
    let no_number = balances.not_counted - balances.too_long;
    odd(no_number, "amount", "not counted: no number", lines);
    let words = "not counted: over 4,300 digits";
    odd(balances.too_long, "amount", words, lines);
    let rows: Vec<_> = balances
        .top
        .iter()
        .map(|holder| {
            (
                shortened(&readable(&holder.name)),
                sum(&holder.balance),
                format!("{} tx", HumanCount(holder.transactions)),
            )
        })
        .collect();
    let widest = |column: fn(&(String, String, String)) -> usize| rows.iter().map(column).max();
    let name_width = widest(|row| row.0.chars().count()).unwrap_or(0);
    let balance_width = widest(|row| row.1.len()).unwrap_or(0);
    for (name, balance, transactions) in &rows {
        lines.add(
            "",
            &format!("{name:name_width$}  {balance:>balance_width$}  {transactions}"),
        );
    }
    let more = balances.names - rows.len() as u64;
    if more > 0 {
        lines.add("", &format!("... {} more", HumanCount(more)));
    }
}

/// A line about what is not as it should be, if there is any.
fn odd(count: u64, noun: &str, words: &str, lines: &mut Lines) {
    if count > 0 {
        lines.add("", &format!("{} {words}", print::count(count, noun)));
    }
}

/// `5`, or `1 to 9, mean 4.5`.
fn spread(range: Range) -> String {
    if range.min == range.max {
        return HumanCount(range.min).to_string();
    }
    let mut mean = HumanFloatCount((range.mean * 10.0).round() / 10.0).to_string();
    if !mean.contains('.') {
        mean.push_str(".0");
    }
    format!(
        "{} to {} (mean {mean})",
        HumanCount(range.min),
        HumanCount(range.max)
    )
}

/// A length of time in its two greatest units.
fn length(seconds: f64) -> String {
    let sign = if seconds < 0.0 { "-" } else { "" };
    let seconds = seconds.abs();
    // Past a million years, days say little and may not fit.
    if seconds >= 3e13 {
        return format!("{sign}{seconds:e} s");
    }
    let whole = seconds as u64;
    let (days, hours) = (whole / 86_400, whole / 3_600 % 24);
    let (minutes, rest) = (whole / 60 % 60, whole % 60);
    let text = match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds:.1} s"),
        (0, 0, _) => format!("{minutes} min {rest} s"),
        (0, _, _) => format!("{hours} h {minutes} min"),
        _ => format!("{} d {hours} h", HumanCount(days)),
    };
    format!("{sign}{text}")
}

/// A name as people write it, where it is a string; without anything that a
/// terminal would obey.
fn readable(json: &str) -> String {
    let name = serde_json::from_str::<String>(json).unwrap_or_else(|_| json.to_owned());
    let mut shown = String::with_capacity(name.len());
    for character in name.chars() {
        match character {
            '"' | '\'' | '\\' => shown.push(character),
            other => shown.extend(other.escape_debug()),
        }
    }
    shown
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= NAME_CHARACTERS {
        return name.to_owned();
    }
    let kept = name.chars().take(NAME_CHARACTERS - 3);
    kept.chain("...".chars()).collect()
}

/// A decimal number with commas, or about that number where it is long.
fn sum(decimal: &str) -> String {
    const DIGITS: usize = 10;
    let (sign, magnitude) = match decimal.strip_prefix('-') {
        Some(magnitude) => ("-", magnitude),
        None => ("", decimal),
    };
    let (whole, places) = match magnitude.split_once('.') {
        Some((whole, places)) => (whole, places),
        None => (magnitude, ""),
    };
    let grouped = grouped(whole);
    let point = if places.is_empty() { "" } else { "." };
    if sign.len() + grouped.len() + point.len() + places.len() <= SUM_CHARACTERS {
        return format!("{sign}{grouped}{point}{places}");
    }
    // What is left for places, with the point before them.
    let room = SUM_CHARACTERS.checked_sub("~".len() + sign.len() + grouped.len());
    match room {
        Some(room @ 2..) if !places.is_empty() => {
            return format!("~{sign}{grouped}.{}", &places[..room - 1]);
        }
        Some(_) if !places.is_empty() => return format!("~{sign}{grouped}"),
        _ => {}
    }
    let exponent = whole.len() - 1;
    format!("~{sign}{}.{}e+{exponent}", &whole[..1], &whole[1..DIGITS])
}

/// Digits in threes.
fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_have_two_units() {
        for (seconds, expected) in [
            (0.0, "0.0 s"),
            (59.94, "59.9 s"),
            (61.0, "1 min 1 s"),
            (-3_660.0, "-1 h 1 min"),
            (86_400.0 * 1_234.0 + 3_600.0, "1,234 d 1 h"),
            (1e300, "1e300 s"),
        ] {
            assert_eq!(length(seconds), expected);
        }
    }

    #[test]
    fn long_sums_keep_their_size() {
        for (decimal, expected) in [
            ("0", "0"),
            ("100", "100"),
            ("200000", "200,000"),
            ("-1234567890.5", "-1,234,567,890.5"),
            ("-123456789012345", "-123,456,789,012,345"),
            ("123456789012345.890123", "~123,456,789,012,345"),
            ("-123456789012345.890123", "~-1.234567890e+14"),
            ("12345678901.8901234", "~12,345,678,901.8901"),
            ("123456789012345678901234567890.1", "~1.234567890e+29"),
            ("-0.000000000000000000001", "~-0.0000000000000000"),
        ] {
            let found = sum(decimal);
            assert_eq!(found, expected);
            assert!(found.len() <= SUM_CHARACTERS);
        }
    }

    #[test]
    fn names_cannot_command_the_terminal() {
        assert_eq!(readable(r#""Zo\u00eb \"Z\"""#), "Zoë \"Z\"");
        assert_eq!(readable(r#""\u001b[2J\u202e\n""#), "\\u{1b}[2J\\u{202e}\\n");
        assert_eq!(readable("[1, \"x\"]"), "[1, \"x\"]");
    }
}
