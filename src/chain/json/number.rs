//! Doubles as Python's `repr` writes them.

use std::io::Write as _;

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
