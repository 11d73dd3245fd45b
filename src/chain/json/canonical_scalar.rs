//! Recognizes numbers and strings that are canonical already.
//!
//! A result means that [`Transcoder`](super::Transcoder) would write the text
//! back unchanged. `None` means that the transcoder must decide.

use wide::i8x16;

use super::number::{read_float, write_float};
use super::string::{plain_run, read_escape};

const ONES: u64 = u64::MAX / 0xff;
const HIGHS: u64 = ONES * 0x80;

/// Length of the canonical number at the start of `text`, which ends before
/// a delimiter.
#[inline(always)]
pub(crate) fn canonical_number(text: &[u8]) -> Option<usize> {
    // Nearly all are integers of a few digits.
    if let Some(chunk) = text.first_chunk()
        && let length @ 1..8 = leading_digits(chunk)
        && !matches!(text[length], b'.' | b'e' | b'E')
    {
        return (text[0] != b'0' || length == 1).then_some(length);
    }
    longer_canonical_number(text)
}

/// The same for all other numbers; out of line, so that the callers' loops stay
/// small.
#[inline(never)]
fn longer_canonical_number(text: &[u8]) -> Option<usize> {
    match text.first_chunk().and_then(short_number) {
        Some(length) => Some(length),
        None => any_canonical_number(text),
    }
}

/// The number of digits before the first other byte.
#[inline(always)]
fn leading_digits(chunk: &[u8; 8]) -> usize {
    // Digits become 0 to 9, so that the addition leaves the high bit clear. A
    // carry can only reach bytes after one that is not a digit.
    let values = u64::from_le_bytes(*chunk) ^ (ONES * 0x30);
    let others = (values.wrapping_add(ONES * 0x76) | values) & HIGHS;
    others.trailing_zeros() as usize / 8
}

/// Length of the number at the start of `chunk`, if it ends there, has no sign or
/// exponent, and is 0 or at least 1.
///
/// Masks with one bit per byte replace branches on the places of the point and
/// the end, which would often be mispredicted.
#[inline(always)]
fn short_number(chunk: &[u8; 16]) -> Option<usize> {
    let bytes = i8x16::new(chunk.map(u8::cast_signed));
    // The addition makes digits the largest signed bytes.
    let digits = (bytes + i8x16::splat(i8::MAX - b'9' as i8)).simd_gt(i8x16::splat(i8::MAX - 10));
    let zeros = bytes.simd_eq(i8x16::splat(b'0' as i8)).to_bitmask();
    let points = bytes.simd_eq(i8x16::splat(b'.' as i8)).to_bitmask();
    let others = !digits.to_bitmask();

    // The point, if it comes right after the first digits.
    let point = others & others.wrapping_neg() & points;
    let end = (others ^ point).trailing_zeros() as usize;
    let last = 1 << end >> 1;
    let if_float = u32::from(point == 0).wrapping_sub(1);
    let wrong = others & 1 // no digit before the point
        | zeros & 1 & !last // a leading zero
        | last & point // no digit after the point
        | zeros & last & !(point << 1) & if_float; // a trailing zero
    (wrong == 0 && *chunk.get(end)? | 0x20 != b'e').then_some(end)
}

fn any_canonical_number(text: &[u8]) -> Option<usize> {
    let sign = usize::from(text.first() == Some(&b'-'));
    let whole = digits(&text[sign..]);
    let starts_with_zero = text.get(sign) == Some(&b'0');
    if whole == 0 || (whole > 1 && starts_with_zero) {
        return None;
    }
    let point = sign + whole;
    match text.get(point) {
        Some(b'.') => {}
        Some(b'e' | b'E') => return canonical_float(text),
        // An integer, of which Python has no negative zero.
        _ => return (!starts_with_zero || sign == 0).then_some(point),
    }
    let places = digits(&text[point + 1..]);
    let end = point + 1 + places;
    if let Some(b'e' | b'E') = text.get(end) {
        return canonical_float(text);
    }
    let fraction = &text[point + 1..end];
    let leading_zeros = match starts_with_zero {
        true => fraction.iter().take_while(|digit| **digit == b'0').count(),
        false => 0,
    };
    // A number of up to 15 digits reads back from a double unchanged, so these
    // digits are the shortest. The positional form is right from 1e-4 on.
    let is_certain = match fraction {
        [] => return None,
        [b'0'] => whole <= 15,
        [.., b'0'] => return None,
        _ => leading_zeros <= 3 && whole + places <= 15,
    };
    if is_certain || is_shortest(&text[sign..point], fraction) {
        Some(end)
    } else {
        canonical_float(text)
    }
}

