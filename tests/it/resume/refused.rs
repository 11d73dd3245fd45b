//! Journals that are refused, and left unchanged.

use super::{SAME, cannot_resume, end_of_block, interrupted, is_refused, mine, queue};
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
            "the queues have changed: queue.jsonl: line 17 holds {\"amount\": 16, \"recipient\": \
             \"b\", \"sender\": \"c16\"}, but block 3 was mined with {\"amount\": 16, \
             \"recipient\": \"b\", \"sender\": \"a16\"} in its place",
        ),
        (
            lines(&|lines| drop(lines.remove(0))),
            "the queues have changed: queue.jsonl: line 1 holds {\"amount\": 1, \"recipient\": \
             \"b\", \"sender\": \"a1\"}, but block 2 was mined with {\"amount\": 0, \
             \"recipient\": \"b\", \"sender\": \"a0\"} in its place",
        ),
        (
            // Blank lines and other spellings do not matter.
            lines(&|lines| {
                lines.insert(3, String::new());
                lines[1] = r#"{"amount":1,"note":7,"recipient":"\u0062","sender":"a1"}"#.into();
                lines[25] = lines[25].replace("24", "25");
            }),
            "the queues have changed: queue.jsonl: line 26 holds {\"amount\": 25, \"recipient\": \
             \"b\", \"sender\": \"a25\"}, but block 4 was mined with {\"amount\": 24, \
             \"recipient\": \"b\", \"sender\": \"a24\"} in its place",
        ),
        (
            lines(&|lines| lines.truncate(10)),
            "the queues have changed: they end with queue.jsonl after 10 transactions, but block \
             3 was mined from {\"amount\": 10, \"recipient\": \"b\", \"sender\": \"a10\"} and more",
        ),
        (
            lines(&|lines| lines.truncate(25)),
            "its block 4 holds 10 transactions of the queues, but would now hold 5, from \
             queue.jsonl, line 21; was the queue or --block-size changed?",
        ),
        (
            lines(&|lines| lines[5] = format!("[{}]", lines[5])),
            "its block 2 holds 10 transactions of the queues, but would now hold 5, from \
             queue.jsonl, line 1; was the queue or --block-size changed?",
        ),
    ];
    for (queue, message) in cases {
        let (folder, _) = interrupted(end_of_block(4));
        folder.write("queue.jsonl", queue);
        is_refused(&folder, &["--resume"], &cannot_resume(message));
    }
}

#[test]
fn a_changed_row_of_a_csv_queue_is_refused_with_its_line() {
    let (folder, _) = interrupted(end_of_block(4));
    let rows: String = (0..35).map(|n| format!("b,a{n},{n}\r\n\r\n")).collect();
    let csv = format!("recipient,sender,amount\r\n{}", rows.replace("a12", "a13"));
    folder.write("queue.jsonl", csv);
    let message = "the queues have changed: queue.jsonl: line 26 holds {\"amount\": 12, \
                   \"recipient\": \"b\", \"sender\": \"a13\"}, but block 3 was mined with \
                   {\"amount\": 12, \"recipient\": \"b\", \"sender\": \"a12\"} in its place";
    is_refused(&folder, &["--resume"], &cannot_resume(message));
}

