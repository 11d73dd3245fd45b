//! Queues that cannot be read: the error names file, line and field, and only the
//! journal of the blocks before it is kept.

use crate::support::{Ends as _, Folder, Run, fourzero, shown};

const GOOD: &str = r#"{"sender": "a", "recipient": "b", "amount": 1}"#;

/// Invalid queues, and the error for each.
fn unreadable() -> Vec<(String, &'static str)> {
    let header = "sender,recipient,amount";
    vec![
        (String::new(), "there is no transaction in it"),
        (" \r\n\n".into(), "there is no transaction in it"),
        ("\u{feff}".into(), "there is no transaction in it"),
        ("[]".into(), "there is no transaction in it"),
        ("[]\n[]\n".into(), "there is no transaction in it"),
        (format!("{header}\n"), "there is no transaction in it"),
        (
            "{\"recipient\": \"b\", \"amount\": 1}".into(),
            "line 1 column 1: the field \"sender\" is missing",
        ),
        (
            format!("{GOOD}\n{{\"sender\": \"a\", \"amount\": 1}}"),
            "line 2 column 1: the field \"recipient\" is missing",
        ),
        (
            format!("[{GOOD},\n  {{\"sender\": \"a\", \"recipient\": \"b\"}}]"),
            "line 2 column 3: the field \"amount\" is missing",
        ),
        (
            format!("{GOOD}\n\n[{GOOD}, {{\"sender\": 1}}]"),
            "line 3 column 1: transaction 2 of the list: the field \"amount\" is missing",
        ),
        (
            format!("{GOOD}\n7"),
            "line 2 column 1: 7 is not a transaction, expected an object",
        ),
        (
            format!("[{GOOD}, [{GOOD}]]"),
            concat!(
                "line 1 column 50: [{\"amount\": 1, \"recipient\": \"b\", \"sender\": \"a\"}] ",
                "is not a transaction, expected an object",
            ),
        ),
        (
            format!(
                "{GOOD}\n{{\"sender\": 1, \"recipient\": 2, \"amount\": {}{}}}",
                "[".repeat(900),
                "]".repeat(900)
            ),
            "line 2 column 940: arrays and objects are nested more than 900 deep",
        ),
        (
            "amount,sender,recipient\n1,a,b\n2,c,\"d\n3,e,f\n".to_owned(),
            "line 3: a quote is opened in this row and never closed",
        ),
        (
            format!("{GOOD}\n{{\"sender\": oops}}"),
            "line 2 column 12: found 'o', but a JSON value was expected",
        ),
        (
            format!("{GOOD}\nsender,recipient,amount\n"),
            "line 2 column 1: found 's', but a JSON value was expected",
        ),
        (
            format!("{GOOD}\n{{\"sender\": \"a\""),
            "line 2 column 1: this object has no end",
        ),
        (
            format!("[{GOOD},\n{GOOD}"),
            "line 1 column 1: this array has no end",
        ),
        (
            "{\"sender\": \"a\", \"recipient\": \"b\", \"amount\": NaN}".into(),
            "line 1 column 45: NaN is not JSON",
        ),
        (
            "{\"sender\": \"a\", \"recipient\": \"b\", \"amount\": 1e400}".into(),
            "line 1 column 45: this number is past the range of a double",
        ),
        (
            "{\"sender\": \"\\udc00\", \"recipient\": \"b\", \"amount\": 1}".into(),
            "line 1 column 13: \\udc00 is half of a surrogate pair; its other half is missing",
        ),
        (
            "sender,recipient\na,b\n".into(),
            "line 1: the header has no column \"amount\"",
        ),
        (
            "\n\nfrom,recipient,amount\na,b,1\n".into(),
            "line 3: the header has no column \"sender\"",
        ),
        (
            "sender,recipient,amount,amount\n".into(),
            "line 1: the header has two columns \"amount\"",
        ),
        (
            format!("{header}\na,b,1\na,b\n"),
            "line 3: the field \"amount\" is missing: this row has 2 fields, but the header has 3",
        ),
        (
            format!("{header}\r\n\"a\r\n\",b,1\r\na\r\n"),
            "line 4: the field \"recipient\" is missing: this row has 1 field, but the header has \
             3",
        ),
        (
            format!("{header}\na,b,1,2\n"),
            "line 2: this row has 4 fields, but the header has 3",
        ),
        (
            format!("{header}\na,b,\n"),
            "line 2: the field \"amount\" is empty",
        ),
        (
            format!("{header}\na,b,1e400\n"),
            "line 2: the field \"amount\" is past the range of a double",
        ),
    ]
}

