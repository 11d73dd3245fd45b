//! Statistics of a chain's proofs: quantiles, the cycle in which they end, and
//! the zeros of their digests.

use std::collections::HashMap;

use serde::Serialize;

use crate::chain::json::{Kind, View};
use crate::chain::verify::PreviousBlock;
use crate::pow::Rule;
use crate::sha256::Digest;

/// The proofs of a chain. Block 1, whose proof is not the result of work, counts
/// only for the cycle.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Proofs {
    /// The number of proofs that `min` to `max` cover.
    pub count: u64,
    /// The number of other proofs: missing, or not an integer from 0 to 2^63 - 1.
    pub odd: u64,
    /// The minimum. This and the next five are `None` without proofs.
    pub min: Option<u64>,
    /// A quarter is at most this.
    pub lower_quartile: Option<u64>,
    /// Half is at most this.
    pub median: Option<u64>,
    /// Three quarters are at most this.
    pub upper_quartile: Option<u64>,
    /// The maximum.
    pub max: Option<u64>,
    /// The mean.
    pub mean: Option<f64>,
    /// The cycle in which the proofs end, if any.
    #[serde(skip)]
    pub cycle: Option<Cycle>,
    /// For each of [`Rule::ALL`], the fewest leading zero bits of a proof's
    /// digest; `None` if no two blocks in a row have an integer as proof.
    #[serde(skip)]
    pub zero_bits: [Option<u16>; Rule::ALL.len()],
}

/// Proofs that repeat: from block `start` to the end of the chain, the proof
/// of each block is also that of the block `length` after it.
///
/// To exclude chance, the whole cycle must occur at least twice, and at least
/// four proofs must repeat.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Cycle {
    /// The first block of the cycle, counted from 1: the smallest possible.
    pub start: u64,
    /// The number of proofs in the cycle: the smallest for that start.
    pub length: u64,
}

/// The fewest consecutive proofs that must repeat.
const MIN_REPEATED: usize = 4;

/// Keys from here on stand for proofs that are not integers below it.
const FIRST_ODD: u64 = 1 << 63;

#[derive(Debug, Default)]
pub(super) struct ProofTally {
    /// The proof of every block, or a key for an odd one. Equal proofs have
    /// equal keys.
    keys: Vec<u64>,
    odd: HashMap<Box<[u8]>, u64>,
    missing: u64,
    zero_bits: [Option<u16>; Rule::ALL.len()],
    /// The block before, if its proof is an integer.
    previous: Option<PreviousBlock<'static>>,
}

impl ProofTally {
    pub(super) fn add(
        &mut self,
        proof: Option<View<'_>>,
        previous_hash: Option<View<'_>>,
        hash: Digest,
    ) {
        let key = self.key(proof);
        let is_first = self.keys.is_empty();
        self.keys.push(key);
        let integer = proof.filter(|proof| proof.kind() == Kind::Integer);
        if !is_first && let Some(proof) = integer {
            self.add_zeros(proof);
        }
        self.previous = integer.map(|proof| {
            let previous_hash = previous_hash.unwrap_or(View::of(b"null"));
            PreviousBlock::new(proof.text(), previous_hash, hash).into_owned()
        });
    }

    fn add_zeros(&mut self, proof: View<'_>) {
        let Some(previous) = &self.previous else {
            return;
        };
        for rule in Rule::ALL {
            let fewest = &mut self.zero_bits[rule as usize];
            // It cannot get smaller.
            if *fewest == Some(0) {
                continue;
            }
            let zeros = zero_bits(&rule.digest(&previous.as_last(), proof.text()));
            *fewest = Some(fewest.map_or(zeros, |fewest| fewest.min(zeros)));
        }
    }

    fn key(&mut self, proof: Option<View<'_>>) -> u64 {
        let Some(proof) = proof else {
            // A missing proof equals no other.
            self.missing += 1;
            return u64::MAX - self.missing;
        };
        let text = proof.text();
        let number = std::str::from_utf8(text)
            .ok()
            .and_then(|text| text.parse().ok());
        if let Some(number) = number.filter(|number| *number < FIRST_ODD) {
            return number;
        }
        if let Some(key) = self.odd.get(text) {
            return *key;
        }
        let key = FIRST_ODD + self.odd.len() as u64;
        self.odd.insert(text.into(), key);
        key
    }

