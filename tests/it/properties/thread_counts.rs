//! The verdict does not depend on the number of threads or on the pieces in which
//! a file arrives.

use std::io::{self, Read, Write as _};

use fourzero::chain::{Report, Strictness, Verifier, VerifyOptions};
use fourzero::pow::{Control, Target};
use proptest::prelude::*;

use super::cases;
use super::plan::{amount, threads};
use crate::naive::{Json, LAST_HASH, LAST_PROOF, RULES, number, text, transaction};
use crate::naive_chain;

/// Returns at most this many bytes per read.
struct Pieces<'a>(&'a [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = self.1.min(buffer.len());
        self.0.read(&mut buffer[..most])
    }
}

fn verdict(
    file: &[u8],
    count: usize,
    piece: usize,
    options: &VerifyOptions,
) -> Result<Report, String> {
    Verifier::new(threads(count))
        .unwrap()
        .verify(Pieces(file, piece), options, &Control::new())
        .map_err(|error| error.to_string())
}

/// The same for a file.
fn file_verdict(file: &[u8], count: usize, options: &VerifyOptions) -> Result<Report, String> {
    let mut written = tempfile::tempfile().unwrap();
    written.write_all(file).unwrap();
    Verifier::new(threads(count))
        .unwrap()
        .verify_file(&written, options, &Control::new())
        .map_err(|error| error.to_string())
}

/// A change of a block in a chain of many batches.
#[derive(Clone, Debug)]
enum Damage {
    Field(&'static str, Json),
    /// A transaction in another form.
    Transaction(Json),
    /// The block's text loses its last byte, so that the file is not JSON.
    Torn,
    /// A string that looks like the start of a block.
    Decoy,
}

fn damage() -> impl Strategy<Value = Damage> {
    let field = prop::sample::select(vec!["index", "proof", "previous_hash", "timestamp"]);
    prop_oneof![
        4 => (field, amount()).prop_map(|(field, value)| Damage::Field(field, value)),
        2 => amount().prop_map(Damage::Transaction),
        1 => Just(Damage::Torn),
        3 => Just(Damage::Decoy),
    ]
}

/// A valid chain whose blocks have the given sizes, in units of a kilobyte.
fn chain(sizes: &[usize], rule: &str) -> Vec<Json> {
    let blocks: Vec<_> = sizes
        .iter()
        .map(|size| {
            let filler = "{\"index\": 1, ".repeat(size * 75);
            vec![transaction(text(filler), text("b"), number(1))]
        })
        .collect();
    naive_chain::mine(&blocks, rule, 1, "me", 1.5e9)
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn one_thread_and_several_find_the_same_first_fault(
        sizes in prop::collection::vec(prop_oneof![4 => 0usize..4, 1 => 40usize..200], 1..40),
        rule in prop::sample::select(RULES.to_vec()),
        asked in prop::sample::select(vec![None, Some(LAST_PROOF), Some(LAST_HASH)]),
        damages in prop::collection::vec((any::<prop::sample::Index>(), damage()), 0..4),
        is_lines in any::<bool>(),
        count in 2usize..9,
        piece in prop::sample::select(vec![usize::MAX, 100_000, 4_097]),
        strictness in prop::sample::select(vec![Strictness::Presence, Strictness::Strict]),
    ) {
        let mut chain = chain(&sizes, rule);
        let mut torn = None;
        for (place, damage) in damages {
            let place = place.index(chain.len());
            match damage {
                Damage::Field(field, value) => chain[place].set(field, value),
                Damage::Transaction(value) => {
                    chain[place].set("transactions", Json::List(vec![value]));
                }
                Damage::Torn => torn = Some(place),
                Damage::Decoy => chain[place].set("a", text("\\{\"index\"}, {\"index\"")),
            }
        }
        let mut blocks: Vec<_> = chain.iter().map(Json::canonical).collect();
        if let Some(place) = torn {
            blocks[place].pop();
        }
        let file = match is_lines {
            true => blocks.join("\n"),
            false => format!("{{\"chain\": [{}], \"length\": {}}}", blocks.join(", "), blocks.len()),
        };
        let options = VerifyOptions {
            rule: asked.map(|rule| rule.parse().unwrap()),
            target: Target::from_hex_zeros(1).unwrap(),
            strictness,
        };
        let one = verdict(file.as_bytes(), 1, usize::MAX, &options);
        prop_assert_eq!(&verdict(file.as_bytes(), count, piece, &options), &one);
        prop_assert_eq!(&file_verdict(file.as_bytes(), count, &options), &one);
        match (one, torn) {
            (Ok(report), None) => {
                if strictness == Strictness::Presence {
                    let second = naive_chain::verify(&chain, asked, 1);
                    let fault = report.fault.map(|fault| (fault.block, fault.kind.name()));
                    prop_assert_eq!(fault, second.fault);
                }
            }
            (found, torn) => prop_assert!(
                found.is_err() && torn.is_some(),
                "block {:?} was torn: {:?}", torn, found
            ),
        }
    }
}
