//! Inputs of a few bytes.

use super::Outcome::{Mined, Valid};
use super::Reader::{Chain, Queue};
use super::pieces::Pieces;
use super::{check, error, invalid, row};

/// A first block with an additional member, which replaces a member of the same
/// name because the last of equal keys counts.
fn first_block(member: &str) -> String {
    let comma = if member.is_empty() { "" } else { ", " };
    format!(
        "{{\"index\": 1, \"previous_hash\": \"1\", \"proof\": 100, \"timestamp\": 0.0, \
         \"transactions\": []{comma}{member}}}"
    )
}

/// A queue of one transaction with an additional member.
fn transaction(member: &str) -> String {
    let comma = if member.is_empty() { "" } else { ", " };
    format!("{{\"sender\": \"a\", \"recipient\": \"b\", \"amount\": 1{comma}{member}}}")
}

fn bytes(before: &str, odd: &[u8], behind: &str) -> Pieces {
    [before.as_bytes(), odd, behind.as_bytes()].concat().into()
}

/// The same blocks in the three formats of a chain file.
fn shapes(block: &str) -> [String; 3] {
    [
        format!("{{\"chain\": [{block}], \"length\": 1}}"),
        format!("[{block}]"),
        block.to_owned(),
    ]
}

#[test]
fn every_chain_format_accepts_what_python_accepts() {
    let digits = "7".repeat(4_000);
    let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    let mut rows = Vec::new();
    for (name, member) in [
        ("nothing odd", String::new()),
        ("an unknown key", "\"memo\": {\"b\": [], \"a\": {}}".into()),
        ("a key twice", "\"index\": 7, \"index\": 1".into()),
        ("a key twice, once escaped", "\"ind\\u0065x\": 1".into()),
        ("4,000 digits", format!("\"x\": -{digits}")),
        ("4,000 places", format!("\"x\": 0.{digits}e-5")),
        ("900 levels", format!("\"x\": {}", deep(900))),
        ("an escaped NUL", "\"x\": \"\\u0000\"".into()),
        ("an empty key", "\"\": \"\"".into()),
        ("a timestamp that is an integer", "\"timestamp\": -5".into()),
        ("a proof below zero", "\"proof\": -5".into()),
        ("a proof of 4,000 digits", format!("\"proof\": {digits}")),
    ] {
        for shape in shapes(&first_block(&member)) {
            rows.push(row(name, Chain, shape.clone(), Valid(1)));
            let with_mark = format!("\u{feff}{shape}");
            rows.push(row("a byte order mark", Chain, with_mark, Valid(1)));
            let lines = shape.replace(", ", ",\r\n\t");
            rows.push(row("CR LF", Chain, lines + "\r\n", Valid(1)));
        }
    }
    check(rows);
}

#[test]
fn every_chain_format_reports_the_kind_of_fault() {
    let mut rows = Vec::new();
    for (member, fault) in [
        ("\"index\": -1", "index"),
        ("\"index\": 0", "index"),
        ("\"index\": 18446744073709551617", "index"),
        ("\"index\": 1.0", "type"),
        ("\"index\": 1e0", "type"),
        ("\"index\": true", "type"),
        ("\"index\": \"1\"", "type"),
        ("\"index\": null", "type"),
        ("\"proof\": 100.5", "type"),
        ("\"proof\": [100]", "type"),
        ("\"timestamp\": \"now\"", "type"),
        ("\"transactions\": {}", "type"),
        ("\"previous_hash\": 1.5", "type"),
        ("\"transactions\": [5]", "transaction"),
        (
            "\"transactions\": [{\"sender\": 1, \"amount\": 2}]",
            "transaction",
        ),
    ] {
        for shape in shapes(&first_block(member)) {
            rows.push(row(
                "a wrong value",
                Chain,
                shape,
                invalid(&format!("block 1: {fault}")),
            ));
        }
    }
    for field in [
        "index",
        "previous_hash",
        "proof",
        "timestamp",
        "transactions",
    ] {
        let block = first_block("").replacen(field, "other", 1);
        for shape in shapes(&block) {
            let fault = invalid("block 1: missing-field");
            rows.push(row("a missing field", Chain, shape, fault));
        }
    }
    let enormous = format!("\"index\": 1{}", "0".repeat(4_000));
    rows.push(row(
        "an index of 4,001 digits",
        Chain,
        first_block(&enormous),
        invalid("block 1: index"),
    ));
    check(rows);
}

