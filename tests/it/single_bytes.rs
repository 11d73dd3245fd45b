//! Every change of a single byte inside a block of the exported chains.

use std::num::NonZeroUsize;
use std::ops::Range;

use fourzero::chain::json::canonical;
use fourzero::chain::{Verifier, VerifyOptions};
use fourzero::pow::Control;

use crate::support::data_text;

/// Where each block is in the file. A Python node writes blocks with the index
/// first, and strings have no unescaped quotes.
fn blocks(text: &str) -> Vec<Range<usize>> {
    let starts: Vec<_> = text.match_indices("{\"index\":").collect();
    let ends = starts.iter().skip(1).map(|(start, _)| start - 1);
    let end = text.rfind("],\"length\"").unwrap();
    starts
        .iter()
        .zip(ends.chain([end]))
        .map(|((start, _), end)| *start..end)
        .collect()
}

/// The replacements of a byte: its neighbour, a letter in the other case, and in
/// turn one of JSON's structural characters, digits, white space, and bytes that
/// are not UTF-8, so that each kind of place gets each of them.
fn replacements(place: usize, byte: u8) -> impl Iterator<Item = u8> {
    const OTHERS: [u8; 12] = *b"\"0,}7]\\ e-\n\xff";
    let first = place % OTHERS.len();
    let letter_in_the_other_case = byte.is_ascii_alphabetic().then_some(byte ^ 0x20);
    [byte ^ 1, OTHERS[first]]
        .into_iter()
        .chain(letter_in_the_other_case)
        .filter(move |new| *new != byte)
}

fn every_change_is_found(name: &str) {
    let text = data_text(name);
    let meaning = canonical(text.as_bytes()).unwrap();
    let blocks = blocks(&text);
    let last = blocks.len();
    // No later block hashes the last block's timestamp and transactions, and no
    // rule reads them. A change of those cannot be found if the block stays well
    // formed.
    let last_block = &text[blocks[last - 1].clone()];
    let timestamp = blocks[last - 1].start + last_block.find("\"timestamp\":").unwrap() + 12;
    let key = blocks[last - 1].start + last_block.find(",\"transactions\":").unwrap();
    let end = blocks[last - 1].end;
    let is_exempt =
        |place: usize| (timestamp..key).contains(&place) || (key + 16..end - 1).contains(&place);

    let verifier = Verifier::new(NonZeroUsize::MIN).unwrap();
    let mut bytes = text.clone().into_bytes();
    let (mut found, mut harmless, mut exempt, mut broken) = (0, 0, 0, 0);
    for (block, range) in (1..).zip(blocks) {
        let block_meaning = canonical(&bytes[range.clone()]).unwrap();
        for place in range.clone() {
            let original = bytes[place];
            for new in replacements(place, original) {
                bytes[place] = new;
                let what = || {
                    let new = char::from(new);
                    format!("{name}: block {block}, byte {place} made {new:?}")
                };
                let verdict =
                    verifier.verify(bytes.as_slice(), &VerifyOptions::default(), &Control::new());
                // If the block is still one value, its canonical text shows whether
                // the value changed. Otherwise the whole file must be read.
                let means_the_same = match canonical(&bytes[range.clone()]) {
                    Ok(changed) => changed == block_meaning,
                    Err(_) => match canonical(&bytes) {
                        Ok(changed) => changed == meaning,
                        Err(_) => {
                            assert!(verdict.is_err(), "{} is not JSON: {verdict:?}", what());
                            broken += 1;
                            continue;
                        }
                    },
                };
                let report = verdict.unwrap_or_else(|error| panic!("{}: {error}", what()));
                if means_the_same {
                    assert!(
                        report.is_valid(),
                        "{} has the same value: {report:?}",
                        what()
                    );
                    harmless += 1;
                    continue;
                }
                match report.fault {
                    Some(fault) => {
                        let is_near = fault.block == block || fault.block == block + 1;
                        assert!(is_near, "{}: {fault}", what());
                        found += 1;
                    }
                    None => {
                        assert!(is_exempt(place), "{} is not found", what());
                        exempt += 1;
                    }
                }
            }
            bytes[place] = original;
        }
    }
    // Each kind of change must occur.
    assert!(
        found > 5000 && broken > 1000 && harmless > 0 && exempt > 0,
        "{found} found, {broken} broken, {harmless} harmless, {exempt} exempt"
    );
}

#[test]
fn every_byte_of_the_last_proof_chain_counts() {
    every_change_is_found("chain-last-proof.json");
}

#[test]
fn every_byte_of_the_last_hash_chain_counts() {
    every_change_is_found("chain-last-hash.json");
}

#[test]
fn every_byte_of_the_previous_hash_chain_counts() {
    every_change_is_found("chain-previous-hash.json");
}
