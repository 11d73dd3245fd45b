//! Journals that are refused, and left unchanged.

use super::{SAME, end_of_block, interrupted, is_refused, mine, queue};
use crate::support::{Ends as _, Folder, fourzero};

#[test]
fn a_changed_queue_is_refused_with_its_line() {
    let lines = |change: &dyn Fn(&mut Vec<String>)| {
        let mut lines: Vec<_> = queue(35).lines().map(str::to_owned).collect();
        change(&mut lines);
        lines.join("\n")
    };
    let cases: [(String, &str); 6] = [
        (
            lines(&|lines| lines[16] = lines[16].replace("a16", "c16")),
            "line 17 holds",
        ),
        (lines(&|lines| drop(lines.remove(0))), "line 1 holds"),
        (
            // Blank lines and other spellings do not matter.
            lines(&|lines| {
                lines.insert(3, String::new());
                lines[1] = r#"{"amount":1,"note":7,"recipient":"\u0062","sender":"a1"}"#.into();
                lines[25] = lines[25].replace("24", "25");
            }),
            "line 26 holds",
        ),
        (lines(&|lines| lines.truncate(10)), "after 10 transactions"),
        (lines(&|lines| lines.truncate(25)), "line 21"),
        (
            lines(&|lines| lines[5] = format!("[{}]", lines[5])),
            "line 1;",
        ),
    ];
    for (queue, place) in cases {
        let (folder, _) = interrupted(end_of_block(4));
        folder.write("queue.jsonl", queue);
        let error = is_refused(&folder, &["--resume"]);
        assert!(error.contains(place), "{error}");
    }
}

#[test]
fn a_changed_row_of_a_csv_queue_is_refused_with_its_line() {
    let (folder, _) = interrupted(end_of_block(4));
    let rows: String = (0..35).map(|n| format!("b,a{n},{n}\r\n\r\n")).collect();
    let csv = format!("recipient,sender,amount\r\n{}", rows.replace("a12", "a13"));
    folder.write("queue.jsonl", csv);
    let error = is_refused(&folder, &["--resume"]);
    assert!(error.contains("line 26 holds"), "{error}");
}

#[test]
fn other_options_are_refused() {
    for (option, value) in [
        ("--rule", "last-proof"),
        ("--difficulty", "5"),
        ("--timestamp", "1700000001"),
        ("--recipient", "you"),
        ("--block-size", "3"),
        ("--format", "jsonl"),
    ] {
        let (folder, _) = interrupted(end_of_block(4));
        let journal = folder.read("chain.json.journal");
        // An option of `SAME` is replaced, another one is added.
        let mut options = SAME.to_vec();
        match options.iter().position(|same| *same == option) {
            Some(place) => options[place + 1] = value,
            None => options.extend([option, value]),
        }
        fourzero()
            .current_dir(folder.path(""))
            .args(["mine", "queue.jsonl", "-o", "chain.json", "--resume"])
            .args(options)
            .ends_with(2);
        assert_eq!(folder.read("chain.json.journal"), journal);
    }
}

#[test]
fn another_decimal_separator_is_refused() {
    for delimiter in [',', ';'] {
        let folder = Folder::new();
        let rows: String = (0..35)
            .map(|n| format!("a{delimiter}b{delimiter}\"{n},5\"\n"))
            .collect();
        let header = format!("sender{delimiter}recipient{delimiter}amount\n");
        folder.write("queue.jsonl", header + &rows);
        let mut options = vec![&["--decimal-comma"][..]];
        if delimiter == ',' {
            options.push(&[]);
        }
        for (place, same) in options.iter().enumerate() {
            mine(&folder, same, 0);
            let chain = folder.read("chain.json");
            std::fs::remove_file(folder.path("chain.json")).unwrap();
            folder.write("chain.json.journal", &chain[..end_of_block(3)(&chain)]);
            let other = [&[], &["--decimal-comma"][..]][place];
            is_refused(&folder, &[other, &["--resume"]].concat());
            mine(&folder, &[same, &["--resume"][..]].concat(), 0);
            assert_eq!(folder.read("chain.json"), chain);
            std::fs::remove_file(folder.path("chain.json")).unwrap();
        }
    }
}

