//! Compares a journal with the queues that it was mined from.
//!
//! Everything in a block but its proof and its time follows from the queues and
//! the options, so blocks are compared byte by byte. A block is parsed only if
//! a byte differs: to find out what is wrong, or that the journal ends there.

use std::io::{Read, Write as _};

use super::block_text::{BLOCK_START, MatchingBlock, field, match_block, recipient_of};
use super::error::ResumeError;
use super::option_mismatch::OptionMismatch;
use super::text_reader::JournalText;
use crate::batch::options::{Clock, MineOptions};
use crate::batch::pipeline::{ChainTip, MinedChain, QueueBlocks};
use crate::chain::json::{
    MAX_VALUE_BYTES, View, canonical, value_length, write_float, write_string,
};
use crate::chain::{Format, PreviousHash, Transactions};
use crate::pow::Nonce;
use crate::sha256::Digest;

/// Where mining resumes.
#[derive(Debug)]
pub(in crate::batch) struct ResumePoint {
    /// The chain of the journal's whole blocks, if there are any.
    pub(in crate::batch) chain: Option<MinedChain>,
    /// Bytes of the whole blocks.
    pub(in crate::batch) bytes: u64,
    /// The recipient of the rewards, if there are any.
    pub(in crate::batch) recipient: Option<String>,
    /// Whether the journal is the whole chain of the queues.
    pub(in crate::batch) is_finished: bool,
}

/// Compares the journal in `source` with the blocks of the queues. `blocks`
/// then continues with the first block that is not in the journal. Without a
/// `recipient`, all rewards must go to the recipient of the first one.
pub(in crate::batch) fn replay<R: Read>(
    source: R,
    format: Format,
    options: &MineOptions,
    recipient: Option<&str>,
    blocks: &mut QueueBlocks,
) -> Result<ResumePoint, ResumeError> {
    let mut replay = Replay {
        text: JournalText::new(source),
        format,
        options,
        recipient: recipient.map(|recipient| {
            let mut string = Vec::new();
            write_string(recipient, &mut string);
            string
        }),
        chain: MinedChain::new(ChainTip {
            index: 0,
            proof: Nonce(0),
            previous_hash: PreviousHash::Genesis,
            hash: Digest::of(b""),
        }),
        bytes: 0,
        option_mismatch: OptionMismatch::new(options),
        head: Vec::new(),
    };
    let mut queues_ended = false;
    if replay.enter_genesis()? {
        blocks.control.add_given_blocks(1);
        blocks.keep_lines(true);
        queues_ended = replay.enter_blocks(blocks)?;
        blocks.keep_lines(false);
    }
    replay.finish(queues_ended)
}

/// A journal and the chain of those of its blocks that were compared.
struct Replay<'a, R> {
    text: JournalText<R>,
    format: Format,
    options: &'a MineOptions,
    /// The recipient of the rewards as a canonical JSON string, once known.
    recipient: Option<Vec<u8>>,
    /// Its tip has index 0 before the genesis block.
    chain: MinedChain,
    /// Where its last block ends.
    bytes: u64,
    option_mismatch: OptionMismatch,
    /// The expected text before a block's proof.
    head: Vec<u8>,
}

