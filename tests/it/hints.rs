//! Files that are not what was meant: amounts that stay text cause one warning,
//! the command that unpacks a file works, and a queue is told from a chain.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{Ends as _, Folder, Run, data_text, fourzero, shown};

/// Runs `mine` in `folder`.
#[track_caller]
fn mine(folder: &Folder, options: &[&str], code: i32) -> Run {
    fourzero()
        .args(["mine", "--difficulty", "1", "--timestamp", "0"])
        .args(["--recipient", "me"])
        .args(options)
        .current_dir(folder.path(""))
        .ends_with(code)
}

#[test]
fn amounts_that_stay_text_cause_one_warning() {
    let folder = Folder::new();
    let header = "sender,recipient,amount\n";
    folder.write(
        "numbers.csv",
        format!("{header}a,b,1\na,b, 1.50 \na,b,-3e5\n"),
    );
    folder.write(
        "texts.csv",
        format!(
            "{header}a,b,1\n\na,b,\"1,234.56\"\na,b,\"12,5\"\na,b,007\na,b,+5\na,b,.5\na,b,5.\n\
             a,b,abc\n"
        ),
    );
    folder.write("one.csv", format!("{header}a,b,\u{1b}[2J\n"));
    folder.write(
        "json.jsonl",
        "{\"sender\": 1, \"recipient\": 2, \"amount\": \"five\"}\n",
    );
    for (queues, warnings) in [
        (&["numbers.csv", "json.jsonl"][..], 0),
        (&["texts.csv"], 1),
        (&["numbers.csv", "texts.csv", "one.csv"], 1),
        (&["one.csv"], 1),
    ] {
        for options in [
            &["-o", "chain.json", "--force"][..],
            &["-o", "chain.json", "--resume"],
            &["--out-dir", "chains", "--force"],
        ] {
            let run = mine(&folder, &[queues, options].concat(), 0);
            assert_eq!(run.stderr.lines().count(), warnings, "{}", run.stderr);
            assert!(!run.stderr.contains('\u{1b}'), "{:?}", run.stderr);
        }
    }
    mine(&folder, &["texts.csv", "-o", "chain.json", "--force"], 0);
    let chain = folder.read("chain.json");
    assert!(chain.contains("{\"amount\": \"1,234.56\", "), "{chain}");
    let strict = ["texts.csv", "-o", "chain.json", "--force", "--strict"];
    mine(&folder, &strict, 2);
}

#[test]
fn the_suggested_command_unpacks_a_file() {
    let folder = Folder::new();
    let path = folder.write("chain.json", data_text("chain-last-hash.json"));
    let packed = Command::new("gzip")
        .arg(&path)
        .stderr(Stdio::null())
        .status();
    if !packed.is_ok_and(|status| status.success()) {
        eprintln!("skipped: there is no gzip");
        return;
    }
    let run = fourzero()
        .args(["verify", "chain.json.gz"])
        .current_dir(folder.path(""))
        .ends_with(2);
    let (_, command) = run.stderr.trim().split_once("try: ").unwrap();
    let binary = assert_cmd::cargo::cargo_bin!("fourzero");
    let command = command.replace("fourzero", &shown(Path::new(&binary)));
    let run = assert_cmd::Command::new("sh")
        .args(["-c", &command])
        .current_dir(folder.path(""))
        .ends_with(0);
    assert_eq!(run.stderr, "");
}

#[test]
fn the_json_verdict_has_no_hint() {
    let fork =
        r#"[{"index": 1, "timestamp": 1, "transactions": [], "nonce": 1, "previous_hash": "1"}]"#;
    let run = fourzero()
        .args(["verify", "-", "--json"])
        .write_stdin(fork)
        .ends_with(1);
    let fault = run.one_json()["fault"].take();
    assert_eq!(fault["kind"], "missing-field");
    assert_eq!(fault["block"], 1);
    let message = fault["message"].as_str().unwrap();
    assert!(!message.contains("--rename"), "{message}");
}
