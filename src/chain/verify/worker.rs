//! Checking one batch of blocks on one thread.
//!
//! A batch is checked without knowing the batch before it, so the link of its
//! first block is left open: the [`Ledger`](super::ledger::Ledger) closes it
//! when the batches come together in order.
//!
//! It goes over a batch three times, which stays in the cache: once to find
//! out what each block says, once to hash the blocks, side by side, and once
//! to check how each follows the one before.

use std::ops::Range;

use super::fault::{Fault, FaultKind};
use super::findings::{Findings, Link};
use super::inspect::{Tip, inspect};
use super::known::{Parts, recognize};
use super::{ReadError, VerifyOptions};
use crate::chain::Strictness;
use crate::chain::file::{Batch, ChainPlace, Separator};
use crate::chain::json::{Advance, StreamError, Transcoder, View, value_length};
use crate::pow::Control;
use crate::sha256::{Digest, digest_texts};

/// What [`Worker::shrink_buffers`] leaves of the texts: more than most batches
/// need.
const KEPT_BYTES: usize = 512 << 10;

/// A batch, and the buffers to check it with.
#[derive(Debug, Default)]
pub(super) struct Worker {
    pub(super) batch: Batch,
    transcoder: Transcoder,
    /// The canonical texts of the blocks that are not canonical as they lie.
    texts: Vec<u8>,
    /// The blocks that are sound in themselves, from the first on without a
    /// gap.
    blocks: Vec<Block>,
    digests: Vec<Digest>,
}

/// What was found in one batch.
#[derive(Debug, Default)]
pub(super) struct Summary {
    pub(super) first_index: u64,
    pub(super) blocks: u64,
    pub(super) transactions: u64,
    /// The first block, if it is sound in itself.
    pub(super) head: Option<Head>,
    /// The last block, if nothing was wrong up to it.
    pub(super) tip: Option<Tip<'static>>,
    pub(super) findings: Findings,
}

/// What the link of a batch's first block is checked with.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) index: u64,
    /// `None` if the block is the batch's last, too: it may be 32 MiB of
    /// digits, and the tip has them.
    pub(super) proof: Option<Vec<u8>>,
    /// Not all of it if it is too long for a hash.
    pub(super) previous_hash: Vec<u8>,
}

/// A block that is sound in itself.
#[derive(Debug)]
struct Block {
    /// Whether its canonical text is in the batch, or in [`Worker::texts`].
    is_raw: bool,
    /// Where it is there.
    text: Range<usize>,
    parts: Parts,
}

impl Worker {
    /// Gives back the memory that a huge block took, the batch included.
    pub(super) fn shrink(&mut self) {
        self.batch.shrink();
        self.shrink_buffers();
    }

    /// The same without the batch, which may have to be read again.
    pub(super) fn shrink_buffers(&mut self) {
        self.clear();
        self.texts.shrink_to(KEPT_BYTES);
        self.transcoder.shrink();
    }

    /// Checks the batch.
    pub(super) fn check(&mut self, options: &VerifyOptions) -> Result<Summary, ReadError> {
        self.clear();
        let first_index = self.batch.first_index;
        let mut summary = Summary {
            first_index,
            ..Summary::default()
        };
        let mut fault = None;
        let mut start = 0;
        for (index, (raw, position)) in (first_index..).zip(self.batch.blocks()) {
            summary.blocks += 1;
            let texts = &mut self.texts;
            let found = match Block::recognize(raw, start, Some(index), texts) {
                Some((block, length)) if length == raw.len() => Ok(block),
                _ => {
                    let text_start = texts.len();
                    self.transcoder
                        .transcode(raw, texts)
                        .map_err(|error| StreamError::inside(raw, position, error))
                        .map_err(|error| ReadError::at(error, ChainPlace::In(index)))?;
                    Block::inspect(texts, text_start, index, options.strictness)
                }
            };
            start += raw.len();
            match found {
                Ok(block) => {
                    summary.transactions += block.parts.transactions;
                    // What follows a fault is only counted.
                    if fault.is_none() {
                        self.blocks.push(block);
                    }
                }
                Err(kind) => fault = fault.or(Some(Fault { block: index, kind })),
            }
        }
        self.link(&mut summary, fault, options);
        Ok(summary)
    }

    /// Checks a batch that is a [guess](crate::chain::file::ChainReader::guess).
    /// `None` if the guess is wrong, or something in it is: then its text has
    /// to be read anew, from a place that is certain.
    pub(super) fn check_guess(
        &mut self,
        separator: Separator,
        options: &VerifyOptions,
    ) -> Option<(Summary, Advance)> {
        self.clear();
        let text = self.batch.text();
        let mut summary = Summary::default();
        let mut next_index = None;
        let mut start = 0;
        let mut advance = Advance::default();
        while start < text.len() {
            let rest = &text[start..];
            let texts = &mut self.texts;
            let (block, length) = match Block::recognize(rest, start, next_index, texts) {
                Some((block, length)) => {
                    // It is plain ASCII.
                    advance.over_characters(length);
                    (block, length)
                }
                None => {
                    let length = value_length(rest)?;
                    advance.over_text(&rest[..length]);
                    let text_start = texts.len();
                    self.transcoder.transcode(&rest[..length], texts).ok()?;
                    let index =
                        next_index.or_else(|| stated_index(View::of(&texts[text_start..])))?;
                    let block = Block::inspect(texts, text_start, index, options.strictness);
                    (block.ok()?, length)
                }
            };
            if self.blocks.is_empty() {
                summary.first_index = block.parts.index;
            }
            next_index = Some(block.parts.index.checked_add(1)?);
            summary.blocks += 1;
            summary.transactions += block.parts.transactions;
            self.blocks.push(block);
            start += length;
            let length = separator.length(&text[start..])?;
            advance.over_text(&text[start..start + length]);
            start += length;
        }
        self.link(&mut summary, None, options);
        Some((summary, advance))
    }

