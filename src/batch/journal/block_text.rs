//! The text of a block in a journal.

use crate::chain::Format;
use crate::chain::json::{View, canonical_number};
use crate::sha256::Digest;

/// How a block starts.
pub(super) const BLOCK_START: &[u8] = b"{\"index\": ";

/// A block with the expected transactions.
pub(super) struct MatchingBlock {
    pub(super) hash: Digest,
    pub(super) proof: String,
    pub(super) timestamp: String,
    /// Bytes, with the separators.
    pub(super) length: usize,
}

/// Compares the start of `text` with `head`, a proof, a time, `transactions`,
/// and a reward if there is a `recipient`. The block starts at `start`.
pub(super) fn match_block(
    text: &[u8],
    head: &[u8],
    start: usize,
    transactions: &[u8],
    recipient: Option<&[u8]>,
    format: Format,
) -> Option<MatchingBlock> {
    let mut rest = text.strip_prefix(head)?;
    let take_number = |rest: &mut &[u8]| {
        let (number, after) = rest.split_at(canonical_number(rest)?);
        *rest = after;
        String::from_utf8(number.to_vec()).ok()
    };
    let proof = take_number(&mut rest)?;
    rest = rest.strip_prefix(b", \"timestamp\": ")?;
    let timestamp = take_number(&mut rest)?;
    rest = rest.strip_prefix(b", \"transactions\": [")?;
    rest = rest.strip_prefix(transactions)?;
    if let Some(recipient) = recipient {
        if !transactions.is_empty() {
            rest = rest.strip_prefix(b", ")?;
        }
        rest = rest.strip_prefix(b"{\"amount\": 1, \"recipient\": ")?;
        rest = rest.strip_prefix(recipient)?;
        rest = rest.strip_prefix(b", \"sender\": \"0\"}")?;
    }
    rest = rest.strip_prefix(b"]}")?;
    let end = text.len() - rest.len();
    rest = rest.strip_prefix(format.after_block().as_bytes())?;
    Some(MatchingBlock {
        hash: Digest::of(&text[start..end]),
        proof,
        timestamp,
        length: text.len() - rest.len(),
    })
}

/// The member `name` of an object in canonical text.
pub(super) fn field<'a>(object: &'a [u8], name: &[u8]) -> Option<View<'a>> {
    let mut members = View::of(object).members();
    members.find_map(|(key, value)| (key == name).then_some(value))
}

/// The recipient of a block's reward, as a canonical JSON string.
pub(super) fn recipient_of(block: &[u8]) -> Option<&[u8]> {
    let last = field(block, b"transactions")?.elements().last()?;
    let recipient = field(last.text(), b"recipient")?;
    let is_reward = field(last.text(), b"sender")?.text() == b"\"0\"";
    (is_reward && recipient.string().is_some()).then(|| recipient.text())
}
