//! The verdict depends only on the JSON values of a file, not on how they are
//! written: tokens in other forms, and random edits compared with the same values
//! in an unusual form.

use std::num::NonZeroUsize;

use fourzero::chain::json::canonical;
use fourzero::chain::{Strictness, Verifier, VerifyOptions};
use fourzero::pow::{Control, Target};
use proptest::prelude::*;

use crate::naive::{Json, LAST_HASH, number, parse, text, transaction};
use crate::naive_chain;
use crate::support::{EXPORTED, data_text, exported_blocks};

/// The first blocks of an exported chain, as lines or in a list, as Flask,
/// Python's `json.dumps` and other programs write them.
fn written(chain: usize, form: usize) -> String {
    let mut blocks = exported_blocks(EXPORTED[chain].0);
    blocks.truncate(4);
    let lines =
        |write: fn(&Json) -> String| blocks.iter().map(|b| write(b) + "\n").collect::<String>();
    match form {
        0 => lines(Json::compact),
        1 => lines(Json::canonical),
        2 => Json::List(blocks).compact(),
        3 => Json::List(blocks).canonical(),
        4 => {
            // The file as the node returned it, truncated after the fourth block.
            let text = data_text(EXPORTED[chain].0);
            let (end, _) = text.match_indices(",{\"index\":").nth(3).unwrap();
            format!("{}],\"length\":4}}\n", &text[..end])
        }
        _ => Json::List(blocks).odd(" "),
    }
}

/// Text to insert: numbers in other forms, escapes, raw characters, repeated
/// keys, structure, white space.
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

/// Writes a chain in the usual form, except for some tokens in another form with
/// the same value.
struct UnusualWriter {
    random: u64,
    comma: &'static str,
    colon: &'static str,
    /// On average, one token in this number has another form.
    one_in: u64,
}

impl UnusualWriter {
    /// A number below `end`, by a xorshift generator.
    fn below(&mut self, end: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        (self.random >> 16) % end
    }

    fn is_unusual(&mut self) -> bool {
        self.below(self.one_in) == 0
    }

    fn space(&mut self) -> &'static str {
        if self.is_unusual() {
            [" ", "\n", "\t", "\r\n", "  "][self.below(5) as usize]
        } else {
            ""
        }
    }

    fn value(&mut self, value: &Json) -> String {
        let text = match value {
            Json::Word(word) => (*word).to_owned(),
            Json::Number(number) if self.is_unusual() => self.number(number),
            Json::Number(_) => value.canonical(),
            Json::Text(text) => self.string(text),
            Json::List(items) => {
                let items: Vec<_> = items.iter().map(|item| self.value(item)).collect();
                format!("[{}{}]", self.space(), items.join(self.comma))
            }
            Json::Object(members) => {
                let mut written = Vec::new();
                for (key, value) in members {
                    let key = self.string(key);
                    if self.is_unusual() {
                        // The last of two members with the same key counts.
                        written.push(format!("{key}{}[null]", self.colon));
                    }
                    let value = self.value(value);
                    written.push(format!("{key}{}{}{value}", self.space(), self.colon));
                }
                if members.len() == written.len() && self.is_unusual() {
                    let place = self.below(written.len().max(1) as u64) as usize;
                    written.rotate_left(place);
                }
                format!("{{{}{}}}", self.space(), written.join(self.comma))
            }
        };
        text + self.space()
    }

    /// The same number in another form: a double gets zeros or an exponent.
    fn number(&mut self, number: &str) -> String {
        if !number.contains(['.', 'e', 'E']) {
            return if number == "0" { "-0" } else { number }.to_owned();
        }
        let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
        let exponent: i64 = exponent.parse().unwrap();
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let point = if fraction.is_empty() { ".0" } else { "" };
        match self.below(4) {
            0 => format!("{mantissa}{point}0e{exponent}"),
            1 => format!("{mantissa}E{exponent:+03}"),
            2 if exponent == 0 => format!("{mantissa}{point}00"),
            _ => {
                let sign = if whole.starts_with('-') { "-" } else { "" };
                let digits = format!("{}{fraction}", whole.trim_start_matches('-'));
                let digits = match digits.trim_start_matches('0') {
                    "" => "0",
                    digits => digits,
                };
                format!("{sign}{digits}e{}", exponent - fraction.len() as i64)
            }
        }
    }

    fn string(&mut self, text: &str) -> String {
        let characters = text.chars().count().max(1) as u64;
        let stray = self.is_unusual().then(|| self.below(characters));
        let mut out = String::from("\"");
        for (place, character) in (0..).zip(text.chars()) {
            let may_stand_raw = character >= ' ' && character != '"' && character != '\\';
            if stray != Some(place) {
                let usual = Json::Text(character.to_string()).canonical();
                out.push_str(&usual[1..usual.len() - 1]);
                continue;
            }
            match self.below(3) {
                0 if character == '/' => out.push_str("\\/"),
                0 if may_stand_raw => out.push(character),
                form => {
                    for unit in character.encode_utf16(&mut [0; 2]) {
                        out += &match form {
                            1 => format!("\\u{unit:04X}"),
                            _ => format!("\\u{unit:04x}"),
                        };
                    }
                }
            }
        }
        out.push('"');
        out
    }
}

