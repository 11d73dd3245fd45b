//! A folder that can only be written to is enough for output, and a new file has
//! the permissions of the file that it replaces.

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{Ends as _, Folder, data, fourzero, fourzero_process, wait_for_bytes};

/// A program without root's right to ignore permissions.
fn bound(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let script = "
        test \"$(id -u)\" = 0 || exec \"$0\" \"$@\"
        exec setpriv --inh-caps=-all --bounding-set=-dac_override,-dac_read_search \"$0\" \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", script]).arg(program.as_ref());
    command
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// A folder with a subfolder `wx` that can be written but not read; `None` if
/// programs here can ignore that.
fn unreadable_folder() -> Option<Folder> {
    let folder = Folder::new();
    let wx = folder.path("wx");
    fs::create_dir(&wx).unwrap();
    set_mode(&wx, 0o300);
    let succeeds = |program, argument: &Path| {
        let ended = bound(program).arg(argument).output().unwrap();
        ended.status.success()
    };
    if succeeds("true", &wx) && !succeeds("ls", &wx) {
        return Some(folder);
    }
    println!("skipped: programs here can read every folder");
    None
}

#[test]
fn files_are_written_to_a_folder_that_cannot_be_read() {
    let Some(folder) = unreadable_folder() else {
        return;
    };
    let (queue, chain) = (data("queue.jsonl"), data("chain-last-proof.json"));
    let (queue, chain) = (queue.to_str().unwrap(), chain.to_str().unwrap());
    for (arguments, file) in [
        (&["mine", queue, "-o", "wx/c.json"][..], "wx/c.json"),
        (&["mine", queue, "--out-dir", "wx"], "wx/queue.json"),
        (&["convert", chain, "-o", "wx/d.json"], "wx/d.json"),
        (
            &["bench", "--seconds", "0.02", "--export", "wx/b.json"],
            "wx/b.json",
        ),
        (&["man", "--out-dir", "wx"], "wx/fourzero.1"),
    ] {
        let ended = bound(assert_cmd::cargo::cargo_bin!("fourzero"))
            .args(arguments)
            .current_dir(folder.path(""))
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(0), "{arguments:?}: {stderr}");
        assert!(folder.path(file).exists(), "{arguments:?}: {stderr}");
    }
    set_mode(&folder.path("wx"), 0o700);
}

#[test]
fn journals_are_synced_in_a_folder_that_cannot_be_read() {
    let Some(folder) = unreadable_folder() else {
        return;
    };
    let mut mining = bound(assert_cmd::cargo::cargo_bin!("fourzero"))
        .args(["mine", "-", "--difficulty", "1", "-o", "wx/c.json"])
        .args(["--block-size", "1"])
        .current_dir(folder.path(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = mining.stdin.take().unwrap();
    let line = "{\"sender\": \"a\", \"recipient\": \"b\", \"amount\": 1}\n";
    // The journal is synced every 10,000 blocks; an error would end the work.
    stdin.write_all(line.repeat(30_000).as_bytes()).unwrap();
    drop(stdin);
    let ended = mining.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(0), "{stderr}");
    set_mode(&folder.path("wx"), 0o700);
}

#[test]
fn a_replaced_file_keeps_its_permissions() {
    let (queue, chain) = (data("queue.jsonl"), data("chain-last-proof.json"));
    let (queue, chain) = (queue.to_str().unwrap(), chain.to_str().unwrap());
    for kept in [0o600, 0o640, 0o666, 0o400, 0o444, 0o755] {
        for arguments in [
            &["mine", queue, "--difficulty", "1"][..],
            &["convert", chain],
            &["convert", chain, "--verify"],
        ] {
            let folder = Folder::new();
            let output = folder.write("chain.json", "old");
            set_mode(&output, kept);
            fourzero()
                .args(arguments)
                .arg("--force")
                .arg("-o")
                .arg(&output)
                .ends_with(0);
            assert_ne!(folder.read("chain.json"), "old");
            assert_eq!(mode(&output), kept, "{arguments:?}: {:o}", mode(&output));
        }
    }
    // The set-user-id bit is not kept.
    let folder = Folder::new();
    let output = folder.write("chain.json", "old");
    set_mode(&output, 0o4755);
    let mut command = fourzero();
    command
        .args(["convert", chain, "--force", "-o"])
        .arg(&output);
    command.ends_with(0);
    assert_eq!(mode(&output), 0o755);
}

#[test]
fn the_journal_of_a_private_file_is_private() {
    let folder = Folder::new();
    let output = folder.write("chain.json", "old");
    set_mode(&output, 0o400);
    let mut mining = fourzero_process()
        .args(["mine", "-", "--difficulty", "1", "--force", "-o"])
        .arg(&output)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let journal = folder.path("chain.json.journal");
    wait_for_bytes(&journal, 1);
    assert_eq!(mode(&journal), 0o600);
    let mut stdin = mining.stdin.take().unwrap();
    let line = b"{\"sender\": \"a\", \"recipient\": \"b\", \"amount\": 1}";
    stdin.write_all(line).unwrap();
    drop(stdin);
    assert!(mining.wait().unwrap().success());
    assert_eq!(mode(&output), 0o400);
}
