//! Going through the queues again, beside the journal that was mined from
//! them.
//!
//! What mining would write for a block is known but for its proof and its
//! time, so the journal is compared byte by byte, and only where a byte
//! differs does anything have to be parsed: to say what is wrong, or to find
//! that the rest is a tail.

use std::collections::HashMap;
use std::io::{self, Read, Write as _};

use super::block::{BLOCK_START, Match, compare, field, number, reward_of};
use super::error::ResumeError;
use super::text::JournalText;
use crate::batch::options::{Clock, MineOptions, ProofMemory};
use crate::chain::json::{
    MAX_VALUE_BYTES, View, canonical, value_length, write_float, write_string,
};
use crate::chain::{Format, PreviousHash, Transactions};
use crate::pow::{LastBlock, Nonce, Rule, Target};
use crate::sha256::Digest;

/// Proofs that are looked at to see whether they satisfy more than is asked
/// for, and how many it takes to be sure: one in 16^8 journals is that by
/// chance.
const LOOKED_AT: usize = 16;
const ENOUGH: usize = 8;

/// Whose rewards a journal must hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::batch) enum Rewards {
    /// Those of the options' recipient.
    AsOptions,
    /// Anybody's, if only they are all the same one's.
    AsJournal,
}

/// Where mining goes on.
#[derive(Debug)]
pub(in crate::batch) struct ResumePoint {
    /// Whole blocks in the journal, the genesis block included; if there is
    /// none, the rest means nothing.
    pub(in crate::batch) blocks: u64,
    /// Bytes that they take, and what stands between them.
    pub(in crate::batch) bytes: u64,
    /// The queues' transactions in them.
    pub(in crate::batch) transactions: u64,
    /// Proof, `previous_hash` and hash of the last block.
    pub(in crate::batch) proof: Nonce,
    pub(in crate::batch) previous_hash: PreviousHash,
    pub(in crate::batch) hash: Digest,
    /// The proofs that were found after each proof.
    pub(in crate::batch) known_proofs: HashMap<Nonce, Nonce>,
    /// Who got the rewards, if there are any.
    pub(in crate::batch) recipient: Option<String>,
    /// Whether the text ends as that of a finished chain does, and the queues
    /// with it.
    pub(in crate::batch) is_finished: bool,
}

/// Whether a block is in the journal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::batch) enum Step {
    /// It is.
    Matched,
    /// The journal has ended before it.
    Ended,
}

/// A journal that is being compared with what is read from the queues.
#[derive(Debug)]
pub(in crate::batch) struct Replay<R> {
    text: JournalText<R>,
    format: Format,
    rule: Rule,
    target: Target,
    clock: Clock,
    remembers_proofs: bool,
    /// The canonical JSON string of who gets the rewards, once that is known.
    recipient: Option<Vec<u8>>,
    /// The last block that matched.
    blocks: u64,
    proof: Vec<u8>,
    previous_hash: PreviousHash,
    hash: Digest,
    /// Where it ends.
    bytes: u64,
    transactions: u64,
    known_proofs: HashMap<Nonce, Nonce>,
    /// The first proofs, while all of them satisfy more than is asked for.
    harder: Option<Vec<(Vec<u8>, Nonce)>>,
    queues_have_ended: bool,
    /// What is expected before a block's proof.
    head: Vec<u8>,
}

impl<R: Read> Replay<R> {
    /// A journal that was mined with these options.
    pub(in crate::batch) fn new(
        source: R,
        format: Format,
        options: &MineOptions,
        rewards: Rewards,
    ) -> Self {
        let recipient = (rewards == Rewards::AsOptions).then(|| {
            let mut string = Vec::new();
            write_string(&options.recipient, &mut string);
            string
        });
        Self {
            text: JournalText::new(source),
            format,
            rule: options.rule,
            target: options.target,
            clock: options.clock,
            remembers_proofs: options.proof_memory == ProofMemory::On
                && options.rule == Rule::LastProof,
            recipient,
            blocks: 0,
            proof: Vec::new(),
            previous_hash: PreviousHash::Genesis,
            hash: Digest::of(b""),
            bytes: 0,
            transactions: 0,
            known_proofs: HashMap::new(),
            harder: Some(Vec::new()),
            queues_have_ended: false,
            head: Vec::new(),
        }
    }

