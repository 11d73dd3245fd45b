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
use super::{ReadError, VerifyOptions};
use crate::chain::Strictness;
use crate::chain::file::{Batch, Separator};
use crate::chain::json::{Advance, View};
use crate::chain::texts::{Found, Parts, TextPlace, Texts};
use crate::pow::Control;
use crate::sha256::{Digest, digest_texts};

/// A batch, and the buffers to check it with.
#[derive(Debug, Default)]
pub(super) struct Worker {
    pub(super) batch: Batch,
    texts: Texts,
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
    text: TextPlace,
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
        self.texts.shrink();
    }

    /// Checks the batch.
    pub(super) fn check(&mut self, options: &VerifyOptions) -> Result<Summary, ReadError> {
        self.clear();
        let mut summary = Summary {
            first_index: self.batch.first_index,
            ..Summary::default()
        };
        let mut fault = None;
        let blocks = &mut self.blocks;
        self.texts.read(&self.batch, |index, _, found| {
            summary.blocks += 1;
            match Block::of(found, index, options.strictness) {
                Ok(block) => {
                    summary.transactions += block.parts.transactions;
                    // What follows a fault is only counted.
                    if fault.is_none() {
                        blocks.push(block);
                    }
                }
                Err(kind) => fault = fault.take().or(Some(Fault { block: index, kind })),
            }
            Ok::<_, ReadError>(())
        })?;
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
        let mut summary = Summary::default();
        let mut next_index = None;
        let blocks = &mut self.blocks;
        let advance = self.texts.read_guess(&self.batch, separator, |found| {
            let index = next_index.or_else(|| stated_index(&found))?;
            let block = Block::of(found, index, options.strictness).ok()?;
            next_index = Some(index.checked_add(1)?);
            summary.blocks += 1;
            summary.transactions += block.parts.transactions;
            blocks.push(block);
            Some(())
        })?;
        summary.first_index = self.blocks.first()?.parts.index;
        self.link(&mut summary, None, options);
        Some((summary, advance))
    }

    fn clear(&mut self) {
        self.blocks.clear();
        self.digests.clear();
    }

    /// Checks how each of the blocks follows the one before. `fault` is that
    /// of the block behind them.
    fn link(&mut self, summary: &mut Summary, fault: Option<Fault>, options: &VerifyOptions) {
        let text_of = |block: &Block| self.texts.get(&self.batch, &block.text);
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
    /// The block that was found where that number `index` is.
    #[inline(always)]
    fn of(found: Found<'_>, index: u64, strictness: Strictness) -> Result<Self, FaultKind> {
        let Found { place, text, parts } = found;
        let parts = match parts {
            Some(parts) if parts.index == index => parts,
            _ => inspected(text, index, strictness)?,
        };
        Ok(Self { text: place, parts })
    }
}

/// What a block in any spelling says, if it is sound in itself.
#[cold]
fn inspected(text: &[u8], index: u64, strictness: Strictness) -> Result<Parts, FaultKind> {
    let block = inspect(View::of(text), index, strictness)?;
    Ok(Parts {
        index,
        proof: place_in(text, block.proof),
        previous_hash: place_in(text, block.previous_hash),
        transactions: block.transactions,
    })
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
fn stated_index(found: &Found<'_>) -> Option<u64> {
    if let Some(parts) = &found.parts {
        return Some(parts.index);
    }
    let mut members = View::of(found.text).members();
    let (_, index) = members.find(|(key, _)| *key == b"index")?;
    std::str::from_utf8(index.text()).ok()?.parse().ok()
}

impl Summary {
    pub(super) fn count(&self, control: &Control) {
        control.add_blocks(self.blocks);
        control.add_hashes(self.findings.hashes);
    }
}
