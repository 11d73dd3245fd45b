//! An independent JSON implementation, written only from the tutorial's rules:
//! it uses nothing of the crate, and is slow.
//!
//! It reads only well-formed JSON and panics on anything else.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::Digest as _;

pub(crate) const LAST_PROOF: &str = "last-proof";
pub(crate) const PREVIOUS_HASH: &str = "previous-hash";
pub(crate) const LAST_HASH: &str = "last-hash";
/// In the order in which `--rule auto` prefers them.
pub(crate) const RULES: [&str; 3] = [LAST_PROOF, PREVIOUS_HASH, LAST_HASH];

/// A JSON value that keeps its numbers as they were written.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Json {
    Word(&'static str),
    Number(String),
    Text(String),
    List(Vec<Self>),
    Object(BTreeMap<String, Self>),
}

pub(crate) fn number(value: impl ToString) -> Json {
    Json::Number(value.to_string())
}

pub(crate) fn text(value: impl Into<String>) -> Json {
    Json::Text(value.into())
}

pub(crate) fn object<const N: usize>(members: [(&str, Json); N]) -> Json {
    Json::Object(
        members
            .map(|(key, value)| (key.to_owned(), value))
            .into_iter()
            .collect(),
    )
}

pub(crate) fn transaction(sender: Json, recipient: Json, amount: Json) -> Json {
    object([
        ("sender", sender),
        ("recipient", recipient),
        ("amount", amount),
    ])
}

impl Json {
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.get(key),
            _ => None,
        }
    }

    /// Sets or adds a member.
    pub(crate) fn set(&mut self, key: &str, value: Self) {
        match self {
            Self::Object(members) => members.insert(key.to_owned(), value),
            other => panic!("{other:?} has no members"),
        };
    }

    pub(crate) fn remove(&mut self, key: &str) {
        match self {
            Self::Object(members) => members.remove(key),
            other => panic!("{other:?} has no members"),
        };
    }

    pub(crate) fn list(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            other => panic!("{other:?} is no list"),
        }
    }

    pub(crate) fn list_mut(&mut self) -> &mut Vec<Self> {
        match self {
            Self::List(items) => items,
            other => panic!("{other:?} is no list"),
        }
    }

    /// What Python's `json.dumps(self, sort_keys=True)` writes.
    pub(crate) fn canonical(&self) -> String {
        let mut out = String::new();
        self.write_sorted(", ", ": ", &mut out);
        out
    }

    /// What Flask writes: the same without white space.
    pub(crate) fn compact(&self) -> String {
        let mut out = String::new();
        self.write_sorted(",", ":", &mut out);
        out
    }

    fn write_sorted(&self, comma: &str, colon: &str, out: &mut String) {
        match self {
            Self::Word(word) => out.push_str(word),
            Self::Number(number) => out.push_str(&python_number(number)),
            Self::Text(text) => out.push_str(&python_string(text)),
            Self::List(items) => {
                out.push('[');
                for (place, item) in items.iter().enumerate() {
                    out.push_str(if place == 0 { "" } else { comma });
                    item.write_sorted(comma, colon, out);
                }
                out.push(']');
            }
            // A BTreeMap of UTF-8 strings is in code point order.
            Self::Object(members) => {
                out.push('{');
                for (place, (key, value)) in members.iter().enumerate() {
                    out.push_str(if place == 0 { "" } else { comma });
                    out.push_str(&python_string(key));
                    out.push_str(colon);
                    value.write_sorted(comma, colon, out);
                }
                out.push('}');
            }
        }
    }

    /// The same value in an unusual form: keys in reverse order, `space` wherever
    /// white space is allowed, and as few escapes as possible.
    pub(crate) fn odd(&self, space: &str) -> String {
        match self {
            Self::Word(word) => (*word).to_owned(),
            Self::Number(number) => number.clone(),
            Self::Text(text) => serde_json::Value::from(text.as_str()).to_string(),
            Self::List(items) => {
                let items: Vec<_> = items.iter().map(|item| item.odd(space)).collect();
                let comma = format!("{space},{space}");
                format!("[{space}{}{space}]", items.join(&comma))
            }
            Self::Object(members) => {
                let members: Vec<_> = members
                    .iter()
                    .rev()
                    .map(|(key, value)| {
                        let key = serde_json::Value::from(key.as_str()).to_string();
                        format!("{key}{space}:{space}{}", value.odd(space))
                    })
                    .collect();
                let comma = format!("{space},{space}");
                format!("{{{space}{}{space}}}", members.join(&comma))
            }
        }
    }
}

fn python_number(number: &str) -> String {
    if !number.contains(['.', 'e', 'E']) {
        return if number == "-0" { "0" } else { number }.to_owned();
    }
    python_float(number.parse().expect("a double"))
}