    /// The first block, which no queue holds.
    pub(in crate::batch) fn genesis(&mut self) -> Result<Step, ResumeError> {
        if let Some((found, length)) = self.next_match(b"")? {
            return self.enter(&found, length).map(|()| Step::Matched);
        }
        let Some(block) = self.rest()? else {
            return Ok(Step::Ended);
        };
        Err(self.damaged(format!(
            "the first block was expected, not {}",
            View::of(&block).excerpt()
        )))
    }

    /// The block of these transactions, after those that matched. `place`
    /// gives queue and line of each of them, counted from 0.
    pub(in crate::batch) fn block(
        &mut self,
        transactions: &Transactions,
        place: impl Fn(usize) -> (String, u64),
    ) -> Result<Step, ResumeError> {
        if self.blocks == 0 {
            return Ok(Step::Ended);
        }
        if self.recipient.is_none() {
            let Some(block) = self.rest()? else {
                return Ok(Step::Ended);
            };
            let reward = reward_of(&block)
                .ok_or_else(|| self.damaged("it does not end with a reward".into()))?;
            self.recipient = Some(reward.to_vec());
        }
        if let Some((found, hash)) = self.next_match(transactions.text())? {
            self.enter(&found, hash)?;
            self.transactions += transactions.count() as u64;
            return Ok(Step::Matched);
        }
        match self.rest()? {
            None => Ok(Step::Ended),
            Some(block) => match self.difference(&block, transactions, place) {
                // The last block of queues that were longer than was known,
                // as when the same Ctrl-C ended whoever wrote them, is mined
                // again.
                ResumeError::BlockSize { mined, found, .. }
                    if mined < found && self.is_last(&block)? =>
                {
                    Ok(Step::Ended)
                }
                error => Err(error),
            },
        }
    }

    /// Whether nothing but a tail follows the block that comes next. Nothing
    /// can be compared after this.
    fn is_last(&mut self, block: &[u8]) -> Result<bool, ResumeError> {
        let (before, after) = (
            self.format.before_block(self.blocks),
            self.format.after_block(),
        );
        let length = before.len() + block.len() + after.len();
        self.text.peek(length)?;
        self.text.take(length);
        self.blocks += 1;
        let rest = self.rest();
        self.blocks -= 1;
        Ok(rest?.is_none())
    }

    /// The end of the queues, of which `queue` was the last.
    pub(in crate::batch) fn queues_end(&mut self, queue: &str) -> Result<(), ResumeError> {
        self.queues_have_ended = true;
        if self.blocks == 0 {
            return Ok(());
        }
        let Some(block) = self.rest()? else {
            return Ok(());
        };
        let mut elements = field(&block, b"transactions").into_iter();
        let first = elements.next().and_then(|list| list.elements().next());
        Err(ResumeError::QueueEnds {
            queue: queue.to_owned(),
            transactions: self.transactions,
            block: self.blocks + 1,
            mined: first.map_or_else(|| "nothing".to_owned(), View::excerpt),
        })
    }

    /// Where mining goes on, once a step gave [`Step::Ended`] or the queues
    /// have ended.
    pub(in crate::batch) fn finish(mut self) -> Result<ResumePoint, ResumeError> {
        self.check_difficulty()?;
        let end = self.format.end(self.blocks).into_bytes();
        let is_finished = self.queues_have_ended && self.text.peek(end.len() + 1)? == end;
        Ok(ResumePoint {
            blocks: self.blocks,
            bytes: self.bytes,
            transactions: self.transactions,
            proof: number(&self.proof).unwrap_or_default(),
            previous_hash: self.previous_hash,
            hash: self.hash,
            known_proofs: self.known_proofs,
            recipient: self
                .recipient
                .filter(|_| self.blocks > 1)
                .and_then(|string| serde_json::from_slice(&string).ok()),
            is_finished,
        })
    }

