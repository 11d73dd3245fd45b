//! Reading a chain as the canonical texts of its blocks, on one thread.
//!
//! As in [verification](super::verify), most text is a
//! [guess](ChainReader::guess) that one look proves right: a block in a known
//! spelling says where it ends, so nobody has to look for that first. What
//! looks different, and whatever is wrong, is read again with certainty, and
//! errors come from there alone.

use std::io::Read;
use std::ops::Range;

use super::file::{Batch, ChainPlace, ChainReader, ReadError, Separator};
use super::json::{Advance, Kind, Position, StreamError, Transcoder, View, value_length};
use super::verify::known::{Parts, recognize};

/// Batches that are read with certainty where a guess failed, before the next
/// is tried.
const CERTAIN_BATCHES: u32 = 16;

/// What is kept of the memory that one huge block took.
const KEPT_BYTES: usize = 1 << 20;

/// Why the blocks of a chain cannot be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum BlockError {
    /// The file cannot be read as a chain.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// One of its blocks is no object.
    #[error("{position}: block {index} is {found}, expected an object")]
    NotAnObject {
        position: Position,
        index: u64,
        found: String,
    },
}

/// Reads the blocks of a chain.
#[derive(Debug)]
pub(super) struct CanonicalReader<R> {
    reader: ChainReader<R>,
    batch: Batch,
    transcoder: Transcoder,
    /// The canonical texts of the blocks that are not canonical as they lie.
    texts: Vec<u8>,
    blocks: Vec<Block>,
    /// Blocks of all batches up to this one.
    count: u64,
    /// Batches to read with certainty before the next guess.
    certain: u32,
}

/// A block, and where its text is.
#[derive(Debug)]
struct Block {
    /// In the batch, or in [`CanonicalReader::texts`].
    is_raw: bool,
    range: Range<usize>,
    parts: Option<Parts>,
}

/// A block that was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct CanonicalBlock<'a> {
    /// Its canonical text, an object.
    pub(super) text: &'a [u8],
    /// Where its parts stand there, if its spelling is known.
    pub(super) parts: Option<&'a Parts>,
}

impl<R: Read> CanonicalReader<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            reader: ChainReader::new(source),
            batch: Batch::default(),
            transcoder: Transcoder::default(),
            texts: Vec::new(),
            blocks: Vec::new(),
            count: 0,
            // The first is a single block.
            certain: 1,
        }
    }

    /// Reads the next blocks, each of which is an object; `false` if there are
    /// no more.
    pub(super) fn advance(&mut self) -> Result<bool, BlockError> {
        self.blocks.clear();
        self.texts.clear();
        if self.texts.capacity() > KEPT_BYTES {
            self.texts.shrink_to(KEPT_BYTES);
            self.transcoder.shrink();
        }
        let is_there = self.advance_by_guess()? || self.advance_with_certainty()?;
        self.count += self.blocks.len() as u64;
        Ok(is_there)
    }

    /// The blocks that were read.
    pub(super) fn blocks(&self) -> impl Iterator<Item = CanonicalBlock<'_>> {
        self.blocks.iter().map(|block| {
            let source = if block.is_raw {
                self.batch.text()
            } else {
                &self.texts
            };
            CanonicalBlock {
                text: &source[block.range.clone()],
                parts: block.parts.as_ref(),
            }
        })
    }

    /// How many blocks were read, with those of the batches before.
    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    /// Bytes that were read from the source so far.
    pub(super) const fn bytes_read(&self) -> u64 {
        self.reader.bytes_read()
    }

    /// The file's `"length"`, shortened if it is long, unless it is the number
    /// of blocks. Known at the end.
    pub(super) fn wrong_length(&self) -> Option<String> {
        let stated = self.reader.stated_length()?;
        (stated != self.count.to_string().as_bytes()).then(|| View::of(stated).excerpt())
    }

    fn advance_by_guess(&mut self) -> Result<bool, BlockError> {
        if self.certain > 0 {
            return Ok(false);
        }
        let Some(separator) = self.reader.guess(&mut self.batch) else {
            self.certain = CERTAIN_BATCHES;
            return Ok(false);
        };
        match self.check_guess(separator) {
            Some(advance) => {
                self.reader.confirm(self.blocks.len() as u64, advance);
                Ok(true)
            }
            None => {
                self.reader.take_back(std::iter::once(&self.batch));
                self.blocks.clear();
                self.texts.clear();
                self.certain = CERTAIN_BATCHES;
                Ok(false)
            }
        }
    }

    /// Goes over the text of a guess; `None` if it is wrong.
    fn check_guess(&mut self, separator: Separator) -> Option<Advance> {
        let text = self.batch.text();
        let mut start = 0;
        let mut advance = Advance::default();
        while start < text.len() {
            let rest = &text[start..];
            let length = match Block::recognize(rest, start, &mut self.texts) {
                Some((block, length)) => {
                    self.blocks.push(block);
                    // It is plain ASCII.
                    advance.over_characters(length);
                    length
                }
                None => {
                    let length = value_length(rest)?;
                    let raw = &rest[..length];
                    advance.over_text(raw);
                    let written = self.texts.len();
                    self.transcoder.transcode(raw, &mut self.texts).ok()?;
                    self.blocks.push(Block::written(&self.texts, written)?);
                    length
                }
            };
            start += length;
            let length = separator.length(&text[start..])?;
            advance.over_text(&text[start..start + length]);
            start += length;
        }
        Some(advance)
    }

    fn advance_with_certainty(&mut self) -> Result<bool, BlockError> {
        self.certain = self.certain.saturating_sub(1);
        if !self.reader.fill(&mut self.batch)? {
            return Ok(false);
        }
        let mut start = 0;
        for (index, (raw, position)) in (self.batch.first_index..).zip(self.batch.blocks()) {
            let block = match Block::recognize(raw, start, &mut self.texts) {
                Some((block, length)) if length == raw.len() => block,
                _ => {
                    let written = self.texts.len();
                    self.transcoder
                        .transcode(raw, &mut self.texts)
                        .map_err(|error| {
                            let error = StreamError::inside(raw, position, error);
                            ReadError::at(error, ChainPlace::In(index))
                        })?;
                    Block::written(&self.texts, written).ok_or_else(|| BlockError::NotAnObject {
                        position,
                        index,
                        found: View::of(&self.texts[written..]).excerpt(),
                    })?
                }
            };
            self.blocks.push(block);
            start += raw.len();
        }
        Ok(true)
    }
}

