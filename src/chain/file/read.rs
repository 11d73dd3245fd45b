//! Reading a chain in any of its three shapes, a batch of blocks at a time:
//! `{"chain": [...], "length": N}`, a bare array of blocks, or JSON Lines.

use std::io::{self, Read};

use memchr::memmem;
use thiserror::Error;

use super::batch::{BATCH_BYTES, Batch, Separator};
use crate::chain::json::{
    Advance, JsonStream, MAX_VALUE_BYTES, Position, StreamError, SyntaxErrorKind, Transcoder,
};

/// How nearly every program starts the text of a block.
const BLOCK_START: &[u8] = b"{\"index\"";

/// Why a file cannot be read as a chain.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The source failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is not JSON, or ends too early.
    #[error("{position}: {kind}")]
    Syntax {
        /// Where.
        position: Position,
        /// What is wrong there.
        kind: SyntaxErrorKind,
    },
    /// One block is larger than [`MAX_VALUE_BYTES`].
    #[error("{position}: this block takes more than {} MiB", MAX_VALUE_BYTES >> 20)]
    TooLarge {
        /// Where it starts.
        position: Position,
    },
    /// The object has two members `"chain"`; which one is meant is not clear.
    #[error("{position}: a second \"chain\" in the same object")]
    SecondChain {
        /// Where its key stands.
        position: Position,
    },
}

impl From<StreamError> for ReadError {
    fn from(error: StreamError) -> Self {
        match error {
            StreamError::Read(error) => Self::Io(error),
            StreamError::Syntax { position, kind } => Self::Syntax { position, kind },
            StreamError::TooLarge { position } => Self::TooLarge { position },
        }
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

/// Reads the blocks of a chain file.
#[derive(Debug)]
pub(crate) struct ChainReader<R> {
    stream: JsonStream<R>,
    state: State,
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
        while batch.text.len() < enough {
            match self.next_block(batch) {
                Ok(true) => self.blocks += 1,
                Ok(false) => break,
                Err(error) if batch.entries.is_empty() => return Err(error),
                Err(error) => {
                    self.delayed = Some(error);
                    break;
                }
            }
        }
        Ok(!batch.entries.is_empty())
    }

    fn next_block(&mut self, batch: &mut Batch) -> Result<bool, ReadError> {
        match self.state {
            State::Ended => Ok(false),
            State::Start => match self.stream.peek()? {
                Some(b'[') => {
                    self.stream.bump();
                    self.state = State::List {
                        in_object: false,
                        next: Next::FirstBlock,
                    };
                    self.next_block(batch)
                }
                Some(b'{') => self.first_object(batch),
                _ => Err(self.stream.unexpected("a chain ('{' or '[')").into()),
            },
            State::Lines => {
                let is_block = self.stream.peek()?.is_some();
                if is_block {
                    self.push_value(batch)?;
                } else {
                    self.state = State::Ended;
                }
                Ok(is_block)
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
                    Ok(false)
                }
                (Some(b','), Next::Comma) => {
                    self.stream.bump();
                    self.state = State::List {
                        in_object,
                        next: Next::Block,
                    };
                    self.next_block(batch)
                }
                (Some(b']') | None, Next::Block) => Err(self.stream.unexpected("a block").into()),
                (Some(_), Next::FirstBlock | Next::Block) => {
                    self.state = State::List {
                        in_object,
                        next: Next::Comma,
                    };
                    self.push_value(batch)?;
                    Ok(true)
                }
                _ => Err(self.stream.unexpected("',' or ']'").into()),
            },
        }
    }

