//! Splits a stream of JSON text into values, in bounded memory.
//!
//! The stream finds the end of a value only by its brackets and quotes;
//! [`Transcoder`](super::Transcoder) checks that the value is well formed.

use std::io::{self, Read};

use thiserror::Error;

use super::brackets::closing_bracket;
use super::error::{ForeignFormat, SyntaxError, SyntaxErrorKind};
use super::position::Advance;
use super::{MAX_VALUE_BYTES, Position};
use crate::chain::read_buffer::{ReadBuffer, Source};

/// Bytes per read, and the buffer's first size: small enough to stay in a core's
/// own cache until they are parsed.
const CHUNK_BYTES: usize = 128 << 10;

/// Why the next value of a stream cannot be read.
#[derive(Debug, Error)]
pub(crate) enum StreamError {
    #[error(transparent)]
    Read(#[from] io::Error),
    #[error("{position}: {kind}")]
    Syntax {
        position: Position,
        kind: SyntaxErrorKind,
    },
    /// A value is larger than [`MAX_VALUE_BYTES`], as raw or canonical text.
    #[error("{position}: this value takes more than {} MiB", MAX_VALUE_BYTES >> 20)]
    TooLarge { position: Position },
}

impl StreamError {
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

#[derive(Debug)]
pub(crate) struct JsonStream<R> {
    source: Source<R>,
    buffer: ReadBuffer,
    /// The buffer's capacity for unread bytes.
    size: usize,
    is_at_start: bool,
    /// An error after text that is still unread.
    delayed: Option<io::Error>,
    /// The position of the next unread byte.
    position: Position,
    /// The format of the stream, if its first bytes say that it is not text.
    foreign: Option<ForeignFormat>,
}

impl<R: Read> JsonStream<R> {
    pub(crate) fn new(source: R) -> Self {
        Self {
            source: Source::new(source),
            buffer: ReadBuffer::default(),
            size: CHUNK_BYTES,
            is_at_start: true,
            delayed: None,
            position: Position::START,
            foreign: None,
        }
    }

    pub(crate) const fn position(&self) -> Position {
        self.position
    }

    pub(crate) const fn bytes_read(&self) -> u64 {
        self.source.bytes_read()
    }

    pub(crate) const fn source(&self) -> &R {
        self.source.reader()
    }

    /// The offset of the next unread byte in the source.
    pub(crate) fn offset(&self) -> u64 {
        self.bytes_read() - self.unread().len() as u64
    }

    /// The first byte of the stream after a byte order mark; `None` if it is
    /// empty.
    pub(crate) fn first_byte(&mut self) -> Result<Option<u8>, StreamError> {
        self.start()?;
        if self.unread().is_empty() {
            self.fill()?;
        }
        Ok(self.unread().first().copied())
    }

    /// Skips a byte order mark at the start.
    fn start(&mut self) -> Result<(), StreamError> {
        self.is_at_start = false;
        while self.unread().len() < BYTE_ORDER_MARK.len() && self.fill()? {}
        if self.unread().starts_with(BYTE_ORDER_MARK) {
            self.buffer.take(BYTE_ORDER_MARK.len());
            return Ok(());
        }
        self.foreign = ForeignFormat::of(self.unread());
        if self.foreign == Some(ForeignFormat::Zip) {
            while self.unread().len() < ForeignFormat::TELLING_ZIP_BYTES && self.fill()? {}
            self.foreign = ForeignFormat::of(self.unread());
        }
        Ok(())
    }

