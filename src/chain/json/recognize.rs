//! Telling whether text is canonical already, without writing it anew.
//!
//! These functions only ever say yes to text that
//! [`Transcoder`](super::Transcoder) would write back unchanged. Where they
//! are not sure they say no, and the transcoder decides.

use super::number::{read_float, write_float};
use super::string::is_plain;

/// Length of the canonical number at the start of `text`, which ends before
/// a delimiter.
pub(crate) fn canonical_number(text: &[u8]) -> Option<usize> {
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
        // An integer; Python has no negative zero among them.
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
    // Any number of up to 15 digits survives the way to a double and back, so
    // these digits are the shortest. They also are in positional form, unless
    // the number is below 1e-4.
    let is_certain = match fraction {
        [] => return None,
        [b'0'] => whole <= 15,
        [.., b'0'] => return None,
        _ => leading_zeros <= 3 && whole + places <= 15,
    };
    if is_certain {
        Some(end)
    } else {
        canonical_float(text)
    }
}

/// The same for a double that has to be read and written to know.
#[cold]
fn canonical_float(text: &[u8]) -> Option<usize> {
    let is_inside = |byte: &u8| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-');
    let length = text.iter().take_while(|byte| is_inside(byte)).count();
    // The longest double is written in 24 bytes.
    let number = std::str::from_utf8(&text[..length])
        .ok()
        .filter(|_| length <= 24)?;
    // What JSON refuses but this takes, such as `1.e5`, is not written back.
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
pub(crate) fn canonical_string(text: &[u8]) -> Option<usize> {
    let mut position = 0;
    loop {
        position += plain_run(&text[position..]);
        match text.get(position)? {
            b'"' => return Some(position + 1),
            b'\\' => position += canonical_escape(&text[position..])?,
            _ => return None,
        }
    }
}

/// Length of the canonical escape sequence at the start of `text`, a
/// surrogate pair counting as one.
fn canonical_escape(text: &[u8]) -> Option<usize> {
    match text.get(1)? {
        b'"' | b'\\' | b'n' | b'r' | b't' | b'f' | b'b' => Some(2),
        b'u' => {
            let first = code_unit(text)?;
            match first {
                // These have a shorter form.
                0x08 | 0x09 | 0x0a | 0x0c | 0x0d | 0x20..=0x7e => None,
                0xd800..=0xdbff => {
                    let second = code_unit(text.get(6..)?)?;
                    matches!(second, 0xdc00..=0xdfff).then_some(12)
                }
                0xdc00..=0xdfff => None,
                _ => Some(6),
            }
        }
        _ => None,
    }
}

/// The code unit of `\uxxxx` in lower-case digits.
fn code_unit(text: &[u8]) -> Option<u16> {
    let digits = text.get(..6)?.strip_prefix(b"\\u")?;
    let mut unit = 0;
    for digit in digits {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        unit = unit << 4 | u16::from(value);
    }
    Some(unit)
}

/// Bytes at the start of `text` that stand for themselves in a string:
/// printable ASCII but the quote and the backslash.
pub(crate) fn plain_run(text: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 0xff;
    const HIGHS: u64 = ONES * 0x80;
    let mut position = 0;
    // Eight bytes at once. Each term has the high bit of a byte set if that
    // byte is not plain; borrows and carries make false ones only behind a
    // true one, so the first is true.
    while let Some(chunk) = text[position..].first_chunk::<8>() {
        let word = u64::from_le_bytes(*chunk);
        let is_zero = |word: u64| word.wrapping_sub(ONES) & !word;
        let quote = is_zero(word ^ (ONES * 0x22));
        let backslash = is_zero(word ^ (ONES * 0x5c));
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let delete = is_zero(word ^ (ONES * 0x7f));
        let special = (quote | backslash | control | delete | word) & HIGHS;
        if special != 0 {
            return position + special.trailing_zeros() as usize / 8;
        }
        position += 8;
    }
    let rest = text[position..].iter();
    position + rest.take_while(|byte| is_plain(**byte)).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::json::canonical;

    #[test]
    fn the_plain_run_ends_at_the_first_byte_that_is_not_plain() {
        for special in 0..=255u8 {
            for before in 0..20 {
                let mut text = vec![b'a'; before];
                text.extend([special, 0x01, 0x80, b'"', b'b', 0xff, b'\\', 0x7f, b'c']);
                let expected = text.iter().take_while(|byte| is_plain(**byte)).count();
                assert_eq!(plain_run(&text), expected, "{special:#x} after {before}");
            }
        }
    }

    #[test]
    fn what_is_recognized_is_written_back_unchanged() {
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
            ".5",
            "+1",
            "1e",
            "1.5e",
            "0e5",
        ];
        for number in numbers {
            let is_canonical = canonical(number.as_bytes()).is_ok_and(|text| text == number);
            let recognized = canonical_number(format!("{number},").as_bytes());
            assert_eq!(recognized == Some(number.len()), is_canonical, "{number}");
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
