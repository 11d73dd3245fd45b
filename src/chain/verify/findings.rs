//! What is wrong with a chain, as far as it was looked at.

use super::VerifyOptions;
use super::fault::{Fault, FaultKind};
use crate::chain::json::View;
use crate::pow::{LastBlock, Rule, Target};
use crate::sha256::{Digest, digest_texts};

/// Proofs are put together to be hashed side by side, but not those that fill
/// megabytes.
const MOST_MESSAGE_BYTES: usize = 1 << 10;

/// The faults that were found so far, in the order of the chain.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// The first that does not depend on the rule.
    pub(super) first: Option<Fault>,
    /// For each rule, the first block whose proof does not satisfy it.
    pub(super) proofs: [Option<ProofFailure>; Rule::ALL.len()],
    /// Proofs that were hashed, once for each rule they were checked under.
    pub(super) hashes: u64,
}

/// How a block follows the one before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link<'a> {
    pub(super) last: LastBlock<'a>,
    pub(super) index: u64,
    pub(super) proof: &'a [u8],
    /// As the block quotes it.
    pub(super) previous_hash: &'a [u8],
}

/// A proof that does not satisfy a rule.
#[derive(Clone, Debug)]
pub(super) struct ProofFailure {
    pub(super) block: u64,
    pub(super) proof: String,
    pub(super) digest: Digest,
}

impl Findings {
    /// Whether the verdict on the chain stands: nothing that follows can
    /// change what is wrong with it first.
    pub(super) fn is_settled(&self, options: &VerifyOptions) -> bool {
        self.first.is_some()
            || options
                .candidates()
                .iter()
                .all(|rule| self.proofs[*rule as usize].is_some())
    }

    /// Checks links, in the order of the chain: the hash that a block quotes,
    /// then its proof under every rule that still holds.
    pub(super) fn check_links(&mut self, links: &[Link<'_>], options: &VerifyOptions) {
        // The first link tells which rules are worth hashing many proofs for.
        let (first, others) = links.split_at(links.len().min(1));
        for links in [first, others] {
            if self.is_settled(options) {
                return;
            }
            let quoting = links.iter().take_while(|link| link.quotes_its_hash());
            let quoting = quoting.count();
            for rule in options.candidates() {
                self.check_proofs(&links[..quoting], *rule, options.target);
            }
            if let Some(link) = links.get(quoting)
                && !self.is_settled(options)
            {
                let found = View::of(link.quoted().unwrap_or(link.previous_hash)).excerpt();
                let kind = FaultKind::PreviousHash {
                    found,
                    expected: link.last.hash,
                };
                let block = link.index;
                self.first = Some(Fault { block, kind });
            }
        }
    }

    /// Checks proofs up to the first that fails.
    fn check_proofs(&mut self, links: &[Link<'_>], rule: Rule, target: Target) {
        if self.proofs[rule as usize].is_some() {
            return;
        }
        let mut messages = Vec::new();
        let short = |link: &&Link<'_>| link.message_length() <= MOST_MESSAGE_BYTES;
        let ends: Vec<_> = (links.iter().filter(short))
            .map(|link| {
                rule.write_message(&link.last, link.proof, &mut messages);
                messages.len()
            })
            .collect();
        let mut start = 0;
        let texts: Vec<_> = ends
            .into_iter()
            .map(|end| &messages[std::mem::replace(&mut start, end)..end])
            .collect();
        let mut digests = Vec::with_capacity(texts.len());
        digest_texts(&texts, &mut digests);

        let mut digests = digests.into_iter();
        for link in links {
            let digest = (Some(link).filter(short))
                .and_then(|_| digests.next())
                .unwrap_or_else(|| rule.digest(&link.last, link.proof));
            self.hashes += 1;
            if !target.is_met_by(&digest) {
                self.proofs[rule as usize] = Some(ProofFailure {
                    block: link.index,
                    proof: View::of(link.proof).excerpt(),
                    digest,
                });
                return;
            }
        }
    }
}

impl<'a> Link<'a> {
    fn quotes_its_hash(&self) -> bool {
        let digits = self.quoted().and_then(|quoted| quoted.try_into().ok());
        digits.is_some_and(|digits| is_hex_of(digits, &self.last.hash))
    }

    /// The `previous_hash` between its quotes, if it has some.
    fn quoted(&self) -> Option<&'a [u8]> {
        self.previous_hash.strip_prefix(b"\"")?.strip_suffix(b"\"")
    }

    /// How long the text is that a rule hashes, at most.
    fn message_length(&self) -> usize {
        let suffix = self.last.previous_hash.len().max(2 * size_of::<Digest>());
        self.last.proof.len() + self.proof.len() + suffix
    }
}

/// Whether these are the digest's lower-case hex digits.
///
/// Two digits are computed in the two bytes of an integer: without a table,
/// and without an early end, the compiler does so for eight at once.
fn is_hex_of(digits: &[u8; 64], digest: &Digest) -> bool {
    const TO_LETTERS: u16 = (b'a' - b'9' - 1) as u16;
    let mut differences = 0;
    for (pair, byte) in digits.as_chunks().0.iter().zip(digest.as_bytes()) {
        let values = u16::from(byte >> 4) | u16::from(byte & 0xf) << 8;
        // From ten on, adding six carries out of the low half of the byte.
        let letters = (values + 0x0606) >> 4 & 0x0101;
        let expected = values + 0x3030 + letters * TO_LETTERS;
        differences |= expected ^ u16::from_le_bytes(*pair);
    }
    differences == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_digits_are_told_from_all_that_differ_in_one() {
        let digest = Digest::of(b"");
        let digits = digest.to_hex();
        assert!(is_hex_of(&digits, &digest));
        for place in 0..digits.len() {
            for other in (0..=255).filter(|other| *other != digits[place]) {
                let mut digits = digits;
                digits[place] = other;
                assert!(!is_hex_of(&digits, &digest), "{other:#x} at {place}");
            }
        }
    }
}
