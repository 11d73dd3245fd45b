//! A simple chain reader and verifier.

use fourzero::chain::Report;
use fourzero::pow::Rule;

use crate::naive::Json;
use crate::naive_chain;
use crate::serde_tree::{self, Tree};

/// The result of reading a text.
enum Reading {
    /// Not a chain.
    Unreadable,
    /// The blocks, and the stated length.
    Chain(Vec<Json>, Option<Json>),
    /// This reader cannot decide.
    Unclear,
}

fn read(text: &[u8]) -> Reading {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    if serde_tree::is_beyond_serde(text) || serde_tree::is_too_deep(text, serde_tree::MAX_DEPTH) {
        return Reading::Unclear;
    }
    let Some(values) = serde_tree::stream(text) else {
        return Reading::Unreadable;
    };
    // A second list under "chain" is ambiguous.
    if let [Tree::Object(members), ..] = values.as_slice() {
        let is_chain = |key: &str| CHAIN_KEYS.contains(&key);
        let mut chains = members.iter().filter(|(key, _)| is_chain(key));
        let has_list = chains.any(|(_, value)| matches!(value, Tree::List(_)));
        if has_list && chains.next().is_some() {
            return Reading::Unreadable;
        }
    }
    let values: Option<Vec<_>> = values.iter().map(Tree::json).collect();
    let Some(values) = values else {
        return Reading::Unreadable;
    };
    match values.as_slice() {
        [] => Reading::Unreadable,
        [Json::List(blocks)] => bare(blocks.clone()),
        [Json::List(_), ..] => Reading::Unreadable,
        [first @ Json::Object(_), ..] => {
            let lists = CHAIN_KEYS.iter().filter_map(|key| first.get(key));
            let mut lists = lists.filter(|value| matches!(value, Json::List(_)));
            match lists.next() {
                Some(Json::List(_)) if values.len() > 1 => Reading::Unreadable,
                Some(Json::List(blocks)) => {
                    Reading::Chain(blocks.clone(), first.get("length").cloned())
                }
                // The readers differ about where a word or number ends.
                _ if values.iter().any(is_scalar) => Reading::Unclear,
                _ => bare(values),
            }
        }
        _ => Reading::Unreadable,
    }
}

const CHAIN_KEYS: [&str; 2] = ["chain", "new_chain"];

/// Blocks in a file that does not call itself a chain. Then the first object
/// must look like a block.
fn bare(blocks: Vec<Json>) -> Reading {
    let Some(Json::Object(members)) = blocks.first() else {
        return Reading::Chain(blocks, None);
    };
    let has = |test: fn(&str) -> bool| members.iter().any(|(key, _)| test(key));
    if has(|key| ["index", "proof", "previous_hash"].contains(&key)) {
        return Reading::Chain(blocks, None);
    }
    // This reader does not know all names that forks give to `previous_hash`.
    let plain = |key: &str| key.to_lowercase().replace(['_', '-', ' '], "");
    match members.keys().any(|key| plain(key).contains("hash")) {
        true => Reading::Unclear,
        false => Reading::Unreadable,
    }
}

fn is_scalar(value: &Json) -> bool {
    !matches!(value, Json::List(_) | Json::Object(_))
}

/// Asserts that `found` is what this verifier finds.
pub(super) fn compare(
    text: &[u8],
    found: &Result<Report, String>,
    rule: Option<&'static str>,
    zeros: usize,
) {
    let (blocks, length) = match read(text) {
        Reading::Unclear => return,
        Reading::Unreadable => {
            assert!(found.is_err(), "not a chain, but {found:?}");
            return;
        }
        Reading::Chain(blocks, length) => (blocks, length),
    };
    let report = found.as_ref().expect("the simple reader can read it");
    let plain = naive_chain::verify(&blocks, rule, zeros);
    let count = blocks.len() as u64;
    let fault = plain.fault.or_else(|| {
        let length = length.as_ref()?;
        let number = match length {
            Json::Number(digits) => digits.parse().ok(),
            _ => None,
        };
        let block = number.unwrap_or(u64::MAX).min(count) + 1;
        (number != Some(count)).then_some((block, "length"))
    });
    assert_eq!(report.blocks, count);
    assert_eq!(report.transactions, plain.transactions);
    assert_eq!(report.rule.map(Rule::name), plain.rule);
    let found = report.fault.as_ref();
    assert_eq!(found.map(|fault| (fault.block, fault.kind.name())), fault);
}
