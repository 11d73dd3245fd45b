//! Cutting a stream of JSON text into single values, in bounded memory.
//!
//! The stream finds where a value ends by its brackets and quotes alone; that
//! the value is well formed is for [`Transcoder`](super::Transcoder) to say.

use std::io::{self, Cursor, Read};

use thiserror::Error;

use super::brackets::{Close, closing_bracket};
use super::error::{ForeignFormat, SyntaxError, SyntaxErrorKind};
use super::position::Advance;
use super::{MAX_VALUE_BYTES, Position};

/// Bytes read at once, and the buffer's first size: few enough to be still in
/// a core's own cache when they are looked at.
const CHUNK_BYTES: usize = 128 << 10;

/// Why the next value of a stream cannot be had.
#[derive(Debug, Error)]
pub(crate) enum StreamError {
    /// The source failed.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// The text is not JSON.
    #[error("{position}: {kind}")]
    Syntax {
        position: Position,
        kind: SyntaxErrorKind,
    },
    /// A value larger than [`MAX_VALUE_BYTES`], as it stands or in canonical
    /// text.
    #[error("{position}: this value takes more than {} MiB", MAX_VALUE_BYTES >> 20)]
    TooLarge { position: Position },
}

impl StreamError {
    /// A syntax error inside `text`, which starts at `start`.
    pub(crate) fn inside(text: &[u8], start: Position, error: SyntaxError) -> Self {
        if error.kind == SyntaxErrorKind::TooLarge {
            return Self::TooLarge { position: start };
        }
        Self::Syntax {
            position: start.after(&text[..error.offset]),
            kind: error.kind,
        }
    }
}

/// A reader of JSON values.
#[derive(Debug)]
pub(crate) struct JsonStream<R> {
    source: R,
    buffer: Vec<u8>,
    /// What of the buffer is unread: `start..end`.
    start: usize,
    end: usize,
    is_at_end: bool,
    is_at_start: bool,
    /// All that was read from the source.
    bytes_read: u64,
    /// An error that came while there was text before it.
    delayed: Option<io::Error>,
    /// The place of `start` in the stream.
    position: Position,
    /// What the first bytes say that the stream is instead of text.
    foreign: Option<ForeignFormat>,
}

impl<R: Read> JsonStream<R> {
    pub(crate) fn new(source: R) -> Self {
        Self {
            source,
            buffer: vec![0; CHUNK_BYTES],
            start: 0,
            end: 0,
            is_at_end: false,
            is_at_start: true,
            bytes_read: 0,
            delayed: None,
            position: Position::START,
            foreign: None,
        }
    }

    /// The place of the next unread byte.
    pub(crate) const fn position(&self) -> Position {
        self.position
    }