/// A chain with numbers and characters that have several forms.
fn awkward_chain() -> Vec<Json> {
    let amounts = [
        "0",
        "-1.5",
        "0.0",
        "-0.0",
        "0.0001",
        "0.00012",
        "1e-05",
        "1e+16",
        "1.5e+300",
        "5e-324",
        "123456789012345.6",
        "999999999999999.0",
        "1234567890123456.0",
        "0.1",
        "100.25",
        "1e+22",
        "12345678901234567890",
    ];
    let names = [
        "a/b",
        "é",
        "😀\u{10ffff}",
        "\u{7f}\u{80}",
        "\n\t\r\u{8}\u{c}",
        "\"\\",
        "",
        "]},{[",
    ];
    let blocks: Vec<_> = amounts
        .iter()
        .zip(names.iter().cycle())
        .map(|(amount, name)| vec![transaction(text(*name), text(*name), number(amount))])
        .collect();
    naive_chain::mine(&blocks, LAST_HASH, 1, "me", 1_700_000_000.125)
}

#[test]
fn tokens_in_another_form_change_nothing() {
    let chain = awkward_chain();
    let verifier = Verifier::new(NonZeroUsize::MIN).unwrap();
    let options = VerifyOptions {
        target: Target::from_hex_zeros(1).unwrap(),
        ..VerifyOptions::default()
    };
    for seed in 1..3000_u64 {
        let (comma, colon) = [(",", ":"), (", ", ": ")][seed as usize % 2];
        let mut writer = UnusualWriter {
            random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15),
            comma,
            colon,
            one_in: [30, 300][seed as usize / 2 % 2],
        };
        let blocks: Vec<_> = chain.iter().map(|block| writer.value(block)).collect();
        let file = match seed % 3 {
            0 => blocks.join("\n"),
            1 => format!("[{}]", blocks.join(comma)),
            _ => format!(
                "{{\"chain\":[{}],\"length\":{}}}",
                blocks.join(comma),
                blocks.len()
            ),
        };
        let report = verifier
            .verify(file.as_bytes(), &options, &Control::new())
            .unwrap();
        assert!(report.is_valid(), "seed {seed}: {report:?}\n{file}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_form_of_a_chain_does_not_matter(
        chain in 0usize..3,
        form in 0usize..6,
        edits in prop::collection::vec(edit(), 1..3),
        is_strict in any::<bool>(),
    ) {
        let mut text = written(chain, form).into_bytes();
        for edit in &edits {
            apply(&mut text, edit);
        }
        let options = VerifyOptions {
            strictness: if is_strict { Strictness::Strict } else { Strictness::Presence },
            ..VerifyOptions::default()
        };
        let verifier = Verifier::new(NonZeroUsize::MIN).unwrap();
        let verdict = verifier.verify(text.as_slice(), &options, &Control::new());
        let lossy = String::from_utf8_lossy(&text);

        // JSON Lines are many values, the other forms one.
        let values = if form < 2 {
            let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
            lines.map(canonical).collect::<Result<Vec<_>, _>>()
        } else {
            canonical(&text).map(|value| vec![value])
        };
        match values {
            // A line may have two values, or a value two lines; other tests cover
            // such edits.
            Err(_) if form < 2 => {}
            Err(error) => prop_assert!(verdict.is_err(), "{}\nis not JSON ({}): {:?}", lossy, error, verdict),
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