#[test]
fn a_wrong_length_is_a_fault() {
    let chain =
        |length: &str| format!("{{\"length\": {length}, \"chain\": [{}]}}", first_block(""));
    let lies = |place: u64, length: &str| {
        let fault = format!("block {place}: length");
        row("a length", Chain, chain(length), invalid(&fault))
    };
    check(vec![
        row("no lie", Chain, chain("1"), Valid(1)),
        lies(1, "0"),
        lies(2, "2"),
        lies(2, "-1"),
        lies(2, "1.0"),
        lies(2, "\"1\""),
        lies(2, "null"),
        lies(2, "[1]"),
        lies(2, "99999999999999999999999999"),
    ]);
}

#[test]
fn a_chain_that_is_not_json_is_refused_with_the_place() {
    let deep = 100_000;
    check(vec![
        row("nothing", Chain, "", error("line 1 column 1")),
        row(
            "a byte order mark alone",
            Chain,
            "\u{feff}",
            error("line 1 column 1"),
        ),
        row(
            "two byte order marks",
            Chain,
            "\u{feff}\u{feff}[]",
            error("line 1 column 1"),
        ),
        row(
            "a byte order mark inside",
            Chain,
            "[\u{feff}]",
            error("line 1 column 2"),
        ),
        row("NUL for a chain", Chain, "\0", error("line 1 column 1")),
        row(
            "NUL between blocks",
            Chain,
            format!("{}\0", first_block("")),
            error("line 1 column 87"),
        ),
        row(
            "NUL in a string",
            Chain,
            "[{\"a\": \"\0\"}]",
            error("line 1 column 9"),
        ),
        row(
            "bytes that are no UTF-8",
            Chain,
            bytes("[{\"a\":\n \"", &[0xc0, 0x80], "\"}]"),
            error("line 2 column 3"),
        ),
        row(
            "a surrogate in UTF-8",
            Chain,
            bytes("[{\"a\": \"", &[0xed, 0xa0, 0x80], "\"}]"),
            error("line 1 column 9"),
        ),
        row(
            "100,000 open lists",
            Chain,
            "[".repeat(deep),
            error("line 1 column 100001"),
        ),
        row(
            "100,000 lists",
            Chain,
            "[".repeat(deep) + &"]".repeat(deep),
            error("line 1 column 1002"),
        ),
        row(
            "100,000 objects",
            Chain,
            format!("[{}1{}]", "{\"a\":".repeat(deep), "}".repeat(deep)),
            error("line 1 column 5002"),
        ),
        row(
            "100,000 levels in a line",
            Chain,
            format!(
                "{}\n{{\"a\": {}{}}}",
                first_block(""),
                "[".repeat(deep),
                "]".repeat(deep)
            ),
            error("line 2 column 1006"),
        ),
        row(
            "NaN",
            Chain,
            first_block("\"proof\": NaN"),
            error("line 1 column 97"),
        ),
        row(
            "a number past a double",
            Chain,
            first_block("\"x\": 1e999"),
            error("line 1 column 93"),
        ),
        row(
            "a fraction of nothing",
            Chain,
            first_block("\"proof\": 1."),
            error("line 1 column 99"),
        ),
    ]);
}

