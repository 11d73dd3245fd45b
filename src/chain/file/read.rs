//! Reading a chain in any of its three shapes, a batch of blocks at a time:
//! `{"chain": [...], "length": N}`, a bare array of blocks, or JSON Lines.

mod parts;

use std::fmt;
use std::io::Read;

use memchr::memmem;

use super::batch::{BATCH_BYTES, Batch, Separator};
use super::error::{ChainPlace, ReadError};
use crate::chain::json::{
    Advance, JsonStream, MAX_VALUE_BYTES, StreamError, SyntaxError, SyntaxErrorKind, Transcoder,
};

/// How nearly every program starts the text of a block.
const BLOCK_START: &[u8] = b"{\"index\"";

/// The shapes in which chains are exported.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// `{"chain": [...], "length": N}`, as a node's `/chain` answers.
    Object,
    /// A bare array of blocks.
    Array,
    /// One block after another.
    Lines,
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Object => "an object with a chain",
            Self::Array => "an array of blocks",
            Self::Lines => "JSON Lines",
        })
    }
}

/// The shape of a chain file, and how far in it the reader is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// Nothing was read yet.
    Start,
    /// Inside the list of a bare array, or of the member `"chain"`.
    List { in_object: bool, next: Next },
    /// JSON Lines.
    Lines,
    /// Everything was read.
    Ended,
}

/// What may come next in a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Next {
    /// The first block, or the end.
    FirstBlock,
    /// A comma, or the end.
    Comma,
    /// A block.
    Block,
}

/// What came of reading one block more into a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    /// It is there.
    Block,
    /// The next one is so large that it needs a batch of its own.
    Full,
    /// There are no more.
    End,
}

/// Reads the blocks of a chain file.
#[derive(Debug)]
pub(crate) struct ChainReader<R> {
    stream: JsonStream<R>,
    state: State,
    shape: Option<Shape>,
    blocks: u64,
    stated_length: Option<Vec<u8>>,
    transcoder: Transcoder,
    /// An error that came after blocks that were still to be handed out.
    delayed: Option<ReadError>,
}

impl<R: Read> ChainReader<R> {
    pub(crate) fn new(source: R) -> Self {
        Self {
            stream: JsonStream::new(source),
            state: State::Start,
            shape: None,
            blocks: 0,
            stated_length: None,
            transcoder: Transcoder::default(),
            delayed: None,
        }
    }

    /// The canonical text of the member `"length"`, known once the last batch
    /// was read.
    pub(crate) fn stated_length(&self) -> Option<&[u8]> {
        self.stated_length.as_deref()
    }

    /// The file's shape, once a block or the end was reached.
    pub(crate) const fn shape(&self) -> Option<Shape> {
        self.shape
    }

    /// Bytes that were read from the source so far.
    pub(crate) const fn bytes_read(&self) -> u64 {
        self.stream.bytes_read()
    }

    /// Fills `batch` with the next blocks; `false` if there are no more.
    pub(crate) fn fill(&mut self, batch: &mut Batch) -> Result<bool, ReadError> {
        if let Some(error) = self.delayed.take() {
            return Err(error);
        }
        batch.clear(self.blocks + 1);
        // The first block comes alone: from there on, there can be guesses.
        let enough = if self.blocks == 0 { 1 } else { BATCH_BYTES };
        while batch.text().len() < enough {
            match self.next_block(batch) {
                Ok(Step::Block) => self.blocks += 1,
                Ok(Step::Full | Step::End) => break,
                Err(error) if batch.entries.is_empty() => return Err(error),
                Err(error) => {
                    self.delayed = Some(error);
                    break;
                }
            }
        }
        Ok(!batch.entries.is_empty())
    }

