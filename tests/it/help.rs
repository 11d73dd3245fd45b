//! Help, completions and manual pages cover every command, and help fits the
//! terminal.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use fourzero::sha256::Kernel;

use crate::support::{Ends as _, Folder, fourzero};

/// All commands and subcommands, according to the help.
fn commands() -> Vec<Vec<String>> {
    let mut all = vec![vec![]];
    let mut place = 0;
    while place < all.len() {
        let command = all[place].clone();
        place += 1;
        let help = fourzero().args(&command).arg("-h").ends_with(0).stdout;
        let below = help
            .lines()
            .skip_while(|line| *line != "Commands:")
            .skip(1)
            .take_while(|line| !line.is_empty())
            .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
            .filter(|name| !matches!(*name, "" | "help"));
        for name in below {
            all.push([command.as_slice(), &[name.to_owned()]].concat());
        }
    }
    assert!(all.len() > 10, "{all:?}");
    all
}

#[test]
fn every_command_has_examples_in_both_helps() {
    for command in commands() {
        for option in ["-h", "--help"] {
            let run = fourzero().args(&command).arg(option).ends_with(0);
            let examples: Vec<_> = run
                .stdout
                .lines()
                .skip_while(|line| !line.starts_with("Example"))
                .skip(1)
                .take_while(|line| line.starts_with("  "))
                .collect();
            assert!(!examples.is_empty(), "{command:?} {option}");
            let call = format!("fourzero {}", command.join(" "));
            for example in examples {
                assert!(example.contains(call.trim_end()), "{command:?}: {example}");
            }
        }
    }
}

#[test]
fn help_fits_the_terminal_and_does_not_wrap_examples() {
    for command in commands() {
        for option in ["-h", "--help"] {
            let [narrow, wide] = [80, 120].map(|columns| {
                let mut call = fourzero();
                call.args(&command).arg(option);
                let help = call.env("COLUMNS", columns.to_string()).ends_with(0).stdout;
                for line in help.lines() {
                    let width = line.chars().count();
                    assert!(width <= columns.min(100), "{command:?} {option}: {line}");
                }
                help
            });
            let examples = |help: &str| help[help.find("\nExample").unwrap()..].to_owned();
            assert_eq!(examples(&narrow), examples(&wide));
        }
    }
}

/// The options of each group in the short help of a command.
fn groups(command: &[String]) -> BTreeMap<String, BTreeSet<String>> {
    let help = fourzero().args(command).arg("-h").ends_with(0).stdout;
    let (mut groups, mut group) = (BTreeMap::<_, BTreeSet<_>>::new(), String::new());
    for line in help.lines() {
        match line.strip_suffix(':') {
            Some(heading) if !line.starts_with(' ') => group = heading.to_owned(),
            _ => {}
        }
        // Descriptions are indented further.
        let is_option = line.starts_with("      --") || line.starts_with("  -");
        if is_option && let Some((_, name)) = line.split_once("--") {
            let name = name.split(' ').next().expect("a split has a first part");
            groups
                .entry(group.clone())
                .or_default()
                .insert(name.to_owned());
        }
    }
    groups
}

#[test]
fn options_stand_in_groups_and_the_same_ones_everywhere() {
    let general = ["json", "quiet", "verbose", "color", "help", "version"];
    let mut group_of = BTreeMap::<String, String>::new();
    for command in commands() {
        let groups = groups(&command);
        let general: BTreeSet<_> = general.map(str::to_owned).into();
        if groups.len() == 1 {
            continue;
        }
        let others: Vec<_> = groups["Options"].difference(&general).collect();
        assert!(others.is_empty(), "{command:?}: {others:?} are in no group");
        let with_general = groups
            .iter()
            .filter(|(_, options)| !options.is_disjoint(&general));
        assert_eq!(with_general.count(), 1, "{command:?}: {groups:?}");
        // A sweep measures what others choose.
        if command == ["bench"] {
            continue;
        }
        for (group, options) in groups {
            for option in options.difference(&general) {
                let known = group_of.entry(option.clone()).or_insert(group.clone());
                // A search has no chain.
                assert!(
                    *known == group || group == "Search",
                    "{command:?} --{option}"
                );
            }
        }
    }
    assert_eq!(group_of["threads"], "Speed");
}

#[test]
fn every_command_can_be_quiet_and_the_first_group_has_the_general_options() {
    for command in commands() {
        let options = &groups(&command)["Options"];
        for option in ["quiet", "verbose", "color", "help"] {
            assert!(options.contains(option), "{command:?} --{option}");
        }
    }
}

#[test]
fn the_kernels_of_this_cpu_are_listed() {
    for command in ["mine", "search", "bench"] {
        let help = fourzero().args([command, "-h"]).ends_with(0).stdout;
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        let names: Vec<_> = Kernel::available().into_iter().map(Kernel::name).collect();
        let listed = format!("[possible values: {}, fastest", names.join(", "));
        assert!(help.contains(&listed), "{listed} in {help}");
    }
}