/// Whether `whole.fraction` is how the nearest double is written: with the fewest
/// digits, and the nearest ones. Uses integers instead of reading and writing the
/// number; in doubt, as at a tie, returns `false`.
///
/// Nearly every timestamp from a clock has 16 or 17 digits and comes here. The
/// last digit of `fraction` must not be zero.
fn is_shortest(whole: &[u8], fraction: &[u8]) -> bool {
    let places = fraction.len() as u32;
    // The number is `digits` / `scale`.
    let number = |digits: &[u8]| {
        digits
            .iter()
            .fold(0, |number, digit| number * 10 + u64::from(digit - b'0'))
    };
    if whole.len() + fraction.len() > 17 || places == 0 {
        return false;
    }
    let scale = 10u64.pow(places);
    let integer = number(whole);
    let digits = integer * scale + number(fraction);
    // The double is `mantissa` / 2^`shift`, the mantissa of 53 bits.
    let bits = u64::BITS - integer.leading_zeros();
    if integer == 0 || bits >= 53 {
        return false;
    }
    let shift = 53 - bits;
    let (digits, scale) = (u128::from(digits) << shift, u128::from(scale));
    let half = scale / 2;
    let mantissa = (digits + half) / scale;
    // The distance of the text from the double, in units of 1 / (2^shift * scale).
    let distance = digits.abs_diff(mantissa * scale);
    // Next to a power of two, the doubles on one side are closer together.
    if distance == half || mantissa <= 1 << 52 || mantissa >= 1 << 53 {
        return false;
    }
    // Another text with this many places is nearer, if half of the last place is
    // less than the distance.
    if 2 * distance >= 1 << shift {
        return false;
    }
    // The nearest text with one place less must belong to another double: it must
    // be farther away than half the distance to the next double.
    let scale = scale / 10;
    let exact = mantissa * scale;
    let nearest = (exact + (1 << (shift - 1))) >> shift << shift;
    2 * nearest.abs_diff(exact) > scale
}

#[cold]
fn canonical_float(text: &[u8]) -> Option<usize> {
    let is_inside = |byte: &u8| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-');
    let length = text.iter().take_while(|byte| is_inside(byte)).count();
    // The longest double is written in 24 bytes.
    let number = std::str::from_utf8(&text[..length])
        .ok()
        .filter(|_| length <= 24)?;
    // Text that only `parse` accepts, such as `1.e5`, is not written back.
    number.parse::<f64>().ok()?;
    let value = Some(read_float(number)).filter(|value| value.is_finite())?;
    let mut written = Vec::with_capacity(32);
    write_float(value, &mut written);
    (written == number.as_bytes()).then_some(length)
}

fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// Length of the canonical string whose opening quote was just before
/// `text`, the closing quote included.
#[inline(always)]
pub(crate) fn canonical_string(text: &[u8]) -> Option<usize> {
    let length = plain_run(text);
    match text.get(length)? {
        b'"' => Some(length + 1),
        _ => string_with_escapes(text, length),
    }
}

/// The same, for a string that is plain up to `position`.
#[cold]
#[inline(never)]
fn string_with_escapes(text: &[u8], mut position: usize) -> Option<usize> {
    loop {
        match text.get(position)? {
            b'"' => return Some(position + 1),
            b'\\' => position += canonical_escape(&text[position..])?,
            _ => return None,
        }
        position += plain_run(&text[position..]);
    }
}