/// What Python's `repr` writes for a finite double: the nearest of the shortest
/// texts that read back, and the even one of two equally near. Rust's `{:e}`
/// differs in ties; but below a power of two, where doubles are closer together,
/// the even text may read back as another double.
pub(crate) fn python_float(value: f64) -> String {
    let shortest = format!("{value:e}");
    let mantissa = shortest.split('e').next().expect("there is a first part");
    let places = mantissa.split('.').nth(1).map_or(0, str::len);
    let nearest = format!("{value:.places$e}");
    let is_right = nearest.parse() == Ok(value);
    let scientific = if is_right { nearest } else { shortest };
    let (digits, exponent) = scientific.split_once('e').expect("it has an exponent");
    let exponent: i32 = exponent.parse().expect("it is an integer");
    if !(-4..16).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.abs());
    }
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => ("-", digits.replace('.', "")),
        None => ("", digits.replace('.', "")),
    };
    match usize::try_from(exponent) {
        Err(_) => format!("{sign}0.{}{digits}", "0".repeat((-1 - exponent) as usize)),
        Ok(exponent) if digits.len() <= exponent + 1 => {
            format!(
                "{sign}{digits}{}.0",
                "0".repeat(exponent + 1 - digits.len())
            )
        }
        Ok(exponent) => {
            let (whole, fraction) = digits.split_at(exponent + 1);
            format!("{sign}{whole}.{fraction}")
        }
    }
}

fn python_string(text: &str) -> String {
    let mut out = String::from("\"");
    for unit in text.encode_utf16() {
        match u8::try_from(unit) {
            Ok(b'"') => out.push_str("\\\""),
            Ok(b'\\') => out.push_str("\\\\"),
            Ok(b'\n') => out.push_str("\\n"),
            Ok(b'\r') => out.push_str("\\r"),
            Ok(b'\t') => out.push_str("\\t"),
            Ok(0x0c) => out.push_str("\\f"),
            Ok(0x08) => out.push_str("\\b"),
            Ok(byte @ b' '..=b'~') => out.push(char::from(byte)),
            _ => write!(out, "\\u{unit:04x}").expect("a String takes every write"),
        }
    }
    out.push('"');
    out
}

/// Reads a text that is one JSON value.
pub(crate) fn parse(text: &str) -> Json {
    let mut parser = Parser(text.trim());
    let value = parser.value();
    assert_eq!(parser.0, "", "something follows the value");
    value
}

struct Parser<'a>(&'a str);

impl Parser<'_> {
    fn take(&mut self, token: &str) -> bool {
        self.0 = self.0.trim_start();
        match self.0.strip_prefix(token) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, token: &str) {
        assert!(self.take(token), "no {token} at {:?}", self.0);
    }

    fn value(&mut self) -> Json {
        for word in ["null", "true", "false"] {
            if self.take(word) {
                return Json::Word(word);
            }
        }
        if self.take("[") {
            let mut items = Vec::new();
            while !self.take("]") {
                if !items.is_empty() {
                    self.expect(",");
                }
                items.push(self.value());
            }
            return Json::List(items);
        }
        if self.take("{") {
            let mut members = BTreeMap::new();
            let mut is_first = true;
            while !self.take("}") {
                if !is_first {
                    self.expect(",");
                }
                is_first = false;
                self.expect("\"");
                let key = self.rest_of_string();
                self.expect(":");
                let value = self.value();
                members.insert(key, value);
            }
            return Json::Object(members);
        }
        if self.take("\"") {
            return Json::Text(self.rest_of_string());
        }
        let is_part = |c: char| c.is_ascii_digit() || "+-.eE".contains(c);
        let end = self.0.find(|c| !is_part(c)).unwrap_or(self.0.len());
        assert_ne!(end, 0, "no value at {:?}", self.0);
        let (number, rest) = self.0.split_at(end);
        self.0 = rest;
        Json::Number(number.to_owned())
    }

    fn rest_of_string(&mut self) -> String {
        let mut units = Vec::new();
        let mut characters = self.0.chars();
        loop {
            let unit = match characters.next().expect("the string ends") {
                '"' => break,
                '\\' => match characters.next().expect("the escape ends") {
                    'b' => 0x08,
                    'f' => 0x0c,
                    'n' => 0x0a,
                    'r' => 0x0d,
                    't' => 0x09,
                    'u' => {
                        let digits: String = characters.by_ref().take(4).collect();
                        u16::from_str_radix(&digits, 16).expect("four hex digits")
                    }
                    other => other as u16,
                },
                other => {
                    units.extend_from_slice(other.encode_utf16(&mut [0; 2]));
                    continue;
                }
            };
            units.push(unit);
        }
        self.0 = characters.as_str();
        String::from_utf16(&units).expect("no lone surrogates")
    }
}

pub(crate) fn sha256_hex(message: &[u8]) -> String {
    hex::encode(sha2::Sha256::digest(message))
}

pub(crate) fn hash(block: &Json) -> String {
    sha256_hex(block.canonical().as_bytes())
}
