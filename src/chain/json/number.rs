//! Doubles as Python's `float` reads and its `repr` writes them.

use std::io::Write as _;
use std::str::FromStr;

/// From this length on, a number goes through [`as_fraction`] before it is
/// parsed. The shortest text that needs it has some 65,000 bytes.
const LONG_NUMBER_BYTES: usize = 32 << 10;

/// The double nearest to the JSON number `text`, infinite if that is past
/// the range.
pub(crate) fn read_float(text: &str) -> f64 {
    const REASON: &str = "JSON numbers are a subset of what f64 parses";
    if text.len() < LONG_NUMBER_BYTES {
        text.parse().expect(REASON)
    } else {
        as_fraction(text).parse().expect(REASON)
    }
}

/// The same number as `0.ddd`, its first digit not zero, with an exponent.
///
/// The standard library's parser drops the later digits of an exponent once
/// it is past 65,536, whatever the digits before it are; but `1000e-3`, with
/// a million zeros in place of three, is 1. In this form any such exponent
/// is far out of range, and its exact size of no account.
fn as_fraction(text: &str) -> String {
    let (sign, magnitude) = match text.strip_prefix('-') {
        Some(magnitude) => ("-", magnitude),
        None => ("", text),
    };
    let (mantissa, exponent) = magnitude.split_once(['e', 'E']).unwrap_or((magnitude, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    // Only an exponent that overflows fails to parse, and no text is long
    // enough to make up for that one.
    let exponent = exponent.parse::<i64>().unwrap_or_else(|_| {
        let is_negative = exponent.starts_with('-');
        if is_negative { i64::MIN } else { i64::MAX }
    });
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_start_matches('0');
    let zeros = digits.len() - significant.len();
    let exponent = exponent.saturating_add(whole.len() as i64 - zeros as i64);
    format!("{sign}0.{significant}0e{exponent}")
}

/// Appends `value`, which must be finite, as Python's `repr(float)` does: the
/// shortest digits that read back to the same double, in positional form from
/// 1e-4 up to 1e16 and with an exponent of at least two digits outside.
///
/// Rust's `{:e}` gives as many digits, and the same but in a tie, which
/// [`settle_tie`] sees to; the layout is another.
pub(crate) fn write_float(value: f64, out: &mut Vec<u8>) {
    debug_assert!(value.is_finite());
    // Sign, 17 digits, point, `e`, sign and three digits are 24 bytes.
    let mut buffer = [0u8; 32];
    let mut rest = &mut buffer[..];
    write!(rest, "{value:e}").expect("32 bytes hold any double in exponent form");
    let unused = rest.len();
    let length = buffer.len() - unused;
    settle_tie(value, &mut buffer[..length]);

    let text = &buffer[..length];
    let text = match text.strip_prefix(b"-") {
        Some(magnitude) => {
            out.push(b'-');
            magnitude
        }
        None => text,
    };
    let split = memchr::memchr(b'e', text).expect("{:e} writes an exponent");
    let (mantissa, exponent) = (&text[..split], &text[split + 1..]);
    let exponent: i32 = parse(exponent);

    let mut digits = [0u8; 17];
    let mut count = 0;
    for digit in mantissa.iter().filter(|byte| **byte != b'.') {
        digits[count] = *digit;
        count += 1;
    }
    let digits = &digits[..count];

    match exponent {
        // 0.000ddd
        -4..=-1 => {
            out.extend_from_slice(b"0.");
            out.resize(out.len() + (-1 - exponent) as usize, b'0');
            out.extend_from_slice(digits);
        }
        // ddd.ddd, or ddd000.0
        0..=15 => {
            let whole = exponent as usize + 1;
            if whole < count {
                out.extend_from_slice(&digits[..whole]);
                out.push(b'.');
                out.extend_from_slice(&digits[whole..]);
            } else {
                out.extend_from_slice(digits);
                out.resize(out.len() + whole - count, b'0');
                out.extend_from_slice(b".0");
            }
        }
        // d.ddde-05
        _ => {
            out.push(digits[0]);
            if count > 1 {
                out.push(b'.');
                out.extend_from_slice(&digits[1..]);
            }
            write!(
                out,
                "e{}{:02}",
                if exponent < 0 { '-' } else { '+' },
                exponent.abs()
            )
            .expect("a Vec takes every write");
        }
    }
}

/// Of two shortest texts that are equally near to `value`, takes the one
/// whose last digit is even, as Python does. `text`, of the form `d.ddde-5`,
/// comes with the larger one.
///
/// One timestamp in some 30,000 is a tie: 1700000000.00390625 lies in the
/// middle between `.0039062` and `.0039063`, and both read back to it.
fn settle_tie(value: f64, text: &mut [u8]) {
    let split = memchr::memchr(b'e', text).expect("{:e} writes an exponent");
    let exponent: i32 = parse(&text[split + 1..]);
    let fraction = memchr::memchr(b'.', text).map_or(0, |point| split - 1 - point);
    let places = fraction as i32 - exponent;
    // In full, the last of a number's binary places makes the last of as
    // many decimal places, a 5. A tie is when that 5 alone is left out.
    if binary_places(value) != places + 1 || text[split - 1].is_multiple_of(2) {
        return;
    }
    text[split - 1] -= 1;
    // Below a power of two the doubles lie closer: there the smaller text may
    // belong to another one.
    if parse::<f64>(text) != value {
        text[split - 1] += 1;
    }
}

/// How many binary places behind the point a finite number has; negative if
/// it is a multiple of a larger power of two than 1.
fn binary_places(value: f64) -> i32 {
    const FRACTION_BITS: u32 = f64::MANTISSA_DIGITS - 1;
    let bits = value.abs().to_bits();
    let fraction = bits & ((1 << FRACTION_BITS) - 1);
    let (significand, exponent) = match (bits >> FRACTION_BITS) as i32 {
        0 => (fraction, 1),
        exponent => (fraction | 1 << FRACTION_BITS, exponent),
    };
    let unit_places = f64::MAX_EXP - 1 + FRACTION_BITS as i32 - exponent;
    unit_places - significand.trailing_zeros() as i32
}

/// Parses what `{:e}` wrote, or a part of it.
fn parse<T: FromStr>(text: &[u8]) -> T {
    std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse().ok())
        .expect("{:e} writes decimal numbers")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: f64) -> String {
        let mut out = Vec::new();
        write_float(value, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn an_exponent_may_make_up_for_a_million_zeros() {
        // 655,360 is where the standard library stops counting.
        for count in [1_000, 65_536, 69_999, 655_359, 655_360, 1_000_000] {
            let zeros = "0".repeat(count);
            for (text, expected) in [
                (format!("0.{zeros}1e{}", count + 1), 1.0),
                (format!("-0.{zeros}15E+{}", count + 3), -150.0),
                (format!("25{zeros}e-{count}"), 25.0),
                (format!("25{zeros}.0e-{}", count + 1), 2.5),
                (format!("0.{zeros}1e{}", count + 310), f64::INFINITY),
                (format!("-1{zeros}e-{}", count + 324), -0.0),
                (format!("0.{zeros}1e700000000000000000000"), f64::INFINITY),
                (format!("1{zeros}e-700000000000000000000"), 0.0),
                (format!("-0.{zeros}e700000000000000000000"), -0.0),
            ] {
                let tail = &text[text.len().min(count)..];
                assert_eq!(
                    read_float(&text).to_bits(),
                    expected.to_bits(),
                    "{count} zeros, ...{tail}"
                );
            }
        }
    }

    #[test]
    fn of_two_equally_near_texts_the_even_one_is_written() {
        for (value, expected) in [
            (1_700_000_000.0 + 1.0 / 256.0, "1700000000.0039062"),
            (1_700_000_000.0 + 3.0 / 256.0, "1700000000.0117188"),
            (-1e15 - 0.25, "-1000000000000000.2"),
            (1e15 + 0.75, "1000000000000000.8"),
            (2f64.powi(46) + 0.125, "70368744177664.12"),
            // The even one, ...062e-08, is nearer to another double.
            (2f64.powi(-24), "5.960464477539063e-08"),
        ] {
            assert_eq!(written(value), expected);
        }
    }

    #[test]
    fn binary_places_count_to_the_lowest_bit() {
        for (value, places) in [
            (1.0, 0),
            (0.5, 1),
            (-6.75, 2),
            (8.0, -3),
            (f64::from_bits(1), 1074),
            (f64::MIN_POSITIVE, 1022),
            (f64::MAX, -971),
        ] {
            assert_eq!(binary_places(value), places, "{value:e}");
        }
    }

    #[test]
    fn the_form_changes_where_python_changes_it() {
        for (value, expected) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (100000.0, "100000.0"),
            (1.1, "1.1"),
            (123456.789, "123456.789"),
            (0.0001, "0.0001"),
            (0.00012345, "0.00012345"),
            (1e-5, "1e-05"),
            (1.5e-5, "1.5e-05"),
            (-1e-7, "-1e-07"),
            (1e15, "1000000000000000.0"),
            (9999999999999998.0, "9999999999999998.0"),
            (1e16, "1e+16"),
            (1.5e16, "1.5e+16"),
            (1e22, "1e+22"),
            (1e100, "1e+100"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::MIN_POSITIVE, "2.2250738585072014e-308"),
            (1795354844.463634, "1795354844.463634"),
        ] {
            assert_eq!(written(value), expected);
        }
    }
}
