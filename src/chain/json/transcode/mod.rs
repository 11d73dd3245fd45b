//! Transcodes any JSON text to Python's `json.dumps(value, sort_keys=True)`.
//!
//! Values are written as they are read, in one pass and without a tree. If the
//! members of an object are not in the order of their keys, or a key is repeated,
//! the written text is copied once more, see [`KeyOrder`]. Most text from Python
//! programs is in order.

use super::MAX_VALUE_BYTES;
use super::error::{SyntaxError, SyntaxErrorKind};
use super::number::{read_float, write_float};
use super::sort_keys::{KeyOrder, OpenObject};
use super::string::{plain_run, read_escape, write_escaped};

/// How deep arrays and objects may be nested. CPython's limit is about the same
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
/// If `text` is not a single JSON value, or cannot be written back: see
/// [`SyntaxErrorKind`].
pub fn canonical(text: &[u8]) -> Result<String, SyntaxError> {
    let mut out = Vec::with_capacity(text.len() + text.len() / 4);
    Transcoder::default().transcode(text, &mut out)?;
    Ok(String::from_utf8(out).expect("canonical text is ASCII"))
}

/// Transcodes many values with one set of buffers.
#[derive(Debug, Default)]
pub struct Transcoder {
    order: KeyOrder,
}

impl Transcoder {
    /// Frees the memory that a huge value took.
    pub(crate) fn shrink(&mut self) {
        self.order.shrink();
    }

    /// Appends the canonical text of the one value in `text` to `out`.
    ///
    /// # Errors
    /// See [`canonical`]. On an error, `out` keeps what was already appended.
    pub fn transcode(&mut self, text: &[u8], out: &mut Vec<u8>) -> Result<(), SyntaxError> {
        self.transcode_nested(text, 0, out)
    }

    /// The same for a value that will be `depth` levels deep in another.
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
        let mut transcoding = Transcoding {
            text,
            position: 0,
            depth: 0,
            most_depth: MAX_DEPTH - depth,
            order: &mut self.order,
            out,
            base,
        };
        transcoding.skip_white_space();
        transcoding.value()?;
        transcoding.skip_white_space();
        if transcoding.peek().is_some() {
            return Err(transcoding.unexpected("the end of the text"));
        }
        transcoding.check_room(0)?;
        self.order.apply(out, base);
        Ok(())
    }
}

struct Transcoding<'a> {
    text: &'a str,
    position: usize,
    depth: usize,
    most_depth: usize,
    order: &'a mut KeyOrder,
    out: &'a mut Vec<u8>,
    base: usize,
}

impl Transcoding<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    fn skip_white_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.position += 1;
        }
    }

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

    fn written(&self) -> usize {
        self.out.len() - self.base
    }

    /// Checks that `more` bytes may be written. Short text is not checked here
    /// but before the next value.
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
            Some(b'{') => self.object(),
            Some(b'[') => self.array(),
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

    /// An array or object, between `open` and `close`, whose items `item` reads.
    fn list(
        &mut self,
        [open, close]: [u8; 2],
        after_item: &'static str,
        mut item: impl FnMut(&mut Self) -> Result<(), SyntaxError>,
    ) -> Result<(), SyntaxError> {
        if self.depth == self.most_depth {
            return Err(self.fail(SyntaxErrorKind::TooDeep {
                most: self.most_depth,
            }));
        }
        self.depth += 1;
        self.position += 1;
        self.out.push(open);
        self.skip_white_space();
        if !self.take(close) {
            loop {
                item(self)?;
                self.skip_white_space();
                if self.take(close) {
                    break;
                }
                if !self.take(b',') {
                    return Err(self.unexpected(after_item));
                }
                self.out.extend_from_slice(b", ");
                self.skip_white_space();
            }
        }
        self.out.push(close);
        self.depth -= 1;
        Ok(())
    }

    fn array(&mut self) -> Result<(), SyntaxError> {
        self.list(*b"[]", "',' or ']'", Self::value)
    }

    fn object(&mut self) -> Result<(), SyntaxError> {
        let mut object = self.order.open(self.written());
        self.list(*b"{}", "',' or '}'", |this| this.member(&mut object))?;
        self.order.close(&object, self.written());
        Ok(())
    }

    fn member(&mut self, object: &mut OpenObject) -> Result<(), SyntaxError> {
        if self.peek() != Some(b'"') {
            return Err(self.unexpected("a string as key"));
        }
        let start = self.written();
        self.string()?;
        self.order.add(object, &self.out[self.base..], start);
        self.skip_white_space();
        if !self.take(b':') {
            return Err(self.unexpected("':'"));
        }
        self.out.extend_from_slice(b": ");
        self.skip_white_space();
        self.value()
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

    fn character(&mut self) -> Result<char, SyntaxError> {
        let Some(character) = self.text[self.position..].chars().next() else {
            return Err(self.unexpected("the end of the string ('\"')"));
        };
        if character == '\\' {
            let escape = read_escape(&self.text.as_bytes()[self.position..]);
            let (character, length) = escape.map_err(|error| SyntaxError {
                offset: self.position + error.offset,
                ..error
            })?;
            self.position += length;
            return Ok(character);
        }
        if character < ' ' {
            return Err(self.fail(SyntaxErrorKind::ControlCharacter {
                code: character as u8,
            }));
        }
        self.position += character.len_utf8();
        Ok(character)
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
