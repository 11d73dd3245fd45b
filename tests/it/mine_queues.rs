//! Queues in every format, and how they are cut into blocks.

use serde_json::Value;

use crate::naive::{Json, number, parse, text, transaction};
use crate::naive_chain;
use crate::support::{Ends as _, Folder, fourzero};

/// Mines queues at one zero and returns the transactions of each block behind
/// the first, without the rewards.
#[track_caller]
fn mined(queues: &[&str], options: &[&str]) -> Vec<Vec<Json>> {
    let folder = Folder::new();
    let paths: Vec<_> = queues
        .iter()
        .enumerate()
        .map(|(place, queue)| folder.write(&format!("queue-{place}"), queue))
        .collect();
    let summary = fourzero()
        .args(["mine", "--json", "--difficulty", "1", "--recipient", "me"])
        .args(options)
        .arg("-o")
        .arg(folder.path("chain.json"))
        .args(&paths)
        .ends_with(0)
        .one_json();
    let chain = parse(&folder.read("chain.json"));
    let blocks = chain.get("chain").unwrap().list();
    assert_eq!(naive_chain::verify(blocks, None, 1).fault, None);
    let reward = transaction(text("0"), text("me"), number(1));
    let transactions: Vec<Vec<_>> = blocks[1..]
        .iter()
        .map(|block| {
            let mut transactions = block.get("transactions").unwrap().list().to_vec();
            assert_eq!(transactions.pop(), Some(reward.clone()));
            transactions
        })
        .collect();
    let count: usize = transactions.iter().map(Vec::len).sum();
    assert_eq!(summary["rewards"], transactions.len());
    assert_eq!(summary["transactions"], count + transactions.len());
    assert_eq!(summary["blocks"], blocks.len());
    transactions
}

fn sizes(blocks: &[Vec<Json>]) -> Vec<usize> {
    blocks.iter().map(Vec::len).collect()
}

fn t(sender: &str, amount: u32) -> Json {
    transaction(text(sender), text("bob, the \"b\""), number(amount))
}

/// 23 transactions.
fn transactions() -> Vec<Json> {
    (0..23).map(|amount| t("Zoë\n", amount)).collect()
}

fn csv(transactions: &[Json], delimiter: &str, end: &str) -> String {
    let rows: Vec<_> = transactions
        .iter()
        .map(|transaction| {
            let amount = transaction.get("amount").unwrap().canonical();
            ["\"Zoë\n\"", &amount, "\"bob, the \"\"b\"\"\""].join(delimiter) + end
        })
        .collect();
    let header = ["sender", "amount", "recipient"].join(delimiter);
    header + end + &rows.concat()
}

