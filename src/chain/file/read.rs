//! Reading a chain in any of its three shapes, a batch of blocks at a time:
//! `{"chain": [...], "length": N}`, a bare array of blocks, or JSON Lines.

use std::io::{self, Read};

use thiserror::Error;

use crate::chain::json::{
    JsonStream, MAX_VALUE_BYTES, Position, StreamError, SyntaxErrorKind, Transcoder,
};

/// A batch is closed once it holds this many bytes: enough that handing it to
/// another thread costs nothing, little enough that many fit in memory.
const BATCH_BYTES: usize = 128 << 10;

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

/// Consecutive blocks, each as the raw text that stands in the file.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// The place of the first block in the chain, counted from 1.
    pub(crate) first_index: u64,
    text: Vec<u8>,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    /// Where its text ends in the batch's.
    end: usize,
    /// Where it starts in the file.
    position: Position,
}

impl Batch {
    /// Each block's raw text and where it starts in the file.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = (&[u8], Position)> {
        let mut start = 0;
        self.entries.iter().map(move |entry| {
            let text = &self.text[start..entry.end];
            start = entry.end;
            (text, entry.position)
        })
    }

    /// Whether it holds a block that is far larger than blocks are.
    pub(crate) fn is_large(&self) -> bool {
        self.text.len() > 8 * BATCH_BYTES
    }

    fn clear(&mut self, first_index: u64) {
        self.first_index = first_index;
        self.text.clear();
        // One huge block must not keep its memory for the rest of the file.
        self.text.shrink_to(2 * BATCH_BYTES);
        self.entries.clear();
    }

    fn push(&mut self, text: &[u8], position: Position) {
        self.text.extend_from_slice(text);
        self.entries.push(Entry {
            end: self.text.len(),
            position,
        });
    }
}

/// The shape of a chain file, and how far in it the reader is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// Nothing was read yet.
    Start,
    /// Inside the list of a bare array, or of the member `"chain"`.
    List { in_object: bool, is_first: bool },
    /// JSON Lines.
    Lines,
    /// Everything was read.
    Ended,
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

    /// Fills `batch` with the next blocks; `false` if there are no more.
    pub(crate) fn fill(&mut self, batch: &mut Batch) -> Result<bool, ReadError> {
        if let Some(error) = self.delayed.take() {
            return Err(error);
        }
        batch.clear(self.blocks + 1);
        while batch.text.len() < BATCH_BYTES {
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
                        is_first: true,
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
            State::List {
                in_object,
                is_first,
            } => match (self.stream.peek()?, is_first) {
                (Some(b']'), _) => {
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
                (Some(_), true) => {
                    self.state = State::List {
                        in_object,
                        is_first: false,
                    };
                    self.push_value(batch)?;
                    Ok(true)
                }
                (Some(b','), false) => {
                    self.stream.bump();
                    match self.stream.peek()? {
                        Some(b']') | None => Err(self.stream.unexpected("a block").into()),
                        Some(_) => self.push_value(batch).map(|()| true),
                    }
                }
                _ => Err(self.stream.unexpected("',' or ']'").into()),
            },
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
                    is_first: true,
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
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<String>, Option<String>, Option<String>) {
        let mut reader = ChainReader::new(text.as_bytes());
        let mut batch = Batch::default();
        let mut blocks = Vec::new();
        let error = loop {
            match reader.fill(&mut batch) {
                Ok(true) => blocks.extend(
                    batch
                        .blocks()
                        .map(|(text, _)| String::from_utf8(text.to_vec()).unwrap()),
                ),
                Ok(false) => break None,
                Err(error) => break Some(error.to_string()),
            }
        };
        let length = reader
            .stated_length()
            .map(|text| String::from_utf8(text.to_vec()).unwrap());
        (blocks, length, error)
    }

    #[test]
    fn the_three_shapes_give_the_same_blocks() {
        let blocks = vec!["{\"a\":1}".to_owned(), "{\"b\": 2}".to_owned()];
        for (text, length) in [
            (
                "{\"chain\": [{\"a\":1}, {\"b\": 2}], \"length\": 2}",
                Some("2"),
            ),
            (
                "\n{ \"length\" : 2 , \"x\": [{}], \"chain\" :[ {\"a\":1}\n,{\"b\": 2} ] } \n",
                Some("2"),
            ),
            ("{\"cha\\u0069n\": [{\"a\":1},{\"b\": 2}]}", None),
            ("[{\"a\":1},{\"b\": 2}]", None),
            ("{\"a\":1}\n{\"b\": 2}\n", None),
            ("\u{feff}{ \"a\" : 1 }\r\n\r\n{\"b\": 2}", None),
        ] {
            assert_eq!(
                read(text),
                (blocks.clone(), length.map(str::to_owned), None),
                "{text}"
            );
        }
        for empty in ["[]", "{\"chain\":[ ]}"] {
            assert_eq!(read(empty), (vec![], None, None));
        }
    }

    #[test]
    fn what_is_not_a_chain_is_an_error_with_its_place() {
        for (text, expected) in [
            (
                "",
                "line 1 column 1: the text ends here, but a chain ('{' or '[') was expected",
            ),
            (
                " \n",
                "line 2 column 1: the text ends here, but a chain ('{' or '[') was expected",
            ),
            (
                "hello",
                "line 1 column 1: found 'h', but a chain ('{' or '[') was expected",
            ),
            (
                "42",
                "line 1 column 1: found '4', but a chain ('{' or '[') was expected",
            ),
            (
                "[{}",
                "line 1 column 4: the text ends here, but ',' or ']' was expected",
            ),
            (
                "[{}\n,",
                "line 2 column 2: the text ends here, but a block was expected",
            ),
            (
                "[{},]",
                "line 1 column 5: found ']', but a block was expected",
            ),
            (
                "[{} {}]",
                "line 1 column 5: found '{', but ',' or ']' was expected",
            ),
            (
                "[]]",
                "line 1 column 3: found ']', but the end of the file was expected",
            ),
            (
                "{\"chain\": [{}",
                "line 1 column 14: the text ends here, but ',' or ']' was expected",
            ),
            (
                "{\"chain\": [{}]",
                "line 1 column 15: the text ends here, but ',' or '}' was expected",
            ),
            (
                "{\"chain\": []} x",
                "line 1 column 15: found 'x', but the end of the file was expected",
            ),
            (
                "{\"chain\": [], \"chain\": []}",
                "line 1 column 15: a second \"chain\" in the same object",
            ),
            (
                "{\"a\": nul}",
                "line 1 column 7: found 'n', but a JSON value was expected",
            ),
            (
                "{\"a\" 1}",
                "line 1 column 6: found '1', but ':' was expected",
            ),
            (
                "{1: 1}",
                "line 1 column 2: found '1', but a string as key was expected",
            ),
            (
                "{",
                "line 1 column 2: the text ends here, but a string as key was expected",
            ),
            (
                "{,}",
                "line 1 column 2: found ',', but a string as key was expected",
            ),
            (
                "{\"a\":1,}",
                "line 1 column 8: found '}', but a string as key was expected",
            ),
        ] {
            let (_, _, error) = read(text);
            assert_eq!(error.as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn blocks_before_an_error_are_handed_out_first() {
        let (blocks, _, error) = read("[{},{},x");
        assert_eq!(blocks, ["{}", "{}", "x"]);
        assert!(error.is_some());
    }
}
