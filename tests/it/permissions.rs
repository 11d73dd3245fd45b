//! What a folder may be used for: what can be written is written.

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::support::{Folder, data};

/// A program that permissions bind, as they do not bind root.
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

/// A folder `wx` that may be written and not read; `None` where nothing here
/// can be bound by that.
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
    println!("skipped: no program can be kept from reading a folder");
    None
}

#[test]
fn a_folder_that_cannot_be_read_takes_files() {
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
            &["bench", "--seconds", "0.02", "--json", "wx/b.json"],
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
fn mining_into_a_folder_that_cannot_be_read_outlives_its_syncs() {
    let Some(folder) = unreadable_folder() else {
        return;
    };
    let mut mining = bound(assert_cmd::cargo::cargo_bin!("fourzero"))
        .args(["mine", "-", "--difficulty", "1", "-o", "wx/c.json"])
        .current_dir(folder.path(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = mining.stdin.take().unwrap();
    let line = "{\"sender\": \"a\", \"recipient\": \"b\", \"amount\": 1}\n";
    stdin.write_all(line.repeat(100).as_bytes()).unwrap();
    // The first sync comes a second after the first block.
    thread::sleep(Duration::from_millis(1500));
    assert!(mining.try_wait().unwrap().is_none());
    drop(stdin);
    let ended = mining.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(0), "{stderr}");
    set_mode(&folder.path("wx"), 0o700);
}

#[test]
fn an_error_is_told_in_the_words_of_the_system() {
    // A folder that somebody removes while a shell is in it.
    let folder = Folder::new();
    let ended = Command::new("sh")
        .args([
            "-c",
            "cd \"$1\" && rmdir \"$1\" && exec \"$0\" convert \"$2\" -o c.json",
        ])
        .arg(assert_cmd::cargo::cargo_bin!("fourzero"))
        .arg(folder.path(""))
        .arg(data("chain-last-proof.json"))
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(2), "{stderr}");
    let expected = "error: cannot write c.json: No such file or directory (os error 2)\n";
    assert_eq!(stderr, expected);
}
