//! Guesses of which only the ends are looked at, so that every thread reads its
//! own.

use std::ops::Range;

use memchr::memmem;

use super::{BATCH_BYTES, BLOCK_START, Batch, ChainReader, Separator};
use crate::chain::file::{Input, PartedFile};

/// Where the end of a guess is looked for, at first: the text of some blocks.
const TAIL_BYTES: u64 = 4 << 10;

impl<'a> ChainReader<Input<'a>> {
    /// The file, if there is one that can be read in parts.
    pub(crate) fn file(&self) -> Option<PartedFile<'a>> {
        self.stream.source().file()
    }

    /// As [`Self::guess`], but from a [file](Self::file) the text is left for
    /// [`Batch::read`]: however many threads read a chain, they wait for each
    /// other only while one of them looks for an end.
    pub(crate) fn guess_part(&mut self, batch: &mut Batch) -> Option<Separator> {
        let Some(file) = self.file() else {
            return self.guess(batch);
        };
        let separator = self.go_to_block()?;
        // A guess ends where a block seems to start, so there is nothing to
        // skip behind one.
        if !self.stream.unread().is_empty() {
            self.stream.peek_ahead()?;
        }
        let start = self.stream.offset();
        let sight = start..file.size().min(start + BATCH_BYTES as u64);
        let end = last_block(file, sight)?;
        self.stream.go_to(end).ok()?;
        batch.clear(self.blocks + 1);
        batch.part = Some(start..end);
        Some(separator)
    }

    /// As [`Self::take_back`], for [`Self::guess_part`].
    pub(crate) fn take_back_parts<'b>(
        &mut self,
        mut batches: impl Iterator<Item = &'b Batch> + Clone,
    ) {
        match batches.clone().next().and_then(|first| first.part.clone()) {
            Some(part) => (self.stream.go_to(part.start)).expect("a file goes to any place"),
            None => self.take_back(batches.by_ref()),
        }
    }
}

/// Where in `sight`, but not at its start, the last block seems to start.
fn last_block(file: PartedFile<'_>, sight: Range<u64>) -> Option<u64> {
    let mut tail = Vec::new();
    let mut end = sight.end;
    let mut length = TAIL_BYTES;
    while end > sight.start {
        let start = end.saturating_sub(length).max(sight.start);
        // What is looked for may stand across the end.
        let beyond = (end + BLOCK_START.len() as u64 - 1).min(sight.end);
        tail.resize((beyond - start) as usize, 0);
        file.read_exact_at(&mut tail, start).ok()?;
        if let Some(place) = memmem::rfind(&tail, BLOCK_START) {
            return Some(start + place as u64).filter(|found| *found > sight.start);
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

    /// An array, in which `lengths` go round.
    fn array(first: usize, lengths: &[usize], count: usize) -> String {
        let lengths = std::iter::once(&first).chain(lengths.iter().cycle());
        let block = |length| format!("{{\"index\": \"{}\"}}", "x".repeat(length));
        let blocks: Vec<_> = lengths.take(count).map(|length| block(*length)).collect();
        format!("[{}]", blocks.join(", "))
    }

    /// The texts of the guesses behind the first block, which are all taken for
    /// right, and what follows the last.
    fn guesses(input: Input<'_>) -> (Vec<String>, u64) {
        let mut reader = ChainReader::new(input);
        let mut batch = Batch::default();
        assert!(reader.fill(&mut batch).unwrap());
        let mut texts = Vec::new();
        while reader.guess_part(&mut batch).is_some() {
            let length = batch.bytes();
            batch.read(reader.file()).unwrap();
            assert_eq!(batch.text().len(), length);
            texts.push(String::from_utf8(batch.text().to_vec()).unwrap());
        }
        (texts, reader.stream.offset())
    }

    #[test]
    fn parts_of_a_file_are_the_guesses_of_a_stream() {
        // Of three blocks of 86,000 and what is around them, the last starts three
        // bytes before the tail; 300,000 is beyond what a guess looks at.
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
    fn what_is_taken_back_is_read_again() {
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
    fn a_file_that_shrinks_is_no_guess_and_no_panic() {
        let text = array(1, &[1_000], 1_000);
        let file = file_with(&text);
        let mut reader = ChainReader::new(Input::of_file(&file));
        let mut batch = Batch::default();
        assert!(reader.fill(&mut batch).unwrap());
        reader.guess_part(&mut batch).unwrap();
        file.set_len(10_000).unwrap();
        let error = batch.read(reader.file()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        assert!(batch.text().is_empty());
        assert!(reader.guess_part(&mut Batch::default()).is_none());
        reader.take_back_parts(std::iter::once(&batch));
        // Its whole blocks are still read, before the error is told.
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