    fn next_block(&mut self, batch: &mut Batch) -> Result<Step, ReadError> {
        match self.state {
            State::Ended => Ok(Step::End),
            State::Start => match self.stream.peek()? {
                Some(b'[') => {
                    self.stream.bump();
                    self.shape = Some(Shape::Array);
                    self.state = State::List {
                        in_object: false,
                        next: Next::FirstBlock,
                    };
                    self.next_block(batch)
                }
                Some(b'{') => self.first_object(batch),
                _ => Err(match self.stream.foreign_format() {
                    Some(format) => format.into(),
                    None => self.stream.unexpected("a chain ('{' or '[')").into(),
                }),
            },
            State::Lines => {
                if self.stream.peek()?.is_some() {
                    return self.push_value(batch);
                }
                self.state = State::Ended;
                Ok(Step::End)
            }
            State::List { in_object, next } => match (self.stream.peek()?, next) {
                (Some(b']'), Next::FirstBlock | Next::Comma) => {
                    self.stream.bump();
                    if in_object {
                        self.rest_of_object()?;
                    }
                    if self.stream.peek()?.is_some() {
                        return Err(self.stream.unexpected("the end of the file").into());
                    }
                    self.state = State::Ended;
                    Ok(Step::End)
                }
                (Some(b','), Next::Comma) => {
                    self.stream.bump();
                    self.state = State::List {
                        in_object,
                        next: Next::Block,
                    };
                    self.next_block(batch)
                }
                (Some(b']') | None, Next::Block) => Err(self.no_block("a block")),
                (Some(_), Next::FirstBlock | Next::Block) => {
                    let step = self.push_value(batch)?;
                    if step == Step::Block {
                        self.state = State::List {
                            in_object,
                            next: Next::Comma,
                        };
                    }
                    Ok(step)
                }
                _ => Err(self.no_block("',' or ']'")),
            },
        }
    }

    /// The error for what stands behind the last block, when `expected` should
    /// have come.
    fn no_block(&mut self, expected: &'static str) -> ReadError {
        let error = self.stream.unexpected(expected);
        match self.blocks {
            0 => error.into(),
            blocks => ReadError::at(error, ChainPlace::After(blocks)),
        }
    }

    /// Fills `batch` with text that is likely to hold whole blocks, without
    /// looking at what is in it: it starts with a block and ends where the
    /// last one in sight seems to start. `None` if no place looks like that,
    /// or at the end or an error of the source; else what should stand between
    /// two blocks.
    ///
    /// The guess is right if the text turns out to be blocks, each with a
    /// separator behind it; then [`Self::confirm`] it. If not,
    /// [`Self::take_back`] it and all that were made after it. Until every
    /// guess is settled, nothing else may be read.
    ///
    /// This is what lets many threads look for the ends of blocks: quotes and
    /// brackets can only be paired from the start of the text.
    pub(crate) fn guess(&mut self, batch: &mut Batch) -> Option<Separator> {
        let separator = self.go_to_block()?;
        self.stream.peek_ahead()?;
        batch.clear(self.blocks + 1);
        self.stream.take_ahead(&mut batch.text, BATCH_BYTES);
        let end = memmem::rfind(batch.text(), BLOCK_START).unwrap_or(0);
        self.stream.put_back(&batch.text()[end..]);
        batch.text.truncate(end);
        (end > 0).then_some(separator)
    }

    /// Moves behind the separator, and tells it; `None` where no block can
    /// come.
    fn go_to_block(&mut self) -> Option<Separator> {
        match self.state {
            State::Lines => Some(Separator::Nothing),
            State::List {
                next: Next::Block, ..
            } => Some(Separator::Comma),
            State::List {
                in_object,
                next: Next::Comma,
            } if self.stream.peek_ahead() == Some(b',') => {
                self.stream.bump();
                self.state = State::List {
                    in_object,
                    next: Next::Block,
                };
                Some(Separator::Comma)
            }
            _ => None,
        }
    }

    /// Counts the oldest guess, which was right, as read: `blocks` blocks, and
    /// `advance` from the start of its text to the end.
    pub(crate) fn confirm(&mut self, blocks: u64, advance: Advance) {
        self.blocks += blocks;
        self.stream.count(advance);
    }

