//! Compares canonical texts with CPython's vectors, and with a simple writer of
//! the trees that `serde_json` reads.

use std::sync::LazyLock;

use fourzero::chain::json::Transcoder;

use crate::recipe::Recipe;
use crate::serde_tree;

/// Starts a recipe. JSON text never starts with this byte.
const RECIPE: u8 = 0xff;

/// Transcodes the bytes as text or, after the byte 255, uses them as a recipe to
/// combine CPython's vectors.
pub fn canonical(data: &[u8]) {
    // Check CPython's vectors once.
    static ALL_HOLD: LazyLock<()> = LazyLock::new(|| drop(vectors()));
    LazyLock::force(&ALL_HOLD);
    match data.split_first() {
        Some((&RECIPE, recipe)) => composed(&mut Recipe::new(recipe)),
        _ => plain(data),
    }
}

/// The transcoder's result for `text`.
fn written(text: &[u8]) -> Option<String> {
    let mut out = b"kept".to_vec();
    let result = Transcoder::default().transcode(text, &mut out);
    assert!(out.starts_with(b"kept"), "the text before was changed");
    match result {
        Ok(()) => Some(String::from_utf8(out.split_off(4)).unwrap()),
        Err(error) => {
            assert!(error.offset <= text.len(), "{error:?} is after the end");
            None
        }
    }
}

fn plain(text: &[u8]) {
    let found = written(text);
    if let Some(found) = &found {
        assert!(found.is_ascii());
        assert_eq!(written(found.as_bytes()).as_ref(), Some(found), "again");
    }
    if serde_tree::is_too_deep(text, serde_tree::MAX_DEPTH) {
        assert_eq!(found, None, "nested too deeply");
    } else if !serde_tree::is_beyond_serde(text) {
        assert_eq!(found, serde_tree::one(text).map(|value| value.canonical()));
    }
}

/// A text and CPython's result.
struct Vector {
    text: Vec<u8>,
    canonical: Option<String>,
}

static VECTORS: LazyLock<Vec<Vector>> = LazyLock::new(|| {
    let lines = include_str!("../../data/canonical-vectors.jsonl").lines();
    lines
        .map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let text = match line["text"].as_str() {
                Some(text) => text.as_bytes().to_vec(),
                None => hex::decode(line["hex"].as_str().unwrap()).unwrap(),
            };
            let canonical = line["canonical"].as_str().map(str::to_owned);
            Vector { text, canonical }
        })
        .collect()
});

/// The vectors that CPython accepts and that are not nested deeply.
static ACCEPTED: LazyLock<Vec<(&[u8], &str)>> = LazyLock::new(|| {
    VECTORS
        .iter()
        .filter_map(|vector| Some((vector.text.as_slice(), vector.canonical.as_deref()?)))
        .filter(|(text, _)| !serde_tree::is_too_deep(text, 100))
        .collect()
});

/// The texts of CPython's vectors, as a first corpus. Also checks each of them.
pub fn vectors() -> Vec<Vec<u8>> {
    for vector in VECTORS.iter() {
        let found = written(&vector.text);
        assert_eq!(found, vector.canonical, "not as CPython writes it");
        // The independent implementation must also agree with CPython.
        plain(&vector.text);
    }
    VECTORS.iter().map(|vector| vector.text.clone()).collect()
}

/// Lists and objects of vectors must consist of CPython's results.
fn composed(recipe: &mut Recipe<'_>) {
    let (text, expected) = value(recipe, 0);
    assert_eq!(
        written(&text),
        Some(expected),
        "{:?}",
        String::from_utf8_lossy(&text)
    );
}

fn value(recipe: &mut Recipe<'_>, depth: usize) -> (Vec<u8>, String) {
    const SPACES: [&[u8]; 4] = [b"", b" ", b"\r\n", b"\t  \n"];
    let kind = if depth == 12 { 0 } else { recipe.below(4) };
    if kind < 2 || recipe.is_empty() {
        let (text, canonical) = ACCEPTED[recipe.word() % ACCEPTED.len()];
        return (text.to_vec(), canonical.to_owned());
    }
    let count = recipe.below(6);
    let space = recipe.one_of(&SPACES);
    let comma = [space, b",", space].concat();
    if kind == 2 {
        let items: Vec<_> = (0..count).map(|_| value(recipe, depth + 1)).collect();
        let (texts, canonical): (Vec<_>, Vec<_>) = items.into_iter().unzip();
        let text = [b"[", texts.join(&comma[..]).as_slice(), b"]"].concat();
        return (text, format!("[{}]", canonical.join(", ")));
    }
    // Keys in code point order, which differs from the order of UTF-16 and of
    // their escaped text.
    const KEYS: [&str; 8] = ["", "\"", "A", "a", "aa", "\u{7f}", "\u{ff5e}", "\u{10000}"];
    let mut members = std::collections::BTreeMap::new();
    let mut texts = Vec::new();
    for _ in 0..count {
        let place = recipe.below(2 * KEYS.len());
        let (text, canonical) = value(recipe, depth + 1);
        let key = KEYS[place / 2];
        let escaped: String = key
            .encode_utf16()
            .map(|unit| format!("\\u{unit:04X}"))
            .collect();
        let key_text = match place % 2 {
            0 => serde_json::to_string(key).unwrap(),
            _ => format!("\"{escaped}\""),
        };
        texts.push([key_text.as_bytes(), space, b":", space, &text].concat());
        // The last of equal keys counts.
        members.insert(place / 2, canonical);
    }
    let written: Vec<_> = members
        .into_iter()
        .map(|(place, canonical)| {
            let key = crate::naive::text(KEYS[place]).canonical();
            format!("{key}: {canonical}")
        })
        .collect();
    let text = [b"{", space, texts.join(&comma[..]).as_slice(), space, b"}"].concat();
    (text, format!("{{{}}}", written.join(", ")))
}