#[test]
fn a_higher_difficulty_than_asked_for_is_noticed() {
    let folder = Folder::new();
    folder.write("queue.jsonl", queue(100));
    mine(&folder, &["--block-size", "5"], 0);
    let easy = folder.read("chain.json");
    let mut arguments = SAME;
    arguments[3] = "2";
    fourzero()
        .current_dir(folder.path(""))
        .args([
            "mine",
            "queue.jsonl",
            "-o",
            "hard.json",
            "--block-size",
            "5",
        ])
        .args(arguments)
        .ends_with(0);
    let hard = folder.read("hard.json");
    std::fs::remove_file(folder.path("chain.json")).unwrap();
    folder.write("chain.json.journal", hard);
    is_refused(&folder, &["--block-size", "5", "--resume"]);
    folder.write("chain.json.journal", &easy[..easy.len() / 2]);
    mine(&folder, &["--block-size", "5", "--resume"], 0);
    assert_eq!(folder.read("chain.json"), easy);
}

#[test]
fn a_missing_timestamp_is_noticed_while_the_chain_is_unfinished() {
    let resume = |folder: &Folder, status| {
        fourzero()
            .current_dir(folder.path(""))
            .args(["mine", "queue.jsonl", "-o", "chain.json", "--resume"])
            .args([&SAME[..4], &SAME[6..]].concat())
            .ends_with(status)
    };
    assert_eq!(SAME[4], "--timestamp");
    let (folder, chain) = interrupted(end_of_block(3));
    let journal = folder.read("chain.json.journal");
    resume(&folder, 2);
    assert_eq!(folder.read("chain.json.journal"), journal);
    // With two blocks it may be chance, and a finished chain needs no more times.
    folder.write("chain.json.journal", &chain[..end_of_block(2)(&chain)]);
    resume(&folder, 0);
    folder.write("chain.json.journal", &chain);
    std::fs::remove_file(folder.path("chain.json")).unwrap();
    resume(&folder, 0);
    assert_eq!(folder.read("chain.json"), chain);
    // The times of the system clock are not exactly a second apart.
    std::fs::remove_file(folder.path("chain.json")).unwrap();
    resume(&folder, 0);
    let chain = folder.read("chain.json");
    std::fs::remove_file(folder.path("chain.json")).unwrap();
    folder.write("chain.json.journal", &chain[..end_of_block(3)(&chain)]);
    resume(&folder, 0);
}

#[test]
fn a_file_that_is_not_a_journal_is_left_unchanged() {
    for text in [
        "precious",
        "[]",
        "{\"chain\": [{\"index\": 1}, {",
        "CHAIN\n",
    ] {
        let (folder, chain) = interrupted(|_| 0);
        folder.write("chain.json.journal", text.replace("CHAIN", &chain));
        is_refused(&folder, &["--resume"]);
    }
    let (folder, _) = interrupted(|_| 0);
    folder.write("chain.json.journal", "x".repeat(1 << 20));
    is_refused(&folder, &["--resume"]);
}

#[test]
fn any_changed_byte_within_whole_blocks_is_refused() {
    let (folder, chain) = interrupted(end_of_block(4));
    let end = end_of_block(3)(&chain);
    let journal = folder.read("chain.json.journal");
    // Every 7th byte: each is a process.
    for place in (0..end).step_by(7) {
        let mut changed = journal.clone().into_bytes();
        changed[place] = if changed[place] == b'x' { b'y' } else { b'x' };
        folder.write("chain.json.journal", &changed);
        is_refused(&folder, &["--resume"]);
    }
}

#[test]
fn a_journal_that_is_not_a_plain_file_is_refused() {
    let (folder, _) = interrupted(|_| 0);
    std::fs::remove_file(folder.path("chain.json.journal")).unwrap();
    std::fs::create_dir(folder.path("chain.json.journal")).unwrap();
    for options in [&[][..], &["--resume"], &["--force"]] {
        mine(&folder, options, 2);
    }
    assert_eq!(folder.names(), ["chain.json.journal", "queue.jsonl"]);
}

#[test]
fn a_journal_is_refused_without_resume_and_never_destroyed() {
    let (folder, chain) = interrupted(end_of_block(3));
    is_refused(&folder, &[]);
    is_refused(&folder, &["--force"]);
    mine(&folder, &["--resume"], 0);
    assert_eq!(folder.read("chain.json"), chain);
    assert_eq!(folder.names(), ["chain.json", "queue.jsonl"]);
}
