//! Reads a chain as the canonical texts of its blocks, on one thread.

use std::io::Read;

use super::{BlockFields, CanonicalBlock, CanonicalTexts, TextPlace};
use crate::chain::file::{Batch, ChainReader, Filled, ReadError};
use crate::chain::json::{Kind, View};
use crate::chain::transaction::Strictness;

#[derive(Debug)]
pub(in crate::chain) struct CanonicalReader<R> {
    reader: ChainReader<R>,
    batch: Batch,
    texts: CanonicalTexts,
    blocks: Vec<(TextPlace, Option<BlockFields>)>,
    /// Blocks of all batches up to this one.
    count: u64,
}

impl<R: Read> CanonicalReader<R> {
    pub(in crate::chain) fn new(source: R) -> Self {
        Self::with_renamed(source, Vec::new())
    }

    /// See [`ChainReader::with_renamed`].
    pub(in crate::chain) fn with_renamed(source: R, keys: Vec<Vec<u8>>) -> Self {
        Self {
            reader: ChainReader::new(source).with_renamed(keys),
            batch: Batch::default(),
            texts: CanonicalTexts::default(),
            blocks: Vec::new(),
            count: 0,
        }
    }

    /// Reads the next blocks; `false` if there are no more.
    pub(in crate::chain) fn advance(&mut self) -> Result<bool, ReadError> {
        loop {
            self.blocks.clear();
            self.texts.shrink();
            if self.reader.next(&mut self.batch)? != Filled::Batch {
                return Ok(false);
            }
            if self.read_batch()? {
                self.count += self.blocks.len() as u64;
                return Ok(true);
            }
            self.reader.take_back(std::iter::once(&self.batch));
        }
    }

    /// Reads the blocks of the batch; `false` if it is a wrong guess.
    fn read_batch(&mut self) -> Result<bool, ReadError> {
        let blocks = &mut self.blocks;
        if self.batch.is_guess() {
            let advance = self
                .texts
                .read_guess(&self.batch, Strictness::Presence, |block| {
                    is_object(&block).then(|| blocks.push((block.place, block.fields)))
                });
            if let Some(advance) = advance {
                self.reader.confirm(self.blocks.len() as u64, advance);
            }
            return Ok(advance.is_some());
        }
        self.texts.read(
            &self.batch,
            Strictness::Presence,
            |index, position, block| {
                if !is_object(&block) {
                    let found = View::of(block.text).excerpt();
                    return Err(ReadError::NotAnObject {
                        position,
                        index,
                        found,
                    });
                }
                blocks.push((block.place, block.fields));
                Ok(())
            },
        )?;
        Ok(true)
    }

    /// The canonical texts of the blocks that were read, each an object, and
    /// the fields of those that the fast path took.
    pub(in crate::chain) fn blocks(&self) -> impl Iterator<Item = (&[u8], Option<&BlockFields>)> {
        let text = |place| self.texts.get(&self.batch, place);
        (self.blocks.iter()).map(move |(place, fields)| (text(place), fields.as_ref()))
    }

    pub(in crate::chain) const fn count(&self) -> u64 {
        self.count
    }

    pub(in crate::chain) const fn bytes_read(&self) -> u64 {
        self.reader.bytes_read()
    }

    /// The file's `"length"`, shortened if it is long, if it is not the number
    /// of blocks. Complete at the end.
    pub(in crate::chain) fn wrong_length(&self) -> Option<String> {
        let stated = self.reader.stated_length()?;
        (stated != self.count.to_string().as_bytes()).then(|| View::of(stated).excerpt())
    }
}

fn is_object(block: &CanonicalBlock<'_>) -> bool {
    block.fields.is_some() || View::of(block.text).kind() == Kind::Object
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::json::canonical;

    fn read(text: &[u8]) -> Result<Vec<String>, String> {
        let mut reader = CanonicalReader::new(text);
        let mut blocks = Vec::new();
        while reader.advance().map_err(|error| error.to_string())? {
            let texts = reader.blocks().map(|(text, _)| text.to_vec());
            blocks.extend(texts.map(|text| String::from_utf8(text).unwrap()));
            assert_eq!(reader.count(), blocks.len() as u64);
        }
        Ok(blocks)
    }

    /// Blocks in different forms, enough for several batches.
    fn raw_blocks() -> Vec<String> {
        let compact = r#"{"index":7,"previous_hash":"ab","proof":1,"timestamp":1.5,"transactions":[{"amount":1,"recipient":"r","sender":"s"}]}"#;
        let block = canonical(compact.as_bytes()).unwrap();
        (0..9_000)
            .map(|number| match number % 97 {
                // Leads to a wrong guess: this looks like the start of a block.
                13 => format!(r#"{{"note": {block}, "é": [{{"index": 1}}, {{"index": 2}}]}}"#),
                47 if number > 4_000 => format!("{{\n\"proof\":\t{number}.50}}"),
                _ if number < 3_000 => block.clone(),
                _ => compact.to_owned(),
            })
            .collect()
    }

    #[test]
    fn blocks_are_canonical_from_any_format_and_form() {
        let raw = raw_blocks();
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
    fn an_error_has_its_place_after_any_number_of_guesses() {
        let mut raw = raw_blocks();
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