impl<R: Read> Replay<'_, R> {
    /// Enters the first block, if the journal has it.
    fn enter_genesis(&mut self) -> Result<bool, ResumeError> {
        if self.enter_block(b"")? {
            return Ok(true);
        }
        match self.next_block()? {
            None => Ok(false),
            Some(block) => {
                let found = View::of(&block).excerpt();
                Err(self.damaged(format!("the first block was expected, not {found}")))
            }
        }
    }

    /// Enters blocks until the journal or the queues end. Returns whether the
    /// queues do.
    fn enter_blocks(&mut self, blocks: &mut QueueBlocks) -> Result<bool, ResumeError> {
        loop {
            let Some(transactions) = blocks.next()? else {
                self.check_end(blocks.name())?;
                return Ok(true);
            };
            if !self.enter_transactions(&transactions, blocks)? {
                blocks.put_back(transactions);
                return Ok(false);
            }
            let bytes = transactions.text_bytes() as u64;
            blocks.control.add_text_read(bytes);
            blocks.control.add_text_done(bytes);
            blocks.control.add_given_blocks(1);
        }
    }

    /// Enters the block of these transactions, if the journal has it.
    fn enter_transactions(
        &mut self,
        transactions: &Transactions,
        blocks: &QueueBlocks,
    ) -> Result<bool, ResumeError> {
        if self.recipient.is_none() {
            let Some(block) = self.next_block()? else {
                return Ok(false);
            };
            let recipient = recipient_of(&block)
                .ok_or_else(|| self.damaged("it does not end with a reward".into()))?;
            self.recipient = Some(recipient.to_vec());
        }
        if self.enter_block(transactions.text())? {
            self.chain.transactions += transactions.count() as u64;
            return Ok(true);
        }
        let Some(block) = self.next_block()? else {
            return Ok(false);
        };
        match self.difference(&block, transactions, blocks) {
            // The writer of a queue may have been interrupted, too. Then the last
            // block has too few transactions, and is mined again.
            ResumeError::BlockSize { mined, found, .. }
                if mined < found && self.is_last(&block)? =>
            {
                Ok(false)
            }
            error => Err(error),
        }
    }

    /// Enters the next block, if it is the block of these transactions.
    fn enter_block(&mut self, transactions: &[u8]) -> Result<bool, ResumeError> {
        let blocks = self.chain.tip.index;
        self.head.clear();
        let before = self.format.before_block(blocks);
        self.head.extend_from_slice(before.as_bytes());
        self.head.extend_from_slice(BLOCK_START);
        write!(self.head, "{}, \"previous_hash\": \"", blocks + 1)?;
        match blocks {
            0 => self.head.push(b'1'),
            _ => self.head.extend_from_slice(&self.chain.tip.hash.to_hex()),
        }
        self.head.extend_from_slice(b"\", \"proof\": ");
        let recipient = self.recipient.as_deref().filter(|_| blocks > 0);
        // Room for the numbers and for all the literal text.
        let most = self.head.len() + transactions.len() + recipient.map_or(0, <[u8]>::len) + 256;
        let found = match_block(
            self.text.peek(most)?,
            &self.head,
            before.len(),
            transactions,
            recipient,
            self.format,
        );
        found.map_or(Ok(false), |block| self.enter(&block).map(|()| true))
    }

    /// Checks the proof and the time of a block, and makes it the tip.
    fn enter(&mut self, block: &MatchingBlock) -> Result<(), ResumeError> {
        let options = self.options;
        let tip = self.chain.tip;
        let index = tip.index + 1;
        let Ok(proof) = block.proof.parse().map(Nonce) else {
            let proof = View::of(block.proof.as_bytes()).excerpt();
            return Err(self.damaged(format!("its proof is {proof}")));
        };
        if let Clock::From(_) = options.clock {
            let mut expected = Vec::new();
            write_float(options.clock.timestamp(index), &mut expected);
            if block.timestamp.as_bytes() != expected {
                return Err(ResumeError::Timestamp {
                    block: index,
                    found: View::of(block.timestamp.as_bytes()).excerpt(),
                    expected: View::of(&expected).excerpt(),
                });
            }
        }
        self.option_mismatch.note_time(index, &block.timestamp);
        let previous_hash = if index == 1 {
            if proof != Nonce(100) {
                return Err(self.damaged(format!("its proof is {proof}")));
            }
            PreviousHash::Genesis
        } else {
            let digest =
                tip.with_last_block(|last| options.rule.digest(last, block.proof.as_bytes()));
            if !options.target.is_met_by(&digest) {
                return Err(ResumeError::Proof {
                    block: index,
                    proof: proof.to_string(),
                    rule: options.rule,
                    target: options.target,
                });
            }
            self.option_mismatch.note_proof(&digest);
            if options.remembers_proofs() {
                self.chain.known_proofs.insert(tip.proof, proof);
            }
            PreviousHash::Block(tip.hash)
        };
        self.chain.tip = ChainTip {
            index,
            proof,
            previous_hash,
            hash: block.hash,
        };
        self.text.take(block.length);
        self.bytes = self.text.taken();
        Ok(())
    }

    /// Whether the journal ends after `block`, which comes next. Nothing can be
    /// compared after this.
    fn is_last(&mut self, block: &[u8]) -> Result<bool, ResumeError> {
        let before = self.format.before_block(self.chain.tip.index);
        let length = before.len() + block.len() + self.format.after_block().len();
        self.text.peek(length)?;
        self.text.take(length);
        self.chain.tip.index += 1;
        let next = self.next_block();
        self.chain.tip.index -= 1;
        Ok(next?.is_none())
    }

    /// Fails if the journal has more blocks than the queues, which end with
    /// `last_queue`.
    fn check_end(&mut self, last_queue: &str) -> Result<(), ResumeError> {
        let Some(block) = self.next_block()? else {
            return Ok(());
        };
        let transactions = field(&block, b"transactions");
        let first = transactions.and_then(|list| list.elements().next());
        Err(ResumeError::QueueEnds {
            queue: last_queue.to_owned(),
            transactions: self.chain.transactions,
            block: self.chain.tip.index + 1,
            mined: first.map_or_else(|| "nothing".to_owned(), View::excerpt),
        })
    }

    fn finish(mut self, queues_ended: bool) -> Result<ResumePoint, ResumeError> {
        let blocks = self.chain.tip.index;
        let end = self.format.end(blocks).into_bytes();
        let is_finished = queues_ended && self.text.peek(end.len() + 1)? == end;
        self.option_mismatch.check(blocks, is_finished)?;
        let recipient = self.recipient.filter(|_| blocks > 1);
        Ok(ResumePoint {
            chain: (blocks > 0).then_some(self.chain),
            bytes: self.bytes,
            recipient: recipient.and_then(|string| serde_json::from_slice(&string).ok()),
            is_finished,
        })
    }

    /// The whole block that comes next, or `None` if the journal ends in it or
    /// before it. Fails if something else comes next.
    fn next_block(&mut self) -> Result<Option<Vec<u8>>, ResumeError> {
        let blocks = self.chain.tip.index;
        let end = self.format.end(blocks).into_bytes();
        let found = self.text.peek(end.len() + 1)?;
        if blocks > 0 && !found.is_empty() && end.starts_with(found) {
            return Ok(None);
        }
        let before = self.format.before_block(blocks).as_bytes();
        let most = Format::Json.start().len() + BLOCK_START.len();
        let found = self.text.peek(most)?;
        let found = &found[..found.len().min(most)];
        let (separator, start) = found.split_at(found.len().min(before.len()));
        let start = &start[..start.len().min(BLOCK_START.len())];
        if !before.starts_with(separator) || !BLOCK_START.starts_with(start) {
            let found = String::from_utf8_lossy(found).into_owned();
            return Err(match blocks {
                0 => self.not_a_journal(found),
                _ => self.damaged(format!("it continues with {found:?}")),
            });
        }
        let Some(block) = self.whole_block(before.len())? else {
            return Ok(None);
        };
        match canonical(&block) {
            Ok(text) if text.as_bytes() == block => Ok(Some(block)),
            Ok(_) => Err(self.damaged("it is not in the canonical spelling".into())),
            Err(error) => Err(self.damaged(error.to_string())),
        }
    }

    /// The block that starts after `before` bytes, or `None` if the text ends in
    /// it.
    fn whole_block(&mut self, before: usize) -> Result<Option<Vec<u8>>, ResumeError> {
        let mut wanted = 64 << 10;
        loop {
            let found = self.text.peek(before + wanted)?;
            let body = found.get(before..).unwrap_or_default();
            let length = match self.format {
                Format::JsonLines => memchr::memchr(b'\n', body),
                Format::Json | Format::Array if body.is_empty() => None,
                Format::Json | Format::Array => value_length(body),
            };
            if let Some(length) = length {
                return Ok(Some(body[..length].to_vec()));
            }
            if body.len() < wanted {
                // An unfinished block is not followed by another one.
                let index = self.chain.tip.index + 2;
                let next = format!("{{\"index\": {index}, \"previous_hash\": \"");
                if memchr::memmem::find(body, next.as_bytes()).is_none() {
                    return Ok(None);
                }
            } else if wanted <= MAX_VALUE_BYTES {
                wanted *= 4;
                continue;
            }
            return Err(self.damaged("it has no end".into()));
        }
    }

    fn not_a_journal(&self, found: String) -> ResumeError {
        // Starts of this length differ from format to format.
        const TELLING_BYTES: usize = 10;
        let is_of = |format: &Format| {
            let start = [format.start().as_bytes(), BLOCK_START].concat();
            let shared = start.len().min(found.len());
            shared >= TELLING_BYTES && start[..shared] == found.as_bytes()[..shared]
        };
        match Format::ALL.into_iter().find(is_of) {
            Some(other) if other != self.format => ResumeError::Format {
                found: other,
                expected: self.format,
            },
            _ => ResumeError::NotAJournal { found },
        }
    }

    fn damaged(&self, problem: String) -> ResumeError {
        ResumeError::Damaged {
            byte: self.text.taken(),
            block: self.chain.tip.index + 1,
            problem,
        }
    }

    /// What is wrong with `block`, which is not the block of these transactions.
    fn difference(
        &self,
        block: &[u8],
        transactions: &Transactions,
        blocks: &QueueBlocks,
    ) -> ResumeError {
        let index = self.chain.tip.index + 1;
        let (Some(found_index), Some(previous_hash), Some(mined)) = (
            field(block, b"index"),
            field(block, b"previous_hash"),
            field(block, b"transactions"),
        ) else {
            return self.damaged("it lacks a field".into());
        };
        if found_index.text() != index.to_string().as_bytes() {
            return self.damaged(format!("its index is {}", found_index.excerpt()));
        }
        let expected_hash = self.chain.tip.hash;
        if previous_hash.string() != Some(&expected_hash.to_hex()) {
            let found = previous_hash.excerpt();
            return self.damaged(format!(
                "its previous_hash is {found}, but the block before hashes to {expected_hash}"
            ));
        }
        let mut mined: Vec<_> = mined.elements().collect();
        let reward = mined.pop();
        let list = [b"[", transactions.text(), b"]"].concat();
        let here: Vec<_> = View::of(&list).elements().collect();
        let mut pairs = here.iter().zip(&mined);
        if let Some(number) = pairs.position(|(here, mined)| here != mined) {
            let (queue, line) = blocks.place(number);
            return ResumeError::Transaction {
                queue,
                line,
                found: here[number].excerpt(),
                mined: mined[number].excerpt(),
                block: index,
            };
        }
        if here.len() != mined.len() {
            let (queue, line) = blocks.place(0);
            return ResumeError::BlockSize {
                block: index,
                mined: mined.len(),
                found: here.len(),
                queue,
                line,
            };
        }
        let recipient = reward.and_then(|reward| field(reward.text(), b"recipient"));
        match (recipient, &self.recipient) {
            (Some(found), Some(expected)) if found.text() != expected => ResumeError::Recipient {
                block: index,
                found: found.excerpt(),
                expected: View::of(expected).excerpt(),
            },
            _ => self.damaged("it differs from what mining writes".into()),
        }
    }
}
