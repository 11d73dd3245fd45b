//! What a newcomer is told about a file that is not what was meant.

use std::process::{Command, Stdio};

use crate::support::{Ends as _, Folder, Run, data_text, fourzero, shown};

/// Mines `queue`, a CSV file in `folder`.
#[track_caller]
fn mine(folder: &Folder, options: &[&str], code: i32) -> Run {
    fourzero()
        .args([
            "mine",
            "--difficulty",
            "1",
            "--timestamp",
            "0",
            "--recipient",
            "me",
        ])
        .args(options)
        .current_dir(folder.path(""))
        .ends_with(code)
}

const NUMBERS: &str = "sender,recipient,amount\na,b,1\na,b, 1.50 \na,b,-3e5\n";

#[test]
fn amounts_that_are_kept_as_text_are_warned_of_once_with_the_first_place() {
    let folder = Folder::new();
    folder.write("numbers.csv", NUMBERS);
    folder.write(
        "texts.csv",
        "sender,recipient,amount\na,b,1\n\na,b,\"1,234.56\"\na,b,\"12,5\"\na,b,007\na,b,+5\n\
         a,b,.5\na,b,5.\na,b,abc\n",
    );
    folder.write("one.csv", "sender,recipient,amount\na,b,\u{1b}[2J\n");
    folder.write(
        "json.jsonl",
        "{\"sender\": 1, \"recipient\": 2, \"amount\": \"five\"}\n",
    );
    let warned = |first: &str| {
        format!(
            "warning: {first} is no number and is kept as text{{}}; --strict refuses such amounts\n"
        )
    };
    let texts =
        |more: &str| warned("texts.csv: line 4: the amount \"1,234.56\"").replace("{}", more);

    for (queues, expected) in [
        (&["numbers.csv", "json.jsonl"][..], String::new()),
        (&["texts.csv"], texts(" (and 6 more)")),
        (
            &["numbers.csv", "texts.csv", "one.csv"],
            texts(" (and 7 more)"),
        ),
        (
            &["one.csv"],
            warned("one.csv: line 2: the amount \"\\u{1b}[2J\"").replace("{}", ""),
        ),
    ] {
        let run = mine(
            &folder,
            &[queues, &["-o", "chain.json", "--json", "--force"]].concat(),
            0,
        );
        assert_eq!(run.stderr, expected);
        // The chain is what Python would make of these rows all the same.
        assert_eq!(run.one_json()["output"], "chain.json");
        let run = mine(
            &folder,
            &[queues, &["-o", "chain.json", "--resume"]].concat(),
            0,
        );
        assert!(run.stdout.contains("all there before"), "{}", run.stdout);
        assert_eq!(run.stderr, expected, "resumed");
        let run = mine(
            &folder,
            &[queues, &["--out-dir", "chains", "--force", "--json"]].concat(),
            0,
        );
        assert_eq!(run.stderr, expected, "each into its own");
        assert_eq!(run.json().len(), queues.len());
    }
    mine(&folder, &["texts.csv", "-o", "chain.json", "--force"], 0);
    assert!(
        folder
            .read("chain.json")
            .contains("{\"amount\": \"1,234.56\", ")
    );
    let run = mine(
        &folder,
        &["texts.csv", "-o", "chain.json", "--force", "--strict"],
        2,
    );
    let refused = "line 4: the field \"amount\" is \"1,234.56\", expected a number\n";
    assert!(run.stderr.ends_with(refused), "{}", run.stderr);
}

#[test]
fn packed_files_come_with_the_command_that_unpacks_them() {
    let folder = Folder::new();
    let gzip = folder.write("it's.gz", b"\x1f\x8b\x08\0");
    let zip = folder.write("chain.zip", b"PK\x03\x04");
    let xz = folder.write("chain.xz", b"\xfd7zXZ\0");
    let output = folder.path("new.json");
    for command in ["verify", "inspect", "convert", "mine"] {
        for (path, what, unpack) in [
            (&gzip, "gzip", "gunzip -c"),
            (&zip, "a zip archive", "unzip -p"),
            (&xz, "xz", "xz -dc"),
        ] {
            let mut run = fourzero();
            run.arg(command).arg(path);
            if ["convert", "mine"].contains(&command) {
                run.arg("-o").arg(&output);
            }
            let run = run.ends_with(2);
            let name = shown(path).replace('\'', "'\\''");
            let name = if name == shown(path) {
                name
            } else {
                format!("'{name}'")
            };
            let expected = format!(
                "{}: this is {what}; try: {unpack} {name} | fourzero {command} -\n",
                shown(path)
            );
            assert!(run.stderr.ends_with(&expected), "{} {expected}", run.stderr);
        }
    }
}