/// Length of the canonical escape sequence at the start of `text`; a surrogate
/// pair is one sequence.
fn canonical_escape(text: &[u8]) -> Option<usize> {
    let (character, length) = read_escape(text).ok()?;
    let is_canonical = match length {
        2 => text[1] != b'/',
        _ => {
            let has_shorter_form = matches!(
                character,
                ' '..='~' | '\n' | '\r' | '\t' | '\u{c}' | '\u{8}'
            );
            !has_shorter_form && !text[2..length].iter().any(u8::is_ascii_uppercase)
        }
    };
    is_canonical.then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::json::canonical;

    #[test]
    fn the_shortest_text_is_recognized_without_writing_it() {
        let mut state = 1u64;
        let mut random = || {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            state >> 11
        };
        let mut yes = 0;
        for round in 0..200_000 {
            // Clock timestamps, numbers of all sizes, ties, and neighbours of
            // powers of two; then texts one digit off.
            let value = match round % 4 {
                0 => 1.7e9 + random() as f64 / 1e7,
                1 => random() as f64 / 10f64.powi((random() % 16) as i32),
                2 => random() as f64 / (1u64 << (random() % 53)) as f64,
                _ => f64::from_bits(2f64.powi((random() % 50) as i32).to_bits() + random() % 8),
            };
            let mut written = Vec::new();
            write_float(value, &mut written);
            for change in 0..3 {
                let mut text = written.clone();
                let last = text.len() - 1;
                match change {
                    1 => text[last] = b'1' + (text[last] - b'0' + 1) % 9,
                    2 => text.push(b'1' + (random() % 9) as u8),
                    _ => {}
                }
                let text = std::str::from_utf8(&text).unwrap();
                let (whole, fraction) = text.split_once('.').unwrap();
                if text.contains('e') || fraction.ends_with('0') {
                    continue;
                }
                if is_shortest(whole.as_bytes(), fraction.as_bytes()) {
                    assert_eq!(canonical_float(text.as_bytes()), Some(text.len()), "{text}");
                    yes += 1;
                } else if round % 4 == 0 && change == 0 && value.fract() * 1024.0 % 1.0 != 0.0 {
                    // A tie needs few binary places; others must be seen.
                    panic!("{text} was not seen");
                }
            }
        }
        assert!(yes > 50_000);
    }

    /// Text after a number: too short or long enough to compare it as a chunk.
    const TAILS: [&str; 2] = [",", ", \"recipient\": \""];

    #[test]
    fn every_short_text_is_a_number_only_where_it_is_canonical() {
        const CHARACTERS: &[u8] = b"0159.e-";
        for before in ["", "17000000"] {
            for code in 0..CHARACTERS.len().pow(5) {
                let places = (0..5).map(|place| code / CHARACTERS.len().pow(place));
                let characters = places.map(|code| char::from(CHARACTERS[code % 7]));
                let number: String = before.chars().chain(characters).collect();
                let is_canonical = canonical(number.as_bytes()).is_ok_and(|text| text == number);
                for tail in TAILS {
                    let recognized = canonical_number(format!("{number}{tail}").as_bytes());
                    assert_eq!(recognized == Some(number.len()), is_canonical, "{number}");
                }
            }
        }
    }

    #[test]
    fn recognized_values_are_written_back_unchanged() {
        let numbers = [
            "0",
            "-0",
            "7",
            "-7",
            "01",
            "123456789012345678901234567890",
            "1.",
            "1.0",
            "1.00",
            "-0.0",
            "0.0",
            "0.00",
            "0.1",
            "0.10",
            "0.0001",
            "0.00012",
            "0.00001",
            "1.5",
            "1e5",
            "1e+16",
            "1e16",
            "1e-05",
            "1e-5",
            "1.5e-07",
            "1E+16",
            "999999999999999.0",
            "1000000000000000.0",
            "9999999999999998.0",
            "10000000000000000.0",
            "1795354844.463634",
            "1795354854.3924382",
            "1700000000.0039062",
            "1700000000.0039063",
            "1700000000.00390625",
            "0.30000000000000004",
            "0.3000000000000000",
            "123456789012.345",
            "123456789012.3456",
            "1.e5",
            "5e-324",
            "-",
            "1e999",
            "-1e-07",
            "1.7976931348623157e+308",
            "123456789012.34",
            "123456789012.30",
            "12345678901234",
            "123456789012345",
            "1234567890123.4",
            "12345678901234.5",
            ".5",
            "+1",
            "1e",
            "1.5e",
            "0e5",
        ];
        for number in numbers {
            let is_canonical = canonical(number.as_bytes()).is_ok_and(|text| text == number);
            for tail in TAILS {
                let recognized = canonical_number(format!("{number}{tail}").as_bytes());
                assert_eq!(recognized == Some(number.len()), is_canonical, "{number}");
            }
        }
        let strings = [
            "",
            "plain text",
            "tab\\t",
            "\\u00e9",
            "\\u00E9",
            "\\u0041",
            "\\u007f",
            "\\u007e",
            "\\/",
            "\\n\\r\\f\\b\\\\\\\"",
            "\\u000a",
            "\\u001f",
            "\\ud83d\\ude00",
            "\\ud83d",
            "\\ude00",
            "\\ud83dx",
            "\\ud83d\\u0041",
            "\\x",
            "\\u12",
            "\u{7f}",
            "é",
            "\n",
            "\\uffff",
            "\\u2028",
        ];
        for string in strings {
            let text = format!("\"{string}\"");
            let is_canonical = canonical(text.as_bytes()).is_ok_and(|canonical| canonical == text);
            let recognized = canonical_string(&text.as_bytes()[1..]);
            assert_eq!(
                recognized == Some(string.len() + 1),
                is_canonical,
                "{string}"
            );
        }
        assert_eq!(canonical_string(b"no end"), None);
    }
}
