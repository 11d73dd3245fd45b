//! Queues in every format, and the errors of invalid ones.

use std::num::NonZeroUsize;

use super::*;

/// The senders of each block of a queue, with two transactions per block.
fn blocks_with(text: &[u8], strictness: Strictness) -> Result<Vec<String>, String> {
    let two = NonZeroUsize::new(2).unwrap();
    let mut shown = Vec::new();
    for block in Queue::new(std::io::Cursor::new(text.to_vec()), two, strictness) {
        let block = block.map_err(|error| error.to_string())?;
        let list: serde_json::Value =
            serde_json::from_str(&format!("[{}]", block.canonical_text())).unwrap();
        let senders: Vec<_> = list
            .as_array()
            .unwrap()
            .iter()
            .map(|transaction| transaction["sender"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(senders.len(), block.count());
        shown.push(senders.join("+"));
    }
    Ok(shown)
}

pub(in crate::batch::queue) fn blocks(text: &str) -> Result<Vec<String>, String> {
    blocks_with(text.as_bytes(), Strictness::Presence)
}

/// A transaction in JSON.
fn t(sender: &str) -> String {
    format!(r#"{{"sender": "{sender}", "recipient": "r", "amount": 1}}"#)
}

#[test]
fn every_format_is_recognized_by_its_content() {
    let expected = Ok(vec!["a+b".to_owned(), "c".to_owned()]);
    let (a, b, c) = (t("a"), t("b"), t("c"));
    assert_eq!(blocks(&format!("{a}\n{b}\r\n\n{c}")), expected);
    assert_eq!(blocks(&format!("[{a},{b},{c}]")), expected);
    assert_eq!(blocks(&format!("\n [\n{a},\n{b} , {c}\n]\n")), expected);
    assert_eq!(
        blocks("sender,recipient,amount\na,r,1\nb,r,1\nc,r,1"),
        expected
    );
    assert_eq!(
        blocks(
            "\u{feff}amount,note, sender ,recipient\r\n1,x,a,r\r\n\r\n1,,b,r\r\n1,\"q,\n\",c,r\r\n"
        ),
        expected
    );
}

#[test]
fn a_line_that_is_a_list_is_a_separate_block() {
    let (a, b, c, d) = (t("a"), t("b"), t("c"), t("d"));
    assert_eq!(
        blocks(&format!("{a}\n[{b}, {c}, {d}]\n[]\n{a}\n{b}\n{c}")).unwrap(),
        ["a", "b+c+d", "", "a+b", "c"]
    );
    // The first line is a list, too, if more lines follow it.
    assert_eq!(
        blocks(&format!("[{a},{b},{c}]\n{d}\n")).unwrap(),
        ["a+b+c", "d"]
    );
    assert_eq!(blocks(&format!("[{a},{b},{c}]\n")).unwrap(), ["a+b", "c"]);
}

#[test]
fn csv_amounts_that_look_like_numbers_are_numbers() {
    let csv = "sender,recipient,amount\na,r, 1e5 \nb,r,-0\nc,r,1.10\nd,r,many\ne,r,007\n";
    let many = NonZeroUsize::new(10).unwrap();
    let block = Queue::new(csv.as_bytes(), many, Strictness::Presence)
        .next()
        .unwrap()
        .unwrap();
    let list: Vec<serde_json::Value> =
        serde_json::from_str(&format!("[{}]", block.canonical_text())).unwrap();
    let amounts: Vec<_> = list
        .iter()
        .map(|transaction| transaction["amount"].to_string())
        .collect();
    assert_eq!(amounts, ["100000.0", "0", "1.1", "\"many\"", "\"007\""]);
}

fn not_a_queue(found: &str) -> String {
    format!(
        "line 1: found {found}, but a queue is JSON ({{...}} on each line, or [...]) or CSV with a \
         header that names sender, recipient and amount"
    )
}

#[test]
fn an_object_may_hold_the_whole_queue() {
    let expected = Ok(vec!["a+b".to_owned(), "c".to_owned()]);
    let list = format!("[{}, {},\n{}]", t("a"), t("b"), t("c"));
    for queue in [
        format!("{{\"count\": 3, \"transactions\": {list}}}"),
        format!("{{\"transactions\": {list}, \"count\": 3}}\n"),
        format!(" {{ \"a\": {{\"transactions\": 1}} , \"transactions\" : {list} }} "),
        // The last of two keys counts, and it is the only list.
        format!("{{\"transactions\": 1, \"transactions\": {list}}}"),
    ] {
        assert_eq!(blocks(&queue), expected, "{queue}");
    }
    assert_eq!(
        blocks("{\"count\": 0, \"transactions\": []}"),
        Err("it has no transactions".into())
    );
    // With the three fields it is a transaction.
    let transaction = t("a").replace('}', ", \"transactions\": []}");
    assert_eq!(blocks(&transaction), Ok(vec!["a".to_owned()]));
    for (queue, place) in [
        (
            format!("{{\"transactions\": {list}}}\n{}", t("d")),
            "line 3 column 1: ",
        ),
        (format!("{{\"transactions\": {list}, 1}}"), "line 2 column "),
        (format!("{{\"transactions\": {list}"), "line 1 column 1: "),
        (
            format!("{{\"transactions\": {list},\n\"transactions\": []}}"),
            "line 3 column 1: ",
        ),
        ("{\"transactions\":\n[7]}".into(), "line 2 column 2: "),
    ] {
        let error = blocks(&queue).unwrap_err();
        assert!(error.starts_with(place), "{error}");
    }
}

#[test]
fn an_object_too_large_for_a_transaction_may_hold_the_queue() {
    let filler = "x".repeat(MAX_BLOCK_BYTES / 8);
    let list = vec![t(&filler); 12].join(",");
    let read = |text: &str| {
        let one = NonZeroUsize::MIN;
        let queue = Queue::new(text.as_bytes(), one, Strictness::Presence);
        let blocks: Result<Vec<_>, _> = queue.collect();
        blocks.map(|blocks| blocks.len())
    };
    let wrapped =
        |before: &str, after: &str| format!("{{{before}\"transactions\": [{list}]{after}}}");
    for text in [
        wrapped("", ""),
        wrapped("\"count\": 12, ", ", \"more\": false"),
    ] {
        assert_eq!(read(&text).unwrap(), 12);
    }
    for (text, expected) in [
        (wrapped("\"proof\": 1, ", ""), OtherObject::Block),
        (format!("{{\"chain\": [{list}]}}"), OtherObject::Chain),
        (
            format!("{{\"pending\": [{list}]}}"),
            OtherObject::OtherList {
                key: "\"pending\"".to_owned(),
            },
        ),
    ] {
        match read(&text) {
            Err(QueueError::OtherObject { found, .. }) => assert_eq!(found, expected),
            other => panic!("{other:?}"),
        }
    }
    let second = wrapped("", ", \"transactions\": []");
    assert!(matches!(read(&second), Err(QueueError::SecondList { .. })));
    let filler = format!("{{\"a\": \"{filler}\", \"b\": [{list}]}}");
    assert!(matches!(read(&filler), Err(QueueError::OtherObject { .. })));
}

#[test]
fn an_object_that_is_no_transaction_is_named() {
    let (list, block) = (
        t("a"),
        r#"{"index": 1, "timestamp": 0.0, "transactions": [], "proof": 100, "previous_hash": "1"}"#,
    );
    let of_keys = |keys: &[&str]| OtherObject::Keys {
        keys: keys.iter().map(|key| format!("\"{key}\"")).collect(),
    };
    for (text, expected) in [
        (
            format!("{{\"chain\": [{block}], \"length\": 1}}"),
            OtherObject::Chain,
        ),
        (
            format!("{{\"message\": \"Our chain was replaced\", \"new_chain\": [{block}]}}"),
            OtherObject::Chain,
        ),
        (format!("[{block}, {block}]"), OtherObject::Block),
        (format!("{block}\n{block}\n"), OtherObject::Block),
        (format!("{}\n[{block}]\n", t("a")), OtherObject::Block),
        (
            format!("{{\"pending\": [{list}], \"count\": 1}}"),
            OtherObject::OtherList {
                key: "\"pending\"".to_owned(),
            },
        ),
        (
            format!("{list}\n{{\"transactions\": [{list}]}}"),
            OtherObject::PartialList,
        ),
        (
            format!("[{{\"transactions\": [{list}]}}]"),
            OtherObject::PartialList,
        ),
        ("{\"error\": \"x\"}".into(), of_keys(&["error"])),
        (
            "{\"Sender\": 1, \"recipient\": 2, \"amount\": 3}".into(),
            of_keys(&["Sender", "amount", "recipient"]),
        ),
    ] {
        let queue = Queue::new(text.as_bytes(), NonZeroUsize::MIN, Strictness::Strict);
        match queue.last() {
            Some(Err(QueueError::OtherObject { found, .. })) => assert_eq!(found, expected),
            other => panic!("{text}: {other:?}"),
        }
    }
    let many: Vec<_> = (0..100).map(|key| format!("\"{key:0>100}\": 1")).collect();
    let error = blocks(&format!("{{{}}}", many.join(","))).unwrap_err();
    assert!(error.len() < 600, "{error}");
}

#[test]
fn errors_name_line_and_field() {
    let a = t("a");
    for (text, expected) in [
        (String::new(), "it has no transactions".to_owned()),
        (" \n\n".into(), "it has no transactions".into()),
        ("[]".into(), "it has no transactions".into()),
        ("[]\n[]".into(), "it has no transactions".into()),
        (
            "sender,recipient,amount\n".into(),
            "it has no transactions".into(),
        ),
        (
            format!("{a}\n{{\"sender\": \"x\", \"amount\": 1}}"),
            "line 2 column 1: the field \"recipient\" is missing".into(),
        ),
        (
            format!("{a}\n[{a}, {{}}]"),
            "line 2 column 1: transaction 2 of the list: the field \"amount\" is missing".into(),
        ),
        (
            format!("[{a},\n  7]"),
            "line 2 column 3: 7 is not a transaction, expected an object".into(),
        ),
        (
            format!("{a}\n{{\"sender\": \"x\", oops}}"),
            "line 2 column 17: found 'o', but a string as key was expected".into(),
        ),
        (
            format!("{a}\n{{\"sender\": \"x\""),
            "line 2 column 1: this object has no end".into(),
        ),
        (
            format!("[{a} {a}]"),
            "line 1 column 49: found '{', but ',' or ']' was expected".into(),
        ),
        (
            format!("[{a},]"),
            "line 1 column 49: found ']', but a transaction was expected".into(),
        ),
        ("hello\nworld\n".into(), not_a_queue(r#""hello""#)),
        (
            // Only the first character of a file can be a byte order mark.
            "\t\u{feff}".into(),
            not_a_queue(r#""\t\u{feff}""#),
        ),
        ("null\n".into(), not_a_queue(r#""null""#)),
        ("\"text\"\n".into(), not_a_queue(r#""text""#)),
        (
            "sender,recipient,amount,sender\n".into(),
            "line 1: the header has two columns \"sender\"".into(),
        ),
        (
            "sender,recipient,amount\na,r,1\nb,r\n".into(),
            "line 3: the field \"amount\" is missing: this row has 2 fields, but the header has 3"
                .into(),
        ),
        (
            "sender,recipient,amount\na,r,1,x\n".into(),
            "line 2: this row has 4 fields, but the header has 3".into(),
        ),
        (
            "\nsender,recipient,amount\n\na,r,\n".into(),
            "line 4: the field \"amount\" is empty".into(),
        ),
        (
            "sender,recipient,amount\na,r,1\nann,,5\n".into(),
            "line 3: the field \"recipient\" is empty".into(),
        ),
        (
            "sender,recipient,amount\n\" \",r,5\n".into(),
            "line 2: the field \"sender\" is empty".into(),
        ),
        (
            format!("{a}\n{{\"sender\": 1\n{a}\n"),
            "line 2 column 1: this object has no end".into(),
        ),
        (
            format!("{a}\n {{\"sender\": 1,\n{a}}}\n"),
            "line 3 column 1: found '{', but a string as key was expected (in what starts at \
             line 2 column 2)"
                .into(),
        ),
        ("PK\u{3}\u{4}".into(), "this is a zip archive".into()),
        (
            "sender,recipient,amount\na,r,1e999\n".into(),
            "line 2: the field \"amount\" is past the range of a double".into(),
        ),
    ] {
        assert_eq!(blocks(&text), Err(expected), "{text}");
    }
    assert_eq!(
        blocks_with(
            b"sender,recipient,amount\na,r,1\n\xff,r,1\n",
            Strictness::Presence
        ),
        Err("line 3: the field \"sender\" is not UTF-8; save the file as UTF-8".into())
    );
    assert_eq!(
        blocks_with(b"{\"sender\": \"\xff\"}", Strictness::Presence),
        Err("line 1 column 13: these bytes are not UTF-8; save the file as UTF-8".into())
    );
    assert_eq!(
        blocks_with(b"\xff\xfe{", Strictness::Presence),
        Err("this is UTF-16; save the file as UTF-8".into())
    );
}

#[test]
fn strict_queues_need_names_and_positive_amounts() {
    let strict = |text: &str| blocks_with(text.as_bytes(), Strictness::Strict);
    for (sender, recipient, amount, field) in [
        ("1", "\"r\"", "1", "sender"),
        ("\"\"", "\"r\"", "1", "sender"),
        ("\"a\"", "\" \\u00a0\"", "1", "recipient"),
        ("\"a\"", "\"r\"", "\"1\"", "amount"),
        ("\"a\"", "\"r\"", "0", "amount"),
        ("\"a\"", "\"r\"", "-2.50", "amount"),
        ("\"a\"", "\"r\"", "1e-400", "amount"),
    ] {
        let usual =
            format!("\"sender\": {sender}, \"recipient\": {recipient}, \"amount\": {amount}");
        // The longer one takes the way of unusual spellings.
        for text in [format!("{{{usual}}}"), format!("{{\"note\":\t1, {usual}}}")] {
            let error = strict(&format!("{}\n{text}", t("fine"))).unwrap_err();
            let start = format!("line 2 column 1: the field \"{field}\" is ");
            assert!(error.starts_with(&start), "{error}");
            assert!(blocks_count(&text) == 1, "{text}");
        }
    }
    for (amount, found) in [("many", "\"many\""), (" 0.00", "0.0"), ("-7", "-7")] {
        assert_eq!(
            strict(&format!("sender,recipient,amount\na,r,1\na,r,{amount}\n")),
            Err(format!(
                "line 3: the field \"amount\" is {found}, expected a number above 0"
            ))
        );
    }
}

/// The number of blocks of a queue that need not be strict.
fn blocks_count(text: &str) -> usize {
    let size = NonZeroUsize::MIN;
    let queue = Queue::new(text.as_bytes(), size, Strictness::Presence);
    queue.map(Result::unwrap).count()
}

#[test]
fn ordinary_lines_give_the_same_blocks_together_and_one_by_one() {
    // More than one read returns, with unusual lines at varying places within the
    // blocks and the reads.
    let mut text = String::new();
    for number in 0..20_000 {
        match number % 997 {
            500 => text.push_str(" \n\r\n"),
            600 => text.push_str(&format!("[{}]\n", t("list"))),
            700 => text.push_str(r#"{"note":[],"sender":"\u0041","recipient":"r","amount":1.50}"#),
            800 => text.push_str(&format!("  {} {}", t("two"), t("a line"))),
            _ => text.push_str(&t(&number.to_string())),
        }
        text.push('\n');
    }
    let read = |text: &str, one_by_one: bool| {
        let size = NonZeroUsize::new(7).unwrap();
        let source = std::io::Cursor::new(text.to_owned());
        let mut queue = Queue::new(source, size, Strictness::Strict);
        queue.keep_lines(one_by_one);
        let mut blocks = Vec::new();
        for block in queue {
            match block {
                Ok(block) => blocks.push(block),
                Err(error) => return (blocks, error.to_string()),
            }
        }
        (blocks, String::new())
    };
    let (blocks, error) = read(&text, false);
    let count: usize = blocks.iter().map(Transactions::count).sum();
    // 20 lines hold no transaction, and 20 others hold two.
    assert_eq!((count, error.as_str()), (20_000, ""));
    assert!(read(&text, true).0 == blocks);
    for wrong in ["x", r#"{"sender": 1, "recipient": "r", "amount": 1}"#, "{"] {
        for place in [0, 1, 6, 7, 5_000, 19_999] {
            let mut lines: Vec<_> = text.lines().collect();
            lines.insert(place, wrong);
            let text = lines.join("\n");
            let (blocks, error) = read(&text, false);
            assert_ne!(error, "");
            assert!(read(&text, true) == (blocks, error), "{wrong} in {place}");
        }
    }
}
