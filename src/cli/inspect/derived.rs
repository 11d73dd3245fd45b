//! Figures that both outputs derive from the statistics: dates and
//! difficulties.

use fourzero::chain::Statistics;
use fourzero::pow::Rule;
use jiff::Timestamp;
use serde::Serialize;

/// The difficulty that all proofs reach under one rule: leading zeros in hex
/// digits and in bits. `None` if there are no proofs.
#[derive(Serialize)]
pub(super) struct LeastZeros {
    pub(super) rule: &'static str,
    pub(super) hex: Option<u16>,
    pub(super) bits: Option<u16>,
}

/// The difficulty that all proofs reach, for each rule.
pub(super) fn least_zeros(statistics: &Statistics) -> impl Iterator<Item = LeastZeros> {
    Rule::ALL
        .into_iter()
        .zip(statistics.proofs.zero_bits)
        .map(|(rule, bits)| LeastZeros {
            rule: rule.name(),
            hex: bits.map(|bits| bits / 4),
            bits,
        })
}

/// `2023-11-14 22:13:20 UTC` for a Unix time in seconds, without fractions.
/// `None` outside the years -9999 to 9999.
pub(super) fn utc(seconds: f64) -> Option<String> {
    let moment = Timestamp::from_second(seconds.floor() as i64).ok()?;
    Some(moment.strftime("%F %T UTC").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_in_utc_and_rounded_down() {
        for (seconds, expected) in [
            (0.0, Some("1970-01-01 00:00:00 UTC")),
            (-0.5, Some("1969-12-31 23:59:59 UTC")),
            (1_700_000_000.9, Some("2023-11-14 22:13:20 UTC")),
            (-62_167_219_200.0, Some("0000-01-01 00:00:00 UTC")),
            (1e300, None),
            (-1e300, None),
        ] {
            assert_eq!(utc(seconds).as_deref(), expected, "{seconds}");
        }
    }
}
