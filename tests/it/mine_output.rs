//! The output file: when it may be written, and when an existing file is replaced
//! or kept.

use std::fs;

use crate::support::{Ends as _, Folder, Run, data, fourzero, fourzero_process, shown};

const QUEUE: &str = r#"{"sender": "a", "recipient": "b", "amount": 1}"#;

/// Mines the shortest queue into `name` in the folder.
#[track_caller]
fn mine_into(folder: &Folder, name: &str, options: &[&str], code: i32) -> Run {
    fourzero()
        .args(["mine", "-", "--difficulty", "1"])
        .args(options)
        .arg("-o")
        .arg(folder.path(name))
        .write_stdin(QUEUE)
        .ends_with(code)
}

#[track_caller]
fn is_a_chain(folder: &Folder, name: &str) {
    fourzero()
        .args(["verify", "--difficulty", "1"])
        .arg(folder.path(name))
        .ends_with(0);
}

#[test]
fn an_existing_file_is_refused_and_untouched_without_force() {
    let folder = Folder::new();
    folder.write("chain.json", "precious");
    mine_into(&folder, "chain.json", &[], 2);
    assert_eq!(folder.read("chain.json"), "precious");
    assert_eq!(folder.names(), ["chain.json"]);

    mine_into(&folder, "chain.json", &["--force"], 0);
    is_a_chain(&folder, "chain.json");
    assert_eq!(folder.names(), ["chain.json"]);
}

#[test]
fn no_command_writes_to_a_journal() {
    for (name, options) in [
        ("other.json.journal", &["--force"][..]),
        ("other.json.journal", &[]),
        ("OTHER.JOURNAL", &["--force"]),
        ("new.journal", &["--force"]),
    ] {
        let folder = Folder::new();
        if name != "new.journal" {
            folder.write(name, "hours of work");
        }
        let names = folder.names();
        let path = shown(&folder.path(name));
        mine_into(&folder, name, options, 2);
        for arguments in [
            &["convert", &shown(&data("chain-last-proof.json")), "-o"][..],
            &["bench", "--seconds", "3600", "--export"],
        ] {
            let mut command = fourzero();
            command.args(arguments).arg(&path).args(options);
            command.ends_with(2);
        }
        assert_eq!(folder.names(), names);
        if name != "new.journal" {
            assert_eq!(folder.read(name), "hours of work");
        }
    }
}

#[test]
fn force_also_writes_a_file_that_does_not_exist() {
    let folder = Folder::new();
    mine_into(&folder, "chain.json", &["--force"], 0);
    is_a_chain(&folder, "chain.json");
}

#[test]
fn a_queue_cannot_be_the_output() {
    for options in [&[][..], &["--force"]] {
        let folder = Folder::new();
        let path = folder.write("queue.jsonl", QUEUE);
        let roundabout = folder.path("./queue.jsonl");
        for output in [&path, &roundabout] {
            fourzero()
                .arg("mine")
                .args(options)
                .args([&path, &data("queue.jsonl")])
                .arg("-o")
                .arg(output)
                .ends_with(2);
        }
        assert_eq!(folder.read("queue.jsonl"), QUEUE);
        assert_eq!(folder.names(), ["queue.jsonl"]);
    }
}

#[test]
fn a_folder_is_refused() {
    for options in [&[][..], &["--force"]] {
        let folder = Folder::new();
        fs::create_dir(folder.path("chain.json")).unwrap();
        mine_into(&folder, "chain.json", options, 2);
        assert_eq!(folder.names(), ["chain.json"]);
    }
}

#[test]
fn the_format_follows_the_name_of_the_file() {
    for (name, is_lines) in [
        ("chain.jsonl", true),
        ("chain.ndjson", true),
        ("chain.json", false),
        ("chain.txt", false),
        ("jsonl", false),
    ] {
        let folder = Folder::new();
        mine_into(&folder, name, &[], 0);
        let text = folder.read(name);
        assert_eq!(text.starts_with("{\"index\": 1, "), is_lines, "{name}");
        assert_eq!(text.starts_with("{\"chain\": [{"), !is_lines, "{name}");
    }
}

#[test]
fn the_longest_possible_name_can_be_written() {
    // File systems take 255 bytes, and the journal has a name, too.
    for name in ["x".repeat(250) + ".json", "é".repeat(125) + ".json"] {
        let folder = Folder::new();
        mine_into(&folder, &name, &[], 0);
        is_a_chain(&folder, &name);
        assert_eq!(folder.names(), [name]);
    }
}

#[test]
fn a_relative_name_is_written_in_the_current_folder() {
    let folder = Folder::new();
    fourzero()
        .current_dir(folder.path(""))
        .args(["mine", "-", "--difficulty", "1", "-o", "chain.json"])
        .write_stdin(QUEUE)
        .ends_with(0);
    is_a_chain(&folder, "chain.json");
    assert_eq!(folder.names(), ["chain.json"]);
}

#[cfg(unix)]
mod unix {
    use std::io::Write as _;
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::path::Path;
    use std::process::{Command, Stdio};

