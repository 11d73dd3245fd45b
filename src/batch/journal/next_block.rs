//! What stands in a journal where a block was expected and is not.

use std::io::Read;

use super::block::{BLOCK_START, field};
use super::error::ResumeError;
use super::text::JournalText;
use crate::chain::json::{MAX_VALUE_BYTES, View, canonical, value_length};
use crate::chain::{Format, Transactions};
use crate::sha256::Digest;

/// The place of the block that comes next in a journal.
#[derive(Clone, Copy, Debug)]
pub(super) struct NextBlock {
    pub(super) format: Format,
    /// Whole blocks before it.
    pub(super) blocks: u64,
    /// Bytes before it, and before what separates it from them.
    pub(super) bytes: u64,
}

/// The block that was expected.
pub(super) struct Expected<'a> {
    /// The hash of the block before.
    pub(super) previous_hash: Digest,
    pub(super) transactions: &'a Transactions,
    /// The canonical JSON string of who gets the reward, if that is known.
    pub(super) recipient: Option<&'a [u8]>,
}

impl NextBlock {
    /// The whole block at the start of `text`, or `None` if all that comes is
    /// a tail.
    pub(super) fn read<R: Read>(
        self,
        text: &mut JournalText<R>,
    ) -> Result<Option<Vec<u8>>, ResumeError> {
        let before = self.format.before_block(self.blocks).as_bytes();
        let end = self.format.end(self.blocks);
        let end = end.as_bytes();
        let found = text.peek(end.len() + 1)?;
        if self.blocks > 0 && !found.is_empty() && end.starts_with(found) {
            return Ok(None);
        }
        let most = Format::Json.start().len() + BLOCK_START.len();
        let found = text.peek(most)?;
        let shared = found.len().min(before.len());
        let after = &found[shared..found.len().min(shared + BLOCK_START.len())];
        if found[..shared] != before[..shared] || !BLOCK_START.starts_with(after) {
            let shown = found.len().min(most);
            let found = String::from_utf8_lossy(&found[..shown]).into_owned();
            return Err(match self.blocks {
                0 => self.not_a_journal(found),
                _ => self.damaged(format!("it goes on with {found:?}")),
            });
        }
        let Some(block) = self.read_whole(text, before.len())? else {
            return Ok(None);
        };
        match canonical(&block) {
            Ok(text) if text.as_bytes() == block => Ok(Some(block)),
            Ok(_) => Err(self.damaged("it is not in the canonical spelling".into())),
            Err(error) => Err(self.damaged(error.to_string())),
        }
    }

    /// The block that starts `before` bytes on; `None` if the text ends in it.
    fn read_whole<R: Read>(
        self,
        text: &mut JournalText<R>,
        before: usize,
    ) -> Result<Option<Vec<u8>>, ResumeError> {
        let mut wanted = 64 << 10;
        loop {
            let found = text.peek(before + wanted)?;
            let body = found.get(before..).unwrap_or_default();
            let length = match self.format {
                Format::Json | Format::Array => {
                    (!body.is_empty()).then(|| value_length(body)).flatten()
                }
                Format::JsonLines => memchr::memchr(b'\n', body),
            };
            match length {
                Some(length) => return Ok(Some(body[..length].to_vec())),
                None if body.len() < wanted => {
                    // The start of a block goes no further than that block.
                    let next = format!("{{\"index\": {}, \"previous_hash\": \"", self.blocks + 2);
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
        }
    }

    fn not_a_journal(self, found: String) -> ResumeError {
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

    /// The error that it is damaged.
    pub(super) fn damaged(self, problem: String) -> ResumeError {
        ResumeError::Damaged {
            byte: self.bytes,
            block: self.blocks + 1,
            problem,
        }
    }

    /// What is wrong with the whole `block` that stands where another was
    /// expected. `place` gives queue and line of each transaction.
    pub(super) fn difference(
        self,
        block: &[u8],
        expected: &Expected<'_>,
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
        if previous_hash.string() != Some(&expected.previous_hash.to_hex()) {
            return self.damaged(format!(
                "its previous_hash is {}, but the block before hashes to {}",
                previous_hash.excerpt(),
                expected.previous_hash
            ));
        }
        let mut mined: Vec<_> = mined.elements().collect();
        let reward = mined.pop();
        let list = [b"[", expected.transactions.text(), b"]"].concat();
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
        match (recipient, expected.recipient) {
            (Some(found), Some(expected)) if found.text() != expected => ResumeError::Recipient {
                block: index,
                found: found.excerpt(),
                expected: View::of(expected).excerpt(),
            },
            _ => self.damaged("it is not as mining writes it".into()),
        }
    }
}
