//! Any JSON text in, Python's `json.dumps(value, sort_keys=True)` out.
//!
//! One pass and no tree: values are written as they are read. Members of an
//! object are written in the order in which they come; only if that is not
//! the order of their keys, or a key comes twice, are their written pieces
//! moved afterwards. Text that a Python program exported is mostly in order.

use std::ops::Range;

use super::error::{SyntaxError, SyntaxErrorKind};
use super::number::{read_float, write_float};
use super::recognize::plain_run;
use super::string::write_escaped;

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

/// What [`Transcoder::shrink`] leaves: more than a block needs.
const KEPT_MEMBERS: usize = 4 << 10;

/// Transcodes many values with one set of buffers.
#[derive(Debug, Default)]
pub struct Transcoder {
    /// The members of every object that is open, outermost first.
    members: Vec<Member>,
    /// Decoded keys of open objects, for keys that hold an escape.
    decoded: Vec<u8>,
    /// Where the pieces of an object are put in order.
    reordered: Vec<u8>,
}

/// One member of an open object.
#[derive(Clone, Debug)]
struct Member {
    key: Key,
    /// Where its canonical text lies in the output.
    written: Range<usize>,
}

/// Where a decoded key lies. UTF-8 sorts as its code points do.
#[derive(Clone, Debug)]
enum Key {
    /// In the input, which holds no escape there.
    Input(Range<usize>),
    /// In [`Transcoder::decoded`].
    Decoded(Range<usize>),
}

impl Transcoder {
    /// Gives back the memory that one huge value took.
    pub(crate) fn shrink(&mut self) {
        let Self {
            members,
            decoded,
            reordered,
        } = self;
        members.shrink_to(KEPT_MEMBERS);
        decoded.shrink_to(KEPT_MEMBERS);
        reordered.shrink_to(KEPT_MEMBERS);
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
        self.members.clear();
        self.decoded.clear();
        let mut run = Run {
            text,
            position: 0,
            depth: 0,
            most_depth: MAX_DEPTH - depth,
            buffers: self,
            out,
        };
        run.skip_white_space();
        run.value()?;
        run.skip_white_space();
        match run.peek() {
            None => Ok(()),
            Some(_) => Err(run.unexpected("the end of the text")),
        }
    }
}

/// One call of [`Transcoder::transcode`].
struct Run<'a> {
    text: &'a str,
    position: usize,
    depth: usize,
    most_depth: usize,
    buffers: &'a mut Transcoder,
    out: &'a mut Vec<u8>,
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

    fn value(&mut self) -> Result<(), SyntaxError> {
        match self.peek() {
            Some(b'"') => self.string(None),
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
        self.out.push(b'{');
        let first_member = self.buffers.members.len();
        let first_decoded = self.buffers.decoded.len();
        let mut is_ordered = true;
        self.skip_white_space();
        if !self.take(b'}') {
            loop {
                let start = self.out.len();
                let key = self.key()?;
                self.skip_white_space();
                if !self.take(b':') {
                    return Err(self.unexpected("':'"));
                }
                self.out.extend_from_slice(b": ");
                self.skip_white_space();
                self.value()?;
                if let [.., previous] = &self.buffers.members[first_member..] {
                    is_ordered &= self.key_text(&previous.key) < self.key_text(&key);
                }
                self.buffers.members.push(Member {
                    key,
                    written: start..self.out.len(),
                });
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
        if !is_ordered {
            self.reorder(first_member);
        }
        self.buffers.members.truncate(first_member);
        self.buffers.decoded.truncate(first_decoded);
        self.out.push(b'}');
        Ok(())
    }

    /// Puts the written members from `first` on in the order of their keys,
    /// the last of equal ones alone.
    fn reorder(&mut self, first: usize) {
        let mut members = self.buffers.members.split_off(first);
        members.sort_by(|a, b| self.key_text(&a.key).cmp(self.key_text(&b.key)));

        let body = members.iter().map(|member| member.written.start).min();
        let body = body.expect("an object out of order has members");
        let mut reordered = std::mem::take(&mut self.buffers.reordered);
        reordered.clear();
        for (place, member) in members.iter().enumerate() {
            // The sort is stable: among equal keys the last in the text is
            // the last here.
            let is_replaced = members
                .get(place + 1)
                .is_some_and(|next| self.key_text(&next.key) == self.key_text(&member.key));
            if is_replaced {
                continue;
            }
            if !reordered.is_empty() {
                reordered.extend_from_slice(b", ");
            }
            reordered.extend_from_slice(&self.out[member.written.clone()]);
        }
        self.out.truncate(body);
        self.out.extend_from_slice(&reordered);
        self.buffers.reordered = reordered;
    }

    fn key_text(&self, key: &Key) -> &[u8] {
        match key {
            Key::Input(range) => &self.text.as_bytes()[range.clone()],
            Key::Decoded(range) => &self.buffers.decoded[range.clone()],
        }
    }

    fn key(&mut self) -> Result<Key, SyntaxError> {
        if self.peek() != Some(b'"') {
            return Err(self.unexpected("a string as key"));
        }
        let start = self.position + 1;
        let mut has_escape = false;
        self.string(Some(&mut has_escape))?;
        let inner = start..self.position - 1;
        if !has_escape {
            return Ok(Key::Input(inner));
        }
        let from = self.buffers.decoded.len();
        let end = self.position;
        self.position = start;
        while self.position < inner.end {
            let character = self.character()?;
            let mut buffer = [0; 4];
            let bytes = character.encode_utf8(&mut buffer).as_bytes();
            self.buffers.decoded.extend_from_slice(bytes);
        }
        self.position = end;
        Ok(Key::Decoded(from..self.buffers.decoded.len()))
    }

    /// Copies a string, and tells the caller who asks whether it held an
    /// escape.
    fn string(&mut self, has_escape: Option<&mut bool>) -> Result<(), SyntaxError> {
        let mut escapes = false;
        self.position += 1;
        self.out.push(b'"');
        loop {
            let rest = &self.text.as_bytes()[self.position..];
            let plain = plain_run(rest);
            self.out.extend_from_slice(&rest[..plain]);
            self.position += plain;
            match self.peek() {
                Some(b'"') => break,
                Some(byte) => {
                    escapes |= byte == b'\\';
                    let character = self.character()?;
                    write_escaped(character, self.out);
                }
                None => return Err(self.unexpected("the end of the string ('\"')")),
            }
        }
        self.position += 1;
        self.out.push(b'"');
        if let Some(flag) = has_escape {
            *flag = escapes;
        }
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
