//! The compression function in plain Rust, one block at a time.

use super::constants::{INITIAL_STATE, ROUND_CONSTANTS};

/// Bytes in one SHA-256 block.
pub(crate) const BLOCK_BYTES: usize = 64;

/// The eight working words between blocks, `a` to `h`.
pub(crate) type State = [u32; 8];

/// The state before the first block.
pub(crate) const fn initial_state() -> State {
    INITIAL_STATE
}

/// Folds one 64-byte block into `state` (FIPS 180-4, section 6.2.2).
pub(crate) fn compress(state: &mut State, block: &[u8; BLOCK_BYTES]) {
    let mut schedule = [0u32; 64];
    for (word, bytes) in schedule.iter_mut().zip(block.chunks_exact(4)) {
        *word = u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    }
    for t in 16..64 {
        let w15 = schedule[t - 15];
        let w2 = schedule[t - 2];
        let sigma0 = w15.rotate_right(7) ^ w15.rotate_right(18) ^ (w15 >> 3);
        let sigma1 = w2.rotate_right(17) ^ w2.rotate_right(19) ^ (w2 >> 10);
        schedule[t] = schedule[t - 16]
            .wrapping_add(sigma0)
            .wrapping_add(schedule[t - 7])
            .wrapping_add(sigma1);
    }

    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for (word, constant) in schedule.iter().zip(ROUND_CONSTANTS) {
        let sum1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let choice = (e & f) ^ (!e & g);
        let t1 = h
            .wrapping_add(sum1)
            .wrapping_add(choice)
            .wrapping_add(constant)
            .wrapping_add(*word);
        let sum0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let majority = (a & b) ^ (a & c) ^ (b & c);
        let t2 = sum0.wrapping_add(majority);
        h = g;
        g = f;
        f = e;
        e = d.wrapping_add(t1);
        d = c;
        c = b;
        b = a;
        a = t1.wrapping_add(t2);
    }
    for (word, round) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *word = word.wrapping_add(round);
    }
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