#[test]
fn every_queue_format_accepts_unusual_values() {
    let digits = "7".repeat(4_000);
    let csv = |row: &str| format!("sender,recipient,amount\n{row}\n");
    let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    let mut rows = Vec::new();
    for (name, member) in [
        ("nothing odd", String::new()),
        ("an unknown key", "\"memo\": {\"b\": [], \"a\": {}}".into()),
        ("a key twice", "\"amount\": [], \"amount\": -1.5e-7".into()),
        ("4,000 digits", format!("\"amount\": -{digits}")),
        ("800 levels", format!("\"amount\": {}", deep(800))),
        (
            "wrong types",
            "\"amount\": null, \"sender\": {}, \"recipient\": 1.0".into(),
        ),
        ("an escaped NUL", "\"sender\": \"\\u0000\"".into()),
    ] {
        let one = transaction(&member);
        for queue in [one.clone(), format!("[{one}]"), format!("[{one}]\n[]\n")] {
            rows.push(row(name, Queue, format!("\u{feff}{queue}"), Mined(1)));
            let lines = queue.replace(", ", ",\r\n");
            rows.push(row("CR LF", Queue, lines + "\r\n", Mined(1)));
        }
    }
    rows.extend([
        row(
            "a byte order mark",
            Queue,
            "\u{feff}".to_owned() + &csv("a,b,1"),
            Mined(1),
        ),
        row(
            "CR LF",
            Queue,
            csv("a,b,1\n\nc,d,2").replace('\n', "\r\n"),
            Mined(2),
        ),
        row(
            "CR alone",
            Queue,
            csv("a,b,1\nc,d,2").replace('\n', "\r"),
            Mined(2),
        ),
        row("NUL in CSV", Queue, csv("a\0,\0,1"), Mined(1)),
        row(
            "4,000 digits in CSV",
            Queue,
            csv(&format!("a,b,{digits}")),
            Mined(1),
        ),
        row(
            "deep brackets in CSV",
            Queue,
            csv(&format!("a,b,{}", "[".repeat(100_000))),
            Mined(1),
        ),
        row(
            "an unknown column",
            Queue,
            "memo,amount,sender,recipient\n\"x\ny\",1,a,b\n",
            Mined(1),
        ),
    ]);
    check(rows);
}

#[test]
fn a_queue_that_cannot_be_read_is_refused_with_the_place() {
    let deep = 100_000;
    let csv = "sender,recipient,amount\n";
    check(vec![
        row("nothing", Queue, "", error("")),
        row("a byte order mark alone", Queue, "\u{feff}", error("")),
        row("a header alone", Queue, csv, error("")),
        row("NUL", Queue, "\0", error("line 1")),
        row(
            "NUL behind a line",
            Queue,
            transaction("") + "\n\0",
            error("line 2 column 1"),
        ),
        row(
            "bytes that are no UTF-8",
            Queue,
            bytes("{\"sender\": \"", &[0xff], "\"}"),
            error("line 1 column 13"),
        ),
        row(
            "CSV that is no UTF-8",
            Queue,
            bytes(csv, &[0xff], ",b,1\n"),
            error("line 2"),
        ),
        row(
            "100,000 open lists",
            Queue,
            "[".repeat(deep),
            error("line 1 column 1"),
        ),
        row(
            "100,000 lists",
            Queue,
            "[".repeat(deep) + &"]".repeat(deep),
            error("line 1 column 902"),
        ),
        row(
            "100,000 levels in a line",
            Queue,
            format!("{}\n{{\"sender\": {}", transaction(""), "[".repeat(deep)),
            error("line 2 column 1"),
        ),
        row(
            "a missing key",
            Queue,
            "{\"sender\": 1, \"recipient\": 2}",
            error("line 1 column 1"),
        ),
        row(
            "no object",
            Queue,
            transaction("") + "\n\n5",
            error("line 3 column 1"),
        ),
        row(
            "a number past a double in CSV",
            Queue,
            csv.to_owned() + "a,b,-1e999\n",
            error("line 2"),
        ),
        row("gzip", Queue, bytes("", &[0x1f, 0x8b, 8, 0], ""), error("")),
        row(
            "UTF-16",
            Queue,
            bytes("", &[0xff, 0xfe, b's', 0], ""),
            error(""),
        ),
        row(
            "UTF-16 without a mark, with a bracket",
            Queue,
            bytes("", &[b'[', 0, b'{', 0], ""),
            error(""),
        ),
        row(
            "a header of other words",
            Queue,
            "Date;Sender;Recipient;Amount\n",
            error("line 1"),
        ),
        row(
            "a row without text, then a short one",
            Queue,
            csv.to_owned() + "a,b,1\n,,\na\n",
            error("line 4"),
        ),
        row(
            "an empty name",
            Queue,
            csv.to_owned() + "a,,1\n",
            error("line 2"),
        ),
        row(
            "a field too few",
            Queue,
            csv.to_owned() + "a,b,1\na,b\n",
            error("line 3"),
        ),
        row(
            "a column twice",
            Queue,
            "sender,sender,recipient,amount\n",
            error("line 1"),
        ),
        row(
            "a quote that stays open",
            Queue,
            csv.to_owned() + "\"a,b,1\n",
            error("line 2"),
        ),
    ]);
}
