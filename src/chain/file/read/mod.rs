//! Reads a chain in any format, a batch of blocks at a time.

mod parts;

use std::io::Read;

use memchr::memmem;

use super::Format;
use super::block_batch::{BATCH_BYTES, Batch};
use super::error::{ChainPlace, ReadError};
use crate::chain::dialect;
use crate::chain::json::{
    Advance, JsonStream, Kind, MAX_VALUE_BYTES, StreamError, SyntaxError, SyntaxErrorKind,
    Transcoder, View,
};

/// How nearly every program starts the text of a block.
const BLOCK_START: &[u8] = b"{\"index\"";

/// The keys under which a node lists its blocks: in the answer of `/chain`, and
/// in that of `/nodes/resolve`.
pub(in crate::chain) const CHAIN_KEYS: [&[u8]; 2] = [b"chain", b"new_chain"];

/// Batches to read with certainty after a guess failed.
const CERTAIN_BATCHES: u32 = 16;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum NextToken {
    Start,
    /// In a list: the first block, or the end.
    FirstBlock,
    /// In a list: a comma, or the end.
    Comma,
    /// In a list: a block.
    Block,
    /// In JSON Lines: a block, or the end.
    Line,
    End,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    Block,
    /// The block is so large that it needs a batch for itself.
    Full,
    End,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Filled {
    Batch,
    /// Nothing can be read until all guesses are confirmed or taken back.
    AfterGuesses,
    End,
}

#[derive(Debug)]
pub(crate) struct ChainReader<R> {
    stream: JsonStream<R>,
    expected: NextToken,
    format: Option<Format>,
    /// Blocks that were read, without those of open guesses.
    blocks: u64,
    stated_length: Option<Vec<u8>>,
    transcoder: Transcoder,
    /// An error that comes after blocks that are still to be returned.
    delayed: Option<ReadError>,
    /// Batches to read with certainty before the next guess.
    certain: u32,
    /// Guesses that are neither confirmed nor taken back.
    open_guesses: usize,
    /// Keys that will be renamed to those of a block.
    renamed: Vec<Vec<u8>>,
}

impl<R: Read> ChainReader<R> {
    pub(crate) fn new(source: R) -> Self {
        Self {
            stream: JsonStream::new(source),
            expected: NextToken::Start,
            format: None,
            blocks: 0,
            stated_length: None,
            transcoder: Transcoder::default(),
            delayed: None,
            // The first batch is one block.
            certain: 1,
            open_guesses: 0,
            renamed: Vec::new(),
        }
    }

    /// Also takes an object with one of these keys for a block. They are
    /// escaped, and without quotes.
    pub(crate) fn with_renamed(mut self, keys: Vec<Vec<u8>>) -> Self {
        self.renamed = keys;
        self
    }

    /// The canonical text of the member `"length"`; complete once the last batch
    /// was read.
    pub(crate) fn stated_length(&self) -> Option<&[u8]> {
        self.stated_length.as_deref()
    }

    pub(crate) const fn format(&self) -> Option<Format> {
        self.format
    }

    pub(crate) const fn bytes_read(&self) -> u64 {
        self.stream.bytes_read()
    }

    pub(crate) const fn will_guess(&self) -> bool {
        self.certain == 0
    }

    /// Reads the next batch, as a [guess](Self::guess) where possible.
    pub(crate) fn next(&mut self, batch: &mut Batch) -> Result<Filled, ReadError> {
        self.next_by(batch, Self::guess)
    }

    fn next_by(
        &mut self,
        batch: &mut Batch,
        guess: impl FnOnce(&mut Self, &mut Batch) -> Option<()>,
    ) -> Result<Filled, ReadError> {
        if self.certain == 0 {
            if guess(self, batch).is_some() {
                self.open_guesses += 1;
                return Ok(Filled::Batch);
            }
            self.certain = CERTAIN_BATCHES;
        }
        if self.open_guesses > 0 {
            return Ok(Filled::AfterGuesses);
        }
        self.certain -= 1;
        let is_filled = self.fill(batch)?;
        Ok(if is_filled {
            Filled::Batch
        } else {
            Filled::End
        })
    }

    /// Fills `batch` with the next blocks; `false` if there are no more.
    pub(crate) fn fill(&mut self, batch: &mut Batch) -> Result<bool, ReadError> {
        if let Some(error) = self.delayed.take() {
            return Err(error);
        }
        batch.clear(self.blocks + 1);
        // The first block comes alone, so that guesses can start after it.
        let enough = if self.blocks == 0 { 1 } else { BATCH_BYTES };
        while batch.text().len() < enough {
            match self.next_block(batch) {
                Ok(Step::Block) => self.blocks += 1,
                Ok(Step::Full | Step::End) => break,
                Err(error) if batch.ends.is_empty() => return Err(error),
                Err(error) => {
                    self.delayed = Some(error);
                    break;
                }
            }
        }
        if batch.first_index == 1 && self.format != Some(Format::Json) {
            self.check_first(batch)?;
        }
        Ok(!batch.ends.is_empty())
    }

    /// Refuses an object that is not a block at the start of a file that does
    /// not call itself a chain.
    fn check_first(&mut self, batch: &Batch) -> Result<(), ReadError> {
        let Some((text, position)) = batch.blocks().next() else {
            return Ok(());
        };
        let mut object = Vec::new();
        // Malformed text is reported when the block is checked.
        let is_block = text.starts_with(BLOCK_START)
            || self.transcoder.transcode(text, &mut object).is_err()
            || View::of(&object).kind() != Kind::Object
            || dialect::is_block(View::of(&object), &self.renamed);
        self.transcoder.shrink();
        if is_block {
            return Ok(());
        }
        let shown = |key: &[u8]| String::from_utf8_lossy(key).into_owned();
        let members = || View::of(&object).members();
        let is_block = |value: View<'_>| dialect::is_block(value, &self.renamed);
        let mut lists =
            members().filter(|(_, value)| value.elements().next().is_some_and(is_block));
        Err(ReadError::NotAChain {
            position,
            keys: members().map(|(key, _)| shown(key)).collect(),
            list: lists.next().map(|(key, _)| shown(key)),
        })
    }

    fn next_block(&mut self, batch: &mut Batch) -> Result<Step, ReadError> {
        match (self.expected, self.stream.peek()?) {
            (NextToken::End, _) => Ok(Step::End),
            (NextToken::Start, first) => match (self.stream.foreign_format(), first) {
                // UTF-16 may start with a bracket, too.
                (Some(format), _) => Err(format.into()),
                (None, Some(b'[')) => {
                    self.format = Some(Format::Array);
                    self.go_on(NextToken::FirstBlock, batch)
                }
                (None, Some(b'{')) => self.first_object(batch),
                (None, _) => Err(self.stream.unexpected("a chain ('{' or '[')").into()),
            },
            (NextToken::Line, Some(_)) => self.push_value(batch),
            (NextToken::Line, None) => {
                self.expected = NextToken::End;
                Ok(Step::End)
            }
            (NextToken::FirstBlock | NextToken::Comma, Some(b']')) => {
                self.stream.bump();
                if self.format == Some(Format::Json) {
                    self.rest_of_object()?;
                }
                if self.stream.peek()?.is_some() {
                    return Err(self.stream.unexpected("the end of the file").into());
                }
                self.expected = NextToken::End;
                Ok(Step::End)
            }
            (NextToken::Comma, Some(b',')) => self.go_on(NextToken::Block, batch),
            (NextToken::Comma, _) | (NextToken::FirstBlock, None) => {
                Err(self.unexpected("',' or ']'"))
            }
            (NextToken::Block, Some(b']') | None) => Err(self.unexpected("a block")),
            (NextToken::FirstBlock | NextToken::Block, Some(_)) => {
                let step = self.push_value(batch)?;
                if step == Step::Block {
                    self.expected = NextToken::Comma;
                }
                Ok(step)
            }
        }
    }

    fn go_on(&mut self, expected: NextToken, batch: &mut Batch) -> Result<Step, ReadError> {
        self.stream.bump();
        self.expected = expected;
        self.next_block(batch)
    }

    /// The error for text after the last block that should be `expected`.
    fn unexpected(&mut self, expected: &'static str) -> ReadError {
        let error = self.stream.unexpected(expected);
        match self.blocks {
            0 => error.into(),
            blocks => ReadError::at(error, ChainPlace::After(blocks)),
        }
    }

    /// Fills `batch` with text that is likely to be whole blocks, without
    /// parsing it: it starts with a block and ends where the last block within
    /// reach seems to start. Returns `None` if nothing looks like a block's
    /// start, and at the end or an error of the source.
    ///
    /// The guess is right if the text turns out to be blocks, each with a
    /// separator after it; then the caller calls [`Self::confirm`]. If not, it
    /// calls [`Self::take_back`] with this guess and all later ones.
    ///
    /// Guesses let many threads look for the ends of blocks: to pair quotes and
    /// brackets, all text before them is needed.
    fn guess(&mut self, batch: &mut Batch) -> Option<()> {
        let separator = self.go_to_block()?;
        self.stream.peek_ahead()?;
        batch.clear(self.blocks + 1);
        self.stream.take_ahead(&mut batch.text, BATCH_BYTES);
        let end = memmem::rfind(batch.text(), BLOCK_START).unwrap_or(0);
        self.stream.put_back(&batch.text()[end..]);
        batch.text.truncate(end);
        batch.separator = Some(separator);
        (end > 0).then_some(())
    }

    /// Moves past the separator and returns it; `None` where no block can
    /// follow.
    fn go_to_block(&mut self) -> Option<&'static str> {
        match self.expected {
            NextToken::Line => Some(""),
            NextToken::Comma if self.stream.peek_ahead() == Some(b',') => {
                self.stream.bump();
                self.expected = NextToken::Block;
                Some(",")
            }
            NextToken::Block => Some(","),
            _ => None,
        }
    }

    /// Counts the oldest guess, which was right, as read: it has `blocks`
    /// blocks, and its text leads over `advance`.
    pub(crate) fn confirm(&mut self, blocks: u64, advance: Advance) {
        self.open_guesses -= 1;
        self.blocks += blocks;
        self.stream.count(advance);
    }

    pub(crate) fn take_back<'a>(&mut self, batches: impl Iterator<Item = &'a Batch>) {
        self.open_guesses = 0;
        self.certain = CERTAIN_BATCHES;
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

    /// Reads an object at the start of the file up to the list under a key of
    /// [`CHAIN_KEYS`]. An object without such a list is the first block of JSON
    /// Lines, and is added without its white space.
    fn first_object(&mut self, batch: &mut Batch) -> Result<Step, ReadError> {
        let start = self.stream.position();
        self.stream.bump();
        let mut object = b"{".to_vec();
        while self.stream.next_member(object.len() == 1)? {
            if object.len() > 1 {
                object.push(b',');
            }
            let key_start = object.len();
            self.canonical_key(&mut object)?;
            let byte = self.stream.peek()?;
            let is_length = match &object[key_start..] {
                key if is_chain_key(key) && byte == Some(b'[') => {
                    self.format = Some(Format::Json);
                    self.transcoder.shrink();
                    return self.go_on(NextToken::FirstBlock, batch);
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
        self.format = Some(Format::JsonLines);
        self.expected = NextToken::Line;
        batch.text.push(&object);
        batch.end_block(start);
        Ok(Step::Block)
    }

    fn rest_of_object(&mut self) -> Result<(), ReadError> {
        while self.stream.next_member(false)? {
            let position = self.stream.position();
            let mut key = Vec::new();
            self.canonical_key(&mut key)?;
            if is_chain_key(&key) {
                let key = View::of(&key).excerpt();
                return Err(ReadError::SecondChain { position, key });
            }
            let mut value = Vec::new();
            self.canonical_value(&mut value)?;
            if key == b"\"length\"" {
                self.stated_length = Some(value);
            }
        }
        Ok(())
    }

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
            // The value ends here, but not the file.
            Err(SyntaxError {
                kind: SyntaxErrorKind::UnexpectedEnd { expected },
                ..
            }) => Err(self.stream.unexpected(expected).into()),
            Err(error) => Err(StreamError::inside(text, start, error).into()),
        }
    }
}

/// `key` is JSON.
fn is_chain_key(key: &[u8]) -> bool {
    let key = View::of(key).string();
    key.is_some_and(|key| CHAIN_KEYS.contains(&key))
}

#[cfg(test)]
mod tests;