    /// The next block, if it is that of these transactions, and its hash.
    fn next_match(&mut self, transactions: &[u8]) -> io::Result<Option<(Match, Digest)>> {
        let is_first = self.blocks == 0;
        self.head.clear();
        self.head
            .extend_from_slice(self.format.before_block(self.blocks).as_bytes());
        let start = self.head.len();
        self.head.extend_from_slice(BLOCK_START);
        write!(self.head, "{}, \"previous_hash\": \"", self.blocks + 1)?;
        if is_first {
            self.head.push(b'1');
        } else {
            self.head.extend_from_slice(&self.hash.to_hex());
        }
        self.head.extend_from_slice(b"\", \"proof\": ");
        let reward = self.recipient.as_deref().filter(|_| !is_first);
        // Room for the numbers and for all the literal text.
        let most = self.head.len() + transactions.len() + reward.map_or(0, <[u8]>::len) + 256;
        let text = self.text.peek(most)?;
        let found = compare(text, &self.head, start, transactions, reward, self.format);
        Ok(found.map(|found| {
            let hash = Digest::of(&text[found.block.clone()]);
            (found, hash)
        }))
    }

    /// Checks what the queues do not say of the block that matched, and makes
    /// it the last one.
    fn enter(&mut self, found: &Match, hash: Digest) -> Result<(), ResumeError> {
        let index = self.blocks + 1;
        let text = self.text.peek(found.length)?;
        let proof_text = &text[found.proof.clone()];
        let Some(proof) = number(proof_text) else {
            let proof = View::of(proof_text).excerpt();
            return Err(self.damaged(format!("its proof is {proof}")));
        };
        if let Clock::From(_) = self.clock {
            let mut expected = Vec::new();
            write_float(self.clock.timestamp(index), &mut expected);
            let timestamp = &text[found.timestamp.clone()];
            if timestamp != expected {
                return Err(ResumeError::Timestamp {
                    block: index,
                    found: View::of(timestamp).excerpt(),
                    expected: View::of(&expected).excerpt(),
                });
            }
        }
        if index == 1 {
            if proof != Nonce(100) {
                return Err(self.damaged(format!("its proof is {proof}")));
            }
        } else {
            let previous_hash = self.previous_hash.to_string();
            let last = LastBlock {
                proof: &self.proof,
                previous_hash: previous_hash.as_bytes(),
                hash: self.hash,
            };
            let digest = self.rule.digest(&last, proof_text);
            if !self.target.is_met_by(&digest) {
                return Err(ResumeError::Proof {
                    block: index,
                    proof: proof.to_string(),
                    rule: self.rule,
                    target: self.target,
                });
            }
            let is_harder = harder(self.target).is_some_and(|target| target.is_met_by(&digest));
            let last_proof = number(&self.proof).unwrap_or_default();
            match &mut self.harder {
                Some(proofs) if is_harder => {
                    // Under `last-proof` the same search comes again and again.
                    let search = (previous_hash.into_bytes(), last_proof);
                    if proofs.len() < LOOKED_AT
                        && !(self.rule == Rule::LastProof
                            && proofs.iter().any(|(_, last)| *last == last_proof))
                    {
                        proofs.push(search);
                    }
                }
                _ => self.harder = None,
            }
            if self.remembers_proofs {
                self.known_proofs.insert(last_proof, proof);
            }
            self.previous_hash = PreviousHash::Block(self.hash);
        }
        self.proof.clear();
        self.proof.extend_from_slice(proof_text);
        self.hash = hash;
        self.blocks = index;
        self.text.take(found.length);
        self.bytes = self.text.taken();
        Ok(())
    }

    /// A journal of a higher difficulty is a valid one of this, but not the
    /// one that mining gives, whose proofs are the smallest.
    fn check_difficulty(&self) -> Result<(), ResumeError> {
        match (&self.harder, harder(self.target)) {
            (Some(proofs), Some(found)) if proofs.len() >= ENOUGH => Err(ResumeError::Difficulty {
                blocks: self.blocks,
                found,
                expected: self.target,
            }),
            _ => Ok(()),
        }
    }

