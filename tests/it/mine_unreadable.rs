//! Queues that cannot be read: the error names the file and the place, and only
//! the journal of the blocks before it is kept.

use std::fs;

use crate::support::{Ends as _, Folder, fourzero};

const GOOD: &str = r#"{"sender": "a", "recipient": "b", "amount": 1}"#;

/// Invalid queues, and the place of the error in each.
fn unreadable() -> Vec<(Vec<u8>, &'static str)> {
    let header = "sender,recipient,amount";
    let text = |text: &str| text.as_bytes().to_vec();
    vec![
        // Without a transaction there is no place to name.
        (text(""), ""),
        (text(" \r\n\n"), ""),
        (text("\u{feff}"), ""),
        (text("[]"), ""),
        (text("[]\n[]\n"), ""),
        (text(header), ""),
        (b"\xff\xfes\0e\0n\0".to_vec(), ""),
        // JSON.
        (
            text(r#"{"recipient": "b", "amount": 1}"#),
            "line 1 column 1",
        ),
        (
            text(&format!("{GOOD}\n{{\"sender\": \"a\"}}")),
            "line 2 column 1",
        ),
        (
            text(&format!("[{GOOD},\n  {{\"sender\": 1}}]")),
            "line 2 column 3",
        ),
        (
            text(&format!("{GOOD}\n\n[{GOOD}, {{\"sender\": 1}}]")),
            "line 3 column 1: transaction 2",
        ),
        (text(&format!("{GOOD}\n7")), "line 2 column 1"),
        (text(&format!("[{GOOD}, [{GOOD}]]")), "line 1 column 50"),
        (
            text(&format!(
                "{GOOD}\n{{\"sender\": 1, \"recipient\": 2, \"amount\": {}{}}}",
                "[".repeat(900),
                "]".repeat(900)
            )),
            "line 2 column 940",
        ),
        (
            text(&format!("{GOOD}\n{{\"sender\": oops}}")),
            "line 2 column 12",
        ),
        (text(&format!("{GOOD}\n{header}\n")), "line 2 column 1"),
        (
            text(&format!("{GOOD}\n{{\"sender\": \"a\"")),
            "line 2 column 1",
        ),
        (text(&format!("[{GOOD},\n{GOOD}")), "line 1 column 1"),
        (
            text(r#"{"sender": "a", "amount": NaN}"#),
            "line 1 column 27",
        ),
        (
            text(r#"{"sender": "a", "amount": 1e400}"#),
            "line 1 column 27",
        ),
        (text(r#"{"sender": "\udc00"}"#), "line 1 column 13"),
        (b"{\"sender\": \"\xff\"}".to_vec(), "line 1 column 13"),
        // Something else than a queue.
        (
            text(r#"{"chain": [{"index": 1, "transactions": [], "proof": 100}], "length": 1}"#),
            "line 1 column 1",
        ),
        (
            text(&format!(
                r#"[{{"index": 1, "transactions": [{GOOD}], "previous_hash": "1"}}]"#
            )),
            "line 1 column 2",
        ),
        (
            text(&format!(
                r#"{{"index": 1, "transactions": [{GOOD}], "proof": 100}}"#
            )),
            "line 1 column 1",
        ),
        (
            text(&format!(r#"{{"pending": [{GOOD}]}}"#)),
            "line 1 column 1",
        ),
        (text(r#"{"error": "x"}"#), "line 1 column 1"),
        (
            text(&format!("{GOOD}\n{{\"transactions\": [{GOOD}]}}")),
            "line 2 column 1",
        ),
        (
            text(&format!("{{\"transactions\": [{GOOD}]}}\n{GOOD}")),
            "line 2 column 1",
        ),
        (
            text(&format!(
                "{{\"transactions\": [{GOOD}],\n\"transactions\": [{GOOD}]}}"
            )),
            "line 2 column 1",
        ),
        (text("null\n"), "line 1"),
        (text(&format!("{GOOD}\nnull\n")), "line 2 column 1"),
        (text("\"text\"\n"), "line 1"),
        (text("<!DOCTYPE html>\n<html>\n"), ""),
        (text("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"), ""),
        (b"PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0".to_vec(), ""),
        // CSV.
        (text("sender,recipient\na,b\n"), "line 1"),
        (text("\n\nfrom,recipient,amount\na,b,1\n"), "line 3"),
        (text("sender,recipient,amount,amount\n"), "line 1"),
        (
            text("amount,sender,recipient\n1,a,b\n2,c,\"d\n3,e,f\n"),
            "line 3",
        ),
        (text(&format!("{header}\na,b,1\na,b\n")), "line 3"),
        (
            text(&format!("{header}\r\n\"a\r\n\",b,1\r\na\r\n")),
            "line 4",
        ),
        (text(&format!("{header}\na,b,1,2\n")), "line 2"),
        (text("sender;recipient;amount\na;b;1,5\n"), "line 2"),
        (text("sender;recipient;Amount\n"), "line 1"),
        (text("sep=;\nsender,recipient,amount\n"), "line 2"),
        (text(&format!("{header}\n,,\n,,\n")), ""),
        (text(&format!("{header}\na,b,\n")), "line 2"),
        (text(&format!("{header}\na,b,1e400\n")), "line 2"),
        (
            b"sender,recipient,amount\na,b,1\na,\xc3,1\n".to_vec(),
            "line 3",
        ),
        (b"sender,recipient,amount\na,b,\xff\n".to_vec(), "line 2"),
    ]
}

/// Mines into `chain.json` and returns stderr. If blocks were kept in the
/// journal, stderr has a second line; removes that journal.
#[track_caller]
fn fails(folder: &Folder, queues: &[&str], input: &[u8]) -> String {
    let run = fourzero()
        .current_dir(folder.path(""))
        .args(["mine", "--difficulty", "1", "-o", "chain.json"])
        .args(queues)
        .write_stdin(input)
        .ends_with(2);
    assert_eq!(run.stdout, "");
    let journal = folder.path("chain.json.journal");
    assert_eq!(
        run.stderr.lines().count(),
        1 + usize::from(journal.exists())
    );
    if journal.exists() {
        fs::remove_file(journal).unwrap();
    }
    run.stderr
}

#[test]
fn an_invalid_queue_is_named_with_its_place_and_leaves_no_chain() {
    for (contents, place) in unreadable() {
        let folder = Folder::new();
        folder.write("queue", &contents);
        for (queue, name) in [("queue", "queue"), ("-", "standard input")] {
            let error = fails(&folder, &[queue], &contents);
            let named = format!(" {name}: {place}");
            assert!(error.contains(&named), "{place}: {error}");
            assert_eq!(error.contains(": line "), !place.is_empty(), "{error}");
            assert_eq!(folder.names(), ["queue"], "{place}");
        }
    }
}

#[test]
fn an_error_after_many_blocks_keeps_them_in_the_journal() {
    let folder = Folder::new();
    let lines = format!("{GOOD}\n").repeat(5000);
    let queue = folder.write("queue.jsonl", lines.clone() + "{}\n");
    let mine = |options: &[&str], code| {
        fourzero()
            .args(["mine", "--difficulty", "1", "--block-size", "1", "-o"])
            .args([&folder.path("chain.json"), &queue])
            .args(options)
            .ends_with(code)
    };
    mine(&[], 2);
    assert_eq!(folder.names(), ["chain.json.journal", "queue.jsonl"]);
    folder.write("queue.jsonl", lines);
    let summary = mine(&["--resume", "--json"], 0).one_json();
    assert_eq!(summary["resumed_blocks"], 5001);
}

#[test]
fn of_several_queues_the_invalid_one_is_named() {
    let folder = Folder::new();
    folder.write("good", GOOD);
    folder.write("bad", "sender,recipient,amount\na,b\n");
    folder.write("empty", "");
    for (queues, at_fault) in [
        (&["good", "bad", "good"][..], "bad"),
        (&["good", "good", "empty"], "empty"),
        (&["missing"], "missing"),
        (&["."], "."),
    ] {
        let error = fails(&folder, queues, b"");
        assert!(error.contains(&format!(" {at_fault}: ")), "{error}");
        assert_eq!(folder.names(), ["bad", "empty", "good"]);
    }
}

#[test]
fn an_invalid_queue_leaves_an_old_chain_unchanged_even_with_force() {
    let folder = Folder::new();
    let path = folder.write("queue", format!("{GOOD}\n{{}}"));
    let output = folder.write("chain.json", "old");
    fourzero()
        .args(["mine", "--force", "--difficulty", "1", "-o"])
        .args([&output, &path])
        .ends_with(2);
    assert_eq!(folder.read("chain.json"), "old");
    assert_eq!(folder.names(), ["chain.json", "queue"]);
}

#[test]
fn the_deepest_nesting_of_a_queue_can_be_verified() {
    let folder = Folder::new();
    let deep = "[".repeat(899) + &"]".repeat(899);
    let queue = format!("{{\"sender\": 1, \"recipient\": 2, \"amount\": {deep}}}");
    let path = folder.write("queue", queue);
    let output = folder.path("chain.json");
    fourzero()
        .args(["mine", "--difficulty", "1", "-o"])
        .args([&output, &path])
        .ends_with(0);
    fourzero()
        .args(["verify", "--difficulty", "1"])
        .arg(&output)
        .ends_with(0);
}
