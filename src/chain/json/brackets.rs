//! Finds the end of an array or object, 64 bytes at a time.
//!
//! Whether a bracket counts depends on all quotes before it. Bit masks, with one
//! bit per byte, find that out without a branch for each byte. The method is from
//! Langdale and Lemire, "Parsing gigabytes of JSON per second" (2019).

use wide::u8x16;

/// Bytes per step: the bits of a mask.
const STEP: usize = 64;

/// Finds the bracket that closes the one at the start of `text`. Brackets and
/// braces count as the same. Returns the length up to there, or what is missing.
pub(super) fn closing_bracket(text: &[u8]) -> Result<usize, &'static str> {
    let mut scan = Scan::default();
    let (steps, rest) = text.as_chunks::<STEP>();
    for (number, step) in steps.iter().enumerate() {
        if let Some(place) = scan.step(step) {
            return Ok(number * STEP + place + 1);
        }
    }
    // Pad the rest with white space, which has no effect.
    let mut last = [b' '; STEP];
    last[..rest.len()].copy_from_slice(rest);
    match scan.step(&last) {
        Some(place) => Ok(steps.len() * STEP + place + 1),
        None if scan.in_string != 0 => Err("the end of the string ('\"')"),
        None if text[0] == b'{' => Err("the end of the object ('}')"),
        None => Err("the end of the array (']')"),
    }
}

#[derive(Default)]
struct Scan {
    depth: u32,
    /// All ones inside a string, or else zero.
    in_string: u64,
    /// One if the next byte is escaped, or else zero.
    is_escaped: u64,
}

impl Scan {
    /// Scans the next bytes for the bracket that closes the first one.
    #[inline(always)]
    fn step(&mut self, bytes: &[u8; STEP]) -> Option<usize> {
        let (parts, _) = bytes.as_chunks::<16>();
        let parts = [0, 1, 2, 3].map(|part| u8x16::new(parts[part]));
        let quotes = mask(parts, b'"') & !self.escaped(mask(parts, b'\\'));
        // A byte is inside a string if the number of quotes up to it is odd.
        let in_string = parity_up_to(quotes) ^ self.in_string;
        self.in_string = ((in_string as i64) >> 63) as u64;

        // In ASCII, `[` and `{` differ in one bit, and so do `]` and `}`.
        let folded = parts.map(|part| part | u8x16::splat(0x20));
        let opened = mask(folded, b'{') & !in_string;
        let closed = mask(folded, b'}') & !in_string;
        // With fewer closing brackets than are open, none closes the first.
        if closed.count_ones() >= self.depth {
            let mut rest = closed;
            let mut closed_before = 0;
            while rest != 0 {
                let place = rest.trailing_zeros();
                let opened_before = (opened & ((1 << place) - 1)).count_ones();
                if self.depth + opened_before - closed_before == 1 {
                    return Some(place as usize);
                }
                closed_before += 1;
                rest &= rest - 1;
            }
        }
        self.depth = self.depth + opened.count_ones() - closed.count_ones();
        None
    }

    /// The bytes that a backslash escapes.
    ///
    /// In a run of backslashes, every second one is escaped, so the start of the
    /// run decides which: at an even or an odd place. An addition carries through
    /// a run and comes out after it.
    fn escaped(&mut self, backslashes: u64) -> u64 {
        if backslashes == 0 {
            return std::mem::take(&mut self.is_escaped);
        }
        const EVEN: u64 = u64::MAX / 3;
        let backslashes = backslashes & !self.is_escaped;
        let follows = backslashes << 1 | self.is_escaped;
        let odd_starts = backslashes & !EVEN & !follows;
        let (even_runs, overflows) = odd_starts.overflowing_add(backslashes);
        self.is_escaped = u64::from(overflows);
        (EVEN ^ (even_runs << 1)) & follows
    }
}

/// One bit for each byte that equals `byte`.
#[inline(always)]
fn mask(parts: [u8x16; 4], byte: u8) -> u64 {
    let bits = parts.map(|part| u64::from(part.simd_eq(u8x16::splat(byte)).to_bitmask()));
    bits[0] | bits[1] << 16 | bits[2] << 32 | bits[3] << 48
}

/// Each bit is the parity of the bits up to and including it.
const fn parity_up_to(mut bits: u64) -> u64 {
    let mut shift = 1;
    while shift < 64 {
        bits ^= bits << shift;
        shift *= 2;
    }
    bits
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same, byte by byte.
    fn naive(text: &[u8]) -> Result<usize, &'static str> {
        let (mut depth, mut in_string, mut position) = (0, false, 0);
        while position < text.len() {
            match text[position] {
                b'\\' if in_string => position += 1,
                b'"' => in_string = !in_string,
                b'[' | b'{' if !in_string => depth += 1,
                b']' | b'}' if !in_string => {
                    depth -= 1;
                    if depth == 0 {
                        return Ok(position + 1);
                    }
                }
                _ => {}
            }
            position += 1;
        }
        match text[0] {
            _ if in_string => Err("the end of the string ('\"')"),
            b'{' => Err("the end of the object ('}')"),
            _ => Err("the end of the array (']')"),
        }
    }

    #[test]
    fn a_plain_scan_finds_the_same_end() {
        // Backslashes occur only inside strings, as in all JSON.
        let pieces: [&[u8]; 9] = [
            b"{",
            b"}",
            b"[",
            b"]",
            b"\"a{\\\\\\\"]\"",
            b"\"\\\\\"",
            b"xyz",
            b"\"\"",
            b"\"\\\\\\\\}\"",
        ];
        let mut state = 7u64;
        for _ in 0..20_000 {
            let mut text = b"[".to_vec();
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            let length = (state >> 33) % 300;
            while (text.len() as u64) < length {
                state = state
                    .wrapping_mul(6364136223846793005)
                    .wrapping_add(1442695040888963407);
                text.extend_from_slice(pieces[(state >> 33) as usize % pieces.len()]);
            }
            for cut in [text.len(), text.len() / 2, text.len() * 2 / 3] {
                let text = &text[..cut.max(1)];
                assert_eq!(
                    closing_bracket(text),
                    naive(text),
                    "{}",
                    String::from_utf8_lossy(text)
                );
            }
        }
    }

    #[test]
    fn runs_of_backslashes_are_handled_at_every_alignment() {
        for before in 0..130 {
            for backslashes in 0..140 {
                let text = [
                    b"[\"".to_vec(),
                    vec![b'a'; before],
                    vec![b'\\'; backslashes],
                    b"\"]\"]".to_vec(),
                ]
                .concat();
                assert_eq!(
                    closing_bracket(&text),
                    naive(&text),
                    "{before} {backslashes}"
                );
            }
        }
    }
}