#[test]
fn every_format_of_a_queue_gives_the_same_blocks() {
    let transactions = transactions();
    let expected: Vec<Vec<_>> = transactions.chunks(10).map(<[Json]>::to_vec).collect();
    let lines = |end: &str, space: &str| -> String {
        transactions
            .iter()
            .map(|transaction| transaction.odd(space) + end)
            .collect()
    };
    let list = Json::List(transactions.clone());
    for (format, queue) in [
        ("JSON Lines", lines("\n", "")),
        ("JSON Lines with CR LF", lines("\r\n", " ")),
        ("JSON Lines with empty lines", lines("\n\n \n", "\t")),
        (
            "JSON Lines without the last end",
            lines("\n", "").trim_end().into(),
        ),
        ("JSON over lines", lines("\n", "\n")),
        (
            "JSON Lines with a byte order mark",
            "\u{feff}".to_owned() + &lines("\n", ""),
        ),
        ("an array", list.odd("")),
        ("an array as Python writes it", list.canonical()),
        (
            "an array over lines",
            format!("\n{}\r\n", list.odd("\r\n ")),
        ),
        ("CSV", csv(&transactions, ",", "\n")),
        (
            "a node's pending transactions",
            format!("{{\"count\": 23, \"transactions\": {}}}", list.canonical()),
        ),
        (
            "a list under a key, over lines",
            format!(
                "{{\n\"transactions\":\n{},\n\"count\": 23}}\n",
                list.odd("\n")
            ),
        ),
        (
            "CSV as Excel writes it beside decimal commas, with formatted rows below",
            "\u{feff}".to_owned() + &csv(&transactions, ";", "\r\n") + ";;\r\n;;\r\n",
        ),
        (
            "CSV with empty rows",
            csv(&transactions, ",", "\n,,\n") + ",,",
        ),
        ("CSV with tabs", csv(&transactions, "\t", "\n")),
        (
            "CSV with tabs and row numbers",
            csv(&transactions, "\t", "\n\t")
                .trim_end_matches('\t')
                .replacen("sender", "\tsender", 1),
        ),
        ("CSV with bars", csv(&transactions, "|", "\n")),
        (
            "CSV that names its commas",
            "sep=,\n".to_owned() + &csv(&transactions, ",", "\n"),
        ),
        (
            "CSV that names its semicolons",
            "\u{feff}sep=;\r\n".to_owned() + &csv(&transactions, ";", "\r\n"),
        ),
        (
            "CSV that names an unusual character",
            "\"sep=^\"\n".to_owned() + &csv(&transactions, "^", "\n"),
        ),
        ("CSV with CR LF", csv(&transactions, ",", "\r\n")),
        (
            "CSV with a byte order mark",
            "\u{feff}".to_owned() + &csv(&transactions, ",", "\n"),
        ),
        (
            "CSV without the last end",
            csv(&transactions, ",", "\n").trim_end().into(),
        ),
    ] {
        assert_eq!(mined(&[&queue], &[]), expected, "{format}");
    }
}

#[test]
fn a_queue_can_come_from_standard_input() {
    let transactions = transactions();
    let list = Json::List(transactions.clone());
    for queue in [list.canonical(), csv(&transactions, ",", "\n")] {
        let folder = Folder::new();
        fourzero()
            .args(["mine", "-", "--difficulty", "1", "-o"])
            .arg(folder.path("chain.json"))
            .write_stdin(queue)
            .ends_with(0);
        let chain: Value = serde_json::from_str(&folder.read("chain.json")).unwrap();
        assert_eq!(chain["length"], 4);
    }
}

#[test]
fn several_queues_are_mined_one_after_another_into_one_chain() {
    let one = t("one", 1).canonical();
    let two = format!(
        "sender,recipient,amount\ntwo,{},2\n",
        "\"bob, the \"\"b\"\"\""
    );
    let three = Json::List(vec![t("three", 3), t("three", 4)]).canonical();
    let found = mined(&[&one, &two, &three], &[]);
    // A block holds transactions of one queue.
    assert_eq!(
        found,
        [
            vec![t("one", 1)],
            vec![t("two", 2)],
            vec![t("three", 3), t("three", 4)],
        ]
    );
}

#[test]
fn standard_input_can_be_one_of_the_queues_but_only_once() {
    let folder = Folder::new();
    let file = folder.write("file", t("file", 1).canonical());
    let output = folder.path("chain.json");
    fourzero()
        .args(["mine", "--difficulty", "1", "-o"])
        .args([&output, &file])
        .arg("-")
        .arg(&file)
        .write_stdin(t("stdin", 2).canonical())
        .ends_with(0);
    let chain: Value = serde_json::from_str(&folder.read("chain.json")).unwrap();
    let senders = [1, 2, 3].map(|place| chain["chain"][place]["transactions"][0]["sender"].clone());
    assert_eq!(senders, ["file", "stdin", "file"]);

    let before = folder.read("chain.json");
    fourzero()
        .args(["mine", "-", "-", "--force", "-o"])
        .arg(&output)
        .write_stdin(t("stdin", 2).canonical())
        .ends_with(2);
    assert_eq!(folder.read("chain.json"), before);
}

