//! Conformance tests: every variant finds the same nonces as a plain search with
//! the `sha2` crate.

use super::*;
use crate::sha256::{Digest, Kernel};

/// The numbers of messages that kernels hash at the same time. Scans end below,
/// at and past them.
const LANE_COUNTS: [u64; 7] = [1, 2, 3, 4, 8, 24, 32];

fn variants() -> Vec<Variant> {
    println!("not run on this CPU: {:?}", Kernel::missing());
    let available = Kernel::available();
    available.into_iter().flat_map(Kernel::variants).collect()
}

fn bits(bits: u16) -> Target {
    Target::from_bits(bits).unwrap()
}

/// All of `nonces` that the `sha2` crate accepts.
fn naive(template: &Template, target: Target, nonces: RangeInclusive<u64>) -> Vec<u64> {
    nonces
        .filter(|nonce| target.is_met_by(&Digest::of(&template.message(Nonce(*nonce)))))
        .collect()
}

/// Scans for the first hit, then after it for the next, until all have been
/// compared with `expected`.
fn finds(
    variant: Variant,
    template: &Template,
    target: Target,
    mut nonces: RangeInclusive<u64>,
    expected: &[u64],
) {
    let scanner = Scanner::new(variant.into(), template.clone(), target);
    let mut expected = expected.iter();
    while !nonces.is_empty() {
        let hit = expected.next().copied();
        let (first, last) = (*nonces.start(), hit.unwrap_or(*nonces.end()));
        assert_eq!(
            scanner.scan(nonces.clone()),
            Scanned {
                hit: hit.map(Nonce),
                tried: last - first + 1
            },
            "{variant}: prefix {}, suffix {}, {target}, {nonces:?}",
            template.prefix().len(),
            template.suffix().len()
        );
        nonces.nth((last - first) as usize);
    }
}

fn all_find_what_naive_search_finds(
    template: &Template,
    target: Target,
    nonces: RangeInclusive<u64>,
) {
    let expected = naive(template, target, nonces.clone());
    for variant in variants() {
        finds(variant, template, target, nonces.clone(), &expected);
    }
}

/// Text that differs for every length.
fn text(length: usize, seed: usize) -> Vec<u8> {
    (0..length)
        .map(|index| b'!' + ((index * 7 + length * 13 + seed) % 90) as u8)
        .collect()
}

#[test]
fn every_alignment_of_prefix_and_suffix_finds_what_naive_search_finds() {
    for prefix in 0..=130 {
        for suffix in [0, 1, 40, 51, 55, 64, 119, 130] {
            let template = Template::new(text(prefix, 1), text(suffix, 2));
            all_find_what_naive_search_finds(&template, bits(4), 95..=130);
        }
    }
}

#[test]
fn every_number_of_digits_finds_what_naive_search_finds() {
    for digits in 1..=20 {
        for prefix in 36..=68 {
            let template = Template::new(text(prefix, 3), text(prefix % 7 * 11, 4));
            let first = 10u64.pow(digits - 1);
            let first = first + first / 3 * u64::from(digits > 4);
            all_find_what_naive_search_finds(&template, bits(5), first..=first + 70);
        }
    }
}

#[test]
fn scans_cross_groups_and_numbers_of_digits() {
    for (prefix, suffix) in [("100", "tail"), ("1", ""), ("35293", ""), ("12", "34")] {
        let template = Template::new(prefix, suffix);
        for power in (1..20).map(|exponent| 10u64.pow(exponent)) {
            for boundary in [Some(power), power.checked_mul(3)].into_iter().flatten() {
                let nonces = boundary - 5..=boundary + 300;
                all_find_what_naive_search_finds(&template, bits(7), nonces);
            }
        }
        let nonces = u64::MAX - 300..=u64::MAX;
        all_find_what_naive_search_finds(&template, bits(7), nonces);
    }
}

#[test]
fn scans_end_below_at_and_past_the_lane_count() {
    for prefix in ["10", "100", "1000", "10000"] {
        let template = Template::new(prefix, "");
        for lanes in LANE_COUNTS {
            for length in [lanes.max(2) - 1, lanes, lanes + 1, 2 * lanes + 1] {
                for first in [0, 7, 9_990, 54_321, 1_000_000 - lanes] {
                    let nonces = first..=first + length - 1;
                    all_find_what_naive_search_finds(&template, bits(3), nonces);
                }
            }
        }
    }
}

