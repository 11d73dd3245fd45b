//! The canonical text, against CPython's vectors and against a tree that
//! `serde_json` reads and a plain walk writes.

use std::sync::LazyLock;

use fourzero::chain::json::Transcoder;

use crate::opinion;
use crate::recipe::Recipe;

/// No JSON text starts with this byte: what follows it is a recipe.
const RECIPE: u8 = 0xff;

/// The text itself; behind the byte 255, a recipe that puts CPython's vectors
/// together.
pub fn canonical(data: &[u8]) {
    // Once: CPython's vectors as they are.
    static ALL_HOLD: LazyLock<()> = LazyLock::new(|| drop(vectors()));
    LazyLock::force(&ALL_HOLD);
    match data.split_first() {
        Some((&RECIPE, recipe)) => composed(&mut Recipe::new(recipe)),
        _ => plain(data),
    }
}

/// What the encoder makes of `text`.
fn written(text: &[u8]) -> Option<String> {
    let mut out = b"kept".to_vec();
    let result = Transcoder::default().transcode(text, &mut out);
    assert!(
        out.starts_with(b"kept"),
        "it changed what stood there before"
    );
    match result {
        Ok(()) => Some(String::from_utf8(out.split_off(4)).unwrap()),
        Err(error) => {
            assert!(error.offset <= text.len(), "{error:?} lies past the end");
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
    if opinion::is_too_deep(text, opinion::MAX_DEPTH) {
        assert_eq!(found, None, "nested too deep");
    } else if !opinion::is_beyond_serde(text) {
        assert_eq!(found, opinion::one(text).map(|value| value.canonical()));
    }
}

/// A text that CPython was given, and what it made of it.
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

/// Those that CPython takes, and that are not deep themselves.
static ACCEPTED: LazyLock<Vec<(&[u8], &str)>> = LazyLock::new(|| {
    VECTORS
        .iter()
        .filter_map(|vector| Some((vector.text.as_slice(), vector.canonical.as_deref()?)))
        .filter(|(text, _)| !opinion::is_too_deep(text, 100))
        .collect()
});

/// The texts of CPython's vectors, to start a corpus with. Each is run first.
pub fn vectors() -> Vec<Vec<u8>> {
    for vector in VECTORS.iter() {
        let found = written(&vector.text);
        assert_eq!(found, vector.canonical, "not as CPython writes it");
        // What CPython does binds the second opinion, too.
        plain(&vector.text);
    }
    VECTORS.iter().map(|vector| vector.text.clone()).collect()
}

/// Lists and objects of vectors are written as CPython writes their parts.
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
    // Keys whose order by code point is not that of UTF-16, nor of their
    // escaped text; given in that order.
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
        let spelled = match place % 2 {
            0 => serde_json::to_string(key).unwrap(),
            _ => format!("\"{escaped}\""),
        };
        texts.push([spelled.as_bytes(), space, b":", space, &text].concat());
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