#[test]
fn the_block_size_counts_transactions_without_the_reward() {
    let list = Json::List(transactions()).canonical();
    for (size, expected) in [
        ("1", vec![1; 23]),
        ("4", vec![4, 4, 4, 4, 4, 3]),
        ("23", vec![23]),
        ("1000000", vec![23]),
    ] {
        let blocks = mined(&[&list], &["--block-size", size]);
        assert_eq!(sizes(&blocks), expected, "block size {size}");
        assert_eq!(blocks.concat(), transactions(), "block size {size}");
    }
    assert_eq!(sizes(&mined(&[&list], &[])), [10, 10, 3]);
}

#[test]
fn a_line_that_is_an_array_is_a_separate_block() {
    let (a, b) = (t("a", 1).canonical(), t("b", 2).canonical());
    let queue = format!("{a}\n[{b}, {b}, {b}]\n[]\n{a}\n{b}\n{a}\n[{b}]\n");
    let found = mined(&[&queue], &["--block-size", "2"]);
    let (a, b) = (t("a", 1), t("b", 2));
    let expected = [
        vec![a.clone()],
        vec![b.clone(), b.clone(), b.clone()],
        vec![],
        vec![a.clone(), b.clone()],
        vec![a],
        vec![b],
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_first_line_that_is_an_array_is_a_block_if_more_lines_follow() {
    let (a, b) = (t("a", 1).canonical(), t("b", 2).canonical());
    let found = mined(
        &[&format!("[{a}, {a}, {a}]\n{b}\n")],
        &["--block-size", "2"],
    );
    assert_eq!(sizes(&found), [3, 1]);
    let found = mined(&[&format!("[{a}, {a}, {a}]\n")], &["--block-size", "2"]);
    assert_eq!(sizes(&found), [2, 1]);
}

#[test]
fn other_keys_are_dropped() {
    let queue = r#"{"id": 7, "sender": "a", "x": {"sender": "no"}, "recipient": "b", "amount": 1}"#;
    let expected = [[transaction(text("a"), text("b"), number(1))]];
    assert_eq!(mined(&[queue], &[]), expected);
    let csv = "id,sender,x,recipient,amount,note\n7,a,no,b,1,\"\"\n";
    assert_eq!(mined(&[csv], &[]), expected);
}

#[test]
fn csv_values_are_text_except_for_amounts_that_are_numbers() {
    let csv = "amount,sender,recipient\n\
               5,1,2\n 2.50 ,a b, c \n-0,a,b\n1e3,a,b\n12345678901234567890123,a,b\n+5,a,b\n.5,a,b\n\
               0x10,a,b\n1_000,a,b\n\"1,5\",a,b\n";
    let row = |amount: &str, sender: &str, recipient: &str| {
        transaction(text(sender), text(recipient), parse(amount))
    };
    let expected = [
        row("5", "1", "2"),
        row("2.5", "a b", " c "),
        row("0", "a", "b"),
        row("1000.0", "a", "b"),
        row("12345678901234567890123", "a", "b"),
        row("\"+5\"", "a", "b"),
        row("\".5\"", "a", "b"),
        row("\"0x10\"", "a", "b"),
        row("\"1_000\"", "a", "b"),
        row("\"1,5\"", "a", "b"),
    ];
    assert_eq!(mined(&[csv], &[]), [expected]);
}

#[test]
fn a_queue_of_many_blocks_arrives_whole_and_in_order() {
    // More than all channels hold together.
    let lines: String = (0..20_000)
        .map(|amount| t("a", amount).canonical() + "\n")
        .collect();
    let blocks = mined(&[&lines], &["--block-size", "7"]);
    assert_eq!(blocks.len(), 20_000_usize.div_ceil(7));
    let amounts = blocks.concat();
    assert_eq!(amounts.len(), 20_000);
    for (place, transaction) in amounts.iter().enumerate() {
        assert_eq!(transaction.get("amount"), Some(&number(place)));
    }
}

#[test]
fn presence_is_enough_unless_strictness_asks_for_types() {
    for queue in [
        r#"{"sender": null, "recipient": "b", "amount": 1}"#,
        r#"{"sender": "a", "recipient": 7, "amount": 1}"#,
        r#"{"sender": "a", "recipient": "b", "amount": "1"}"#,
        r#"[{"sender": "a", "recipient": "b", "amount": true}]"#,
        "sender,recipient,amount\na,b,many\n",
    ] {
        assert_eq!(sizes(&mined(&[queue], &[])), [1], "{queue}");

        let folder = Folder::new();
        let path = folder.write("queue", queue);
        fourzero()
            .args(["mine", "--strict", "-o"])
            .args([&folder.path("chain.json"), &path])
            .ends_with(2);
        assert_eq!(folder.names(), ["queue"]);
    }
    let typed = t("a", 1).canonical();
    assert_eq!(sizes(&mined(&[&typed], &["--strict"])), [1]);
}

#[test]
fn decimal_commas_are_read_if_the_option_says_so() {
    let queue = "\u{feff}sender;recipient;amount\r\na;b;1,5\r\na;b;\"0,25\"\r\na;b;7\r\n";
    let row = |amount: &str| transaction(text("a"), text("b"), number(amount));
    let expected = vec![row("1.5"), row("0.25"), row("7")];
    for options in [&["--decimal-comma"][..], &["--decimal-comma", "--strict"]] {
        assert_eq!(mined(&[queue], options), [expected.as_slice()]);
    }
    let folder = Folder::new();
    let ends = |text: &str, options: &[&str]| {
        fourzero()
            .args(["mine", "-", "--difficulty", "1", "-o"])
            .arg(folder.path("chain.json"))
            .args(options)
            .write_stdin(text)
            .ends_with(2);
        assert!(folder.names().is_empty());
    };
    ends(queue, &[]);
    ends(queue, &["--strict"]);
    ends(&queue.replace("1,5", "1.5"), &["--decimal-comma"]);
    // Among commas it is text, unless types are required.
    let queue = "sender,recipient,amount\na,b,\"1,5\"\n";
    let row = transaction(text("a"), text("b"), text("1,5"));
    assert_eq!(mined(&[queue], &[]), [[row]]);
    ends(queue, &["--strict"]);
    let row = transaction(text("a"), text("b"), number("1.5"));
    assert_eq!(mined(&[queue], &["--decimal-comma"]), [[row]]);
}

#[test]
fn names_keep_their_blanks_and_cause_one_warning() {
    let folder = Folder::new();
    let header = "sender,recipient,amount\n";
    folder.write(
        "one.csv",
        format!("{header}a, bob,1\nb,bob ,2\nc,\tbob,3\nd,bob, 4 \n"),
    );
    folder.write("two.csv", format!("{header}a,\u{a0}bob,1\n"));
    folder.write("none.csv", format!("{header}a b,bob the builder,1\n"));
    for (queues, warnings) in [
        (&["none.csv"][..], 0),
        (&["one.csv"], 1),
        (&["none.csv", "two.csv", "one.csv"], 1),
    ] {
        for output in ["-o=chain.json", "--out-dir=chains"] {
            let run = fourzero()
                .current_dir(folder.path(""))
                .args(["mine", "--force", "--difficulty", "1", output])
                .args(queues)
                .ends_with(0);
            assert_eq!(run.stderr.lines().count(), warnings, "{}", run.stderr);
        }
    }
    let blocks = mined(&[&folder.read("one.csv")], &[]);
    let names: Vec<_> = blocks[0]
        .iter()
        .map(|it| it.get("recipient").unwrap())
        .collect();
    let expected = [" bob", "bob ", "\tbob", "bob"].map(text);
    assert_eq!(names, expected.iter().collect::<Vec<_>>());
}