    /// The whole block that comes next, or `None` if all that comes is a
    /// tail.
    fn rest(&mut self) -> Result<Option<Vec<u8>>, ResumeError> {
        let (format, blocks) = (self.format, self.blocks);
        let before = format.before_block(blocks).as_bytes();
        let end = format.end(blocks);
        let end = end.as_bytes();
        let text = self.text.peek(end.len() + 1)?;
        if blocks > 0 && !text.is_empty() && end.starts_with(text) {
            return Ok(None);
        }
        let most = Format::Json.start().len() + BLOCK_START.len();
        let text = self.text.peek(most)?;
        let shared = text.len().min(before.len());
        let after = &text[shared..text.len().min(shared + BLOCK_START.len())];
        if text[..shared] != before[..shared] || !BLOCK_START.starts_with(after) {
            let shown = text.len().min(most);
            let found = String::from_utf8_lossy(&text[..shown]).into_owned();
            return Err(match blocks {
                0 => self.not_a_journal(found),
                _ => self.damaged(format!("it goes on with {found:?}")),
            });
        }
        let mut wanted = 64 << 10;
        let block = loop {
            let text = self.text.peek(before.len() + wanted)?;
            let body = text.get(before.len()..).unwrap_or_default();
            let length = match format {
                Format::Json | Format::Array => {
                    (!body.is_empty()).then(|| value_length(body)).flatten()
                }
                Format::JsonLines => memchr::memchr(b'\n', body),
            };
            match length {
                Some(length) => break body[..length].to_vec(),
                None if body.len() < wanted => {
                    // The start of a block goes no further than that block.
                    let next = format!("{{\"index\": {}, \"previous_hash\": \"", blocks + 2);
                    if memchr::memmem::find(body, next.as_bytes()).is_some() {
                        return Err(self.damaged("it has no end".into()));
                    }
                    return Ok(None);
                }
                None if wanted > MAX_VALUE_BYTES => {
                    return Err(self.damaged("it has no end".into()));
                }
                None => wanted *= 4,
            }
        };
        match canonical(&block) {
            Ok(text) if text.as_bytes() == block => Ok(Some(block)),
            Ok(_) => Err(self.damaged("it is not in the canonical spelling".into())),
            Err(error) => Err(self.damaged(error.to_string())),
        }
    }

    fn not_a_journal(&self, found: String) -> ResumeError {
        // So much of a start is that of one format only.
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
            block: self.blocks + 1,
            problem,
        }
    }

    /// What is wrong with the whole block that stands where that of these
    /// transactions belongs.
    fn difference(
        &self,
        block: &[u8],
        transactions: &Transactions,
        place: impl Fn(usize) -> (String, u64),
    ) -> ResumeError {
        let index = self.blocks + 1;
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
        if previous_hash.string() != Some(&self.hash.to_hex()) {
            return self.damaged(format!(
                "its previous_hash is {}, but the block before hashes to {}",
                previous_hash.excerpt(),
                self.hash
            ));
        }
        let mut mined: Vec<_> = mined.elements().collect();
        let reward = mined.pop();
        let list = [b"[", transactions.text(), b"]"].concat();
        let here: Vec<_> = View::of(&list).elements().collect();
        let pairs = here.iter().zip(&mined);
        if let Some(number) = pairs.clone().position(|(here, mined)| here != mined) {
            let (queue, line) = place(number);
            return ResumeError::Transaction {
                queue,
                line,
                found: here[number].excerpt(),
                mined: mined[number].excerpt(),
                block: index,
            };
        }
        if here.len() != mined.len() {
            let (queue, line) = place(0);
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
            _ => self.damaged("it is not as mining writes it".into()),
        }
    }
}

/// A difficulty of one more hex zero.
fn harder(target: Target) -> Option<Target> {
    Target::from_bits(target.bits() + 4).ok()
}
