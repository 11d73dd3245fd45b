//! What a journal's text is made of.

use std::ops::Range;

use crate::chain::Format;
use crate::chain::json::{View, canonical_number};
use crate::pow::Nonce;

/// How a block starts.
pub(super) const BLOCK_START: &[u8] = b"{\"index\": ";

/// A block that is as it should be, by its places in the text.
pub(super) struct Match {
    pub(super) block: Range<usize>,
    pub(super) proof: Range<usize>,
    pub(super) timestamp: Range<usize>,
    /// With the separators.
    pub(super) length: usize,
}

/// Compares the start of `text` with `head`, a proof, a time, `transactions`,
/// and a reward for the one whose name is `reward`. The block starts at
/// `start`.
pub(super) fn compare(
    text: &[u8],
    head: &[u8],
    start: usize,
    transactions: &[u8],
    reward: Option<&[u8]>,
    format: Format,
) -> Option<Match> {
    let mut rest = text.strip_prefix(head)?;
    let place = |rest: &[u8]| text.len() - rest.len();
    let take_number = |rest: &mut &[u8]| {
        let start = place(rest);
        let length = canonical_number(rest)?;
        *rest = &rest[length..];
        Some(start..start + length)
    };
    let proof = take_number(&mut rest)?;
    rest = rest.strip_prefix(b", \"timestamp\": ")?;
    let timestamp = take_number(&mut rest)?;
    rest = rest.strip_prefix(b", \"transactions\": [")?;
    rest = rest.strip_prefix(transactions)?;
    if let Some(recipient) = reward {
        if !transactions.is_empty() {
            rest = rest.strip_prefix(b", ")?;
        }
        rest = rest.strip_prefix(b"{\"amount\": 1, \"recipient\": ")?;
        rest = rest.strip_prefix(recipient)?;
        rest = rest.strip_prefix(b", \"sender\": \"0\"}")?;
    }
    rest = rest.strip_prefix(b"]}")?;
    let end = place(rest);
    rest = rest.strip_prefix(format.after_block().as_bytes())?;
    Some(Match {
        block: start..end,
        proof,
        timestamp,
        length: place(rest),
    })
}

pub(super) fn number(text: &[u8]) -> Option<Nonce> {
    std::str::from_utf8(text).ok()?.parse().ok().map(Nonce)
}

/// The member `name` of an object in canonical text.
pub(super) fn field<'a>(object: &'a [u8], name: &[u8]) -> Option<View<'a>> {
    let mut members = View::of(object).members();
    members.find_map(|(key, value)| (key == name).then_some(value))
}

/// Who got the reward of a block, as a canonical JSON string.
pub(super) fn reward_of(block: &[u8]) -> Option<&[u8]> {
    let last = field(block, b"transactions")?.elements().last()?;
    let recipient = field(last.text(), b"recipient")?;
    let is_reward = field(last.text(), b"sender")?.text() == b"\"0\"";
    (is_reward && recipient.string().is_some()).then(|| recipient.text())
}
