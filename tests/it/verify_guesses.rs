//! Text that leads to wrong guesses about where blocks start. The verdict, and
//! the place of an error, must be those of reading it in order.

use fourzero::chain::VerifyOptions;
use fourzero::pow::{Control, Target};

use crate::naive::{Json, LAST_HASH, hash, number, object, parse, text};
use crate::naive_chain;
use crate::verify_setups::setups;

const BLOCKS: usize = 4000;

/// A chain of about a megabyte, in which each `every`th block has objects that
/// start like a block.
fn chain(every: usize) -> Vec<Json> {
    let queue: Vec<_> = (1..BLOCKS)
        .map(|place| {
            let mut transaction = object([
                ("sender", text("é \\ \" {\"index\": 7")),
                ("recipient", text("bob")),
                ("amount", number(place)),
            ]);
            if place % every == 0 {
                let inner = r#"[{"index": 3, "x": "}"}, {"index": 4}]"#;
                transaction.set("note", parse(inner));
            }
            vec![transaction]
        })
        .collect();
    naive_chain::mine(&queue, LAST_HASH, 1, "me", 1_700_000_000.125)
}

fn options() -> VerifyOptions {
    VerifyOptions {
        target: Target::from_hex_zeros(1).unwrap(),
        ..VerifyOptions::default()
    }
}

/// The chain as an array; `form` chooses how each block is written.
fn array(chain: &[Json], form: impl Fn(usize) -> usize) -> String {
    let mut file = "[".to_owned();
    for (place, block) in chain.iter().enumerate() {
        if place > 0 {
            file += [", ", ",", "\n,\r\n\t"][place % 3];
        }
        file += &match form(place) {
            0 => block.canonical(),
            1 => block.compact(),
            _ => block.odd("\n "),
        };
    }
    file + "]"
}

#[test]
fn objects_that_start_like_blocks_change_no_verdict() {
    for every in [1, 2, 700, BLOCKS] {
        let chain = chain(every);
        let forms: [fn(usize) -> usize; 5] = [
            |_| 0,
            |_| 1,
            |_| 2,
            |place| place % 3,
            |place| usize::from(place % 1500 == 1499) * 2,
        ];
        for form in forms {
            let file = array(&chain, form);
            for setup in setups() {
                let control = Control::new();
                let report = setup.verify(file.as_bytes(), &options(), &control).unwrap();
                assert!(report.is_valid(), "{every}: {:?}", report.fault);
                assert_eq!(report.blocks, BLOCKS as u64);
                assert_eq!(report.transactions, 2 * (BLOCKS as u64 - 1));
                // Text that was read twice is counted once.
                assert_eq!(control.blocks(), BLOCKS as u64);
                assert_eq!(control.bytes(), file.len() as u64);
            }
        }
    }
}

#[test]
fn a_fault_among_such_objects_is_found_at_its_block() {
    for every in [1, 700] {
        let chain = chain(every);
        for place in [1, 900, 1399, 1400, 2800, 3998] {
            let mut spoiled = chain.clone();
            spoiled[place].set("proof", number(1));
            spoiled[place + 1].set("index", number(1));
            let file = array(&spoiled, |place| place % 2);
            let expected = naive_chain::verify(&spoiled, None, 1);
            for setup in setups() {
                let report = setup
                    .verify(file.as_bytes(), &options(), &Control::new())
                    .unwrap();
                let fault = report.fault.map(|fault| (fault.block, fault.kind.name()));
                assert_eq!(fault, expected.fault, "block {}", place + 1);
                assert_eq!(report.transactions, expected.transactions);
            }
        }
    }
}

#[test]
fn an_error_after_such_objects_has_its_line_and_column() {
    for every in [1, 700] {
        let chain = chain(every);
        let forms: [fn(usize) -> usize; 3] = [|_| 0, |place| place % 2, |place| place % 3];
        for form in forms {
            let file = array(&chain, form);
            let places: Vec<_> = file.match_indices("previous_hash\"").collect();
            for block in [0, 1, 1398, 1400, 3999] {
                // A missing colon after a key.
                let key_end = places[block].0 + "previous_hash\"".len();
                let before = &file[..key_end];
                let rest = file[key_end..].trim_start().strip_prefix(':').unwrap();
                let broken = format!("{before}~{rest}");
                let line = before.matches('\n').count() + 1;
                let last_line = before.rsplit('\n').next().unwrap();
                let column = last_line.chars().count() + 1;
                for setup in setups() {
                    let error = setup
                        .verify(broken.as_bytes(), &options(), &Control::new())
                        .unwrap_err();
                    let error = error.to_string();
                    let place = format!("line {line} column {column}: ");
                    assert!(error.starts_with(&place), "{error}");
                    assert!(error.contains(&format!("block {}", block + 1)), "{error}");
                }
            }
        }
    }
}

#[test]
fn a_truncated_file_is_an_error_at_its_end() {
    let file = array(&chain(700), |_| 0);
    for length in [file.len() - 1, file.len() / 2, 300_000] {
        let cut = &file[..length];
        for setup in setups() {
            let error = setup
                .verify(cut.as_bytes(), &options(), &Control::new())
                .unwrap_err();
            let line = cut.matches('\n').count() + 1;
            let column = cut.rsplit('\n').next().unwrap().len() + 1;
            let place = format!("line {line} column {column}: ");
            assert!(error.to_string().starts_with(&place), "{error}");
        }
    }
}

#[test]
fn the_largest_index_is_a_fault_like_any_other() {
    let mut chain = chain(BLOCKS);
    chain.truncate(4);
    for last in [u64::MAX, u64::MAX - 1, u64::MAX - 2] {
        let mut spoiled = chain.clone();
        spoiled[1].set("index", number(last - 1));
        spoiled[2].set("index", number(last));
        // Except for the index, the block follows the one before.
        let previous_hash = text(hash(&spoiled[1]));
        spoiled[2].set("previous_hash", previous_hash);
        let proof = (0..).map(|proof: u64| proof.to_string()).find(|proof| {
            naive_chain::proof_digest(LAST_HASH, &spoiled[1], proof).starts_with('0')
        });
        spoiled[2].set("proof", number(proof.unwrap()));
        for setup in setups() {
            let report = setup
                .verify(
                    array(&spoiled, |_| 0).as_bytes(),
                    &options(),
                    &Control::new(),
                )
                .unwrap();
            let fault = report.fault.unwrap();
            assert_eq!((fault.block, fault.kind.name()), (2, "index"));
            assert_eq!(report.blocks, 4);
        }
    }
}
