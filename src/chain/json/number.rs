//! Reads doubles like Python's `float`, and writes them like its `repr`.

use std::io::Write as _;

/// Numbers of this length or more are parsed [`as_fraction`]. The shortest text
/// that needs it has some 65,000 bytes.
const LONG_NUMBER_BYTES: usize = 32 << 10;

/// The double nearest to the JSON number `text`; infinite outside the range.
pub(crate) fn read_float(text: &str) -> f64 {
    const REASON: &str = "JSON numbers are a subset of what f64 parses";
    if text.len() < LONG_NUMBER_BYTES {
        text.parse().expect(REASON)
    } else {
        as_fraction(text).parse().expect(REASON)
    }
}

/// The same number as `0.ddd` with an exponent, where the first digit is not zero.
///
/// The standard library's parser ignores further digits of an exponent above
/// 65,536, whatever the mantissa is. But `1000e-3`, with a million zeros and that
/// exponent, is 1. In this form, such an exponent is far out of range, and its
/// exact value does not matter.
fn as_fraction(text: &str) -> String {
    let (sign, magnitude) = match text.strip_prefix('-') {
        Some(magnitude) => ("-", magnitude),
        None => ("", text),
    };
    let (mantissa, exponent) = magnitude.split_once(['e', 'E']).unwrap_or((magnitude, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    // Only an exponent that overflows fails to parse, and no mantissa is long
    // enough to compensate it.
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

/// Appends `value`, which must be finite, like Python's `repr(float)`. Writes the
/// fewest digits that read back as the same double: of several such texts the
/// nearest, and of two equally near the even one. From 1e-4 up to 1e16 the form
/// is positional. Other numbers have an exponent of at least two digits.
pub(crate) fn write_float(value: f64, out: &mut Vec<u8>) {
    debug_assert!(value.is_finite());
    let mut buffer = zmij::Buffer::new();
    // The digits are the same, and so is the form in Python's positional range.
    let text = buffer.format_finite(value);
    if value == 0.0 || (1e-4..1e16).contains(&value.abs()) {
        out.extend_from_slice(text.as_bytes());
    } else {
        write_with_exponent(text, out);
    }
}

/// Writes the decimal number `text` as `d.ddde-05`.
#[cold]
fn write_with_exponent(text: &str, out: &mut Vec<u8>) {
    let magnitude = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = magnitude.split_once('e').unwrap_or((magnitude, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_start_matches('0');
    let zeros = digits.len() - significant.len();
    let (first, rest) = significant.split_at(1);
    let rest = rest.trim_end_matches('0');

    let exponent: i32 = exponent.parse().expect("zmij writes decimal exponents");
    let exponent = exponent + whole.len() as i32 - zeros as i32 - 1;
    let sign = &text[..text.len() - magnitude.len()];
    let point = if rest.is_empty() { "" } else { "." };
    let direction = if exponent < 0 { '-' } else { '+' };
    let exponent = exponent.abs();
    write!(out, "{sign}{first}{point}{rest}e{direction}{exponent:02}")
        .expect("a Vec takes every write");
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
    fn an_exponent_may_compensate_a_million_zeros() {
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
    fn the_form_changes_where_python_s_does() {
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
