//! Generates nearly valid queues.

use crate::naive::{Json, number, object, text, transaction};
use crate::recipe::Recipe;

const CELLS: [&str; 23] = [
    "alice",
    "5",
    "2.5",
    "-0",
    "1e5",
    "1E400",
    " 7 ",
    "\"a,b\"",
    "\"a\"\"b\"",
    "\"a\nb\"",
    "\"a\r\n\r\nb\"",
    "",
    "\"\"",
    "é",
    "\"5\"",
    "01",
    "-",
    "NaN",
    "\"",
    "a\"b",
    "1,5",
    "\"-0,25\"",
    " bob",
];

/// A JSON queue.
pub(super) fn json(recipe: &mut Recipe<'_>) -> Vec<u8> {
    let is_array = recipe.below(3) == 0;
    let is_wrapped = is_array && recipe.below(4) == 0;
    let mut file = Vec::new();
    while !recipe.is_empty() {
        let value = match recipe.below(8) {
            0 if !is_array => {
                let count = recipe.below(4);
                Json::List((0..count).map(|_| entry(recipe)).collect())
            }
            _ => entry(recipe),
        };
        let written = match recipe.below(4) {
            0 => value.compact(),
            1 => value.odd(recipe.one_of(&["", " ", "\r\n"])),
            _ => value.canonical(),
        };
        if is_array {
            file.push(if file.is_empty() { b'[' } else { b',' });
        }
        file.extend_from_slice(written.as_bytes());
        if recipe.below(32) == 0 {
            file.extend_from_slice(recipe.bytes(2));
        }
        if !is_array {
            file.extend_from_slice(recipe.one_of(&["\n", "\n", "\r\n", "", "\n\n"]).as_bytes());
        }
    }
    if is_array {
        file.push(b']');
    }
    if is_wrapped {
        let before = recipe.one_of(&["", "", "\"count\": 1,", "\"proof\": 1,", "\"sender\": 1,"]);
        file.splice(..0, format!("{{{before} \"transactions\": ").into_bytes());
        file.extend_from_slice(
            recipe
                .one_of(&["}", "}\n", ", \"count\": 1}", ""])
                .as_bytes(),
        );
    }
    file
}

fn entry(recipe: &mut Recipe<'_>) -> Json {
    let mut entry = transaction(value(recipe), value(recipe), value(recipe));
    match recipe.below(16) {
        0 => entry.set(recipe.one_of(&["note", "", "z"]), value(recipe)),
        1 => entry.remove(recipe.one_of(&["sender", "recipient", "amount"])),
        2 => return value(recipe),
        _ => {}
    }
    entry
}

fn value(recipe: &mut Recipe<'_>) -> Json {
    match recipe.below(10) {
        0..4 => text(recipe.one_of(&CELLS)),
        4 => number(recipe.long()),
        5 => number(recipe.one_of(&["-0", "1.50", "1e16", "0.1", "-7", "5e-324"])),
        6 => text(String::from_utf8_lossy(recipe.bytes(6))),
        7 => Json::Word("null"),
        8 => object([("sender", Json::List(vec![Json::Word("true")]))]),
        _ => number(recipe.byte()),
    }
}

/// A CSV queue.
pub(super) fn csv(recipe: &mut Recipe<'_>) -> Vec<u8> {
    const HEADERS: [&str; 6] = [
        "sender,recipient,amount",
        "amount,note,recipient, sender ",
        "\"sender\",\"recipient\",amount",
        "recipient,amount",
        "sender,recipient,amount,amount",
        "a,b,c,d,sender,amount,recipient,",
    ];
    let header = recipe.one_of(&HEADERS);
    let columns = header.split(',').count();
    let delimiter = recipe.one_of(&[b',', b',', b';', b'\t', b'|']);
    let mut file = recipe
        .one_of(&["", "", "\u{feff}", "\n \n", "sep=,\n", "sep=;\r\n"])
        .as_bytes()
        .to_vec();
    file.extend(header.bytes().map(|byte| match byte {
        b',' => delimiter,
        byte => byte,
    }));
    while !recipe.is_empty() {
        file.extend_from_slice(
            recipe
                .one_of(&["\n", "\n", "\r\n", "\r", "\n\n"])
                .as_bytes(),
        );
        let fields = match recipe.below(24) {
            0 => recipe.below(columns + 2),
            _ => columns,
        };
        for field in 0..fields {
            if field > 0 {
                file.push(delimiter);
            }
            match recipe.below(CELLS.len() + 2) {
                place if place < CELLS.len() => file.extend_from_slice(CELLS[place].as_bytes()),
                _ => file.extend_from_slice(recipe.bytes(3)),
            }
        }
    }
    file
}
