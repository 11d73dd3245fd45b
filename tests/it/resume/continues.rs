//! Resumed runs that succeed.

use std::num::NonZeroUsize;

use fourzero::batch::{
    Clock, MineOptions, NamedQueue, OutputOptions, Overwrite, ReadBack, Resume, mine_to_file,
};
use fourzero::chain::Format;
use fourzero::pow::{Control, Rule, Searcher, Target};
use fourzero::sha256::KernelChoice;

use super::{SAME, end_of_block, interrupted, is_refused, mine, queue};
use crate::support::{Ends as _, Folder, fourzero};

#[test]
fn a_journal_cut_anywhere_leads_to_the_same_bytes() {
    let searcher = Searcher::new(NonZeroUsize::MIN, KernelChoice::Measured).unwrap();
    for (rule, format) in [
        (Rule::LastHash, Format::Json),
        (Rule::LastProof, Format::JsonLines),
        (Rule::PreviousHash, Format::Array),
    ] {
        let folder = Folder::new();
        let output = OutputOptions {
            path: folder.path("chain"),
            format,
            overwrite: Overwrite::Never,
            read_back: ReadBack::Verify,
            resume: Resume::SameRecipient,
        };
        let options = MineOptions {
            rule,
            target: Target::from_hex_zeros(1).unwrap(),
            block_size: NonZeroUsize::new(2).unwrap(),
            recipient: "\"me\" é".to_owned(),
            clock: Clock::From(1_700_000_000.5),
            ..MineOptions::default()
        };
        // Two queues, of which the first ends within a block.
        let mine = || {
            let queues = [queue(3), "sender,recipient,amount\nx,y,1.50\n".to_owned()];
            let queues = queues.map(|queue| NamedQueue::new("queue", std::io::Cursor::new(queue)));
            mine_to_file(queues.into(), &output, &options, &searcher, &Control::new()).unwrap()
        };
        let whole = mine();
        let chain = folder.read("chain");
        for bytes in 0..=chain.len() {
            for junk in ["", "\0\0\0", "\0, {\"index\": 9"] {
                if !junk.is_empty() && bytes % 10 > 0 {
                    continue;
                }
                std::fs::remove_file(folder.path("chain")).unwrap();
                let journal = [&chain[..bytes], junk].concat();
                folder.write("chain.journal", journal);
                let summary = mine();
                assert_eq!(folder.read("chain"), chain, "{format}, cut at {bytes}");
                assert_eq!(folder.names(), ["chain"]);
                assert_eq!(summary.blocks, whole.blocks);
                assert_eq!(summary.transactions, whole.transactions);
                assert_eq!(summary.last_hash, whole.last_hash);
                let ends = chain[..bytes].matches(match format {
                    Format::Json | Format::Array => "\"sender\": \"0\"}]}",
                    Format::JsonLines => "\"sender\": \"0\"}]}\n",
                });
                let there = ends.count() as u64;
                if there > 0 {
                    assert_eq!(summary.resumed_blocks, 1 + there, "cut at {bytes}");
                }
            }
        }
    }
}

#[test]
fn the_summary_counts_the_resumed_blocks() {
    let (folder, _) = interrupted(end_of_block(3));
    let summary = mine(&folder, &["--resume", "--json"], 0).one_json();
    assert_eq!(summary["resumed_blocks"], 3);
    assert_eq!(summary["blocks"], 5);
    assert_eq!(summary["transactions"], 35 + 4);
    assert!(summary["hashes"].as_u64().unwrap() > 0);
}

#[test]
fn transactions_after_the_journal_may_change() {
    // The fifth block was being written.
    let (folder, _) = interrupted(|chain| end_of_block(4)(chain) + 300);
    let changed = queue(35).replace("a33", "z33") + &queue(20);
    folder.write("queue.jsonl", &changed);
    mine(&folder, &["--resume"], 0);
    let resumed = folder.read("chain.json");
    mine(&folder, &["--force"], 0);
    assert_eq!(folder.read("chain.json"), resumed);
}

