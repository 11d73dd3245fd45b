//! A verdict depends on what a file means, never on how it is spelled: random
//! edits of chains in the spellings that are common, each against the same
//! meaning in a spelling that nobody uses.

use std::num::NonZeroUsize;

use fourzero::chain::json::canonical;
use fourzero::chain::{Strictness, Verifier, VerifyOptions};
use fourzero::pow::Control;
use proptest::prelude::*;

use crate::naive::{Json, parse};
use crate::support::{EXPORTED, data_text, exported_blocks};

/// The first blocks of an exported chain, one a line or in a list, as Python
/// nodes, Python's `json.dumps` and other programs write them.
fn spelled(chain: usize, spelling: usize) -> String {
    let mut blocks = exported_blocks(EXPORTED[chain].0);
    blocks.truncate(4);
    let lines =
        |spell: fn(&Json) -> String| blocks.iter().map(|b| spell(b) + "\n").collect::<String>();
    match spelling {
        0 => lines(Json::compact),
        1 => lines(Json::canonical),
        2 => Json::List(blocks).compact(),
        3 => Json::List(blocks).canonical(),
        4 => {
            // The file as the node gave it, cut behind its fourth block.
            let text = data_text(EXPORTED[chain].0);
            let (end, _) = text.match_indices(",{\"index\":").nth(3).unwrap();
            format!("{}],\"length\":4}}\n", &text[..end])
        }
        _ => Json::List(blocks).odd(" "),
    }
}

/// Pieces that change what stands beside them: numbers in other forms,
/// escapes, raw characters, keys that come twice, structure, white space.
const PIECES: [&str; 44] = [
    " ",
    "\n",
    "\t",
    "\r",
    "\"",
    "\\",
    "\\u0041",
    "\\u00e9",
    "\\u00E9",
    "\\/",
    "\\n",
    "\\ud83d",
    "\\ud83d\\ude00",
    "é",
    "😀",
    "\u{7f}",
    "\u{1}",
    "0",
    "00",
    "1",
    "9",
    "-",
    "-0",
    "+",
    ".",
    ".0",
    ".50",
    "e5",
    "E+05",
    "e-7",
    "e400",
    "12345678901234567890",
    ",",
    ":",
    "{",
    "}",
    "[",
    "]",
    "null",
    "true",
    "\"a\":1,",
    "\"amount\":2,",
    "\"index\":3,",
    "{\"amount\":1,\"recipient\":\"\",\"sender\":\"\"},",
];

#[derive(Clone, Debug)]
struct Edit {
    at: prop::sample::Index,
    removed: usize,
    inserted: &'static str,
}

fn edit() -> impl Strategy<Value = Edit> {
    let piece = prop_oneof![
        1 => Just(""),
        4 => prop::sample::select(PIECES.to_vec()),
    ];
    (any::<prop::sample::Index>(), 0usize..3, piece).prop_map(|(at, removed, inserted)| Edit {
        at,
        removed,
        inserted,
    })
}

fn apply(text: &mut Vec<u8>, edit: &Edit) {
    let start = edit.at.index(text.len());
    let end = (start + edit.removed).min(text.len());
    text.splice(start..end, edit.inserted.bytes());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_spelling_of_a_chain_decides_nothing(
        chain in 0usize..3,
        spelling in 0usize..6,
        edits in prop::collection::vec(edit(), 1..3),
        is_strict in any::<bool>(),
    ) {
        let mut text = spelled(chain, spelling).into_bytes();
        for edit in &edits {
            apply(&mut text, edit);
        }
        let options = VerifyOptions {
            strictness: if is_strict { Strictness::Typed } else { Strictness::Presence },
            ..VerifyOptions::default()
        };
        let verifier = Verifier::new(NonZeroUsize::MIN).unwrap();
        let verdict = verifier.verify(text.as_slice(), &options, &Control::new());
        let lossy = String::from_utf8_lossy(&text);

        // Lines are many values, which are told apart from one by the file's
        // first byte and what follows it.
        let values = if spelling < 2 {
            let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
            lines.map(canonical).collect::<Result<Vec<_>, _>>()
        } else {
            canonical(&text).map(|value| vec![value])
        };
        match values {
            // A line may hold two values, or one value two lines; such edits
            // are for other tests.
            Err(_) if spelling < 2 => {}
            Err(error) => prop_assert!(verdict.is_err(), "{}\nis no JSON ({}): {:?}", lossy, error, verdict),
            Ok(values) => {
                let odd: Vec<_> = values.iter().map(|value| parse(value).odd("\t ")).collect();
                let same = verifier.verify(odd.join("\n").as_bytes(), &options, &Control::new());
                match (verdict, same) {
                    (Ok(verdict), Ok(same)) => prop_assert_eq!(verdict, same, "{}", lossy),
                    (Err(_), Err(_)) => {}
                    (verdict, same) => prop_assert!(false, "{:?}\n{:?}\n{}", verdict, same, lossy),
                }
            }
        }
    }
}
