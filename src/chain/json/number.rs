//! Doubles as Python's `float` reads and its `repr` writes them.

use std::io::Write as _;

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
/// Rust's `{:e}` gives the same shortest digits; only the layout differs.
pub(crate) fn write_float(value: f64, out: &mut Vec<u8>) {
    debug_assert!(value.is_finite());
    // Sign, 17 digits, point, `e`, sign and three digits are 24 bytes.
    let mut buffer = [0u8; 32];
    let mut rest = &mut buffer[..];
    write!(rest, "{value:e}").expect("32 bytes hold any double in exponent form");
    let unused = rest.len();
    let text = &buffer[..buffer.len() - unused];

    let text = match text.strip_prefix(b"-") {
        Some(magnitude) => {
            out.push(b'-');
            magnitude
        }
        None => text,
    };
    let split = memchr::memchr(b'e', text).expect("{:e} writes an exponent");
    let (mantissa, exponent) = (&text[..split], &text[split + 1..]);
    let exponent: i32 = std::str::from_utf8(exponent)
        .ok()
        .and_then(|digits| digits.parse().ok())
        .expect("{:e} writes a decimal exponent");

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
