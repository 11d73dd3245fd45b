//! What a terminal shows: colours follow `--color` and the environment,
//! `--verbose` only adds notes, and file names cannot send control characters.

use crate::support::{Ends as _, Folder, data, fourzero};

/// `fourzero` without the variables that decide about colours.
fn plain() -> assert_cmd::Command {
    let mut command = fourzero();
    for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(variable);
    }
    command
}

#[test]
fn colours_follow_the_option_then_the_environment() {
    let chain = data("chain-last-hash.json");
    let is_coloured = |arguments: &[&str], variables: &[&str]| {
        let mut command = plain();
        command.arg("verify").arg(&chain).args(arguments);
        for variable in variables {
            command.env(variable, "1");
        }
        command.ends_with(0).stdout.contains('\u{1b}')
    };
    assert!(!is_coloured(&[], &[]));
    assert!(!is_coloured(&["--color", "auto"], &["NO_COLOR"]));
    assert!(is_coloured(&[], &["CLICOLOR_FORCE"]));
    assert!(is_coloured(&["--color=always"], &["NO_COLOR"]));
    assert!(!is_coloured(&["--color", "never"], &["CLICOLOR_FORCE"]));
    assert!(
        !is_coloured(&["--color=always", "--json"], &[]),
        "JSON has no colours"
    );
}

#[test]
fn errors_are_coloured_like_results() {
    let missing = ["verify", "missing.json"];
    let run = plain().args(missing).ends_with(2);
    assert!(!run.stderr.contains('\u{1b}'), "{}", run.stderr);
    let run = plain().arg("--color=always").args(missing).ends_with(2);
    assert!(run.stderr.contains('\u{1b}'), "{}", run.stderr);
    // Help and usage errors come before the options are known.
    for (arguments, code) in [(["verify", "--help"], 0), (["verify", "--hlep"], 2)] {
        let run = plain().args(arguments).ends_with(code);
        assert!(!(run.stdout + &run.stderr).contains('\u{1b}'));
        let run = plain()
            .env("CLICOLOR_FORCE", "1")
            .args(arguments)
            .ends_with(code);
        assert!((run.stdout + &run.stderr).contains('\u{1b}'));
    }
}

#[test]
fn verbose_adds_notes_and_changes_no_result() {
    let folder = Folder::new();
    let mine = |output: &str, verbose: &[&str]| {
        plain()
            .args(verbose)
            .args(["mine", "--timestamp", "0", "--recipient", "me", "-o"])
            .args([&folder.path(output), &data("queue.jsonl")])
            .ends_with(0)
    };
    assert_eq!(mine("quiet.json", &[]).stderr, "");
    let notes = mine("verbose.json", &["-v"]).stderr;
    assert!(notes.lines().count() > 3, "{notes}");
    assert!(
        notes.lines().all(|line| line.starts_with("note: ")),
        "{notes}"
    );
    assert_eq!(folder.read("quiet.json"), folder.read("verbose.json"));
}

#[test]
fn control_characters_in_file_names_are_escaped() {
    let folder = Folder::new();
    let name = "a\u{1b}[2J\r.json";
    let chain = folder.path(name);
    std::fs::copy(data("chain-last-hash.json"), &chain).unwrap();
    let missing = folder.path("b\u{7}\u{9b}");
    let run = plain().arg("verify").args([&chain, &missing]).ends_with(2);
    assert!(
        run.stdout.contains("a\\u{1b}[2J\\r.json: valid"),
        "{}",
        run.stdout
    );
    assert!(run.stderr.contains("b\\u{7}\\u{9b}: "), "{}", run.stderr);
    for text in [run.stdout, run.stderr] {
        assert!(
            !text.contains(|c: char| c.is_control() && c != '\n'),
            "{text:?}"
        );
    }
    // Programs get the name itself.
    let run = plain().arg("verify").arg(&chain).arg("--json").ends_with(0);
    let verdict: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert!(verdict["file"].as_str().unwrap().ends_with(name));
}