    /// Fills `batch` with text that is likely to hold whole blocks, without
    /// looking at what is in it: it starts with a block and ends where the
    /// last one in sight seems to start. `None` if no place looks like that,
    /// else what should stand between two blocks.
    ///
    /// The guess is right if the text turns out to be blocks, each with a
    /// separator behind it; then [`Self::confirm`] it. If not,
    /// [`Self::take_back`] it and all that were made after it. Until every
    /// guess is settled, nothing else may be read.
    ///
    /// This is what lets many threads look for the ends of blocks: quotes and
    /// brackets can only be paired from the start of the text.
    pub(crate) fn guess(&mut self, batch: &mut Batch) -> Result<Option<Separator>, ReadError> {
        let separator = match self.state {
            State::Lines => Separator::Nothing,
            State::List {
                next: Next::Block, ..
            } => Separator::Comma,
            State::List {
                in_object,
                next: Next::Comma,
            } if self.stream.peek()? == Some(b',') => {
                self.stream.bump();
                self.state = State::List {
                    in_object,
                    next: Next::Block,
                };
                Separator::Comma
            }
            _ => return Ok(None),
        };
        self.stream.peek()?;
        batch.clear(self.blocks + 1);
        self.stream.take_ahead(&mut batch.text, BATCH_BYTES);
        let end = memmem::rfind(&batch.text, BLOCK_START).unwrap_or(0);
        self.stream.put_back(&batch.text[end..]);
        batch.text.truncate(end);
        Ok((end > 0).then_some(separator))
    }

    /// Counts the oldest guess, which was right, as read: `blocks` blocks, and
    /// `advance` from the start of its text to the end.
    pub(crate) fn confirm(&mut self, blocks: u64, advance: Advance) {
        self.blocks += blocks;
        self.stream.count(advance);
    }

    /// Takes back all guesses that are not confirmed, oldest first.
    pub(crate) fn take_back<'a>(&mut self, batches: impl DoubleEndedIterator<Item = &'a Batch>) {
        for batch in batches.rev() {
            self.stream.put_back(&batch.text);
        }
    }

    fn push_value(&mut self, batch: &mut Batch) -> Result<(), ReadError> {
        let position = self.stream.position();
        batch.push(self.stream.value()?, position);
        Ok(())
    }

    /// Reads an object at the start of the file up to the list under its key
    /// `"chain"`. Without such a list, the object is the first block of JSON
    /// Lines, and is pushed with its white space left out.
    fn first_object(&mut self, batch: &mut Batch) -> Result<bool, ReadError> {
        let start = self.stream.position();
        self.stream.bump();
        let mut object = b"{".to_vec();
        while self.next_member(object.len() == 1)? {
            let key = self.canonical_key()?;
            let byte = self.stream.peek()?;
            if key == b"\"chain\"" && byte == Some(b'[') {
                self.stream.bump();
                self.state = State::List {
                    in_object: true,
                    next: Next::FirstBlock,
                };
                return self.next_block(batch);
            }
            let value = self.canonical_value()?;
            if object.len() + key.len() + value.len() > MAX_VALUE_BYTES {
                return Err(ReadError::TooLarge { position: start });
            }
            if object.len() > 1 {
                object.push(b',');
            }
            object.extend_from_slice(&key);
            object.push(b':');
            object.extend_from_slice(&value);
            if key == b"\"length\"" {
                self.stated_length = Some(value);
            }
        }
        object.push(b'}');
        self.stated_length = None;
        self.state = State::Lines;
        batch.push(&object, start);
        Ok(true)
    }

    /// Reads what follows the list under `"chain"`, to the closing brace.
    fn rest_of_object(&mut self) -> Result<(), ReadError> {
        while self.next_member(false)? {
            let position = self.stream.position();
            let key = self.canonical_key()?;
            if key == b"\"chain\"" {
                return Err(ReadError::SecondChain { position });
            }
            let value = self.canonical_value()?;
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

    fn canonical_key(&mut self) -> Result<Vec<u8>, ReadError> {
        let key = self.canonical_value()?;
        if self.stream.peek()? != Some(b':') {
            return Err(self.stream.unexpected("':'").into());
        }
        self.stream.bump();
        self.stream.peek()?;
        Ok(key)
    }

    fn canonical_value(&mut self) -> Result<Vec<u8>, ReadError> {
        let start = self.stream.position();
        let text = self.stream.value()?;
        let mut value = Vec::new();
        self.transcoder
            .transcode(text, &mut value)
            .map_err(|error| StreamError::inside(text, start, error))?;
        Ok(value)
    }
}

#[cfg(test)]
mod tests;
