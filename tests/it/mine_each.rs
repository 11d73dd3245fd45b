//! `mine --out-dir` mines each queue into its own chain.

use std::collections::HashMap;

use serde_json::json;

use crate::support::{Ends as _, Folder, Run, fourzero, shown};

/// A queue of `count` transactions by `sender`.
fn queue(sender: &str, count: usize) -> String {
    (0..count)
        .map(|amount| {
            format!("{{\"sender\": \"{sender}\", \"recipient\": \"b\", \"amount\": {amount}}}\n")
        })
        .collect()
}

const OPTIONS: [&str; 8] = [
    "--rule",
    "last-hash",
    "--difficulty",
    "2",
    "--timestamp",
    "1700000000",
    "--recipient",
    "me",
];

/// Mines queues of the folder into its subfolder `chains`.
#[track_caller]
fn mine_each(folder: &Folder, queues: &[&str], options: &[&str], code: i32) -> Run {
    fourzero()
        .arg("mine")
        .args(queues.iter().map(|name| folder.path(name)))
        .args(OPTIONS)
        .args(options)
        .arg("--out-dir")
        .arg(folder.path("chains"))
        .ends_with(code)
}

#[test]
fn each_chain_is_the_same_as_mined_alone() {
    let folder = Folder::new();
    // More queues than threads and fewer, and sizes that differ.
    let names: Vec<_> = (0..7).map(|number| format!("q{number}.jsonl")).collect();
    for (number, name) in names.iter().enumerate() {
        folder.write(name, queue(name, 1 + 37 * number));
    }
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    for threads in ["1", "2", "5", "16"] {
        let options = ["--threads", threads, "--json", "--force"];
        let run = mine_each(&folder, &names, &options, 0);
        let summaries: HashMap<_, _> = run
            .json()
            .into_iter()
            .map(|summary| (summary["output"].as_str().unwrap().to_owned(), summary))
            .collect();
        assert_eq!(summaries.len(), names.len());
        for (number, name) in names.iter().enumerate() {
            let chain = format!("chains/{}", name.replace(".jsonl", ".json"));
            fourzero()
                .arg("mine")
                .arg(folder.path(name))
                .args(OPTIONS)
                .arg("--force")
                .arg("-o")
                .arg(folder.path("alone.json"))
                .ends_with(0);
            assert_eq!(folder.read(&chain), folder.read("alone.json"), "{name}");
            let summary = &summaries[&shown(&folder.path(&chain))];
            let rewards = summary["rewards"].as_u64().unwrap();
            let transactions = summary["transactions"].as_u64().unwrap();
            assert_eq!(transactions - rewards, 1 + 37 * number as u64);
        }
    }
}

#[test]
fn a_queue_that_fails_is_named_and_the_others_are_mined() {
    let folder = Folder::new();
    folder.write("good.jsonl", queue("a", 3));
    folder.write("bad.jsonl", "{\"sender\": \"a\"}\n");
    folder.write("fine.csv", "sender,recipient,amount\na,b,1\n");
    let run = mine_each(&folder, &["bad.jsonl", "good.jsonl", "fine.csv"], &[], 2);
    let bad = shown(&folder.path("bad.jsonl"));
    assert!(run.stderr.contains(&bad), "{}", run.stderr);
    let mut chains: Vec<_> = std::fs::read_dir(folder.path("chains"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    chains.sort();
    assert_eq!(chains, ["fine.json", "good.json"]);
}

#[test]
fn json_has_one_object_per_queue_even_if_it_fails() {
    let folder = Folder::new();
    folder.write("good.jsonl", queue("a", 3));
    let bad = folder.write("bad.jsonl", "{\"sender\": \"a\"}\n");
    let run = mine_each(&folder, &["good.jsonl", "bad.jsonl"], &["--json"], 2);
    let lines = run.json();
    assert_eq!(lines.len(), 2);
    let failed = lines.iter().find(|line| line.get("error").is_some());
    let error = run.stderr.trim_end().strip_prefix("error: ").unwrap();
    let expected = json!({
        "queue": shown(&bad),
        "output": shown(&folder.path("chains/bad.json")),
        "error": error,
    });
    assert_eq!(failed, Some(&expected));
    let mined = lines.iter().find(|line| line.get("error").is_none());
    let output = shown(&folder.path("chains/good.json"));
    assert_eq!(mined.unwrap()["output"], output);
}

#[test]
fn two_queues_with_the_same_output_are_refused() {
    let folder = Folder::new();
    folder.write("a.jsonl", queue("a", 1));
    folder.write("a.csv", "sender,recipient,amount\na,b,1\n");
    mine_each(&folder, &["a.jsonl", "a.csv"], &[], 2);
    mine_each(&folder, &["a.jsonl", "missing.jsonl"], &[], 2);
    assert_eq!(folder.names(), ["a.csv", "a.jsonl"], "no folder is left");
}

#[test]
fn nothing_is_mined_if_the_last_chain_cannot_be_written() {
    let folder = Folder::new();
    folder.write("a.jsonl", queue("a", 1));
    folder.write("b.jsonl", queue("b", 1));
    std::fs::create_dir(folder.path("chains")).unwrap();
    folder.write("chains/b.json", "precious");
    mine_each(&folder, &["a.jsonl", "b.jsonl"], &[], 2);
    assert!(!folder.path("chains/a.json").exists());
    assert_eq!(folder.read("chains/b.json"), "precious");

    // A queue in the folder is not its own chain.
    let options = ["--format", "jsonl", "--force", "--out-dir"];
    fourzero()
        .arg("mine")
        .arg(folder.path("a.jsonl"))
        .args(options)
        .arg(folder.path("."))
        .ends_with(2);
    assert_eq!(folder.read("a.jsonl"), queue("a", 1));
}

#[test]
fn more_queues_than_may_be_open_at_once_are_mined() {
    let folder = Folder::new();
    let names: Vec<_> = (0..60).map(|number| format!("{number}.jsonl")).collect();
    for name in &names {
        folder.write(name, queue("a", 1));
    }
    // A shell sets the limit, because this process must keep its own.
    for output in ["-o chain.json", "--out-dir chains"] {
        let command = format!(
            "ulimit -n 40; cd \"$1\"; exec \"$0\" mine --threads 2 --difficulty 1 *.jsonl {output}"
        );
        let status = std::process::Command::new("sh")
            .args(["-c", &command])
            .arg(assert_cmd::cargo::cargo_bin!("fourzero"))
            .arg(folder.path("."))
            .stdout(std::process::Stdio::null())
            .status()
            .unwrap();
        assert!(status.success());
    }
}