#[test]
fn a_hit_is_found_in_every_lane_but_not_past_the_last_nonce() {
    // The proof after 100, and the only hit below 35,360 and above 27,000.
    const HIT: u64 = 35_293;
    let template = Template::new("100", "");
    let target = Target::FOUR_ZEROS;
    assert_eq!(naive(&template, target, 27_000..=35_360), [HIT]);
    for variant in variants() {
        for before in 0..=65 {
            for after in [0, 1, 31, 64] {
                finds(
                    variant,
                    &template,
                    target,
                    HIT - before..=HIT + after,
                    &[HIT],
                );
            }
            finds(variant, &template, target, HIT - 1 - before..=HIT - 1, &[]);
            finds(variant, &template, target, HIT + 1..=HIT + 1 + before, &[]);
        }
        // The first and the last vector of groups of 1,000 and of 10,000.
        for (first, last) in [
            (30_000, HIT),
            (35_000, 35_360),
            (HIT, 35_360),
            (27_001, 35_360),
        ] {
            finds(variant, &template, target, first..=last, &[HIT]);
        }
    }
}

#[test]
fn the_smaller_of_two_hits_in_one_vector_wins() {
    let template = Template::new("35293", "");
    let target = bits(6);
    let hits = naive(&template, target, 20_000..=29_999);
    let pairs: Vec<_> = hits
        .windows(2)
        .filter(|pair| pair[1] - pair[0] < 4)
        .collect();
    assert!(pairs.len() > 5);
    for variant in variants() {
        let scanner = Scanner::new(variant.into(), template.clone(), target);
        for pair in &pairs {
            let found = scanner.scan(pair[0]..=pair[0] + 40);
            assert_eq!(found.hit, Some(Nonce(pair[0])), "{variant}");
            let found = scanner.scan(pair[0] + 1..=pair[0] + 40);
            assert_eq!(found.hit, Some(Nonce(pair[1])), "{variant}");
        }
    }
}

#[test]
fn a_digest_word_of_zeros_is_not_enough_for_more_than_32_bits() {
    // A nonce with 32 zero bits would take too long to find, so the kernel is
    // asked for fewer bits than the target.
    let template = Template::new("100", "");
    for variant in variants()
        .into_iter()
        .filter(|variant| variant.hashes_groups())
    {
        let mut scanner = Scanner::new(variant.into(), template.clone(), bits(16));
        // With a mask of zero, every nonce before the answer is rejected.
        for (mask, first) in [(0xff00_0000, 30_000), (0, 30_000), (0, 30_001)] {
            scanner.mask = mask;
            let found = scanner.scan(first..=40_000);
            assert_eq!(found.hit, Some(Nonce(35_293)), "{variant}, {mask:x}");
        }
    }
}

#[test]
fn the_mask_has_the_zero_bits_of_the_first_word() {
    let template = Template::new("", "");
    for (asked, mask) in [
        (1, 1 << 31),
        (16, 0xffff_0000),
        (31, !1),
        (32, !0),
        (200, !0),
    ] {
        let scanner = Scanner::new(KernelChoice::Measured, template.clone(), bits(asked));
        assert_eq!(scanner.mask, mask, "{asked} bits");
    }
}

#[test]
fn a_scan_without_a_hit_tries_every_nonce() {
    let template = Template::new("x", "");
    for variant in variants() {
        finds(variant, &template, bits(200), 0..=123_456, &[]);
    }
}

/// Rows of ten and of a hundred variants with many hits. The smallest is often
/// in a later row, but in an earlier variant.
#[test]
fn the_smallest_hit_is_found_in_any_row_of_digits_across_a_block_boundary() {
    for (prefix, suffix, first, nonces) in [
        (60, 0, 12_345, 2_500),
        (60, 130, 10_000, 2_561),
        (61, 0, 12_345, 20_007),
        (61, 130, 34_567, 7_400),
    ] {
        let template = Template::new("p".repeat(prefix), "s".repeat(suffix));
        for bits_asked in [5, 10] {
            let nonces = first..=first + nonces;
            all_find_what_naive_search_finds(&template, bits(bits_asked), nonces);
        }
    }
}
