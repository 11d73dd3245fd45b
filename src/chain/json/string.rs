//! Reads and writes the escapes of JSON strings; writes them like Python's
//! `json.dumps` with `ensure_ascii`.

use wide::i8x16;

use super::error::{SyntaxError, SyntaxErrorKind};

/// Whether Python writes the character unescaped: printable ASCII but the quote
/// and the backslash.
const fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'
}

/// The number of bytes at the start of `text` that Python writes unescaped.
#[inline(always)]
pub(crate) fn plain_run(text: &[u8]) -> usize {
    let mut position = 0;
    while let Some(chunk) = text[position..].first_chunk::<16>() {
        let bytes = i8x16::new(chunk.map(u8::cast_signed));
        // After adding one, bytes above the tilde are negative, so below the space.
        let special = (bytes + i8x16::splat(1)).simd_lt(i8x16::splat(0x21))
            | bytes.simd_eq(i8x16::splat(b'"' as i8))
            | bytes.simd_eq(i8x16::splat(b'\\' as i8));
        let special = special.to_bitmask();
        if special != 0 {
            return position + special.trailing_zeros() as usize;
        }
        position += 16;
    }
    let rest = text[position..].iter();
    position + rest.take_while(|byte| is_plain(**byte)).count()
}

/// Appends `text` between quotes.
pub(crate) fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text;
    loop {
        let plain = plain_run(rest.as_bytes());
        out.extend_from_slice(&rest.as_bytes()[..plain]);
        // Plain bytes are ASCII, so a whole character follows them.
        let mut characters = rest[plain..].chars();
        match characters.next() {
            Some(character) => write_escaped(character, out),
            None => break,
        }
        rest = characters.as_str();
    }
    out.push(b'"');
}

/// The number of bytes that [`write_string`] appends.
pub(crate) fn written_length(text: &str) -> usize {
    let length_of = |character| match character {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{c}' | '\u{8}' => 2,
        ' '..='~' => 1,
        other => 6 * char::len_utf16(other),
    };
    2 + text.chars().map(length_of).sum::<usize>()
}

/// Appends one character, escaped if Python would.
pub(crate) fn write_escaped(character: char, out: &mut Vec<u8>) {
    match character {
        '"' => out.extend_from_slice(b"\\\""),
        '\\' => out.extend_from_slice(b"\\\\"),
        '\n' => out.extend_from_slice(b"\\n"),
        '\r' => out.extend_from_slice(b"\\r"),
        '\t' => out.extend_from_slice(b"\\t"),
        '\u{c}' => out.extend_from_slice(b"\\f"),
        '\u{8}' => out.extend_from_slice(b"\\b"),
        ' '..='~' => out.push(character as u8),
        _ => {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let bytes = unit.to_be_bytes();
                let mut digits = [0; 4];
                hex::encode_to_slice(bytes, &mut digits).expect("four digits hold two bytes");
                out.extend_from_slice(b"\\u");
                out.extend_from_slice(&digits);
            }
        }
    }
}

/// Reads the escape sequence at the start of `text`, which starts with a
/// backslash. Returns its character and length; a surrogate pair is one
/// sequence.
pub(crate) fn read_escape(text: &[u8]) -> Result<(char, usize), SyntaxError> {
    let fail = |offset, kind| Err(SyntaxError { offset, kind });
    let character = match text.get(1) {
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'f') => '\u{c}',
        Some(b'b') => '\u{8}',
        Some(letter @ (b'"' | b'\\' | b'/')) => char::from(*letter),
        Some(b'u') => return read_unicode_escape(text),
        Some(_) => return fail(0, SyntaxErrorKind::InvalidEscape),
        None => {
            let expected = "an escape sequence";
            return fail(1, SyntaxErrorKind::UnexpectedEnd { expected });
        }
    };
    Ok((character, 2))
}

fn read_unicode_escape(text: &[u8]) -> Result<(char, usize), SyntaxError> {
    let first = code_unit(text, 0)?;
    if let Some(character) = char::from_u32(first.into()) {
        return Ok((character, 6));
    }
    // A surrogate: only a high one followed by a low one is a character.
    let second = match text.get(6..8) {
        Some(b"\\u") => Some(code_unit(text, 6)?),
        _ => None,
    };
    let pair = second.and_then(|second| char::decode_utf16([first, second]).next()?.ok());
    pair.map(|character| (character, 12)).ok_or(SyntaxError {
        offset: 0,
        kind: SyntaxErrorKind::LoneSurrogate { code: first },
    })
}

/// The code unit of the escape sequence `\uxxxx` at `offset`.
fn code_unit(text: &[u8], offset: usize) -> Result<u16, SyntaxError> {
    let digits = text.get(offset + 2..offset + 6).unwrap_or_default();
    let mut bytes = [0; 2];
    match hex::decode_to_slice(digits, &mut bytes) {
        Ok(()) => Ok(u16::from_be_bytes(bytes)),
        Err(_) => Err(SyntaxError {
            offset,
            kind: SyntaxErrorKind::InvalidEscape,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_run_ends_at_the_first_special_byte() {
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
    fn all_characters_outside_space_to_tilde_are_escaped() {
        let mut out = Vec::new();
        let text = "a\"\\/\n\r\t\u{c}\u{8}\u{0}\u{1f} ~\u{7f}é😀\u{ffff}";
        write_string(text, &mut out);
        assert_eq!(out.len(), written_length(text));
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#""a\"\\/\n\r\t\f\b\u0000\u001f ~\u007f\u00e9\ud83d\ude00\uffff""#
        );
    }
}