#[test]
fn the_command_that_unpacks_does() {
    let folder = Folder::new();
    let path = folder.write("chain.json", data_text("chain-last-hash.json"));
    let packed = Command::new("gzip")
        .arg(&path)
        .stderr(Stdio::null())
        .status();
    if !packed.is_ok_and(|status| status.success()) {
        return;
    }
    let run = fourzero()
        .args(["verify", "chain.json.gz"])
        .current_dir(folder.path(""))
        .ends_with(2);
    let (_, command) = run.stderr.trim().split_once("try: ").unwrap();
    let binary = assert_cmd::cargo::cargo_bin!("fourzero");
    let command = command.replace("fourzero", &shown(std::path::Path::new(&binary)));
    let run = assert_cmd::Command::new("sh")
        .args(["-c", &command])
        .current_dir(folder.path(""))
        .ends_with(0);
    assert!(
        run.stdout.contains("standard input: valid"),
        "{}",
        run.stdout
    );
}

#[test]
fn a_journal_that_is_no_chain_yet_says_how_to_go_on() {
    let folder = Folder::new();
    let chain = data_text("chain-last-hash.json");
    let hint = "; an unfinished chain: mine --resume goes on with it\n";
    for length in [0, 1, chain.len() / 2, chain.len() - 3] {
        let journal = folder.write("chain.json.journal", &chain[..length]);
        let run = fourzero().arg("verify").arg(&journal).ends_with(2);
        assert!(run.stderr.ends_with(hint), "{length}: {}", run.stderr);
        let other = folder.write("chain.json", &chain[..length]);
        let run = fourzero().arg("verify").arg(&other).ends_with(2);
        assert!(!run.stderr.contains("--resume"), "{length}: {}", run.stderr);
    }
    // Cut is not broken.
    let broken = folder.write("chain.json.journal", "[{]");
    let run = fourzero().arg("verify").arg(&broken).ends_with(2);
    assert!(!run.stderr.contains("--resume"), "{}", run.stderr);
}

#[test]
fn what_is_no_chain_at_all_is_asked_about_for_people_alone() {
    let queue = data_text("queue.jsonl");
    let other = "; is this a chain?\n";
    let missing = "missing-field: the field \"index\" is missing";
    for (text, hint) in [
        (queue.as_str(), "; is this a chain? it looks like a queue\n"),
        (
            "[{\"sender\": 1, \"recipient\": 2, \"amount\": 3}]",
            "; is this a chain? it looks like a queue\n",
        ),
        ("{\"a\": 1}", other),
        ("{}", other),
        ("{\"message\": \"Missing values\"}", other),
        ("{\"proof\": 1}", "\n"),
    ] {
        let run = fourzero()
            .args(["verify", "-"])
            .write_stdin(text)
            .ends_with(1);
        assert_eq!(
            run.stdout,
            format!("standard input: invalid: block 1: {missing}{hint}")
        );
        let run = fourzero()
            .args(["verify", "-", "--json"])
            .write_stdin(text)
            .ends_with(1);
        let fault = run.one_json()["fault"].take();
        assert_eq!(
            (&fault["kind"], &fault["block"]),
            (&"missing-field".into(), &1.into())
        );
        assert_eq!(fault["message"], "the field \"index\" is missing");
    }
    // A later block is one of a chain.
    let first = "{\"index\": 1, \"previous_hash\": 1, \"proof\": 1, \"timestamp\": 0, \"transactions\": []}";
    let text = format!("{first}\n{{}}\n");
    let run = fourzero()
        .args(["verify", "-"])
        .write_stdin(text)
        .ends_with(1);
    assert!(
        run.stdout
            .ends_with("block 2: missing-field: the field \"index\" is missing\n")
    );
}

#[test]
fn a_fault_of_no_block_names_none() {
    let chain = data_text("chain-last-hash.json");
    let lies = chain.replace("\"length\":41", "\"length\":99");
    assert_ne!(chain, lies);
    for (text, fault) in [
        (
            lies.as_str(),
            "length: \"length\" is 99, but the chain has 41 blocks",
        ),
        ("[]", "empty: the chain has no blocks"),
    ] {
        let run = fourzero()
            .args(["verify", "-"])
            .write_stdin(text)
            .ends_with(1);
        assert_eq!(run.stdout, format!("standard input: invalid: {fault}\n"));
    }
}
