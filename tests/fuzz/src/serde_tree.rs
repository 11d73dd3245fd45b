//! Reads JSON text with `serde_json`, to compare with the crate's own reader.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde_json::Deserializer;

use crate::naive::Json;

/// How deep values may be nested.
pub(crate) const MAX_DEPTH: usize = 1_000;

/// The key by which `serde_json` represents numbers internally. It takes an
/// object with this key for a number.
const NUMBER_KEY: &[u8] = b"$serde_json::private::Number";

/// Whether `serde_json` may misread the text: it has the key above, or an escape
/// that may hide it.
pub(crate) fn is_beyond_serde(text: &[u8]) -> bool {
    let has = |part: &[u8]| text.windows(part.len()).any(|window| window == part);
    has(NUMBER_KEY) || (has(b"\\u") && has(b"serde"))
}

/// Whether brackets outside of strings are nested too deeply.
pub(crate) fn is_too_deep(text: &[u8], most: usize) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                if depth > most {
                    return true;
                }
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// A JSON value as written: with repeated keys, and with the text of numbers.
pub(crate) enum Tree {
    Word(&'static str),
    Number(String),
    Text(String),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

/// The value of a text, or `None` if it is not one JSON value.
pub(crate) fn one(text: &[u8]) -> Option<Json> {
    let mut deserializer = Deserializer::from_slice(text);
    deserializer.disable_recursion_limit();
    let value = Tree::deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    value.json()
}

/// The consecutive values of a text, or `None` if it is not JSON to its end.
pub(crate) fn stream(text: &[u8]) -> Option<Vec<Tree>> {
    let mut deserializer = Deserializer::from_slice(text);
    deserializer.disable_recursion_limit();
    deserializer.into_iter().collect::<Result<_, _>>().ok()
}

impl Tree {
    /// The value; `None` if a number is outside the range of a double, even in a
    /// member that another one replaces.
    pub(crate) fn json(&self) -> Option<Json> {
        Some(match self {
            Self::Word(word) => Json::Word(word),
            // Python's integers have no negative zero.
            Self::Number(number) if number == "-0" => Json::Number("0".to_owned()),
            Self::Number(number) => {
                let is_float = number.contains(['.', 'e', 'E']);
                if is_float && number.parse::<f64>().ok()?.is_infinite() {
                    return None;
                }
                Json::Number(number.clone())
            }
            Self::Text(text) => Json::Text(text.clone()),
            Self::List(items) => Json::List(items.iter().map(Self::json).collect::<Option<_>>()?),
            // The last of equal keys counts.
            Self::Object(members) => Json::Object(
                members
                    .iter()
                    .map(|(key, value)| Some((key.clone(), value.json()?)))
                    .collect::<Option<_>>()?,
            ),
        })
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Word("null"))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Word(if value { "true" } else { "false" }))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Number(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Number(value.to_string()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Tree, E> {
        Ok(Tree::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Tree, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Tree::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut members = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            // `serde_json` passes all numbers but 64-bit integers this way.
            if key.as_bytes() == NUMBER_KEY {
                return Ok(Tree::Number(map.next_value()?));
            }
            members.push((key, map.next_value()?));
        }
        Ok(Tree::Object(members))
    }
}