    pub(super) fn finish(self) -> Proofs {
        let Self {
            mut keys,
            zero_bits,
            ..
        } = self;
        let cycle = cycle(&keys);
        if !keys.is_empty() {
            keys.swap_remove(0);
        }
        let all = keys.len();
        keys.retain(|key| *key < FIRST_ODD);
        keys.sort_unstable();
        let count = keys.len();
        // The smallest key that at least this many quarters do not exceed.
        let quantile = |quarters: usize| {
            let place = (count * quarters).div_ceil(4).saturating_sub(1);
            keys.get(place).copied()
        };
        let sum: u128 = keys.iter().map(|key| u128::from(*key)).sum();
        Proofs {
            count: count as u64,
            odd: (all - count) as u64,
            min: quantile(0),
            lower_quartile: quantile(1),
            median: quantile(2),
            upper_quartile: quantile(3),
            max: quantile(4),
            mean: (count > 0).then(|| sum as f64 / count as f64),
            cycle,
            zero_bits,
        }
    }
}

fn zero_bits(digest: &Digest) -> u16 {
    let bytes = digest.as_bytes();
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let next = bytes.get(zeros).map_or(0, |byte| byte.leading_zeros());
    8 * zeros as u16 + next as u16
}

/// The cycle in which the keys end.
fn cycle(keys: &[u64]) -> Option<Cycle> {
    let repeats = repeats_from_the_end(keys)?;
    // Distances at which enough keys repeat.
    let candidates = repeats
        .iter()
        .enumerate()
        .skip(1)
        .filter(|(length, repeated)| **repeated as usize >= MIN_REPEATED.max(*length));
    // Prefer the earliest start, then the shortest cycle.
    let (length, repeated) = candidates
        .rev()
        .max_by_key(|(length, repeated)| length + **repeated as usize)?;
    let tail = length + *repeated as usize;
    Some(Cycle {
        start: (keys.len() - tail) as u64 + 1,
        length: length as u64,
    })
}

/// For each distance, how many keys, counted from the end, equal the key at that
/// distance before them: the Z-function of the reversed sequence, in linear
/// time. `None` for more keys than a `u32` counts.
fn repeats_from_the_end(keys: &[u64]) -> Option<Vec<u32>> {
    let count = u32::try_from(keys.len()).ok()? as usize;
    let key = |place: usize| keys[count - 1 - place];
    let mut repeats = vec![0u32; count];
    // `start..end` is the known run of equal keys that reaches farthest.
    let (mut start, mut end) = (0, 0);
    for distance in 1..count {
        let mut equal = 0;
        if distance < end {
            equal = (repeats[distance - start] as usize).min(end - distance);
        }
        while distance + equal < count && key(equal) == key(distance + equal) {
            equal += 1;
        }
        if distance + equal > end {
            (start, end) = (distance, distance + equal);
        }
        repeats[distance] = equal as u32;
    }
    Some(repeats)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same by its definition.
    fn naive(keys: &[u64]) -> Option<Cycle> {
        for start in 0..keys.len() {
            let tail = &keys[start..];
            for length in 1..=tail.len() / 2 {
                let repeated = tail.len() - length;
                if repeated >= MIN_REPEATED && tail[..repeated] == tail[length..] {
                    return Some(Cycle {
                        start: start as u64 + 1,
                        length: length as u64,
                    });
                }
            }
        }
        None
    }

    #[test]
    fn cycles_are_those_of_the_definition() {
        let mut state = 3u64;
        let mut random = |below: u64| {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (state >> 33) % below
        };
        let mut found = 0;
        for _ in 0..20_000 {
            let mut keys: Vec<_> = (0..random(12)).map(|_| random(3)).collect();
            let (from, times) = (random(keys.len() as u64 + 1) as usize, random(4));
            let period = keys[from..].to_vec();
            for _ in 0..times {
                keys.extend_from_slice(&period);
            }
            keys.extend_from_slice(&period[..random(period.len() as u64 + 1) as usize]);
            assert_eq!(cycle(&keys), naive(&keys), "{keys:?}");
            found += usize::from(cycle(&keys).is_some());
        }
        assert!((5_000..15_000).contains(&found), "{found}");
    }

    #[test]
    fn the_zeros_of_a_digest_are_counted_in_bits() {
        let mut bytes = [0; 32];
        assert_eq!(zero_bits(&Digest::from_bytes(bytes)), 256);
        bytes[2] = 0x1f;
        bytes[3] = 0xff;
        assert_eq!(zero_bits(&Digest::from_bytes(bytes)), 19);
        bytes[0] = 0x80;
        assert_eq!(zero_bits(&Digest::from_bytes(bytes)), 0);
    }
}