fn not_utf8() -> Vec<(Vec<u8>, &'static str)> {
    vec![
        (
            b"{\"sender\": \"\xff\", \"recipient\": \"b\", \"amount\": 1}".to_vec(),
            "line 1 column 13: these bytes are not UTF-8; save the file as UTF-8",
        ),
        (
            b"sender,recipient,amount\na,b,1\na,\xc3,1\n".to_vec(),
            "line 3: the field \"recipient\" is not UTF-8; save the file as UTF-8",
        ),
        (
            b"sender,recipient,amount\na,b,\xff\n".to_vec(),
            "line 2: the field \"amount\" is not UTF-8; save the file as UTF-8",
        ),
        (
            b"\xff\xfes\0e\0n\0".to_vec(),
            "this is UTF-16; save the file as UTF-8",
        ),
    ]
}

/// Asserts that a run prints `message` and then, if there is a journal, what it
/// holds. Removes the journal.
#[track_caller]
fn failed_with(run: &Run, folder: &Folder, message: &str) {
    let journal = folder.path("chain.json.journal");
    assert_eq!(run.stdout, "");
    let rest = run.stderr.strip_prefix(message);
    let rest = rest.unwrap_or_else(|| panic!("{}", run.stderr));
    if journal.exists() {
        let kept = format!(
            " blocks are kept in {}; fix the error, then resume: ",
            shown(&journal)
        );
        assert!(rest.contains(&kept), "{rest}");
        assert_eq!(rest.lines().count(), 1, "{rest}");
        std::fs::remove_file(journal).unwrap();
    } else {
        assert_eq!(rest, "");
    }
}

#[test]
fn an_invalid_queue_is_named_with_line_and_field_and_leaves_no_chain() {
    let texts = unreadable().into_iter();
    let queues = texts.map(|(text, message)| (text.into_bytes(), message));
    for (contents, message) in queues.chain(not_utf8()) {
        let folder = Folder::new();
        let path = folder.write("queue", &contents);
        let run = fourzero()
            .args(["mine", "--difficulty", "1", "-o"])
            .args([&folder.path("chain.json"), &path])
            .ends_with(2);
        let error = format!("error: cannot read the queue {}: {message}\n", shown(&path));
        failed_with(&run, &folder, &error);
        assert_eq!(folder.names(), ["queue"], "{message}");

        let run = fourzero()
            .args(["mine", "-", "--json", "--difficulty", "1", "-o"])
            .arg(folder.path("chain.json"))
            .write_stdin(contents)
            .ends_with(2);
        let error = format!("error: cannot read the queue standard input: {message}\n");
        failed_with(&run, &folder, &error);
        assert_eq!(folder.names(), ["queue"], "{message}");
    }
}

#[test]
fn an_error_after_many_blocks_keeps_them_in_the_journal() {
    let folder = Folder::new();
    let path = folder.write("queue.jsonl", format!("{GOOD}\n").repeat(5000) + "{}\n");
    let run = fourzero()
        .args(["mine", "--difficulty", "1", "--block-size", "1", "-o"])
        .args([&folder.path("chain.json"), &path])
        .ends_with(2);
    let expected = "line 5001 column 1: the field \"amount\" is missing";
    let error = format!(
        "error: cannot read the queue {}: {expected}\n",
        shown(&path)
    );
    let kept = run.stderr.strip_prefix(&error).unwrap();
    assert!(kept.starts_with("5,001 blocks are kept in "), "{kept}");
    assert_eq!(folder.names(), ["chain.json.journal", "queue.jsonl"]);
    failed_with(&run, &folder, &error);
}

#[test]
fn of_several_queues_the_invalid_one_is_named() {
    let folder = Folder::new();
    let good = folder.write("good.jsonl", GOOD);
    let bad = folder.write("bad.csv", "sender,recipient,amount\na,b\n");
    let empty = folder.write("empty.jsonl", "");
    for (queues, at_fault) in [
        ([&good, &bad, &good], &bad),
        ([&good, &good, &empty], &empty),
    ] {
        let run = fourzero()
            .args(["mine", "--difficulty", "1", "-o"])
            .arg(folder.path("chain.json"))
            .args(queues)
            .ends_with(2);
        let start = format!("error: cannot read the queue {}: ", shown(at_fault));
        assert!(run.stderr.starts_with(&start), "{}", run.stderr);
        let error = run.stderr.lines().next().unwrap().to_owned() + "\n";
        failed_with(&run, &folder, &error);
        assert_eq!(folder.names(), ["bad.csv", "empty.jsonl", "good.jsonl"]);
    }
}

#[test]
fn a_queue_that_cannot_be_opened_is_named() {
    let folder = Folder::new();
    let missing = folder.path("missing.jsonl");
    let run = fourzero()
        .args(["mine", "-o"])
        .args([&folder.path("chain.json"), &missing])
        .ends_with(2);
    let start = format!("error: cannot open {}: ", shown(&missing));
    assert!(run.stderr.starts_with(&start), "{}", run.stderr);
    let directory = folder.path("");
    let run = fourzero()
        .args(["mine", "-o"])
        .args([&folder.path("chain.json"), &directory])
        .ends_with(2);
    assert!(run.stderr.contains(&shown(&directory)), "{}", run.stderr);
    assert!(folder.names().is_empty());
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
