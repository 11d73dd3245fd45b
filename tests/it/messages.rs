//! What `--color` and `--verbose` change, and what they leave alone.

use crate::support::{Ends as _, Folder, data, fourzero, shown};

const GREEN_VALID: &str = "\u{1b}[32mvalid\u{1b}[0m";

/// `fourzero` where no variable asks for colours.
fn plain() -> assert_cmd::Command {
    let mut command = fourzero();
    for variable in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(variable);
    }
    command
}

#[test]
fn colours_are_for_terminals_unless_somebody_says_otherwise() {
    let chain = data("chain-last-hash.json");
    let is_coloured = |arguments: &[&str], variables: &[&str]| {
        let mut command = plain();
        command.arg("verify").arg(&chain).args(arguments);
        for variable in variables {
            command.env(variable, "1");
        }
        let run = command.ends_with(0);
        assert!(run.stdout.contains("valid"), "{}", run.stdout);
        run.stdout.contains(GREEN_VALID)
    };
    assert!(!is_coloured(&[], &[]));
    assert!(!is_coloured(&["--color", "auto"], &["NO_COLOR"]));
    assert!(is_coloured(&[], &["CLICOLOR_FORCE"]));
    assert!(is_coloured(&["--color=always"], &["NO_COLOR"]));
    assert!(!is_coloured(&["--color", "never"], &["CLICOLOR_FORCE"]));
    assert!(
        !is_coloured(&["--color=always", "--json"], &[]),
        "JSON is not"
    );
}

#[test]
fn errors_follow_the_choice_wherever_they_come_from() {
    for arguments in [
        &["verify", "missing.json"][..],
        &["verify"],
        &["mien"],
        &["mine", "-", "--rule", "first-proof", "-o", "x"],
    ] {
        let run = plain().args(arguments).ends_with(2);
        assert!(run.stderr.starts_with("error: "), "{}", run.stderr);
        let run = plain().arg("--color=always").args(arguments).ends_with(2);
        let label = "\u{1b}[1m\u{1b}[31merror:\u{1b}[0m ";
        assert!(run.stderr.starts_with(label), "{:?}", run.stderr);
    }
    let run = plain()
        .args(["verify", "--color", "always", "--help"])
        .ends_with(0);
    assert!(run.stdout.contains('\u{1b}'), "{}", run.stdout);
    let run = plain().args(["verify", "--help"]).ends_with(0);
    assert!(!run.stdout.contains('\u{1b}'), "{}", run.stdout);
}

#[test]
fn verbose_says_what_was_chosen_and_the_results_stay_the_same() {
    let folder = Folder::new();
    let mine = |output: &str, verbose: &[&str]| {
        plain()
            .args(verbose)
            .args([
                "mine",
                "--timestamp",
                "0",
                "--recipient",
                "me",
                "--threads",
                "2",
                "-o",
            ])
            .args([&folder.path(output), &data("queue.jsonl")])
            .ends_with(0)
    };
    assert_eq!(mine("quiet.json", &[]).stderr, "");
    let notes = mine("verbose.json", &["-v"]).stderr;
    assert!(
        notes.lines().all(|line| line.starts_with("note: ")),
        "{notes}"
    );
    for said in [
        "note: kernel: the fastest of ",
        "2 threads, as --threads asks",
        "rule last-proof; a digest starts with 4 zeros",
        "up to 10 transactions a block",
        "mined in ",
        " s in all",
    ] {
        assert!(notes.contains(said), "{said} in {notes}");
    }
    assert_eq!(folder.read("quiet.json"), folder.read("verbose.json"));

    let chain = folder.path("quiet.json");
    let run = plain()
        .args(["verify", "--verbose"])
        .arg(&chain)
        .ends_with(0);
    let shape = format!("note: {}: format json, ", shown(&chain));
    assert!(run.stderr.contains(&shape), "{}", run.stderr);
    assert!(
        run.stderr.contains("the rule is to be found"),
        "{}",
        run.stderr
    );

    let run = plain()
        .args(["search", "100", "--bits", "10", "-v"])
        .ends_with(0);
    let takes = "note: a digest that starts with 10 zero bits takes about 1,024 hashes\n";
    assert!(run.stderr.contains(takes), "{}", run.stderr);
    assert!(!run.stderr.contains("rule"), "{}", run.stderr);
}

#[test]
fn the_name_of_a_file_does_not_steer_the_terminal() {
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
