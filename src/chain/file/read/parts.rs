//! Guesses in a file: only their ends are read here, and each thread reads its
//! own guess.

use std::ops::Range;

use memchr::memmem;

use super::{BATCH_BYTES, BLOCK_START, Batch, ChainReader, Filled, ReadError};
use crate::chain::file::{Input, PositionalFile};

/// Bytes in which the end of a guess is first searched: the text of some blocks.
const TAIL_BYTES: u64 = 4 << 10;

impl<'a> ChainReader<Input<'a>> {
    /// Like [`Self::next`], but leaves reading the text of a guess from a file
    /// to [`Batch::read`]. Threads then wait for each other only while one of
    /// them searches for the end of its guess.
    pub(crate) fn next_part(&mut self, batch: &mut Batch) -> Result<Filled, ReadError> {
        self.next_by(batch, Self::guess_part)
    }

    fn guess_part(&mut self, batch: &mut Batch) -> Option<()> {
        let Some(file) = self.stream.source().file() else {
            return self.guess(batch);
        };
        let separator = self.go_to_block()?;
        // A guess ends where a block seems to start, so no white space follows.
        if !self.stream.unread().is_empty() {
            self.stream.peek_ahead()?;
        }
        let start = self.stream.offset();
        let reach = start..file.size().min(start + BATCH_BYTES as u64);
        let end = last_block(file, reach)?;
        self.stream.seek(end).seek(end);
        batch.clear(self.blocks + 1);
        batch.part = Some(start..end);
        batch.separator = Some(separator);
        Some(())
    }

    /// Like [`Self::take_back`], for [`Self::next_part`].
    pub(crate) fn take_back_parts<'b>(&mut self, batches: impl Iterator<Item = &'b Batch>) {
        let mut batches = batches.peekable();
        if let Some(part) = batches.peek().and_then(|first| first.part.clone()) {
            self.stream.seek(part.start).seek(part.start);
            self.take_back(std::iter::empty());
        } else {
            self.take_back(batches);
        }
    }
}

/// Where in `reach`, but not at its start, the last block seems to start.
fn last_block(file: PositionalFile<'_>, reach: Range<u64>) -> Option<u64> {
    let mut tail = Vec::new();
    let mut end = reach.end;
    let mut length = TAIL_BYTES;
    while end > reach.start {
        let start = end.saturating_sub(length).max(reach.start);
        // A block's start may cross the end of what was searched before.
        let beyond = (end + BLOCK_START.len() as u64 - 1).min(reach.end);
        tail.resize((beyond - start) as usize, 0);
        file.read_exact_at(&mut tail, start).ok()?;
        if let Some(place) = memmem::rfind(&tail, BLOCK_START) {
            return Some(start + place as u64).filter(|found| *found > reach.start);
        }
        end = start;
        length *= 2;
    }
    None
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{self, Write as _};

    use super::*;

    fn file_with(text: &str) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    /// An array of blocks that cycle through `lengths`.
    fn array(first: usize, lengths: &[usize], count: usize) -> String {
        let lengths = std::iter::once(&first).chain(lengths.iter().cycle());
        let block = |length| format!("{{\"index\": \"{}\"}}", "x".repeat(length));
        let blocks: Vec<_> = lengths.take(count).map(|length| block(*length)).collect();
        format!("[{}]", blocks.join(", "))
    }

    /// The texts of all guesses after the first block, as if they were right, and
    /// where the last one ends.
    fn guesses(input: Input<'_>) -> (Vec<String>, u64) {
        let file = input.file();
        let mut reader = ChainReader::new(input);
        let mut batch = Batch::default();
        assert!(reader.fill(&mut batch).unwrap());
        let mut texts = Vec::new();
        while reader.guess_part(&mut batch).is_some() {
            let length = batch.bytes();
            batch.read(file).unwrap();
            assert_eq!(batch.text().len(), length);
            texts.push(String::from_utf8(batch.text().to_vec()).unwrap());
        }
        (texts, reader.stream.offset())
    }

    #[test]
    fn parts_of_a_file_are_the_guesses_of_a_stream() {
        // Of three blocks of 86,000 bytes, the last starts three bytes before the
        // tail; blocks of 300,000 are larger than a guess.
        let lengths: [&[usize]; 4] = [&[100], &[3_000, 50], &[86_000], &[200_000, 300_000]];
        for lengths in lengths {
            for first in 0..40 {
                let count = (400_000 / lengths[0]).max(6);
                let text = array(first, lengths, count);
                let file = file_with(&text);
                let (parts, end) = guesses(Input::of_file(&file));
                assert!(!parts.is_empty());
                let stream = Input::Stream(Box::new(text.as_bytes()));
                assert_eq!((parts, end), guesses(stream), "{lengths:?}, {first}");
            }
        }
    }

    #[test]
    fn guesses_that_are_taken_back_are_read_again() {
        let text = array(1, &[1_000], 1_000);
        let file = file_with(&text);
        let mut reader = ChainReader::new(Input::of_file(&file));
        let mut batches = [(); 3].map(|()| Batch::default());
        assert!(reader.fill(&mut batches[0]).unwrap());
        for batch in &mut batches {
            reader.guess_part(batch).unwrap();
        }
        let start = text.find(", ").unwrap() + 1;
        assert_eq!(batches[0].part.as_ref().unwrap().start, start as u64 + 1);
        reader.take_back_parts(batches.iter());
        let mut batch = Batch::default();
        let mut blocks = 1;
        while reader.fill(&mut batch).unwrap() {
            blocks += batch.blocks().count();
        }
        assert_eq!(blocks, 1_000);
        assert_eq!(reader.bytes_read(), text.len() as u64);
    }

    #[test]
    fn a_guess_in_a_file_that_shrank_fails() {
        let text = array(1, &[1_000], 1_000);
        let file = file_with(&text);
        let input = Input::of_file(&file);
        let parts = input.file();
        let mut reader = ChainReader::new(input);
        let mut batch = Batch::default();
        assert!(reader.fill(&mut batch).unwrap());
        reader.guess_part(&mut batch).unwrap();
        file.set_len(10_000).unwrap();
        let error = batch.read(parts).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        assert!(batch.text().is_empty());
        assert!(reader.guess_part(&mut Batch::default()).is_none());
        reader.take_back_parts(std::iter::once(&batch));
        // The whole blocks are still read before the error.
        assert!(reader.fill(&mut batch).unwrap());
        let error = reader.fill(&mut Batch::default()).unwrap_err();
        assert!(error.is_unexpected_end(), "{error}");
    }

    #[test]
    #[cfg(unix)]
    fn a_pipe_is_a_stream() {
        let (pipe, _) = io::pipe().unwrap();
        let file = File::from(std::os::fd::OwnedFd::from(pipe));
        assert!(matches!(Input::of_file(&file), Input::Stream(_)));
    }
}