    use super::*;
    use crate::support::wait_for_bytes;

    #[test]
    fn a_device_is_refused() {
        for options in [&[][..], &["--force"]] {
            fourzero()
                .args(["mine", "-", "-o", "/dev/null"])
                .args(options)
                .write_stdin(QUEUE)
                .ends_with(2);
        }
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }

    #[test]
    fn the_mode_of_the_file_follows_the_umask() {
        for (umask, mode) in [
            ("022", 0o644),
            ("002", 0o664),
            ("077", 0o600),
            ("000", 0o666),
        ] {
            let folder = Folder::new();
            let output = folder.path("chain.json");
            let status = Command::new("sh")
                .arg("-c")
                .arg(format!("umask {umask} && exec \"$@\""))
                .arg("sh")
                .arg(assert_cmd::cargo::cargo_bin!("fourzero"))
                .args(["mine", "--difficulty", "1", "-o"])
                .args([&output, &data("queue.jsonl")])
                .stdout(Stdio::null())
                .status()
                .unwrap();
            assert!(status.success());
            let found = fs::metadata(&output).unwrap().permissions().mode() & 0o777;
            assert_eq!(found, mode, "umask {umask}: found {found:o}");
        }
    }

    #[test]
    fn a_link_stays_a_link_and_what_it_points_to_is_replaced() {
        let folder = Folder::new();
        fs::create_dir(folder.path("elsewhere")).unwrap();
        let target = folder.write("elsewhere/target.json", "old");
        symlink("elsewhere/target.json", folder.path("link.json")).unwrap();

        mine_into(&folder, "link.json", &[], 2);
        assert_eq!(folder.read("elsewhere/target.json"), "old");

        mine_into(&folder, "link.json", &["--force"], 0);
        let link = fs::read_link(folder.path("link.json")).unwrap();
        assert_eq!(link, Path::new("elsewhere/target.json"));
        assert!(fs::symlink_metadata(&target).unwrap().is_file());
        is_a_chain(&folder, "elsewhere/target.json");
        assert_eq!(folder.names(), ["elsewhere", "link.json"]);
    }

    #[test]
    fn a_link_to_a_journal_is_refused() {
        let folder = Folder::new();
        folder.write("other.json.journal", "hours of work");
        symlink("other.json.journal", folder.path("link.json")).unwrap();
        mine_into(&folder, "link.json", &["--force"], 2);
        assert_eq!(folder.read("other.json.journal"), "hours of work");
        assert_eq!(folder.names(), ["link.json", "other.json.journal"]);
    }

    #[test]
    fn a_broken_link_is_refused() {
        for options in [&[][..], &["--force"]] {
            let folder = Folder::new();
            symlink("nowhere.json", folder.path("link.json")).unwrap();
            mine_into(&folder, "link.json", options, 2);
            assert_eq!(folder.names(), ["link.json"], "{options:?}");
            assert!(fs::read_link(folder.path("link.json")).is_ok());
        }
    }

    #[test]
    fn a_file_that_appears_while_mining_is_not_overwritten() {
        let folder = Folder::new();
        let output = folder.path("chain.json");
        let mut child = fourzero_process()
            .args(["mine", "-", "--difficulty", "1", "-o"])
            .arg(&output)
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A block in the journal shows that the first looks at the name are
        // over.
        let journal = folder.path("chain.json.journal");
        wait_for_bytes(&journal, 1);
        fs::write(&output, "precious").unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(QUEUE.as_bytes()).unwrap();
        drop(stdin);
        let ended = child.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(2));
        assert_eq!(folder.read("chain.json"), "precious");
        assert_eq!(folder.names(), ["chain.json", "chain.json.journal"]);
        // What was mined is not lost.
        mine_into(&folder, "chain.json", &["--force", "--resume"], 0);
        is_a_chain(&folder, "chain.json");
        assert_eq!(folder.names(), ["chain.json"]);
    }
}

#[test]
fn an_output_that_cannot_be_a_file_is_refused_before_mining() {
    let folder = Folder::new();
    folder.write("chain.json", "precious");
    let names = folder.names();
    for output in ["", "/", "..", "none/chain.json", "new/", "chain.json"] {
        // This mining would not end.
        fourzero()
            .current_dir(folder.path(""))
            .args(["mine", "-", "--difficulty", "64", "-o", output])
            .args((output != "chain.json").then_some("--force"))
            .write_stdin(QUEUE)
            .ends_with(2);
        assert_eq!(folder.names(), names, "{output}");
    }
}

#[test]
fn the_chain_is_kept_if_the_summary_cannot_be_printed() {
    let folder = Folder::new();
    let output = folder.path("chain.json");
    let Ok(full) = std::fs::File::options().write(true).open("/dev/full") else {
        println!("skipped: there is no /dev/full");
        return;
    };
    let ended = fourzero_process()
        .args(["mine", "--difficulty", "1", "-o"])
        .args([&output, &data("queue.jsonl")])
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(ended.status.code(), Some(2));
    is_a_chain(&folder, "chain.json");
}
