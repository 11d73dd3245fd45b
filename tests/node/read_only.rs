//! Protects exports from a folder that can only be read: no block is missing,
//! and nothing in the folder changes.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::{Server, node_command};

/// A program that permissions bind: root's are run as another user.
fn bound(program: impl AsRef<OsStr>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    if fs::metadata(folder).unwrap().uid() == 0 {
        command.uid(65534).gid(65534);
    }
    command
}

/// Takes or gives back the right to write to a folder and its files.
fn set_writable(folder: &Path, is_writable: bool) {
    let set = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    let [folder_mode, file_mode] = if is_writable {
        [0o755, 0o644]
    } else {
        [0o555, 0o444]
    };
    for file in fs::read_dir(folder).unwrap() {
        set(&file.unwrap().path(), file_mode);
    }
    set(folder, folder_mode);
}

/// The names and contents of the files in a folder.
fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|file| {
            let path = file.unwrap().path();
            (path.display().to_string(), fs::read(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

fn export(data: &Path) -> Output {
    bound(assert_cmd::cargo::cargo_bin!("fourzero"), data)
        .args(["node", "export", "-o", "-", "--data"])
        .arg(data)
        .output()
        .unwrap()
}

#[track_caller]
fn assert_exports(data: &Path, chain: &str) {
    let output = export(data);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), chain);
}

#[test]
fn a_node_is_exported_from_a_folder_that_can_only_be_read() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    // The path goes into a URL.
    let data = folder.path().join("a b?c#d%20");
    let start = || Server::node(node_command(&data).args(["--difficulty", "2"]));
    let mut server = start();
    for _ in 0..3 {
        server.get("/mine").ok(200);
    }
    // An answer ends with a line break, a file does not.
    let chain = server.get("/chain").body.trim_end().to_owned();
    set_writable(&data, false);
    let succeeds = |program: &OsStr, argument: &OsStr| {
        let ended = bound(program, &data).arg(argument).output();
        ended.is_ok_and(|output| output.status.success())
    };
    let new = data.join("new");
    let fourzero = assert_cmd::cargo::cargo_bin!("fourzero");
    if succeeds("touch".as_ref(), new.as_ref())
        || !succeeds(fourzero.as_ref(), "--version".as_ref())
    {
        println!("skipped: programs here can write to every folder, or not run as another user");
        return;
    }
    // Running, killed, and after a clean stop.
    assert_exports(&data, &chain);
    server.kill();
    let before = contents(&data);
    assert!(
        before
            .iter()
            .any(|(name, log)| name.ends_with("-wal") && !log.is_empty())
    );
    assert_exports(&data, &chain);
    assert_eq!(contents(&data), before);

    set_writable(&data, true);
    let index = data.join("node.sqlite3-shm");
    let kept = fs::read(&index).unwrap();
    fs::remove_file(&index).unwrap();
    set_writable(&data, false);
    // The database alone lacks the blocks in its log.
    let refused = export(&data);
    assert_eq!(refused.status.code(), Some(2));
    assert_eq!(refused.stdout, b"");

    set_writable(&data, true);
    fs::write(&index, kept).unwrap();
    let mut server = start();
    server.signal("TERM");
    server.wait();
    set_writable(&data, false);
    let before = contents(&data);
    assert_exports(&data, &chain);
    assert_eq!(contents(&data), before);
    set_writable(&data, true);
}
