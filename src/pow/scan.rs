//! The scan of one span of nonces by one kernel, on one thread.
//!
//! This is where kernels plug in: [`scan`] is the only function that looks at
//! which one was chosen.

use crate::pow::nonce::{Nonce, Span, digit_count};
use crate::pow::{Target, Template};
use crate::sha256::scalar::{BLOCK_BYTES, State, compress, initial_state};
use crate::sha256::{Digest, Kernel, KernelKind};

/// What a scan found, and what it cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Scanned {
    /// The smallest nonce of the span whose digest meets the target.
    pub(crate) hit: Option<Nonce>,
    /// Nonces really hashed.
    pub(crate) tried: u64,
}

/// Looks for the smallest nonce of `span` whose digest meets `target`.
pub(crate) fn scan(kernel: Kernel, template: &Template, target: Target, span: Span) -> Scanned {
    match kernel.kind() {
        KernelKind::Sha2 => scan_with_sha2(template, target, span),
        KernelKind::Portable => scan_portable(template, target, span),
    }
}

fn scan_with_sha2(template: &Template, target: Target, span: Span) -> Scanned {
    let hit = (span.first..=span.last)
        .map(Nonce)
        .find(|nonce| target.is_met_by(&template.digest(*nonce)));
    Scanned {
        hit,
        tried: hit.map_or(span.last, |nonce| nonce.0) - span.first + 1,
    }
}

fn scan_portable(template: &Template, target: Target, span: Span) -> Scanned {
    let mut tried = 0;
    for part in span.by_digit_count() {
        let mut message = PaddedMessage::new(template, part.first);
        for nonce in part.first..=part.last {
            tried += 1;
            if target.is_met_by(&message.digest()) {
                return Scanned {
                    hit: Some(Nonce(nonce)),
                    tried,
                };
            }
            message.increment();
        }
    }
    Scanned { hit: None, tried }
}

/// The padded blocks from the first that holds a digit to the last, and the
/// state that all blocks before them lead to.
struct PaddedMessage {
    midstate: State,
    blocks: Vec<u8>,
    /// Where the digits lie in `blocks`.
    digits: std::ops::Range<usize>,
}

impl PaddedMessage {
    fn new(template: &Template, nonce: u64) -> Self {
        let mut padded = template.message(Nonce(nonce));
        let message_bits = padded.len() as u64 * 8;
        padded.push(0x80);
        padded.resize((padded.len() + 8).next_multiple_of(BLOCK_BYTES) - 8, 0);
        padded.extend_from_slice(&message_bits.to_be_bytes());

        let (whole, _) = template.prefix().as_chunks::<BLOCK_BYTES>();
        let mut midstate = initial_state();
        for block in whole {
            compress(&mut midstate, block);
        }
        let constant = whole.len() * BLOCK_BYTES;
        let start = template.prefix().len() - constant;
        Self {
            midstate,
            blocks: padded.split_off(constant),
            digits: start..start + digit_count(nonce),
        }
    }

    fn digest(&self) -> Digest {
        let mut state = self.midstate;
        let (blocks, _) = self.blocks.as_chunks::<BLOCK_BYTES>();
        for block in blocks {
            compress(&mut state, block);
        }
        let mut bytes = [0; 32];
        for (out, word) in bytes.chunks_exact_mut(4).zip(state) {
            out.copy_from_slice(&word.to_be_bytes());
        }
        Digest::from_bytes(bytes)
    }

    /// Adds one to the decimal text; from `99` it wraps to `00`, which the
    /// caller never hashes.
    fn increment(&mut self) {
        for digit in self.blocks[self.digits.clone()].iter_mut().rev() {
            if *digit == b'9' {
                *digit = b'0';
            } else {
                *digit += 1;
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first nonce of the span that the `sha2` crate accepts.
    fn naive(template: &Template, target: Target, span: Span) -> Option<Nonce> {
        (span.first..=span.last)
            .map(Nonce)
            .find(|nonce| target.is_met_by(&Digest::of(&template.message(*nonce))))
    }

    fn agrees_with_naive(template: &Template, target: Target, span: Span) {
        let expected = naive(template, target, span);
        for kernel in Kernel::available() {
            let found = scan(kernel, template, target, span);
            assert_eq!(
                found.hit,
                expected,
                "{kernel}: prefix {}, suffix {}, {target}, {span:?}",
                template.prefix().len(),
                template.suffix().len()
            );
            assert!(found.tried >= 1 && found.tried <= span.last - span.first + 1);
        }
    }

    #[test]
    fn every_alignment_of_prefix_and_suffix_finds_what_naive_search_finds() {
        let target = Target::from_hex_zeros(1).unwrap();
        for prefix in 0..=130 {
            for suffix in [0, 1, 40, 51, 55, 64, 119, 130] {
                let template = Template::new(vec![b'p'; prefix], vec![b's'; suffix]);
                agrees_with_naive(
                    &template,
                    target,
                    Span {
                        first: 95,
                        last: 130,
                    },
                );
            }
        }
    }

    #[test]
    fn digit_roll_overs_are_crossed() {
        let template = Template::new("100", "tail");
        let target = Target::from_hex_zeros(2).unwrap();
        for power in [10, 100, 100_000, 100_000_000, 10u64.pow(19)] {
            agrees_with_naive(
                &template,
                target,
                Span {
                    first: power - 5,
                    last: power + 300,
                },
            );
        }
        agrees_with_naive(
            &template,
            target,
            Span {
                first: u64::MAX - 300,
                last: u64::MAX,
            },
        );
    }

    #[test]
    fn a_span_without_an_answer_says_so_after_trying_all() {
        let template = Template::new("x", "");
        for kernel in Kernel::available() {
            let found = scan(
                kernel,
                &template,
                Target::from_bits(200).unwrap(),
                Span { first: 0, last: 99 },
            );
            assert_eq!(
                found,
                Scanned {
                    hit: None,
                    tried: 100
                }
            );
        }
    }
}
