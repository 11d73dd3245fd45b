//! The compression function in plain Rust, one block at a time.

use super::constants::{INITIAL_STATE, ROUND_CONSTANTS};

/// Bytes in one SHA-256 block.
pub(crate) const BLOCK_BYTES: usize = 64;

/// The bytes of one block.
pub(crate) type BlockBytes = [u8; BLOCK_BYTES];

/// The eight working words between blocks, `a` to `h`.
pub(crate) type HashState = [u32; 8];

/// The state before the first block.
pub(crate) const fn initial_state() -> HashState {
    INITIAL_STATE
}

/// One round; `addend` is the round constant plus the schedule word.
#[inline(always)]
pub(crate) fn round(state: &mut HashState, addend: u32) {
    let [a, b, c, d, e, f, g, h] = *state;
    let sum1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
    let choice = (e & f) ^ (!e & g);
    let t1 = h
        .wrapping_add(sum1)
        .wrapping_add(choice)
        .wrapping_add(addend);
    let sum0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
    let majority = (a & b) ^ (a & c) ^ (b & c);
    let t2 = sum0.wrapping_add(majority);
    *state = [t1.wrapping_add(t2), a, b, c, d.wrapping_add(t1), e, f, g];
}

/// The 16 words that a block is read as.
pub(crate) fn block_words(block: &BlockBytes) -> [u32; 16] {
    let (bytes, _) = block.as_chunks::<4>();
    std::array::from_fn(|index| u32::from_be_bytes(bytes[index]))
}

/// Adds two states word by word, as a block's rounds are added to the state
/// before it.
pub(crate) fn add_states(left: HashState, right: HashState) -> HashState {
    std::array::from_fn(|index| left[index].wrapping_add(right[index]))
}

/// Folds one 64-byte block into `state` (FIPS 180-4, section 6.2.2).
pub(crate) fn compress(state: &mut HashState, block: &BlockBytes) {
    compress_words(state, &block_words(block));
}

/// The 64 words that the 16 of a block are expanded to.
pub(crate) fn message_schedule(words: &[u32; 16]) -> [u32; 64] {
    let mut schedule = [0; 64];
    schedule[..16].copy_from_slice(words);
    for t in 16..64 {
        schedule[t] = next_word(&schedule, t);
    }
    schedule
}

/// Word `t` of a schedule, from 16 on, of those before it.
pub(crate) fn next_word(schedule: &[u32], t: usize) -> u32 {
    let (w15, w2) = (schedule[t - 15], schedule[t - 2]);
    let sigma0 = w15.rotate_right(7) ^ w15.rotate_right(18) ^ (w15 >> 3);
    let sigma1 = w2.rotate_right(17) ^ w2.rotate_right(19) ^ (w2 >> 10);
    schedule[t - 16]
        .wrapping_add(sigma0)
        .wrapping_add(schedule[t - 7])
        .wrapping_add(sigma1)
}

/// As [`compress`], of a block that is already read as words.
pub(crate) fn compress_words(state: &mut HashState, words: &[u32; 16]) {
    let schedule = message_schedule(words);
    let mut rounds = *state;
    for (word, constant) in schedule.iter().zip(ROUND_CONSTANTS) {
        round(&mut rounds, constant.wrapping_add(*word));
    }
    *state = add_states(*state, rounds);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sha256::Digest;

    /// Pads by the standard, compresses every block, and prints big-endian.
    fn hash(message: &[u8]) -> Digest {
        let mut padded = message.to_vec();
        padded.push(0x80);
        while padded.len() % BLOCK_BYTES != 56 {
            padded.push(0);
        }
        padded.extend_from_slice(&(message.len() as u64 * 8).to_be_bytes());
        let mut state = initial_state();
        for block in padded.chunks_exact(BLOCK_BYTES) {
            compress(&mut state, block.try_into().unwrap());
        }
        let mut bytes = [0; 32];
        for (out, word) in bytes.chunks_exact_mut(4).zip(state) {
            out.copy_from_slice(&word.to_be_bytes());
        }
        Digest::from_bytes(bytes)
    }

    #[test]
    fn every_message_length_up_to_four_blocks_agrees_with_sha2() {
        let message: Vec<u8> = (0..=255).collect();
        for length in 0..=message.len() {
            assert_eq!(
                hash(&message[..length]),
                Digest::of(&message[..length]),
                "length {length}"
            );
        }
    }
}