impl Block {
    /// The block at the start of `text`, which is at `start` in the batch, if
    /// its spelling is known, and the bytes it takes there.
    fn recognize(text: &[u8], start: usize, texts: &mut Vec<u8>) -> Option<(Self, usize)> {
        let written = texts.len();
        let Some(known) = recognize(text, None, texts) else {
            texts.truncate(written);
            return None;
        };
        let (is_raw, length) = (known.is_raw, known.length);
        let parts = Some(known.parts);
        let range = if is_raw {
            start..start + length
        } else {
            written..texts.len()
        };
        Some((
            Self {
                is_raw,
                range,
                parts,
            },
            length,
        ))
    }

    /// The block whose canonical text is the end of `texts`, from `start` on;
    /// `None` if it is no object.
    fn written(texts: &[u8], start: usize) -> Option<Self> {
        let is_object = View::of(&texts[start..]).kind() == Kind::Object;
        is_object.then_some(Self {
            is_raw: false,
            range: start..texts.len(),
            parts: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::json::canonical;

    fn read(text: &[u8]) -> Result<Vec<String>, String> {
        let mut reader = CanonicalReader::new(text);
        let mut blocks = Vec::new();
        while reader.advance().map_err(|error| error.to_string())? {
            blocks.extend(
                reader
                    .blocks()
                    .map(|block| String::from_utf8(block.text.to_vec()).unwrap()),
            );
            assert_eq!(reader.count(), blocks.len() as u64);
        }
        Ok(blocks)
    }

    /// Blocks of many spellings, enough for several batches.
    fn spellings() -> Vec<String> {
        let known = r#"{"index":7,"previous_hash":"ab","proof":1,"timestamp":1.5,"transactions":[{"amount":1,"recipient":"r","sender":"s"}]}"#;
        let block = canonical(known.as_bytes()).unwrap();
        (0..9_000)
            .map(|number| match number % 97 {
                // A wrong guess: this looks like the start of a block.
                13 => format!(r#"{{"note": {block}, "é": [{{"index": 1}}, {{"index": 2}}]}}"#),
                47 if number > 4_000 => format!("{{\n\"proof\":\t{number}.50}}"),
                _ if number < 3_000 => block.clone(),
                _ => known.to_owned(),
            })
            .collect()
    }

    #[test]
    fn blocks_are_canonical_in_any_shape_and_spelling() {
        let raw = spellings();
        let expected: Vec<_> = raw
            .iter()
            .map(|text| canonical(text.as_bytes()).unwrap())
            .collect();
        for (before, between, after) in [
            ("[", ",", "]"),
            ("{\"length\": 3, \"chain\": [", " ,\n", "]}"),
            ("", "\n", "\n"),
        ] {
            let text = format!("{before}{}{after}", raw.join(between));
            assert!(read(text.as_bytes()).unwrap() == expected, "{between:?}");
        }
    }

    #[test]
    fn the_place_of_an_error_is_told_behind_any_number_of_guesses() {
        let mut raw = spellings();
        let good = raw.join("\n").chars().count() as u64;
        let lines = raw.join("\n").lines().count();
        raw.push("[1]".into());
        assert!(good > 1 << 20);
        let error = read(raw.join("\n").as_bytes()).unwrap_err();
        let expected = format!(
            "line {} column 1: block 9001 is [1], expected an object",
            lines + 1
        );
        assert_eq!(error, expected);
        raw.pop();
        raw.push("{\"index\": 1, \"proof\": 01}".into());
        let error = read(raw.join("\n").as_bytes()).unwrap_err();
        let expected = format!(
            "line {} column 24: found '1', but ',' or '}}' was expected (in block 9001)",
            lines + 1
        );
        assert_eq!(error, expected);
    }
}
