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
use super::coincidence::Coincidences;
use super::error::ResumeError;
use super::next_block::{Expected, NextBlock};
use super::text::JournalText;
use crate::batch::options::{Clock, MineOptions, ProofMemory};
use crate::chain::json::{View, write_float, write_string};
use crate::chain::{Format, PreviousHash, Transactions};
use crate::pow::{LastBlock, Nonce, Rule, Target};
use crate::sha256::Digest;

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
    coincidences: Coincidences,
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
            coincidences: Coincidences::new(options),
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
        self.coincidences.check_proofs(self.blocks)?;
        let end = self.format.end(self.blocks).into_bytes();
        let is_finished = self.queues_have_ended && self.text.peek(end.len() + 1)? == end;
        if !is_finished {
            self.coincidences.check_times(self.blocks)?;
        }
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
        let timestamp = &text[found.timestamp.clone()];
        if let Clock::From(_) = self.clock {
            let mut expected = Vec::new();
            write_float(self.clock.timestamp(index), &mut expected);
            if timestamp != expected {
                return Err(ResumeError::Timestamp {
                    block: index,
                    found: View::of(timestamp).excerpt(),
                    expected: View::of(&expected).excerpt(),
                });
            }
        }
        self.coincidences.note_time(index, timestamp);
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
            self.coincidences.note_proof(&last, &digest);
            if self.remembers_proofs {
                let last_proof = number(&self.proof).unwrap_or_default();
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

    /// The whole block that comes next, or `None` if all that comes is a
    /// tail.
    fn rest(&mut self) -> Result<Option<Vec<u8>>, ResumeError> {
        self.next_block().read(&mut self.text)
    }

    const fn next_block(&self) -> NextBlock {
        NextBlock {
            format: self.format,
            blocks: self.blocks,
            bytes: self.text.taken(),
        }
    }

    fn damaged(&self, problem: String) -> ResumeError {
        self.next_block().damaged(problem)
    }

    /// What is wrong with the whole block that stands where that of these
    /// transactions belongs.
    fn difference(
        &self,
        block: &[u8],
        transactions: &Transactions,
        place: impl Fn(usize) -> (String, u64),
    ) -> ResumeError {
        let expected = Expected {
            previous_hash: self.hash,
            transactions,
            recipient: self.recipient.as_deref(),
        };
        self.next_block().difference(block, &expected, place)
    }
}