    fn clear(&mut self) {
        self.texts.clear();
        self.blocks.clear();
        self.digests.clear();
    }

    /// Checks how each of the blocks follows the one before. `fault` is that
    /// of the block behind them.
    fn link(&mut self, summary: &mut Summary, fault: Option<Fault>, options: &VerifyOptions) {
        let (raw, written) = (self.batch.text(), self.texts.as_slice());
        let text_of = |block: &Block| {
            let source = if block.is_raw { raw } else { written };
            &source[block.text.clone()]
        };
        let texts: Vec<_> = self.blocks.iter().map(text_of).collect();
        digest_texts(&texts, &mut self.digests);

        let part = |index: usize, place: &Range<usize>| &texts[index][place.clone()];
        let tips: Vec<_> = (self.blocks.iter().zip(&self.digests).enumerate())
            .map(|(number, (block, hash))| {
                let previous_hash = View::of(part(number, &block.parts.previous_hash));
                Tip::new(part(number, &block.parts.proof), previous_hash, *hash)
            })
            .collect();
        let links: Vec<_> = (1..tips.len())
            .map(|number| {
                let parts = &self.blocks[number].parts;
                Link {
                    last: tips[number - 1].block(),
                    index: parts.index,
                    proof: part(number, &parts.proof),
                    previous_hash: part(number, &parts.previous_hash),
                }
            })
            .collect();
        summary.head = self.blocks.first().map(|Block { parts, .. }| Head {
            index: parts.index,
            proof: (tips.len() > 1).then(|| part(0, &parts.proof).to_vec()),
            previous_hash: cut(part(0, &parts.previous_hash)),
        });
        let findings = &mut summary.findings;
        findings.check_links(&links, options);
        // Nothing that follows can change the verdict.
        if findings.is_settled(options) {
            return;
        }
        findings.first = fault;
        summary.tip = tips.into_iter().next_back().map(Tip::into_owned);
    }
}

impl Block {
    /// The block at the start of `text`, which is at `start` in the batch, if
    /// it is [known](super::known), and the bytes it takes there.
    fn recognize(
        text: &[u8],
        start: usize,
        index: Option<u64>,
        texts: &mut Vec<u8>,
    ) -> Option<(Self, usize)> {
        let text_start = texts.len();
        let Some(known) = recognize(text, index, texts) else {
            texts.truncate(text_start);
            return None;
        };
        let start = if known.is_raw { start } else { text_start };
        let block = Self {
            is_raw: known.is_raw,
            text: start..start + known.text.len(),
            parts: known.parts,
        };
        Some((block, known.length))
    }

    /// The block whose canonical text is the end of `texts`, from `start` on.
    fn inspect(
        texts: &[u8],
        start: usize,
        index: u64,
        strictness: Strictness,
    ) -> Result<Self, FaultKind> {
        let text = &texts[start..];
        let block = inspect(View::of(text), index, strictness)?;
        Ok(Self {
            is_raw: false,
            text: start..texts.len(),
            parts: Parts {
                index,
                proof: place_in(text, block.proof),
                previous_hash: place_in(text, block.previous_hash),
                transactions: block.transactions,
            },
        })
    }
}

/// As much of a block's `previous_hash` as it takes to see that it is no hash,
/// and to quote it.
fn cut(previous_hash: &[u8]) -> Vec<u8> {
    const MOST: usize = 128;
    if previous_hash.len() <= MOST {
        return previous_hash.to_vec();
    }
    // What is left ends with its quote, too.
    let (start, end) = (
        &previous_hash[..MOST - 1],
        &previous_hash[previous_hash.len() - 1..],
    );
    [start, end].concat()
}

/// Where in `text` the value stands, which is a part of it.
fn place_in(text: &[u8], value: View<'_>) -> Range<usize> {
    let start = value.text().as_ptr().addr() - text.as_ptr().addr();
    start..start + value.text().len()
}

/// What a block says its index is.
fn stated_index(block: View<'_>) -> Option<u64> {
    let (_, index) = block.members().find(|(key, _)| *key == b"index")?;
    std::str::from_utf8(index.text()).ok()?.parse().ok()
}

impl Summary {
    pub(super) fn count(&self, control: &Control) {
        control.add_blocks(self.blocks);
        control.add_hashes(self.findings.hashes);
    }
}