    /// Bytes that were read from the source, ahead of the place or not.
    pub(crate) const fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// Skips white space (and a byte order mark at the very start), then
    /// looks at the next byte; `None` is the end of the stream.
    pub(crate) fn peek(&mut self) -> Result<Option<u8>, StreamError> {
        if self.is_at_start {
            self.is_at_start = false;
            while self.end < BYTE_ORDER_MARK.len() && self.fill()? {}
            if self.unread().starts_with(BYTE_ORDER_MARK) {
                self.start += BYTE_ORDER_MARK.len();
            } else {
                self.foreign = ForeignFormat::of(self.unread());
            }
        }
        loop {
            while let Some(byte) = self.unread().first().copied() {
                match byte {
                    b'\n' => self.position = self.position.next_line(),
                    b' ' | b'\r' | b'\t' => self.position.column += 1,
                    _ => return Ok(Some(byte)),
                }
                self.start += 1;
            }
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    /// As [`Self::peek`], but an error of the source is left for later.
    pub(crate) fn peek_ahead(&mut self) -> Option<u8> {
        match self.peek() {
            Ok(byte) => byte,
            Err(StreamError::Read(error)) => {
                self.delayed = Some(error);
                None
            }
            Err(_) => unreachable!("white space is no syntax error"),
        }
    }

    /// What the stream is instead of text, if its first bytes say so.
    pub(crate) const fn foreign_format(&self) -> Option<ForeignFormat> {
        self.foreign
    }

    /// Takes the byte that [`Self::peek`] showed, which is ASCII.
    pub(crate) fn bump(&mut self) {
        self.bump_plain(1);
    }

    /// Takes as many bytes of one line, all ASCII.
    pub(crate) fn bump_plain(&mut self, length: usize) {
        self.position.column += length as u64;
        self.start += length;
    }

    /// Takes as many bytes, over which `advance` leads.
    pub(crate) const fn bump_by(&mut self, length: usize, advance: Advance) {
        self.position = self.position.advanced(advance);
        self.start += length;
    }

    /// What was read ahead of the place that [`Self::peek`] showed.
    pub(crate) fn unread(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// The error for what [`Self::peek`] showed, when something else should
    /// have come.
    pub(crate) fn unexpected(&mut self, expected: &'static str) -> StreamError {
        // The source may have been read to the midst of the character. If no
        // more can be had, this is the error to tell.
        while ends_in_a_character(self.unread()) && matches!(self.fill(), Ok(true)) {}
        let valid = match std::str::from_utf8(self.unread()) {
            Ok(text) => text,
            Err(error) => std::str::from_utf8(&self.unread()[..error.valid_up_to()])
                .expect("UTF-8 up to there"),
        };
        let kind = match (valid.chars().next(), self.unread().is_empty()) {
            (Some(found), _) => SyntaxErrorKind::Unexpected { found, expected },
            (None, true) => SyntaxErrorKind::UnexpectedEnd { expected },
            (None, false) => SyntaxErrorKind::InvalidUtf8,
        };
        StreamError::Syntax {
            position: self.position,
            kind,
        }
    }

    /// Takes the raw text of the value at the place that [`Self::peek`]
    /// showed. It may still be malformed inside.
    pub(crate) fn value(&mut self) -> Result<&[u8], StreamError> {
        let length = self.value_length_within_limit()?;
        let start = self.start;
        self.consume(length);
        Ok(&self.buffer[start..start + length])
    }

    /// As [`Self::value`], to the end of `out`. A long value is not copied but
    /// takes the buffer with it; it must come alone, so if `out` holds
    /// something, nothing is done and the answer is `false`.
    pub(crate) fn take_value(&mut self, out: &mut Vec<u8>) -> Result<bool, StreamError> {
        let length = self.value_length_within_limit()?;
        let is_long = length > 8 * CHUNK_BYTES;
        if is_long && !out.is_empty() {
            return Ok(false);
        }
        self.consume(length);
        let start = self.start - length;
        if !is_long {
            out.extend_from_slice(&self.buffer[start..self.start]);
            return Ok(true);
        }
        let mut rest = self.unread().to_vec();
        self.end = rest.len();
        rest.resize(self.end.max(CHUNK_BYTES), 0);
        *out = std::mem::replace(&mut self.buffer, rest);
        out.truncate(self.start);
        out.drain(..start);
        self.start = 0;
        Ok(true)
    }

    fn value_length_within_limit(&mut self) -> Result<usize, StreamError> {
        self.value_length()?.ok_or(StreamError::TooLarge {
            position: self.position,
        })
    }

    /// Length of the value at the place that [`Self::peek`] showed, or `None`
    /// if it takes more than [`MAX_VALUE_BYTES`].
    pub(crate) fn value_length(&mut self) -> Result<Option<usize>, StreamError> {
        loop {
            match value_end(self.unread(), self.is_at_end) {
                End::At(length) if length <= MAX_VALUE_BYTES => return Ok(Some(length)),
                End::At(_) => return Ok(None),
                End::Beyond(_) if self.end - self.start > MAX_VALUE_BYTES => return Ok(None),
                End::Beyond(expected) if self.is_at_end => {
                    let position = self.position.after(self.unread());
                    let kind = SyntaxErrorKind::UnexpectedEnd { expected };
                    return Err(StreamError::Syntax { position, kind });
                }
                // Even without more bytes: at the end, a number is complete.
                End::Beyond(_) => self.fill_much()?,
            }
        }
    }

    /// Whether anything but white space follows the next `length` bytes. As
    /// much white space as a value may take is taken for the end.
    pub(crate) fn has_more_after(&mut self, length: usize) -> Result<bool, StreamError> {
        let mut seen = length;
        loop {
            if self.unread()[seen..]
                .iter()
                .any(|byte| !is_white_space(*byte))
            {
                return Ok(true);
            }
            seen = self.end - self.start;
            if seen > MAX_VALUE_BYTES || !self.fill()? {
                return Ok(false);
            }
        }
    }

    /// Replaces `out` by what is unread, and more until it holds `length` bytes
    /// or the stream ends. The place in the stream stays: to [`Self::count`]
    /// the bytes, or to [`Self::put_back`] what is not wanted, is for the
    /// caller.
    pub(crate) fn take_ahead(&mut self, out: &mut Vec<u8>, length: usize) {
        // What was there is overwritten: only what it lacks has to be cleared.
        out.resize(length, 0);
        let mut end = self.unread().len().min(length);
        out[..end].copy_from_slice(&self.unread()[..end]);
        self.start += end;
        while end < length && !self.is_at_end && self.delayed.is_none() {
            match self.source.read(&mut out[end..]) {
                Ok(count) => {
                    end += count;
                    self.bytes_read += count as u64;
                    self.is_at_end = count == 0;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => self.delayed = Some(error),
            }
        }
        out.truncate(end);
    }

    /// Puts `text` before what is unread.
    pub(crate) fn put_back(&mut self, text: &[u8]) {
        if self.start < text.len() {
            let more = text.len() - self.start;
            if self.buffer.len() - self.end < more {
                self.buffer.resize(self.end + more, 0);
            }
            self.buffer.copy_within(self.start..self.end, text.len());
            self.start += more;
            self.end += more;
        }
        self.start -= text.len();
        self.buffer[self.start..][..text.len()].copy_from_slice(text);
    }

    /// Counts bytes that were taken ahead as read.
    pub(crate) const fn count(&mut self, advance: Advance) {
        self.position = self.position.advanced(advance);
    }

    /// The rest of the stream as plain bytes.
    pub(crate) fn into_reader(mut self) -> io::Chain<Cursor<Vec<u8>>, R> {
        self.buffer.truncate(self.end);
        let mut head = Cursor::new(self.buffer);
        head.set_position(self.start as u64);
        head.chain(self.source)
    }

    fn consume(&mut self, length: usize) {
        self.position = self
            .position
            .after(&self.buffer[self.start..self.start + length]);
        self.start += length;
    }

    /// Reads more of an unfinished value. A long one is looked at again only
    /// when twice as much of it is there, so that all looks together cost no
    /// more than its length, however small the pieces in which it arrives.
    fn fill_much(&mut self) -> Result<(), StreamError> {
        let unread = self.unread().len();
        let enough = if unread < CHUNK_BYTES / 4 {
            unread + 1
        } else {
            (2 * unread).min(MAX_VALUE_BYTES + 1)
        };
        while self.unread().len() < enough && self.fill()? {}
        Ok(())
    }

    /// Reads more behind what is unread; `false` at the end of the stream.
    fn fill(&mut self) -> Result<bool, StreamError> {
        if let Some(error) = self.delayed.take() {
            return Err(error.into());
        }
        if self.is_at_end {
            return Ok(false);
        }
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        // One huge value must not keep its memory.
        if self.buffer.len() > 8 * CHUNK_BYTES && self.end < CHUNK_BYTES {
            self.buffer.truncate(CHUNK_BYTES);
            self.buffer.shrink_to_fit();
        }
        if self.end == self.buffer.len() {
            // Nobody reads on behind so much.
            let enough = MAX_VALUE_BYTES + CHUNK_BYTES;
            let doubled = (2 * self.end).min(enough).max(self.end + CHUNK_BYTES);
            self.buffer.reserve_exact(doubled - self.end);
            self.buffer.resize(doubled, 0);
        }
        let count = loop {
            match self.source.read(&mut self.buffer[self.end..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result?,
            }
        };
        self.end += count;
        self.bytes_read += count as u64;
        self.is_at_end = count == 0;
        Ok(count > 0)
    }
}

/// Whether `text` is the start of a character and nothing more.
fn ends_in_a_character(text: &[u8]) -> bool {
    std::str::from_utf8(text)
        .is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

const fn is_white_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

/// Length of the value at the start of `text`, which may still be malformed
/// inside; `None` if its end is not there.
pub(crate) fn value_length(text: &[u8]) -> Option<usize> {
    match value_end(text, false) {
        End::At(length) => Some(length),
        End::Beyond(_) => None,
    }
}

/// Where a value ends in the text that is there.
enum End {
    At(usize),
    /// Not in this text; says what is missing.
    Beyond(&'static str),
}

/// Finds the end of the value at the start of `text`. `is_whole` says that
/// nothing follows `text`.
fn value_end(text: &[u8], is_whole: bool) -> End {
    match text.first() {
        None => End::Beyond("a JSON value"),
        Some(b'"') => match string_end(text) {
            Some(end) => End::At(end),
            None => End::Beyond("the end of the string ('\"')"),
        },
        Some(b'[' | b'{') => bracket_end(text),
        Some(_) => {
            let end = text.iter().position(|byte| {
                is_white_space(*byte) || matches!(byte, b',' | b':' | b']' | b'}' | b'[' | b'{')
            });
            match end {
                // A stray delimiter is taken alone, for the transcoder to refuse.
                Some(end) => End::At(end.max(1)),
                None if is_whole => End::At(text.len()),
                None => End::Beyond("a JSON value"),
            }
        }
    }
}

fn bracket_end(text: &[u8]) -> End {
    match closing_bracket(text) {
        Close::At(end) => End::At(end),
        Close::InString => End::Beyond("the end of the string ('\"')"),
        Close::Missing if text[0] == b'{' => End::Beyond("the end of the object ('}')"),
        Close::Missing => End::Beyond("the end of the array (']')"),
    }
}

/// Length of the string at the start of `text`, quotes included.
fn string_end(text: &[u8]) -> Option<usize> {
    let mut position = 1;
    loop {
        position += memchr::memchr2(b'"', b'\\', text.get(position..)?)?;
        if text[position] == b'"' {
            return Some(position + 1);
        }
        position += 2;
    }
}

#[cfg(test)]
mod tests;