    /// Takes back all guesses that are not confirmed, oldest first.
    pub(crate) fn take_back<'a>(&mut self, batches: impl Iterator<Item = &'a Batch>) {
        let texts: Vec<_> = batches.map(Batch::text).collect();
        self.stream.put_back(&texts.concat());
    }

    fn push_value(&mut self, batch: &mut Batch) -> Result<Step, ReadError> {
        let position = self.stream.position();
        let is_taken = self
            .stream
            .take_value(&mut batch.text)
            .map_err(|error| ReadError::at(error, ChainPlace::In(self.blocks + 1)))?;
        if !is_taken {
            return Ok(Step::Full);
        }
        batch.end_block(position);
        Ok(Step::Block)
    }

    /// Reads an object at the start of the file up to the list under its key
    /// `"chain"`. Without such a list, the object is the first block of JSON
    /// Lines, and is pushed with its white space left out.
    fn first_object(&mut self, batch: &mut Batch) -> Result<Step, ReadError> {
        let start = self.stream.position();
        self.stream.bump();
        let mut object = b"{".to_vec();
        while self.next_member(object.len() == 1)? {
            if object.len() > 1 {
                object.push(b',');
            }
            let key_start = object.len();
            self.canonical_key(&mut object)?;
            let byte = self.stream.peek()?;
            let is_length = match &object[key_start..] {
                b"\"chain\"" if byte == Some(b'[') => {
                    self.stream.bump();
                    self.shape = Some(Shape::Object);
                    self.state = State::List {
                        in_object: true,
                        next: Next::FirstBlock,
                    };
                    self.transcoder.shrink();
                    return self.next_block(batch);
                }
                key => key == b"\"length\"",
            };
            object.push(b':');
            let value_start = object.len();
            self.canonical_value(&mut object)?;
            if object.len() > MAX_VALUE_BYTES {
                return Err(ReadError::TooLarge {
                    position: start,
                    place: None,
                });
            }
            if is_length {
                self.stated_length = Some(object[value_start..].to_vec());
            }
        }
        object.push(b'}');
        self.transcoder.shrink();
        self.stated_length = None;
        self.shape = Some(Shape::Lines);
        self.state = State::Lines;
        batch.text.push(&object);
        batch.end_block(start);
        Ok(Step::Block)
    }

    /// Reads what follows the list under `"chain"`, to the closing brace.
    fn rest_of_object(&mut self) -> Result<(), ReadError> {
        while self.next_member(false)? {
            let position = self.stream.position();
            let mut key = Vec::new();
            self.canonical_key(&mut key)?;
            if key == b"\"chain\"" {
                return Err(ReadError::SecondChain { position });
            }
            let mut value = Vec::new();
            self.canonical_value(&mut value)?;
            if key == b"\"length\"" {
                self.stated_length = Some(value);
            }
        }
        Ok(())
    }

    /// Moves to the key of the next member, or past the closing brace.
    fn next_member(&mut self, is_first: bool) -> Result<bool, ReadError> {
        match self.stream.peek()? {
            Some(b'}') => {
                self.stream.bump();
                return Ok(false);
            }
            Some(b',') if !is_first => {
                self.stream.bump();
                self.stream.peek()?;
            }
            _ if is_first => {}
            _ => return Err(self.stream.unexpected("',' or '}'").into()),
        }
        if self.stream.peek()? == Some(b'"') {
            Ok(true)
        } else {
            Err(self.stream.unexpected("a string as key").into())
        }
    }

    /// Reads a key to the end of `out`, and moves to its value.
    fn canonical_key(&mut self, out: &mut Vec<u8>) -> Result<(), ReadError> {
        self.canonical_value(out)?;
        if self.stream.peek()? != Some(b':') {
            return Err(self.stream.unexpected("':'").into());
        }
        self.stream.bump();
        self.stream.peek()?;
        Ok(())
    }

    fn canonical_value(&mut self, out: &mut Vec<u8>) -> Result<(), ReadError> {
        let start = self.stream.position();
        let text = self.stream.value()?;
        match self.transcoder.transcode(text, out) {
            Ok(()) => Ok(()),
            // Where the value ends, the file goes on.
            Err(SyntaxError {
                kind: SyntaxErrorKind::UnexpectedEnd { expected },
                ..
            }) => Err(self.stream.unexpected(expected).into()),
            Err(error) => Err(StreamError::inside(text, start, error).into()),
        }
    }
}

#[cfg(test)]
mod tests;