#[test]
fn other_options_are_refused() {
    let cases = [
        (
            &["--rule", "last-proof"][..],
            "does not satisfy last-proof with 1 zero in front; were --rule and --difficulty the same?",
        ),
        (
            &["--difficulty", "5"],
            "does not satisfy last-hash with 5 zeros in front; were --rule and --difficulty the \
             same?",
        ),
        (
            &["--timestamp", "1700000001"],
            "its block 1 has the timestamp 1700000000.0, but would now get 1700000001.0; was \
             --timestamp the same?",
        ),
        (
            &["--recipient", "you"],
            "the reward of its block 2 goes to \"me\", not to \"you\"; was --recipient the same?",
        ),
        (
            &["--block-size", "3"],
            "its block 2 holds 10 transactions of the queues, but would now hold 3, from \
             queue.jsonl, line 1; was the queue or --block-size changed?",
        ),
        (
            &["--format", "jsonl"],
            "it is written as json, but jsonl is asked for; use --format json",
        ),
    ];
    for (options, message) in cases {
        let (folder, _) = interrupted(end_of_block(4));
        let journal = folder.read("chain.json.journal");
        let mut same = SAME;
        for pair in options.chunks(2) {
            for place in 0..same.len() {
                if same[place] == pair[0] {
                    same[place + 1] = pair[1];
                }
            }
        }
        let run = fourzero()
            .current_dir(folder.path(""))
            .args(["mine", "queue.jsonl", "-o", "chain.json", "--resume"])
            .args(same)
            .args(options.iter().filter(|_| !SAME.contains(&options[0])))
            .ends_with(2);
        let start = "error: cannot resume from chain.json.journal: ";
        let end = " (the journal is unchanged; to start over, delete it)\n";
        let problem = run.stderr.strip_prefix(start);
        let problem = problem.and_then(|problem| problem.strip_suffix(end));
        assert!(
            problem.is_some_and(|problem| problem.ends_with(message)),
            "{}",
            run.stderr
        );
        assert_eq!(folder.read("chain.json.journal"), journal);
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
    let message = "the proofs of its first 21 blocks all have 2 zeros in front, but only 1 zero is \
                   asked for; was --difficulty the same?";
    is_refused(
        &folder,
        &["--block-size", "5", "--resume"],
        &cannot_resume(message),
    );
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
    assert_eq!(
        resume(&folder, 2).stderr,
        format!(
            "error: {}\n",
            cannot_resume(
                "the times of its first 3 blocks are exactly a second apart, starting with \
                 1700000000.0; was it mined with --timestamp 1700000000.0?"
            )
        )
    );
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
    for (text, message) in [
        (
            "precious".to_owned(),
            "it is not the journal of a chain: it starts with \"precious\", but the first block \
             was expected",
        ),
        (
            "[]".to_owned(),
            "it is not the journal of a chain: it starts with \"[]\", but the first block was \
             expected",
        ),
        (
            "{\"chain\": [{\"index\": 1}, {".to_owned(),
            "it is damaged at byte 0, in block 1: the first block was expected, not {\"index\": 1}",
        ),
        (
            "x".repeat(1 << 20),
            "it is not the journal of a chain: it starts with \"xxxxxxxxxxxxxxxxxxxxx\", but the \
             first block was expected",
        ),
        (
            "CHAIN\n".to_owned(),
            "it is damaged at byte 2693, in block 6: it continues with \"], \\\"length\\\": 5}\\n\"",
        ),
    ] {
        let (folder, chain) = interrupted(|_| 0);
        folder.write("chain.json.journal", text.replace("CHAIN", &chain));
        is_refused(&folder, &["--resume"], &cannot_resume(message));
    }
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
        let run = mine(&folder, &["--resume"], 2);
        assert!(
            run.stderr.starts_with("error: cannot resume from "),
            "{}",
            run.stderr
        );
        assert_eq!(folder.read("chain.json.journal").as_bytes(), changed);
    }
}

#[test]
fn a_journal_that_is_not_a_plain_file_is_refused() {
    let (folder, _) = interrupted(|_| 0);
    std::fs::remove_file(folder.path("chain.json.journal")).unwrap();
    std::fs::create_dir(folder.path("chain.json.journal")).unwrap();
    for options in [&[][..], &["--resume"], &["--force"]] {
        let run = mine(&folder, options, 2);
        let expected = "error: cannot write chain.json.journal: it is not a plain file\n";
        assert_eq!(run.stderr, expected);
    }
    assert_eq!(folder.names(), ["chain.json.journal", "queue.jsonl"]);
}

#[test]
fn a_journal_is_refused_without_resume_and_never_destroyed() {
    let (folder, chain) = interrupted(end_of_block(3));
    let bytes = folder.read("chain.json.journal").len();
    let bytes = format!("{},{:03}", bytes / 1000, bytes % 1000);
    let message = format!(
        "chain.json.journal holds {bytes} bytes of interrupted work; --resume continues it; to \
         start over, delete the journal"
    );
    is_refused(&folder, &[], &message);
    is_refused(&folder, &["--force"], &message);
    mine(&folder, &["--resume"], 0);
    assert_eq!(folder.read("chain.json"), chain);
    assert_eq!(folder.names(), ["chain.json", "queue.jsonl"]);
}
