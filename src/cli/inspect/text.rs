//! What `inspect` prints for people, in lines of at most 80 columns.

use std::io;
use std::time::Duration;

use fourzero::batch::with_commas;
use fourzero::chain::{Balances, Proofs, Range, Statistics, Times};
use indicatif::{HumanBytes, HumanCount, HumanDuration, HumanFloatCount};

use super::derived::{least_zeros, utc};
use crate::cli::print::{self, count};

/// Columns for the label of a figure.
const LABEL: usize = 14;

/// Longer names are cut off. A node id fits.
const NAME_CHARACTERS: usize = 32;

/// Longer sums are cut off.
const SUM_CHARACTERS: usize = 20;

/// Labels and texts. An empty label repeats the one above.
type Rows = Vec<(&'static str, String)>;

/// Prints the figures of the chain in the file `name`.
///
/// # Errors
/// If stdout is closed or full.
pub(super) fn print(name: &str, statistics: &Statistics) -> io::Result<()> {
    let mut rows = Rows::new();
    size(statistics, &mut rows);
    time(&statistics.times, &mut rows);
    difficulty(statistics, &mut rows);
    proofs(&statistics.proofs, &mut rows);
    balances(&statistics.balances, &mut rows);
    print::line(name)?;
    for (label, text) in rows {
        print::line(&format!("  {label:LABEL$}{text}"))?;
    }
    print::line("  not verified; use fourzero verify")
}

fn size(statistics: &Statistics, rows: &mut Rows) {
    rows.push(("size", HumanBytes(statistics.bytes).to_string()));
    let blocks = HumanCount(statistics.blocks);
    let bytes = spread(statistics.block_bytes, "bytes each");
    rows.push(("blocks", format!("{blocks}{bytes}")));
    if let Some(stated) = &statistics.wrong_length {
        rows.push(("", format!("\"length\" in the file is {stated}")));
    }
    let text = match statistics.block_transactions {
        None => "none".to_owned(),
        per_block => format!(
            "{} ({}){}",
            HumanCount(statistics.transactions),
            count(statistics.rewards, "reward"),
            spread(per_block, "per block")
        ),
    };
    rows.push(("transactions", text));
    let odd = statistics.odd_transactions;
    let problem = "without all three fields, not counted below";
    problems(odd, "transaction", problem, rows);
    let problem = "without a list of transactions";
    problems(statistics.odd_blocks, "block", problem, rows);
}

fn time(times: &Times, rows: &mut Rows) {
    let date = |seconds: f64| utc(seconds).unwrap_or_else(|| format!("{seconds:?}"));
    let text = match (times.first, times.last, times.span()) {
        (Some(first), Some(last), Some(span)) => {
            format!("{} to {} ({})", date(first), date(last), duration(span))
        }
        (Some(only), ..) => date(only),
        _ => "no timestamps".to_owned(),
    };
    rows.push(("time", text));
    problems(
        times.backwards,
        "block",
        "earlier than the block before",
        rows,
    );
    problems(times.odd, "block", "without a number as timestamp", rows);
}

fn difficulty(statistics: &Statistics, rows: &mut Rows) {
    let mut label = "difficulty";
    for zeros in least_zeros(statistics) {
        let (Some(hex), Some(bits)) = (zeros.hex, zeros.bits) else {
            rows.push((
                label,
                "unknown, because no two blocks in a row have proofs".to_owned(),
            ));
            return;
        };
        let found = match (hex, bits) {
            (_, 0) => "no zeros".to_owned(),
            (0, _) => format!("at least {}", count(bits.into(), "zero bit")),
            _ => format!(
                "at least {} ({})",
                count(hex.into(), "hex zero"),
                count(bits.into(), "bit")
            ),
        };
        rows.push((label, format!("{found} under {}", zeros.rule)));
        label = "";
    }
}

fn proofs(proofs: &Proofs, rows: &mut Rows) {
    let mean = proofs.mean.map(|mean| mean.round() as u64);
    let figures = [proofs.min, proofs.median, mean, proofs.max];
    let quartiles = [proofs.lower_quartile, proofs.upper_quartile];
    match (figures, quartiles) {
        ([Some(min), Some(median), Some(mean), Some(max)], [Some(lower), Some(upper)]) => {
            let [min, median, mean, max] = [min, median, mean, max].map(HumanCount);
            rows.push((
                "proofs",
                format!("min {min}, median {median}, mean {mean}, max {max}"),
            ));
            let [lower, upper] = [lower, upper].map(HumanCount);
            rows.push(("", format!("half of them from {lower} to {upper}")));
        }
        _ => rows.push(("proofs", "no proofs after block 1".to_owned())),
    }
    let problem = "missing or not an integer below 2^63";
    problems(proofs.odd, "proof", problem, rows);
    let text = match proofs.cycle {
        Some(cycle) => format!(
            "from block {} on, the proofs repeat every {}",
            HumanCount(cycle.start),
            count(cycle.length, "block")
        ),
        None => "none".to_owned(),
    };
    rows.push(("cycle", text));
}

fn balances(balances: &Balances, rows: &mut Rows) {
    let names = count(balances.names, "name");
    let text = match (balances.below_zero, &balances.minted) {
        (Some(below_zero), Some(minted)) => format!(
            "{names}, {} below zero, {} minted by \"0\"",
            HumanCount(below_zero),
            sum(minted)
        ),
        _ if balances.names == 0 => "none".to_owned(),
        _ => format!("unknown for {names}, because no amount is a number"),
    };
    rows.push(("balances", text));
    let no_number = balances.not_counted - balances.too_long;
    problems(no_number, "amount", "not counted: not a number", rows);
    let problem = "not counted: over 4,300 digits";
    problems(balances.too_long, "amount", problem, rows);
    let holders: Vec<_> = balances
        .top
        .iter()
        .map(|holder| {
            let name = shortened(&readable(&holder.name));
            (name, sum(&holder.balance), HumanCount(holder.transactions))
        })
        .collect();
    let names = holders.iter().map(|holder| holder.0.chars().count());
    let name_width = names.max().unwrap_or(0);
    let sum_width = holders.iter().map(|holder| holder.1.len()).max();
    let sum_width = sum_width.unwrap_or(0);
    for (name, sum, transactions) in &holders {
        rows.push((
            "",
            format!("{name:name_width$}  {sum:>sum_width$}  {transactions} tx"),
        ));
    }
    let more = balances.names - holders.len() as u64;
    if more > 0 && balances.minted.is_some() {
        rows.push(("", format!("... {} more", HumanCount(more))));
    }
}

/// Adds a row for `number` problems, if there are any.
fn problems(number: u64, noun: &str, problem: &str, rows: &mut Rows) {
    if number > 0 {
        rows.push(("", format!("{} {problem}", count(number, noun))));
    }
}

/// `, 5 bytes`, or `, 1 to 9 bytes (mean 4.5)`.
fn spread(range: Option<Range>, unit: &str) -> String {
    let Some(Range { min, mean, max }) = range else {
        return String::new();
    };
    let (lowest, highest) = (HumanCount(min), HumanCount(max));
    if min == max {
        return format!(", {lowest} {unit}");
    }
    let mut mean = HumanFloatCount((mean * 10.0).round() / 10.0).to_string();
    if !mean.contains('.') {
        mean.push_str(".0");
    }
    format!(", {lowest} to {highest} {unit} (mean {mean})")
}

/// A time span in its largest unit.
fn duration(seconds: f64) -> String {
    let sign = if seconds < 0.0 { "-" } else { "" };
    match Duration::try_from_secs_f64(seconds.abs()) {
        Ok(duration) => format!("{sign}{}", HumanDuration(duration)),
        Err(_) => format!("{seconds:e} seconds"),
    }
}

/// A name without JSON's quotes and escapes, if it is a string. Control and
/// invisible characters are escaped.
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

/// A decimal number with commas. If it is long, it is cut off and marked `~`.
fn sum(decimal: &str) -> String {
    let (whole, places) = decimal.split_once('.').unwrap_or((decimal, ""));
    let digits = whole.trim_start_matches('-');
    let sign = &whole[..whole.len() - digits.len()];
    let whole = format!("{sign}{}", with_commas(digits));
    let exact = match places {
        "" => whole.clone(),
        places => format!("{whole}.{places}"),
    };
    if exact.len() <= SUM_CHARACTERS {
        exact
    } else if whole.len() < SUM_CHARACTERS {
        let cut = &exact[..SUM_CHARACTERS - "~".len()];
        format!("~{}", cut.trim_end_matches('.'))
    } else {
        let exponent = digits.len() - 1;
        format!("~{sign}{}.{}e+{exponent}", &digits[..1], &digits[1..10])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_spans_of_any_length_and_sign_are_shown() {
        for (seconds, expected) in [
            (0.0, "0 seconds"),
            (59.94, "60 seconds"),
            (-7_200.0, "-2 hours"),
            (86_400.0 * 1_234.0, "3 years"),
            (1e300, "1e300 seconds"),
        ] {
            assert_eq!(duration(seconds), expected);
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