#[test]
fn every_shell_has_its_completions() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = fourzero().args(["completions", shell]).ends_with(0);
        for word in ["verify", "convert", "no-proof-cache", "baseline"] {
            assert!(run.stdout.contains(word), "{word} for {shell}");
        }
        let has_node = run.stdout.contains("import");
        assert_eq!(has_node, cfg!(feature = "node"), "{shell}");
        assert_eq!(run.stderr, "");
    }
}

/// The completions of a line in bash.
#[cfg(unix)]
fn completed_by_bash(words: &[&str]) -> Option<BTreeSet<String>> {
    if Command::new("bash").arg("--version").output().is_err() {
        eprintln!("skipped: there is no bash");
        return None;
    }
    let script = fourzero().args(["completions", "bash"]).ends_with(0).stdout;
    let ask = r#"
        eval "$1"; shift
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
        _fourzero fourzero "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\n' "${COMPREPLY[@]}"
    "#;
    let output = Command::new("bash")
        .args(["--norc", "-c", ask, "bash", &script])
        .args(words)
        .output()
        .expect("bash was there a moment ago");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(stderr, "");
    let stdout = String::from_utf8(output.stdout).unwrap();
    Some(stdout.lines().map(str::to_owned).collect())
}

#[cfg(unix)]
#[test]
fn bash_completes_commands_options_and_values() {
    for (words, expected) in [
        (&["fourzero", "ver"][..], "verify"),
        (&["fourzero", "convert", "--fo"], "--format"),
        #[cfg(feature = "node")]
        (&["fourzero", "node", "ex"], "export"),
        (
            &["fourzero", "bench", "--rule", "previous"],
            "previous-hash",
        ),
        (&["fourzero", "mine", "--no-p"], "--no-proof-cache"),
        (&["fourzero", "completions", "zs"], "zsh"),
        (&["fourzero", "mine", "--rule", ""], "last-hash"),
        (&["fourzero", "verify", "--rule", ""], "auto"),
        (&["fourzero", "convert", "--format", "a"], "array"),
        (&["fourzero", "search", "--kernel", ""], "portable"),
    ] {
        let Some(found) = completed_by_bash(words) else {
            return;
        };
        assert!(found.contains(expected), "{words:?}: {found:?}");
    }
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = Folder::new();
    let run = fourzero()
        .args(["man", "--out-dir"])
        .arg(folder.path("new/man1"))
        .ends_with(0);
    let written: BTreeSet<_> = fs::read_dir(folder.path("new/man1"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(run.stdout, "");
    let expected: BTreeSet<_> = commands()
        .into_iter()
        .map(|command| [vec!["fourzero".into()], command].concat().join("-") + ".1")
        .collect();
    assert_eq!(written, expected);
    for name in &written {
        let page = folder.read(&format!("new/man1/{name}"));
        for text in [".SH NAME", ".SH SYNOPSIS", ".SH OPTIONS", "Example"] {
            assert!(page.contains(text), "{text} in {name}");
        }
        assert!(!page.contains("cpu features"), "{name}");
    }
    // The pages of an earlier version are replaced as a whole.
    folder.write("new/man1/fourzero.1", "old");
    let again = fourzero()
        .args(["man", "--out-dir"])
        .arg(folder.path("new/man1"))
        .ends_with(0);
    assert_eq!(again.stderr, "");
    assert_eq!(
        fs::read_dir(folder.path("new/man1")).unwrap().count(),
        written.len()
    );
    let main = fourzero().arg("man").ends_with(0).stdout;
    assert_eq!(main, folder.read("new/man1/fourzero.1"));
}

/// A file size limit stands for a full disk.
#[cfg(unix)]
#[test]
fn a_page_that_cannot_be_written_leaves_the_old_one() {
    let (folder, pages) = (Folder::new(), Folder::new());
    let man = ["man", "--out-dir", "."];
    fourzero()
        .args(man)
        .current_dir(pages.path(""))
        .ends_with(0);
    for name in pages.names() {
        folder.write(&name, "old");
    }
    assert_cmd::Command::new("sh")
        .args(["-c", "ulimit -f 1; exec \"$0\" \"$@\""])
        .arg(assert_cmd::cargo::cargo_bin!("fourzero"))
        .args(man)
        .current_dir(folder.path(""))
        .ends_with(2);
    assert_eq!(folder.names(), pages.names());
    for name in folder.names() {
        assert_eq!(folder.read(&name), "old", "{name}");
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_an_error() {
    let folder = Folder::new();
    let file = folder.write("file", "");
    fourzero().args(["man", "--out"]).arg(&file).ends_with(2);
}
