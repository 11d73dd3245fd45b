//! Cutting a stream of JSON text into single values, in bounded memory.
//!
//! The stream finds where a value ends by its brackets and quotes alone; that
//! the value is well formed is for [`Transcoder`](super::Transcoder) to say.

use std::io::{self, Read, Seek};

use thiserror::Error;

use super::brackets::{Close, closing_bracket};
use super::error::{ForeignFormat, SyntaxError, SyntaxErrorKind};
use super::position::Advance;
use super::{MAX_VALUE_BYTES, Position};
use crate::chain::read_buffer::{ReadBuffer, Source};

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
    source: Source<R>,
    buffer: ReadBuffer,
    /// Unread bytes for which the buffer has room.
    size: usize,
    is_at_start: bool,
    /// An error that came while there was text before it.
    delayed: Option<io::Error>,
    /// The place of the next unread byte in the stream.
    position: Position,
    /// What the first bytes say that the stream is instead of text.
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

    /// The place of the next unread byte.
    pub(crate) const fn position(&self) -> Position {
        self.position
    }

    /// Bytes that were read from the source, ahead of the place or not.
    pub(crate) const fn bytes_read(&self) -> u64 {
        self.source.bytes_read()
    }

    /// What it reads from.
    pub(crate) const fn source(&self) -> &R {
        self.source.reader()
    }

    /// Where in the source the next unread byte is.
    pub(crate) fn offset(&self) -> u64 {
        self.bytes_read() - self.unread().len() as u64
    }

    /// Skips white space (and a byte order mark at the very start), then
    /// looks at the next byte; `None` is the end of the stream.
    pub(crate) fn peek(&mut self) -> Result<Option<u8>, StreamError> {
        if self.is_at_start {
            self.is_at_start = false;
            while self.unread().len() < BYTE_ORDER_MARK.len() && self.fill()? {}
            if self.unread().starts_with(BYTE_ORDER_MARK) {
                self.buffer.take(BYTE_ORDER_MARK.len());
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
                self.buffer.take(1);
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
        self.buffer.take(length);
    }

    /// Takes as many bytes, over which `advance` leads.
    pub(crate) const fn bump_by(&mut self, length: usize, advance: Advance) {
        self.position = self.position.advanced(advance);
        self.buffer.take(length);
    }

    /// What was read ahead of the place that [`Self::peek`] showed.
    pub(crate) fn unread(&self) -> &[u8] {
        self.buffer.unread()
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
        self.consume(length);
        Ok(self.buffer.taken(length))
    }

    /// As [`Self::value`], to the end of `out`. A long value is not copied but
    /// takes the buffer with it; it must come alone, so if `out` holds
    /// something, nothing is done and the answer is `false`.
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

    /// Length of the value at the place that [`Self::peek`] showed, or `None`
    /// if it takes more than [`MAX_VALUE_BYTES`].
    pub(crate) fn value_length(&mut self) -> Result<Option<usize>, StreamError> {
        loop {
            match value_end(self.unread(), self.source.is_at_end()) {
                End::At(length) if length <= MAX_VALUE_BYTES => return Ok(Some(length)),
                End::At(_) => return Ok(None),
                End::Beyond(_) if self.unread().len() > MAX_VALUE_BYTES => return Ok(None),
                End::Beyond(expected) if self.source.is_at_end() => {
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
            seen = self.unread().len();
            if seen > MAX_VALUE_BYTES || !self.fill()? {
                return Ok(false);
            }
        }
    }

    /// Replaces `out` by what is unread, and more until it holds `length` bytes
    /// or the stream ends. The place in the stream stays: to [`Self::count`]
    /// the bytes, or to [`Self::put_back`] what is not wanted, is for the
    /// caller.
    pub(crate) fn take_ahead(&mut self, out: &mut ReadBuffer, length: usize) {
        out.clear(length);
        let count = self.unread().len().min(length);
        self.buffer.take(count);
        out.push(self.buffer.taken(count));
        while out.unread().len() < length && !self.source.is_at_end() && self.delayed.is_none() {
            self.delayed = out.fill(&mut self.source, length).err();
        }
    }

    /// Puts `text` before what is unread.
    pub(crate) fn put_back(&mut self, text: &[u8]) {
        self.buffer.put_back(text);
    }

    /// Goes on with the byte at `offset` of the source. The place in the stream
    /// stays, as in [`Self::take_ahead`].
    pub(crate) fn go_to(&mut self, offset: u64) -> io::Result<()>
    where
        R: Seek,
    {
        self.source.go_to(offset)?;
        self.buffer.clear(self.size);
        // Who comes there again, meets it again.
        self.delayed = None;
        Ok(())
    }

    /// Counts bytes that were taken ahead as read.
    pub(crate) const fn count(&mut self, advance: Advance) {
        self.position = self.position.advanced(advance);
    }

    /// The rest of the stream as plain bytes: those that were read, and where
    /// more are.
    pub(crate) fn into_bytes(self) -> (ReadBuffer, Source<R>) {
        (self.buffer, self.source)
    }

    fn consume(&mut self, length: usize) {
        self.position = self.position.after(&self.unread()[..length]);
        self.buffer.take(length);
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
        let unread = self.unread().len();
        if self.size > 8 * CHUNK_BYTES && unread < CHUNK_BYTES {
            // One huge value must not keep its memory.
            self.size = CHUNK_BYTES;
        } else if unread >= self.size {
            // Nobody reads on behind so much.
            let enough = MAX_VALUE_BYTES + CHUNK_BYTES;
            self.size = (2 * unread).min(enough).max(unread + CHUNK_BYTES);
        }
        Ok(self.buffer.fill(&mut self.source, self.size)? > 0)
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
