//! Reading a chain as the canonical texts of its blocks, on one thread.
//!
//! As in [verification](super::verify), most batches are
//! [guesses](ChainReader::guess); see [`texts`](super::texts).

use std::io::Read;

use super::file::{Batch, ChainReader, ReadError};
use super::json::{Kind, Position, View};
use super::texts::{Found, Parts, TextPlace, Texts};

/// Batches that are read with certainty where a guess failed, before the next
/// is tried.
const CERTAIN_BATCHES: u32 = 16;

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
    texts: Texts,
    blocks: Vec<Block>,
    /// Blocks of all batches up to this one.
    count: u64,
    /// Batches to read with certainty before the next guess.
    certain: u32,
}

#[derive(Debug)]
struct Block {
    text: TextPlace,
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
            texts: Texts::default(),
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
        self.texts.shrink();
        let is_there = self.advance_by_guess()? || self.advance_with_certainty()?;
        self.count += self.blocks.len() as u64;
        Ok(is_there)
    }

    /// The blocks that were read.
    pub(super) fn blocks(&self) -> impl Iterator<Item = CanonicalBlock<'_>> {
        self.blocks.iter().map(|block| CanonicalBlock {
            text: self.texts.get(&self.batch, &block.text),
            parts: block.parts.as_ref(),
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
        let blocks = &mut self.blocks;
        let advance = self.texts.read_guess(&self.batch, separator, |found| {
            blocks.push(Block::of(found)?);
            Some(())
        });
        match advance {
            Some(advance) => {
                self.reader.confirm(self.blocks.len() as u64, advance);
                Ok(true)
            }
            None => {
                self.reader.take_back(std::iter::once(&self.batch));
                self.blocks.clear();
                self.certain = CERTAIN_BATCHES;
                Ok(false)
            }
        }
    }

    fn advance_with_certainty(&mut self) -> Result<bool, BlockError> {
        self.certain = self.certain.saturating_sub(1);
        if !self.reader.fill(&mut self.batch)? {
            return Ok(false);
        }
        let blocks = &mut self.blocks;
        self.texts.read(&self.batch, |index, position, found| {
            let text = found.text;
            let block = Block::of(found).ok_or_else(|| BlockError::NotAnObject {
                position,
                index,
                found: View::of(text).excerpt(),
            })?;
            blocks.push(block);
            Ok::<_, BlockError>(())
        })?;
        Ok(true)
    }
}

impl Block {
    /// The block that was found; `None` if it is no object.
    fn of(found: Found<'_>) -> Option<Self> {
        let is_object = found.parts.is_some() || View::of(found.text).kind() == Kind::Object;
        is_object.then_some(Self {
            text: found.place,
            parts: found.parts,
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