#[test]
fn a_last_block_that_its_queue_would_fill_further_is_mined_again() {
    let (folder, _) = interrupted(end_of_block(5));
    folder.write("queue.jsonl", queue(52));
    let summary = mine(&folder, &["--resume", "--json"], 0).one_json();
    assert_eq!(summary["resumed_blocks"], 4);
    let resumed = folder.read("chain.json");
    mine(&folder, &["--force"], 0);
    assert_eq!(folder.read("chain.json"), resumed);
}

#[test]
fn further_rewards_go_to_the_recipient_in_the_journal() {
    let folder = Folder::new();
    folder.write("queue.jsonl", queue(35));
    let mine = |options: &[&str]| {
        fourzero()
            .current_dir(folder.path(""))
            .args(["mine", "queue.jsonl", "-o", "chain.json"])
            .args(&SAME[..6])
            .args(options)
            .ends_with(0)
    };
    mine(&[]);
    let chain = folder.read("chain.json");
    std::fs::remove_file(folder.path("chain.json")).unwrap();
    folder.write("chain.json.journal", &chain[..end_of_block(2)(&chain)]);
    mine(&["--resume"]);
    assert_eq!(folder.read("chain.json"), chain);
}

#[test]
fn a_queue_with_an_error_keeps_what_was_mined_before_it() {
    let folder = Folder::new();
    let mut lines: Vec<_> = queue(35).lines().map(str::to_owned).collect();
    let good = lines.clone();
    lines[33] = "{\"sender\": 1}".to_owned();
    folder.write("queue.jsonl", lines.join("\n"));
    let run = mine(&folder, &[], 2);
    let (_, command) = run.stderr.split_once("then resume: ").unwrap();
    assert_eq!(folder.names(), ["chain.json.journal", "queue.jsonl"]);

    // It fails again, and the journal is unchanged.
    is_refused(&folder, &["--resume"]);
    // The printed command resumes the run.
    folder.write("queue.jsonl", good.join("\n"));
    let status = std::process::Command::new("sh")
        .args(["-c", command])
        .current_dir(folder.path(""))
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    let resumed = folder.read("chain.json");
    mine(&folder, &["--force"], 0);
    assert_eq!(folder.read("chain.json"), resumed);
}

#[test]
fn standard_input_can_be_resumed() {
    let (folder, chain) = interrupted(end_of_block(4));
    let resume = |text: String, code| {
        fourzero()
            .current_dir(folder.path(""))
            .args(["mine", "-", "-o", "chain.json", "--resume"])
            .args(SAME)
            .write_stdin(text)
            .ends_with(code)
    };
    let error = resume(queue(35).replace("a3\"", "x3\""), 2).stderr;
    assert!(error.contains("standard input: line 4 "), "{error}");
    resume(queue(35), 0);
    assert_eq!(folder.read("chain.json"), chain);
    // Once more, when there is nothing to do.
    resume(queue(35), 0);
    resume(queue(34), 2);
    assert_eq!(folder.read("chain.json"), chain);
}

#[test]
fn proofs_that_are_in_the_journal_are_not_searched_again() {
    let folder = Folder::new();
    folder.write("queue.jsonl", queue(1_000));
    // Under `last-proof`, a proof is followed by the same one each time.
    let mine = |options: &[&str]| {
        fourzero()
            .current_dir(folder.path(""))
            .args([
                "mine",
                "queue.jsonl",
                "-o",
                "chain.json",
                "--block-size",
                "1",
            ])
            .args(&SAME[2..])
            .args(["--json"])
            .args(options)
            .ends_with(0)
            .one_json()
    };
    assert!(mine(&[])["hashes"].as_u64().unwrap() > 0);
    let chain = folder.read("chain.json");
    std::fs::remove_file(folder.path("chain.json")).unwrap();
    folder.write("chain.json.journal", &chain[..end_of_block(900)(&chain)]);
    let resumed = mine(&["--resume"]);
    assert_eq!(resumed["resumed_blocks"], 900);
    assert_eq!(resumed["hashes"], 0);
    assert_eq!(folder.read("chain.json"), chain);
}
