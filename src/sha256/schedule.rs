//! The parts of a block's 64 rounds that are the same for all messages, computed
//! once in scalar code: for a block with one or two varying words, and for a
//! block whose words are all constant.

use super::constants::ROUND_CONSTANTS;
use super::scalar::{HashState, message_schedule, next_word, round};

/// The round at which the second half starts: from here on every word of the
/// message schedule varies, wherever in the block the variation starts.
pub(crate) const HALF: usize = 32;

/// The words of the message schedule that vary when `count` words of the
/// block do, from word `first` on; word 0 as bit 0.
pub(crate) const fn varying_words(first: usize, count: usize) -> u64 {
    let mut varying = ((1 << count) - 1) << first;
    let mut t = 16;
    while t < 64 {
        if varying & sources(t) != 0 {
            varying |= 1 << t;
        }
        t += 1;
    }
    varying
}

/// The words from which word `t` of the schedule is computed, from 16 on.
pub(crate) const fn sources(t: usize) -> u64 {
    1 << (t - 16) | 1 << (t - 15) | 1 << (t - 7) | 1 << (t - 2)
}

/// Whether word `t` is in the set.
pub(crate) const fn contains(set: u64, t: usize) -> bool {
    set >> t & 1 == 1
}

/// A block without a varying word, after one that varied.
#[derive(Clone, Debug)]
pub(crate) struct ConstantBlock {
    /// What each round adds: K and W.
    pub(crate) rounds: [u32; 64],
}

impl ConstantBlock {
    pub(crate) fn new(words: &[u32; 16]) -> Self {
        let schedule = message_schedule(words);
        Self {
            rounds: std::array::from_fn(|t| ROUND_CONSTANTS[t].wrapping_add(schedule[t])),
        }
    }
}

/// The constants of a block with varying words.
#[derive(Clone, Debug)]
pub(crate) struct BlockConstants {
    /// The first half of the schedule without the varying words: the block itself,
    /// and the constant part of each word after it.
    pub(crate) words: [u32; HALF],
    /// What each round adds besides varying words: K, plus W if it is constant.
    pub(crate) rounds: [u32; 64],
}

impl BlockConstants {
    /// The constants of a block whose `count` words from `first` on vary, one
    /// or two.
    pub(crate) fn new(block: [u32; 16], first: usize, count: usize) -> Self {
        let varying = varying_words(first, count);
        let mut words = [0; HALF];
        words[..16].copy_from_slice(&block);
        let mut rounds = ROUND_CONSTANTS;
        // Zero in place of a varying word, so that sums have the constant parts
        // only.
        let mut schedule = [0; HALF];
        for t in 0..HALF {
            if t >= 16 {
                words[t] = next_word(&schedule, t);
            }
            if !contains(varying, t) {
                schedule[t] = words[t];
                rounds[t] = rounds[t].wrapping_add(words[t]);
            }
        }
        Self { words, rounds }
    }
}

/// The block that holds the first varying word, together with the state that
/// the blocks before it lead to.
#[derive(Clone, Debug)]
pub(crate) struct FirstBlock {
    /// The state before the block.
    pub(crate) midstate: HashState,
    /// The state before the rounds that the kernel does together with the
    /// first that sees a varying word.
    pub(crate) state_before: HashState,
    /// The state after that round without the varying part, which the kernel
    /// adds to `a` and to `e`.
    pub(crate) state_after: HashState,
    pub(crate) constants: BlockConstants,
    /// The constants of the three rounds after that one, together with the `h`
    /// they add: the first varying round changes `a` and `e`, and `e` takes three
    /// rounds to become `h`.
    pub(crate) rounds_with_h: [u32; 3],
    /// Index of the first varying word.
    pub(crate) first: usize,
    /// Varying words in this block, one or two.
    pub(crate) count: usize,
}

impl FirstBlock {
    /// For a kernel whose instructions do `rounds_at_once` rounds.
    pub(crate) fn new(
        midstate: HashState,
        words: [u32; 16],
        first: usize,
        count: usize,
        rounds_at_once: usize,
    ) -> Self {
        let constants = BlockConstants::new(words, first, count);
        let mut state_before = midstate;
        let (before, at_once) = constants.rounds[..first].split_at(first - first % rounds_at_once);
        for addend in before {
            round(&mut state_before, *addend);
        }
        let mut state_after = state_before;
        for addend in at_once {
            round(&mut state_after, *addend);
        }
        let addend = constants.rounds[first].wrapping_add(words[first]);
        round(&mut state_after, addend);
        let [.., f, g, h] = state_after;
        let rounds_with_h = [
            constants.rounds[first + 1].wrapping_add(h),
            constants.rounds[first + 2].wrapping_add(g),
            constants.rounds[first + 3].wrapping_add(f),
        ];
        Self {
            midstate,
            state_before,
            state_after,
            constants,
            rounds_with_h,
            first,
            count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_second_half_varies() {
        for first in 0..16 {
            for count in 1..=(16 - first).min(2) {
                let varying = varying_words(first, count);
                assert_eq!(varying >> HALF, u64::MAX >> HALF, "{count} from {first}");
            }
        }
    }
}
