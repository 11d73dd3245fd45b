//! Any JSON text in, Python's `json.dumps(value, sort_keys=True)` out.
//!
//! One pass and no tree: values are written as they are read. Members of an
//! object are written in the order in which they come; only if that is not
//! the order of their keys, or a key comes twice, is the written text copied
//! once more, see [`Order`]. Text that a Python program exported is mostly in
//! order.

use super::MAX_VALUE_BYTES;
use super::error::{SyntaxError, SyntaxErrorKind};
use super::number::{read_float, write_float};
use super::order::Order;
use super::string::{plain_run, write_escaped};

/// How deep arrays and objects may be nested; about where CPython stops too
/// (its default recursion limit is 1,000).
pub const MAX_DEPTH: usize = 1_000;

/// The canonical text of one JSON value: what CPython writes for
/// `json.dumps(json.loads(text), sort_keys=True)`.
///
/// ```
/// use fourzero::chain::json::canonical;
///
/// let text = r#"{"b": 1E5, "a": "é"}"#.as_bytes();
/// assert_eq!(canonical(text)?, r#"{"a": "\u00e9", "b": 100000.0}"#);
/// # Ok::<(), fourzero::chain::json::SyntaxError>(())
/// ```
///
/// # Errors
/// If `text` is not one JSON value with nothing but white space around it, or
/// is one that cannot be written back: see [`SyntaxErrorKind`].
pub fn canonical(text: &[u8]) -> Result<String, SyntaxError> {
    let mut out = Vec::with_capacity(text.len() + text.len() / 4);
    Transcoder::default().transcode(text, &mut out)?;
    Ok(String::from_utf8(out).expect("canonical text is ASCII"))
}

/// Transcodes many values with one set of buffers.
#[derive(Debug, Default)]
pub struct Transcoder {
    order: Order,
}

impl Transcoder {
    /// Gives back the memory that one huge value took.
    pub(crate) fn shrink(&mut self) {
        self.order.shrink();
    }

    /// Appends the canonical text of the one value in `text` to `out`.
    ///
    /// # Errors
    /// As [`canonical`]. What was appended to `out` until then stays there.
    pub fn transcode(&mut self, text: &[u8], out: &mut Vec<u8>) -> Result<(), SyntaxError> {
        self.transcode_nested(text, 0, out)
    }

    /// The same for a value that is to stand `depth` levels deep in another.
    pub(crate) fn transcode_nested(
        &mut self,
        text: &[u8],
        depth: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), SyntaxError> {
        let text = std::str::from_utf8(text).map_err(|error| SyntaxError {
            offset: error.valid_up_to(),
            kind: SyntaxErrorKind::InvalidUtf8,
        })?;
        self.order.clear();
        let base = out.len();
        let mut run = Run {
            text,
            position: 0,
            depth: 0,
            most_depth: MAX_DEPTH - depth,
            order: &mut self.order,
            out,
            base,
        };
        run.skip_white_space();
        run.value()?;
        run.skip_white_space();
        if run.peek().is_some() {
            return Err(run.unexpected("the end of the text"));
        }
        run.check_room(0)?;
        self.order.apply(out, base);
        Ok(())
    }
}

/// One call of [`Transcoder::transcode`].
struct Run<'a> {
    text: &'a str,
    position: usize,
    depth: usize,
    most_depth: usize,
    order: &'a mut Order,
    out: &'a mut Vec<u8>,
    /// Where in `out` the value starts.
    base: usize,
}

