//! Inputs of many megabytes: 8, or as many as `HOSTILE_MEGABYTES` says.

use super::Outcome::{Mined, Valid};
use super::Reader::{Chain, Queue};
use super::pieces::{Pieces, numbered, repeat};
use super::{Row, check, error, invalid, row};
use sha2::{Digest, Sha256};

const MB: usize = 1 << 20;
const GB: usize = 1 << 30;
/// What fits in a block of at most 32 MiB beside its other keys.
const ALMOST_TOO_LARGE: usize = 32 * MB - 200;
const TRANSACTION: &str = r#"{"sender": "a", "recipient": "b", "amount": 1}"#;

/// Where a block starts that takes more than 32 MiB.
const BLOCK_TOO_LARGE: &str = "line 1 column 2";
const NO_INDEX: &str = "block 1: missing-field";

fn text(text: &str) -> Pieces {
    text.into()
}

/// A first block whose key `x` has the value `value`.
fn block_with(value: impl Into<Pieces>) -> Pieces {
    text(r#"[{"index": 1, "previous_hash": "1", "proof": 100, "timestamp": 0.0, "transactions": [], "x": "#)
        .then(value)
        .then("}]")
}

/// `{"b": {"b": ... , "a": 1}, "a": 1}`: every level is out of order.
fn reversed(depth: usize, inner: Pieces) -> Pieces {
    text(&r#"{"b":"#.repeat(depth))
        .then(inner)
        .then(r#","a":1}"#.repeat(depth))
}

fn string(bytes: usize) -> Pieces {
    text("\"").then(repeat("x", bytes)).then("\"")
}

/// Chains. `size` is that of the inputs that are read to their end.
fn chains(size: usize) -> Vec<Row> {
    vec![
        // One line of a gigabyte.
        row("a string", Chain, text("[{\"a\": \"").then(repeat("x", GB)), error(BLOCK_TOO_LARGE)),
        row("an open list", Chain, text("[{\"a\": ").then(repeat("[", GB)), error(BLOCK_TOO_LARGE)),
        row("a number", Chain, text("[").then(repeat("1", GB)), error(BLOCK_TOO_LARGE)),
        row(
            "a number for a chain",
            Chain,
            repeat("1", GB),
            error("line 1 column 1"),
        ),
        row(
            "NULs",
            Chain,
            repeat("\0", GB),
            error("line 1 column 1"),
        ),
        row(
            "empty blocks in one line",
            Chain,
            text("[{\"index\": 1},").then(repeat("{},", size)).then("{}]"),
            invalid(NO_INDEX),
        ),
        row(
            "numbers for blocks in one line",
            Chain,
            text("[").then(repeat("1,", size)).then("1]"),
            invalid("block 1: malformed"),
        ),
        row(
            "nothing but spaces",
            Chain,
            repeat(" ", size).then("[]"),
            invalid("block 1: empty"),
        ),
        row(
            "members before the chain",
            Chain,
            text("{").then(repeat("\"key\": 1, ", 64 * MB)).then("\"chain\": []}"),
            error("line 1 column 1"),
        ),
        row(
            "members behind the chain",
            Chain,
            text("{\"chain\": []").then(repeat(", \"key\": 1", size)).then("}"),
            invalid("block 1: empty"),
        ),
        row(
            "a length of many digits",
            Chain,
            text("{\"chain\": [], \"length\": 1").then(repeat("0", 30 * MB)).then("}"),
            invalid("block 1: empty"),
        ),
        row(
            "a block that is too large only as Python writes it",
            Chain,
            text(r#"[{"index":1,"previous_hash":"1","proof":100,"timestamp":0.0,"transactions":["#)
                .then(repeat(r#"{"amount":1,"recipient":"r","sender":"s"},"#, 31 * MB))
                .then(r#"{"amount":1,"recipient":"r","sender":"s"}]}]"#),
            error(BLOCK_TOO_LARGE),
        ),
        // Blocks that are just small enough.
        row("30 MB of digits", Chain, block_with(repeat("1", 30 * MB)), Valid(1)),
        row("30 MB of plain text", Chain, block_with(string(30 * MB)), Valid(1)),
        row(
            "4.6 million members of one key",
            Chain,
            block_with(text("{").then(repeat("\"\":1,", 22 * MB)).then("\"\":1}")),
            Valid(1),
        ),
        row(
            "2 million members in reverse",
            Chain,
            block_with(
                text("{")
                    .then(numbered(2_000_000, |place| format!("\"{:07}\":1,", 9_999_999 - place)))
                    .then("\"\":1}"),
            ),
            Valid(1),
        ),
        row(
            "a million objects in reverse",
            Chain,
            block_with(text("[").then(repeat(r#"{"b":1,"a":1},"#, 14 * MB)).then("1]")),
            Valid(1),
        ),
        row(
            "990 levels in reverse around 30 MB",
            Chain,
            block_with(reversed(990, string(30 * MB))),
            Valid(1),
        ),
        row(
            "previous hashes that just fit",
            Chain,
            text(r#"[{"index": 1, "proof": 100, "timestamp": 0.0, "transactions": [], "previous_hash": "#)
                .then(string(ALMOST_TOO_LARGE))
                .then(r#"}, {"index": 2, "proof": 1, "timestamp": 0.0, "transactions": [], "previous_hash": "#)
                .then(string(ALMOST_TOO_LARGE))
                .then("}]"),
            invalid("block 2: previous-hash"),
        ),
        row(
            "proofs that just fit",
            Chain,
            long_proofs(),
            invalid("block 2: proof"),
        ),
        // Blocks that are small enough in the file but not as Python writes them.
        row("30 MB of DEL", Chain, block_with(text("\"").then(repeat("\u{7f}", 30 * MB)).then("\"")), error(BLOCK_TOO_LARGE)),
        row("30 MB of emoji", Chain, block_with(text("\"").then(repeat("\u{1f600}", 30 * MB)).then("\"")), error(BLOCK_TOO_LARGE)),
        row("6 million members", Chain, block_with(text("{").then(repeat("\"\":1,", 30 * MB)).then("\"\":1}")), error(BLOCK_TOO_LARGE)),
        // Many blocks that are large together.
        row(
            "blocks of 1.9 MB that grow sixfold",
            Chain,
            text("[")
                .then(pieces_of_blocks(16))
                .then("1]"),
            invalid("block 2: index"),
        ),
    ]
}

/// Two blocks, the second with the hash of the first. Their keys are out of
/// order, so that the canonical text differs from the file.
fn long_proofs() -> Pieces {
    let digits = || text("1").then(repeat("0", ALMOST_TOO_LARGE));
    let block = |index: u64, previous_hash: &str| {
        text(r#"{"proof": "#)
            .then(digits())
            .then(format!(
                r#", "index": {index}, "previous_hash": "{previous_hash}", "timestamp": 0.0, "transactions": []}}"#
            ))
    };
    let canonical = format!(
        r#"{{"index": 1, "previous_hash": "1", "proof": 1{}, "timestamp": 0.0, "transactions": []}}"#,
        "0".repeat(ALMOST_TOO_LARGE)
    );
    let hash = hex::encode(Sha256::digest(canonical));
    text("[")
        .then(block(1, "1"))
        .then(", ")
        .then(block(2, &hash))
        .then("]")
}

fn pieces_of_blocks(count: usize) -> Pieces {
    (0..count).fold(text(""), |blocks, _| {
        blocks
            .then(r#"{"index": 1, "proof": 1, "timestamp": 0.0, "transactions": [], "previous_hash": ""#)
            .then(repeat("\u{7f}", 1_900_000))
            .then("\"},")
    })
}

/// Queues.
fn queues(size: usize) -> Vec<Row> {
    let too_large = |line: u32| error(&format!("line {line} column 1"));
    let fields = |sender: Pieces| {
        text("{\"sender\": ")
            .then(sender)
            .then(", \"recipient\": 1, \"amount\": 1}")
    };
    vec![
        // One line of a gigabyte.
        row(
            "a string",
            Queue,
            text("{\"sender\": \"").then(repeat("x", GB)),
            too_large(1),
        ),
        row(
            "an open list",
            Queue,
            repeat("[", GB),
            error("line 1 column 2"),
        ),
        row(
            "a CSV header",
            Queue,
            text("sender").then(repeat(",x", GB)),
            too_large(1),
        ),
        row("no CSV", Queue, repeat("x", GB), too_large(1)),
        row(
            "a quoted CSV field",
            Queue,
            text("sender,recipient,amount\n\"").then(repeat("x", GB)),
            too_large(2),
        ),
        row(
            "numbers in one array",
            Queue,
            text("[").then(repeat("1,", GB)),
            error("line 1 column 2"),
        ),
        row(
            "one array of transactions in one line",
            Queue,
            text("[")
                .then(repeat(&format!("{TRANSACTION},"), size))
                .then(TRANSACTION)
                .then("]"),
            Mined(1 + (size / (TRANSACTION.len() + 1)) as u64),
        ),
        row(
            "one list of transactions in an object",
            Queue,
            text("{\"count\": 1, \"transactions\": [")
                .then(repeat(&format!("{TRANSACTION},"), size))
                .then(TRANSACTION)
                .then("]}"),
            Mined(1 + (size / (TRANSACTION.len() + 1)) as u64),
        ),
        row(
            "30 MB of transactions in an object",
            Queue,
            text("{\"transactions\": [")
                .then(repeat(&format!("{TRANSACTION},"), 30 * MB))
                .then(TRANSACTION)
                .then("], \"count\": 1}"),
            Mined(1 + (30 * MB / (TRANSACTION.len() + 1)) as u64),
        ),
        row("nothing but lines", Queue, repeat("\n", size), error("")),
        row(
            "an array and spaces",
            Queue,
            text("[]").then(repeat(" ", size.max(64 * MB))),
            error(""),
        ),
        // Transactions that are just small enough, and some that are too large.
        row("30 MB of text", Queue, fields(string(30 * MB)), Mined(1)),
        row(
            "890 levels in reverse around 30 MB",
            Queue,
            fields(reversed(890, string(30 * MB))),
            Mined(1),
        ),
        row(
            "4 million members that are dropped",
            Queue,
            text("{\"sender\": 1, \"recipient\": 1, ")
                .then(repeat("\"\":1,", 20 * MB))
                .then("\"amount\": 1}"),
            Mined(1),
        ),
        row(
            "30 MB of emoji",
            Queue,
            fields(text("\"").then(repeat("\u{1f600}", 30 * MB)).then("\"")),
            too_large(1),
        ),
        row(
            "30 MB of emoji in CSV",
            Queue,
            text("sender,recipient,amount\n")
                .then(repeat("\u{1f600}", 30 * MB))
                .then(",b,1\n"),
            too_large(2),
        ),
        row(
            "a block of 25 MB",
            Queue,
            text(TRANSACTION)
                .then("\n[")
                .then(repeat(&format!("{TRANSACTION},"), 25 * MB))
                .then(TRANSACTION)
                .then("]\n"),
            Mined(2 + (25 * MB / (TRANSACTION.len() + 1)) as u64),
        ),
    ]
}

/// The size of the inputs that are read to their end.
fn size() -> usize {
    let megabytes = std::env::var("HOSTILE_MEGABYTES");
    megabytes.map_or(8, |megabytes| megabytes.parse().unwrap()) * MB
}

#[test]
fn chains_of_many_megabytes() {
    check(chains(size()));
}

#[test]
fn queues_of_many_megabytes() {
    check(queues(size()));
}

#[test]
fn ten_million_empty_blocks() {
    let blocks = || text("{\"index\": 1}\n").then(repeat("{}\n", 30_000_000));
    check(vec![
        row("lines", Chain, blocks(), invalid(NO_INDEX)),
        row(
            "an array",
            Chain,
            text("[{\"index\": 1},")
                .then(repeat("{},", 29_999_997))
                .then("{}]"),
            invalid(NO_INDEX),
        ),
        // Each of them is mined.
        row(
            "empty lists in a queue",
            Queue,
            text(TRANSACTION)
                .then("\n")
                .then(repeat("[]\n", size() / 30)),
            Mined(1),
        ),
    ]);
}
