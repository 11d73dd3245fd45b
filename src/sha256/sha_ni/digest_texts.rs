//! Hashes whole texts with the SHA extensions, a few at a time.
//!
//! Each lane holds a text. All lanes advance block by block together, and a
//! lane takes the next text when its own is done. Texts with the same number of
//! blocks are placed side by side, so that lanes change texts at the same time.
#![allow(unsafe_code, reason = "intrinsics, and functions that need SHA-NI")]

use std::arch::x86_64::*;

use super::{
    Packed, ROUND_CONSTANTS, add_packed, add_quads, four_rounds, last_48_rounds, load_quad, pack,
};
use crate::sha256::Digest;
use crate::sha256::constants::INITIAL_STATE;
use crate::sha256::scalar::BlockBytes;

/// Texts hashed at the same time. Four are twice as fast as the `sha2` crate on
/// a Zen 3, and a tenth faster than two.
const LANES: usize = 4;

/// Whether the running CPU has the instructions.
pub(in crate::sha256) fn is_supported() -> bool {
    is_x86_feature_detected!("sha")
        && is_x86_feature_detected!("sse4.1")
        && is_x86_feature_detected!("ssse3")
}

/// One text on its way through the compression function.
struct Lane<'a> {
    /// The text's index.
    number: usize,
    state: Packed,
    /// Blocks that lie in the text itself.
    blocks: &'a [BlockBytes],
    /// The rest of the text and the padding: one block or two.
    last: [BlockBytes; 2],
    last_taken: usize,
    last_count: usize,
}

/// Writes the digest of each text to the same index of `digests`. The two slices
/// have the same length.
#[target_feature(enable = "sha,sse4.1,ssse3")]
pub(in crate::sha256) fn digest_texts(texts: &[&[u8]], digests: &mut [Digest]) {
    let mut order: Vec<_> = (0..).zip(texts).map(in_order).collect();
    order.sort_unstable();
    // Longest first, so that the last texts, hashed alone, are short.
    let mut waiting = order.into_iter().rev();
    let mut next = || {
        let number = (waiting.next()? as u32) as usize;
        Some(Lane::new(number, texts[number]))
    };
    let mut lanes = Vec::with_capacity(LANES);
    lanes.extend(std::iter::from_fn(&mut next).take(LANES));
    while let Some(together) = lanes.first_chunk_mut() {
        advance::<LANES>(together);
        lanes.retain_mut(|lane| {
            if !lane.is_done() {
                return true;
            }
            digests[lane.number] = lane.digest();
            next().map(|new| *lane = new).is_some()
        });
    }
    // The last few texts, with too few others beside them.
    for mut lane in lanes {
        while !lane.is_done() {
            advance(std::array::from_mut(&mut lane));
        }
        digests[lane.number] = lane.digest();
    }
}

/// The number of blocks of a text, padding included.
const fn block_count(bytes: usize) -> usize {
    (bytes + 9).div_ceil(size_of::<BlockBytes>())
}

/// The sort key of a text: its number of blocks, then its index.
fn in_order((number, text): (u32, &&[u8])) -> u64 {
    // If the count does not fit, only the order suffers.
    let blocks = block_count(text.len()) as u32;
    u64::from(blocks) << 32 | u64::from(number)
}

/// Advances all lanes until the first of them needs its next buffer.
#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn advance<const N: usize>(lanes: &mut [Lane<'_>; N]) {
    let mut states = lanes.each_ref().map(|lane| lane.state);
    let runs = lanes.each_ref().map(Lane::run);
    let count = runs.iter().map(|run| run.len()).min().unwrap_or(0);
    for index in 0..count {
        compress(&mut states, runs.map(|run| &run[index]));
    }
    for (lane, state) in lanes.iter_mut().zip(states) {
        lane.state = state;
        lane.advance(count);
    }
}

impl<'a> Lane<'a> {
    #[inline]
    #[target_feature(enable = "sha,sse4.1,ssse3")]
    fn new(number: usize, text: &'a [u8]) -> Self {
        let (blocks, rest) = text.as_chunks();
        let mut last = [[0; 64]; 2];
        last[0][..rest.len()].copy_from_slice(rest);
        last[0][rest.len()] = 0x80;
        let last_count = block_count(rest.len());
        let bits = text.len() as u64 * 8;
        last[last_count - 1][56..].copy_from_slice(&bits.to_be_bytes());
        Self {
            number,
            state: pack(INITIAL_STATE),
            blocks,
            last,
            last_taken: 0,
            last_count,
        }
    }

    /// The blocks of the current buffer.
    fn run(&self) -> &[BlockBytes] {
        match self.blocks {
            [] => &self.last[self.last_taken..self.last_count],
            blocks => blocks,
        }
    }

    fn advance(&mut self, count: usize) {
        match self.blocks {
            [] => self.last_taken += count,
            blocks => self.blocks = &blocks[count..],
        }
    }

    fn is_done(&self) -> bool {
        self.last_taken == self.last_count
    }

    #[inline]
    #[target_feature(enable = "sha,sse4.1,ssse3")]
    fn digest(&self) -> Digest {
        let Packed { abef, cdgh } = self.state;
        let halves = [
            _mm_unpackhi_epi64(cdgh, abef),
            _mm_unpacklo_epi64(cdgh, abef),
        ];
        // SAFETY: the bits of a register are those of a number. Its highest word
        // is the digest's first.
        let halves = unsafe { std::mem::transmute::<[__m128i; 2], [u128; 2]>(halves) };
        let bytes = halves.map(u128::to_be_bytes);
        Digest::from_bytes(*bytes.as_flattened().first_chunk().expect("two halves"))
    }
}

/// The compression function for each of `N` states and its block, round by
/// round in turn.
#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn compress<const N: usize>(states: &mut [Packed; N], blocks: [&BlockBytes; N]) {
    // Bytes of a word are big-endian in the text.
    let big_endian = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
    let before = *states;
    let mut schedule = [[_mm_setzero_si128(); 4]; N];
    for number in 0..4 {
        let constants = load_quad(&ROUND_CONSTANTS, number * 4);
        for ((state, schedule), block) in states.iter_mut().zip(&mut schedule).zip(blocks) {
            let bytes = block.as_chunks::<16>().0[number];
            // SAFETY: any 16 bytes are a register's.
            let bytes = unsafe { std::mem::transmute::<[u8; 16], __m128i>(bytes) };
            let words = _mm_shuffle_epi8(bytes, big_endian);
            schedule[number] = words;
            *state = four_rounds(*state, add_quads(words, constants));
        }
    }
    // SAFETY: this function needs the same instructions.
    let after = unsafe { last_48_rounds(*states, schedule) };
    for ((state, before), after) in states.iter_mut().zip(before).zip(after) {
        *state = add_packed(before, after);
    }
}