impl Run<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    fn skip_white_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.position += 1;
        }
    }

    /// Takes `byte` if it is next.
    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.position += usize::from(found);
        found
    }

    fn fail(&self, kind: SyntaxErrorKind) -> SyntaxError {
        SyntaxError {
            offset: self.position,
            kind,
        }
    }

    fn unexpected(&self, expected: &'static str) -> SyntaxError {
        let kind = match self.text[self.position..].chars().next() {
            Some(found) => SyntaxErrorKind::Unexpected { found, expected },
            None => SyntaxErrorKind::UnexpectedEnd { expected },
        };
        self.fail(kind)
    }

    /// How much of the value was written.
    fn written(&self) -> usize {
        self.out.len() - self.base
    }

    /// Whether `more` bytes may be written. Few need not ask: they are counted
    /// before the next value.
    fn check_room(&self, more: usize) -> Result<(), SyntaxError> {
        if self.written() + more > MAX_VALUE_BYTES {
            return Err(self.fail(SyntaxErrorKind::TooLarge));
        }
        Ok(())
    }

    fn value(&mut self) -> Result<(), SyntaxError> {
        self.check_room(0)?;
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.literal("true"),
            Some(b'f') => self.literal("false"),
            Some(b'n') => self.literal("null"),
            _ => {
                for word in ["NaN", "Infinity"] {
                    if self.text.as_bytes()[self.position..].starts_with(word.as_bytes()) {
                        return Err(self.fail(SyntaxErrorKind::NotANumber { word }));
                    }
                }
                Err(self.unexpected("a JSON value"))
            }
        }
    }

    fn literal(&mut self, word: &'static str) -> Result<(), SyntaxError> {
        if !self.text.as_bytes()[self.position..].starts_with(word.as_bytes()) {
            return Err(self.unexpected("a JSON value"));
        }
        self.position += word.len();
        self.out.extend_from_slice(word.as_bytes());
        Ok(())
    }

    fn nested(
        &mut self,
        parse: impl FnOnce(&mut Self) -> Result<(), SyntaxError>,
    ) -> Result<(), SyntaxError> {
        if self.depth == self.most_depth {
            return Err(self.fail(SyntaxErrorKind::TooDeep {
                most: self.most_depth,
            }));
        }
        self.depth += 1;
        self.position += 1;
        parse(self)?;
        self.depth -= 1;
        Ok(())
    }

    fn array(&mut self) -> Result<(), SyntaxError> {
        self.out.push(b'[');
        self.skip_white_space();
        if !self.take(b']') {
            loop {
                self.value()?;
                self.skip_white_space();
                if self.take(b']') {
                    break;
                }
                if !self.take(b',') {
                    return Err(self.unexpected("',' or ']'"));
                }
                self.out.extend_from_slice(b", ");
                self.skip_white_space();
            }
        }
        self.out.push(b']');
        Ok(())
    }

    fn object(&mut self) -> Result<(), SyntaxError> {
        let mut object = self.order.open(self.written());
        self.out.push(b'{');
        self.skip_white_space();
        if !self.take(b'}') {
            loop {
                if self.peek() != Some(b'"') {
                    return Err(self.unexpected("a string as key"));
                }
                let start = self.written();
                self.string()?;
                self.order.add(&mut object, &self.out[self.base..], start);
                self.skip_white_space();
                if !self.take(b':') {
                    return Err(self.unexpected("':'"));
                }
                self.out.extend_from_slice(b": ");
                self.skip_white_space();
                self.value()?;
                self.skip_white_space();
                if self.take(b'}') {
                    break;
                }
                if !self.take(b',') {
                    return Err(self.unexpected("',' or '}'"));
                }
                self.out.extend_from_slice(b", ");
                self.skip_white_space();
            }
        }
        self.out.push(b'}');
        let end = self.written();
        self.order.close(&object, end);
        Ok(())
    }

    fn string(&mut self) -> Result<(), SyntaxError> {
        self.position += 1;
        self.out.push(b'"');
        loop {
            let rest = &self.text.as_bytes()[self.position..];
            let plain = plain_run(rest);
            self.check_room(plain)?;
            self.out.extend_from_slice(&rest[..plain]);
            self.position += plain;
            match self.peek() {
                Some(b'"') => break,
                Some(_) => {
                    let character = self.character()?;
                    write_escaped(character, self.out);
                }
                None => return Err(self.unexpected("the end of the string ('\"')")),
            }
        }
        self.position += 1;
        self.out.push(b'"');
        Ok(())
    }

    /// Reads one character of a string, escaped or not.
    fn character(&mut self) -> Result<char, SyntaxError> {
        let Some(character) = self.text[self.position..].chars().next() else {
            return Err(self.unexpected("the end of the string ('\"')"));
        };
        if character == '\\' {
            return self.escape();
        }
        if character < ' ' {
            return Err(self.fail(SyntaxErrorKind::ControlCharacter {
                code: character as u8,
            }));
        }
        self.position += character.len_utf8();
        Ok(character)
    }

    fn escape(&mut self) -> Result<char, SyntaxError> {
        let character = match self.text.as_bytes().get(self.position + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'f') => '\u{c}',
            Some(b'b') => '\u{8}',
            Some(b'u') => return self.unicode_escape(),
            Some(_) => return Err(self.fail(SyntaxErrorKind::InvalidEscape)),
            None => {
                self.position += 1;
                return Err(self.unexpected("an escape sequence"));
            }
        };
        self.position += 2;
        Ok(character)
    }

    fn unicode_escape(&mut self) -> Result<char, SyntaxError> {
        let first = self.code_unit(self.position)?;
        if let Some(character) = char::from_u32(first.into()) {
            self.position += 6;
            return Ok(character);
        }
        // A surrogate: only a high one followed by a low one is a character.
        let second = match self
            .text
            .as_bytes()
            .get(self.position + 6..self.position + 8)
        {
            Some(b"\\u") => Some(self.code_unit(self.position + 6)?),
            _ => None,
        };
        let pair = second.and_then(|second| char::decode_utf16([first, second]).next()?.ok());
        let Some(character) = pair else {
            return Err(self.fail(SyntaxErrorKind::LoneSurrogate { code: first }));
        };
        self.position += 12;
        Ok(character)
    }

    /// The code unit of the escape `\u` and four digits at `offset`.
    fn code_unit(&self, offset: usize) -> Result<u16, SyntaxError> {
        let digits = self.text.as_bytes().get(offset + 2..offset + 6);
        // `from_str_radix` alone would take a sign.
        digits
            .filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u16::from_str_radix(digits, 16).ok())
            .ok_or(SyntaxError {
                offset,
                kind: SyntaxErrorKind::InvalidEscape,
            })
    }

    fn number(&mut self) -> Result<(), SyntaxError> {
        let start = self.position;
        let is_negative = self.take(b'-');
        if is_negative && self.peek() == Some(b'I') {
            self.position = start;
            return Err(self.fail(SyntaxErrorKind::NotANumber { word: "-Infinity" }));
        }
        if !self.take(b'0') {
            self.digits()?;
        }
        let integer_end = self.position;
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _sign = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        let text = &self.text[start..self.position];
        if self.position == integer_end {
            // Python's integers are unbounded, and have no negative zero.
            let text = if text == "-0" { "0" } else { text };
            self.check_room(text.len())?;
            self.out.extend_from_slice(text.as_bytes());
            return Ok(());
        }
        let value = read_float(text);
        if value.is_infinite() {
            return Err(SyntaxError {
                offset: start,
                kind: SyntaxErrorKind::NumberOutOfRange,
            });
        }
        write_float(value, self.out);
        Ok(())
    }

    /// One or more digits.
    fn digits(&mut self) -> Result<(), SyntaxError> {
        let rest = &self.text.as_bytes()[self.position..];
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if count == 0 {
            return Err(self.unexpected("a digit"));
        }
        self.position += count;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
