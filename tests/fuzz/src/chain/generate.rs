//! Generates nearly valid chains, in many forms.

use crate::naive::{self, Json, number, object, text, transaction};
use crate::naive_chain;
use crate::recipe::Recipe;

const FIELDS: [&str; 5] = [
    "index",
    "previous_hash",
    "proof",
    "timestamp",
    "transactions",
];

/// Strings that look like something else.
const TEXTS: [&str; 12] = [
    "alice",
    "",
    "0",
    "1",
    "{\"index\"",
    "}, {\"index\": 2, \"",
    "]}",
    "\\",
    "\"",
    "é\u{10000}",
    "\u{0}\n",
    "previous_hash",
];

const NUMBERS: [&str; 14] = [
    "0",
    "1",
    "2",
    "-1",
    "-0",
    "1.0",
    "1e2",
    "0.1",
    "1e-7",
    "100",
    "-5.5",
    "1e16",
    "18446744073709551616",
    "123456789012345678901234567890",
];

/// The text of a chain file.
pub(super) fn file(recipe: &mut Recipe<'_>, zeros: usize) -> Vec<u8> {
    let rule = recipe.one_of(&naive::RULES);
    let queue: Vec<Vec<Json>> = (0..recipe.below(9))
        .map(|_| (0..recipe.below(4)).map(|_| entry(recipe)).collect())
        .collect();
    let mut chain = naive_chain::mine(&queue, rule, zeros, recipe.one_of(&TEXTS), 1.5e9);
    let format = recipe.below(4);
    let form = recipe.below(5);
    let length = recipe.below(8);
    for _ in 0..recipe.below(6) {
        change(&mut chain, rule, zeros, recipe);
    }

    let mut file = write(&chain, format, form, length).into_bytes();
    // The rest of the recipe changes single bytes.
    while !recipe.is_empty() && !file.is_empty() {
        let place = (recipe.word() * file.len()) >> 16;
        match recipe.below(4) {
            0 => drop(file.remove(place)),
            1 => file.insert(place, recipe.byte()),
            2 => file[place] = recipe.byte(),
            _ => file[place] ^= 1 << recipe.below(8),
        }
    }
    file
}

fn entry(recipe: &mut Recipe<'_>) -> Json {
    let entry = transaction(value(recipe), value(recipe), value(recipe));
    match recipe.below(12) {
        0 => with(entry, "note", value(recipe)),
        1 => value(recipe),
        2 => object([("sender", value(recipe)), ("amount", value(recipe))]),
        _ => entry,
    }
}

fn with(mut object: Json, key: &str, value: Json) -> Json {
    object.set(key, value);
    object
}

fn value(recipe: &mut Recipe<'_>) -> Json {
    match recipe.below(16) {
        0..6 => text(recipe.one_of(&TEXTS)),
        6..12 => number(recipe.one_of(&NUMBERS)),
        12 => Json::Word("null"),
        13 => Json::List(vec![number(1), object([("index", number(2))])]),
        14 => object([("b", text("x")), ("a", Json::Word("true"))]),
        _ => number(recipe.long()),
    }
}

fn change(chain: &mut Vec<Json>, rule: &str, zeros: usize, recipe: &mut Recipe<'_>) {
    if chain.is_empty() {
        return;
    }
    let place = recipe.below(chain.len());
    let other = recipe.below(chain.len());
    let is_object = matches!(chain[place], Json::Object(_));
    match recipe.below(12) {
        0 if is_object => {
            let key = recipe.one_of(&FIELDS);
            chain[place].set(key, value(recipe));
        }
        1 if is_object => {
            let key = recipe.one_of(&FIELDS);
            let value = chain[other].get(key).cloned();
            chain[place].set(key, value.unwrap_or(Json::Word("null")));
        }
        2 if is_object => chain[place].remove(recipe.one_of(&FIELDS)),
        3 if is_object => {
            // These keys sort before, between and after the others. Long values
            // fill more than a batch.
            let key = recipe.one_of(&["a", "more", "z", ""]);
            let times = recipe.one_of(&[0, 1, 40, 4_000, 30_000]);
            let filler = recipe.one_of(&["abc", "é", "{\"index\""]);
            chain[place].set(key, text(filler.repeat(times)));
        }
        4 => chain.swap(place, other),
        5 => chain.insert(other, chain[place].clone()),
        6 => drop(chain.remove(place)),
        7 => chain[place] = value(recipe),
        8 if is_object => {
            if let Some(Json::List(list)) = chain[place].get("transactions") {
                let mut list = list.clone();
                list.insert(recipe.below(list.len() + 1), entry(recipe));
                chain[place].set("transactions", Json::List(list));
            }
        }
        _ => seal(chain, place, rule, zeros),
    }
}

/// Mines the blocks after `place` again, so that they follow each other.
fn seal(chain: &mut [Json], place: usize, rule: &str, zeros: usize) {
    for place in place.max(1)..chain.len() {
        let (before, block) = chain.split_at_mut(place);
        let (last, block) = (&before[place - 1], &mut block[0]);
        let is_complete = |block: &Json| FIELDS.iter().all(|field| block.get(field).is_some());
        let is_plain = |value: &Json| matches!(value, Json::Text(_) | Json::Number(_));
        let can_follow = ["proof", "previous_hash"]
            .iter()
            .all(|field| last.get(field).is_some_and(is_plain));
        if !is_complete(last) || !is_complete(block) || !can_follow {
            return;
        }
        let mined = (0u64..)
            .find(|proof| {
                let digest = naive_chain::proof_digest(rule, last, &proof.to_string());
                digest.bytes().take(zeros).all(|digit| digit == b'0')
            })
            .expect("there is a proof");
        block.set("index", number(place + 1));
        block.set("proof", number(mined));
        block.set("previous_hash", text(naive::hash(last)));
    }
}

fn write(chain: &[Json], format: usize, form: usize, length: usize) -> String {
    let write = |place: usize, value: &Json| match form {
        0 => value.canonical(),
        1 => value.compact(),
        2 => value.odd(""),
        3 => value.odd(" \n"),
        // Mixed.
        _ if place.is_multiple_of(3) => value.canonical(),
        _ => value.odd(if place.is_multiple_of(2) { "" } else { "\t" }),
    };
    let blocks: Vec<_> = chain
        .iter()
        .enumerate()
        .map(|(place, block)| write(place, block))
        .collect();
    let comma = if form == 1 { "," } else { ", " };
    let length = match length {
        0 => "0".to_owned(),
        1 => (blocks.len() + 1).to_string(),
        2 => "\"1\"".to_owned(),
        _ => blocks.len().to_string(),
    };
    match format {
        0 => format!(
            "{{\"chain\": [{}], \"length\": {length}}}",
            blocks.join(comma)
        ),
        1 => format!("[{}]", blocks.join(comma)),
        2 => blocks.join("\n"),
        _ => format!("{{\"length\":{length},\"chain\":[{}]}}", blocks.join(comma)),
    }
}