    /// Skips white space, and a byte order mark at the start, and returns the
    /// next byte; `None` at the end of the stream.
    pub(crate) fn peek(&mut self) -> Result<Option<u8>, StreamError> {
        if self.is_at_start {
            self.start()?;
        }
        loop {
            while let Some(byte) = self.unread().first().copied() {
                match byte {
                    b'\n' => self.position = self.position.next_line(),
                    b' ' | b'\r' | b'\t' => self.position.column += 1,
                    _ => return Ok(Some(byte)),
                }
                self.buffer.take(1);
            }
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    /// Like [`Self::peek`], but keeps an error of the source for later.
    pub(crate) fn peek_ahead(&mut self) -> Option<u8> {
        match self.peek() {
            Ok(byte) => byte,
            Err(StreamError::Read(error)) => {
                self.delayed = Some(error);
                None
            }
            Err(_) => unreachable!("white space is not a syntax error"),
        }
    }

    /// The format of a stream that starts with the byte that [`Self::peek`]
    /// returned, if it is not JSON but known.
    pub(crate) fn foreign_format(&mut self) -> Option<ForeignFormat> {
        while b"HTTP/".starts_with(self.unread()) && matches!(self.fill(), Ok(true)) {}
        self.foreign
            .or_else(|| ForeignFormat::of_text(self.unread()))
    }

    /// Inside an object, moves to the key of the next member, or past the closing
    /// brace, and returns whether there is a member.
    pub(crate) fn next_member(&mut self, is_first: bool) -> Result<bool, StreamError> {
        match self.peek()? {
            Some(b'}') => {
                self.bump();
                return Ok(false);
            }
            Some(b',') if !is_first => {
                self.bump();
                self.peek()?;
            }
            _ if is_first => {}
            _ => return Err(self.unexpected("',' or '}'")),
        }
        if self.peek()? == Some(b'"') {
            Ok(true)
        } else {
            Err(self.unexpected("a string as key"))
        }
    }

    /// Takes the byte that [`Self::peek`] returned, which is ASCII.
    pub(crate) fn bump(&mut self) {
        self.bump_plain(1);
    }

    /// Takes `length` bytes of one line, all ASCII.
    pub(crate) fn bump_plain(&mut self, length: usize) {
        self.position.column += length as u64;
        self.buffer.take(length);
    }

    pub(crate) const fn bump_by(&mut self, length: usize, advance: Advance) {
        self.position = self.position.advanced(advance);
        self.buffer.take(length);
    }

    /// The bytes that were read, from the one that [`Self::peek`] returned on.
    pub(crate) fn unread(&self) -> &[u8] {
        self.buffer.unread()
    }

    /// The error for the byte that [`Self::peek`] returned, which should be
    /// `expected`.
    pub(crate) fn unexpected(&mut self, expected: &'static str) -> StreamError {
        // The text read so far may end inside the character. If no more can be
        // read, report this error.
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

    /// Takes the raw text of the value at the byte that [`Self::peek`] returned.
    /// The value may be malformed inside.
    pub(crate) fn value(&mut self) -> Result<&[u8], StreamError> {
        let length = self.value_length_within_limit()?;
        self.consume(length);
        Ok(self.buffer.taken(length))
    }

    /// Like [`Self::value`], but appends to `out`. A long value is not copied but
    /// moves with its buffer. It must be alone: if `out` is not empty, this does
    /// nothing and returns `false`.
    pub(crate) fn take_value(&mut self, out: &mut ReadBuffer) -> Result<bool, StreamError> {
        let length = self.value_length_within_limit()?;
        let is_long = length > 8 * CHUNK_BYTES;
        if is_long && !out.unread().is_empty() {
            return Ok(false);
        }
        if is_long {
            self.position = self.position.after(&self.unread()[..length]);
            *out = self.buffer.split_to(length);
        } else {
            self.consume(length);
            out.push(self.buffer.taken(length));
        }
        Ok(true)
    }

    fn value_length_within_limit(&mut self) -> Result<usize, StreamError> {
        self.value_length()?.ok_or(StreamError::TooLarge {
            position: self.position,
        })
    }

    /// Length of the value at the byte that [`Self::peek`] returned, or `None` if
    /// it is more than [`MAX_VALUE_BYTES`].
    pub(crate) fn value_length(&mut self) -> Result<Option<usize>, StreamError> {
        loop {
            match value_end(self.unread(), self.source.is_at_end()) {
                Ok(length) if length <= MAX_VALUE_BYTES => return Ok(Some(length)),
                Ok(_) => return Ok(None),
                Err(_) if self.unread().len() > MAX_VALUE_BYTES => return Ok(None),
                Err(expected) if self.source.is_at_end() => {
                    let position = self.position.after(self.unread());
                    let kind = SyntaxErrorKind::UnexpectedEnd { expected };
                    return Err(StreamError::Syntax { position, kind });
                }
                // At the end of the source, the next round finds that a number is
                // complete.
                Err(_) => self.fill_much()?,
            }
        }
    }

    /// Whether anything but white space follows the next `length` bytes. White
    /// space of [`MAX_VALUE_BYTES`] counts as the end.
    pub(crate) fn has_more_after(&mut self, length: usize) -> Result<bool, StreamError> {
        let mut seen = length;
        loop {
            if self.unread()[seen..]
                .iter()
                .any(|byte| !is_white_space(*byte))
            {
                return Ok(true);
            }
            seen = self.unread().len();
            if seen > MAX_VALUE_BYTES || !self.fill()? {
                return Ok(false);
            }
        }
    }

    /// Replaces `out` by the next `length` bytes, or by fewer if the stream ends.
    /// [`Self::position`] stays: the caller must [`count`](Self::count) the bytes
    /// or [put them back](Self::put_back).
    pub(crate) fn take_ahead(&mut self, out: &mut ReadBuffer, length: usize) {
        out.clear(length);
        let count = self.unread().len().min(length);
        self.buffer.take(count);
        out.push(self.buffer.taken(count));
        while out.unread().len() < length && !self.source.is_at_end() && self.delayed.is_none() {
            self.delayed = out.fill(&mut self.source, length).err();
        }
    }

    pub(crate) fn put_back(&mut self, text: &[u8]) {
        self.buffer.put_back(text);
    }

    /// Continues with the byte at `offset`, to which the caller moves the reader
    /// that this returns. [`Self::position`] stays, as in [`Self::take_ahead`].
    pub(crate) fn seek(&mut self, offset: u64) -> &mut R {
        self.buffer.clear(self.size);
        // Reading from here again returns the same error.
        self.delayed = None;
        self.source.seek(offset)
    }

    pub(crate) const fn count(&mut self, advance: Advance) {
        self.position = self.position.advanced(advance);
    }

    pub(crate) fn into_bytes(self) -> (ReadBuffer, Source<R>) {
        (self.buffer, self.source)
    }

    fn consume(&mut self, length: usize) {
        self.position = self.position.after(&self.unread()[..length]);
        self.buffer.take(length);
    }

    /// Reads more of an unfinished value. A long value is parsed again only once
    /// twice as much of it is there, so that the total cost is linear, even if it
    /// arrives in small pieces.
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

    fn fill(&mut self) -> Result<bool, StreamError> {
        if let Some(error) = self.delayed.take() {
            return Err(error.into());
        }
        let unread = self.unread().len();
        if self.size > 8 * CHUNK_BYTES && unread < CHUNK_BYTES {
            // Free the memory of a huge value.
            self.size = CHUNK_BYTES;
        } else if unread >= self.size {
            // No caller needs more than this.
            let enough = MAX_VALUE_BYTES + CHUNK_BYTES;
            self.size = (2 * unread).min(enough).max(unread + CHUNK_BYTES);
        }
        Ok(self.buffer.fill(&mut self.source, self.size)? > 0)
    }
}

/// Whether `text` is only the first bytes of a character.
fn ends_in_a_character(text: &[u8]) -> bool {
    std::str::from_utf8(text)
        .is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

const fn is_white_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

/// Length of the value at the start of `text`, which may be malformed inside;
/// `None` if its end is missing.
pub(crate) fn value_length(text: &[u8]) -> Option<usize> {
    value_end(text, false).ok()
}

/// Length of the value at the start of `text`, or what is missing. `is_whole`
/// means that nothing follows `text`.
fn value_end(text: &[u8], is_whole: bool) -> Result<usize, &'static str> {
    match text.first() {
        None => Err("a JSON value"),
        Some(b'"') => string_end(text).ok_or("the end of the string ('\"')"),
        Some(b'[' | b'{') => closing_bracket(text),
        Some(_) => {
            let end = text.iter().position(|byte| {
                is_white_space(*byte) || matches!(byte, b',' | b':' | b']' | b'}' | b'[' | b'{')
            });
            match end {
                // A stray delimiter is a value by itself, which the transcoder
                // rejects.
                Some(end) => Ok(end.max(1)),
                None if is_whole => Ok(text.len()),
                None => Err("a JSON value"),
            }
        }
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
