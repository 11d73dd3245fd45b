//! Compares canonical JSON text with CPython's.
//!
//! `tests/data/canonical-vectors.jsonl` has texts and CPython's results;
//! `scripts/canonical_oracle.py` writes it, and compares any number of other
//! texts.

use std::fmt::Write as _;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use fourzero::chain::json::{SyntaxError, Transcoder, canonical};
use proptest::prelude::*;
use serde_json::Value;

/// A text and its canonical text, or `None` if CPython refuses it.
struct Vector {
    text: Vec<u8>,
    canonical: Option<String>,
}

fn vectors(lines: &str) -> Vec<Vector> {
    lines.lines().map(vector).collect()
}

fn vector(line: &str) -> Vector {
    let line: Value = serde_json::from_str(line).expect("a vector is a JSON object");
    Vector {
        text: match (&line["text"], &line["hex"]) {
            (Value::String(text), Value::Null) => text.clone().into_bytes(),
            (Value::Null, Value::String(digits)) => {
                hex::decode(digits).expect("`hex` is hexadecimal")
            }
            _ => panic!("a vector has either `text` or `hex`: {line}"),
        },
        canonical: match line.get("canonical") {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Null) => None,
            _ => panic!("a vector has `canonical`, a string or null: {line}"),
        },
    }
}

/// Panics with the first vectors for which `transcode` differs from CPython.
fn check(vectors: &[Vector], mut transcode: impl FnMut(&[u8]) -> Result<String, SyntaxError>) {
    let mut report = String::new();
    let mut differences = 0;
    for (index, vector) in vectors.iter().enumerate() {
        let found = transcode(&vector.text);
        if found.as_ref().ok() == vector.canonical.as_ref() {
            continue;
        }
        differences += 1;
        if differences <= 5 {
            let text = String::from_utf8_lossy(&vector.text);
            let expected = vector.canonical.as_deref().unwrap_or("(refused)");
            let found = found.unwrap_or_else(|error| format!("(refused: {error})"));
            write!(
                report,
                "\nline {}: {text:?}\n  CPython:  {expected}\n  fourzero: {found}",
                index + 1
            )
            .expect("a String takes every write");
        }
    }
    assert_eq!(differences, 0, "of {} vectors{report}", vectors.len());
}

fn stored_vectors() -> Vec<Vector> {
    let vectors = vectors(include_str!("data/canonical-vectors.jsonl"));
    let refused = vectors.iter().filter(|vector| vector.canonical.is_none());
    // A truncated file must not pass.
    assert!(vectors.len() > 1_500 && refused.count() > 200);
    vectors
}

#[test]
fn every_vector_is_written_or_refused_as_in_cpython() {
    check(&stored_vectors(), canonical);
}

#[test]
fn a_transcoder_can_be_reused() {
    let mut transcoder = Transcoder::default();
    check(&stored_vectors(), |text| {
        let mut out = b"kept ".to_vec();
        transcoder.transcode(text, &mut out)?;
        let out = String::from_utf8(out).unwrap();
        Ok(out.strip_prefix("kept ").unwrap().to_owned())
    });
}

#[test]
fn canonical_text_is_its_own_canonical_text() {
    let canonical_texts: Vec<_> = stored_vectors()
        .into_iter()
        .filter_map(|vector| vector.canonical)
        .map(|text| Vector {
            text: text.clone().into_bytes(),
            canonical: Some(text),
        })
        .collect();
    check(&canonical_texts, canonical);
}

/// Asks this machine's CPython, which may be another version than the one that
/// wrote the stored vectors.
#[test]
fn fresh_vectors_are_written_or_refused_as_in_cpython() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/canonical_oracle.py");
    let run = Command::new("python3")
        .arg(script)
        .args(["--write-vectors", "-", "--count", "2000", "--seed", "2"])
        .output();
    let run = match run {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            eprintln!("skipped: there is no python3");
            return;
        }
        run => run.unwrap(),
    };
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    let vectors = vectors(std::str::from_utf8(&run.stdout).unwrap());
    assert!(vectors.len() > 2_000);
    check(&vectors, canonical);
}

/// Any JSON value without doubles, which serde_json formats differently.
fn value_without_doubles() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// The canonical text from a tree, in the simplest way.
fn plainly(value: &Value) -> String {
    match value {
        Value::String(text) => plain_string(text),
        Value::Array(elements) => {
            let elements: Vec<_> = elements.iter().map(plainly).collect();
            format!("[{}]", elements.join(", "))
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(key, _)| key.chars().collect::<Vec<_>>());
            let members: Vec<_> = members
                .iter()
                .map(|(key, value)| format!("{}: {}", plain_string(key), plainly(value)))
                .collect();
            format!("{{{}}}", members.join(", "))
        }
        other => other.to_string(),
    }
}

fn plain_string(text: &str) -> String {
    let mut out = String::from("\"");
    for unit in text.encode_utf16() {
        match char::from_u32(unit.into()) {
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some('\u{8}') => out.push_str("\\b"),
            Some('\u{c}') => out.push_str("\\f"),
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some(plain @ ' '..='~') => out.push(plain),
            _ => write!(out, "\\u{unit:04x}").expect("a String takes every write"),
        }
    }
    out + "\""
}

/// A text of the value with the members of objects in reverse order and as few
/// escapes as possible.
fn backwards(value: &Value) -> String {
    match value {
        Value::Array(elements) => {
            let elements: Vec<_> = elements.iter().map(backwards).collect();
            format!("[{}]", elements.join(","))
        }
        Value::Object(members) => {
            let members: Vec<_> = members
                .iter()
                .rev()
                .map(|(key, value)| format!("{}:{}", Value::from(key.as_str()), backwards(value)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        other => other.to_string(),
    }
}

proptest! {
    #[test]
    fn it_equals_a_simple_writer_s_text(value in value_without_doubles()) {
        let expected = plainly(&value);
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        for text in [pretty, backwards(&value), expected.clone()] {
            prop_assert_eq!(&canonical(text.as_bytes()).unwrap(), &expected);
        }
    }

    #[test]
    fn a_double_reads_back_to_the_same_bits(
        value in any::<f64>().prop_filter("JSON has only these", |value| value.is_finite()),
    ) {
        // Print all digits: a double has at most 1,074 decimal places.
        let text = canonical(format!("{value:.1074}").as_bytes()).unwrap();
        prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), value.to_bits());
        prop_assert_eq!(&canonical(text.as_bytes()).unwrap(), &text);
    }
}
