//! Special inputs: folders are refused, named pipes are read, and a file that
//! grows is read up to some complete line.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use crate::naive_chain;
use crate::support::{Ends as _, Folder, exported_blocks, fourzero};

#[test]
fn a_folder_is_refused() {
    let folder = Folder::new();
    let path = folder.path("");
    fourzero().arg("verify").arg(&path).ends_with(2);
    fourzero()
        .args(["mine", "-o"])
        .args([&folder.path("chain.json"), &path])
        .ends_with(2);
    assert!(folder.names().is_empty());
}

#[cfg(unix)]
#[test]
fn a_named_pipe_is_read_like_a_file() {
    let folder = Folder::new();
    let fifo = folder.path("fifo");
    let made = Command::new("mkfifo").arg(&fifo).status().unwrap();
    assert!(made.success());
    let write = |text: String| {
        let fifo = fifo.clone();
        thread::spawn(move || std::fs::write(fifo, text).unwrap())
    };

    let blocks = exported_blocks("chain-last-hash.json");
    let writer = write(naive_chain::jsonl_file(&blocks));
    let run = fourzero()
        .args(["verify", "--json"])
        .arg(&fifo)
        .ends_with(0);
    assert_eq!(run.one_json()["blocks"], blocks.len());
    writer.join().unwrap();

    let writer = write("sender,recipient,amount\na,b,1\n".to_owned());
    let run = fourzero()
        .args(["mine", "--json", "--difficulty", "1", "-o"])
        .args([&folder.path("chain.json"), &fifo])
        .ends_with(0);
    assert_eq!(run.one_json()["transactions"], 2, "with the reward");
    writer.join().unwrap();
}

/// A line within one page is written at once; a reader may see half of a line
/// that crosses pages.
const PAGE_BYTES: usize = 4096;

/// Runs `read` five times while `lines` are appended to the file. `read` gets the
/// number of lines written so far.
fn while_it_grows(path: &std::path::Path, lines: &[String], read: impl Fn(&AtomicU64)) {
    let (written, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)
        .unwrap();
    let mut end = 0;
    for line in lines {
        let (first, last) = (end / PAGE_BYTES, (end + line.len() - 1) / PAGE_BYTES);
        assert_eq!(first, last, "half of a line could be seen");
        end += line.len();
    }
    file.write_all(lines[0].as_bytes()).unwrap();
    written.store(1, Ordering::SeqCst);
    thread::scope(|scope| {
        scope.spawn(|| {
            for line in &lines[1..] {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                written.fetch_add(1, Ordering::SeqCst);
                file.write_all(line.as_bytes()).unwrap();
                thread::yield_now();
            }
        });
        for _ in 0..5 {
            read(&written);
        }
        stop.store(true, Ordering::SeqCst);
    });
}

#[test]
fn a_growing_file_is_read_up_to_a_complete_line() {
    let folder = Folder::new();
    let path = folder.path("chain.jsonl");
    let blocks = exported_blocks("chain-last-hash.json");
    let lines: Vec<_> = naive_chain::jsonl_file(&blocks)
        .lines()
        .map(|line| format!("{line:<0$}\n", PAGE_BYTES - 1))
        .collect();
    while_it_grows(&path, &lines, |written| {
        let least = written.load(Ordering::SeqCst) - 1;
        let run = fourzero()
            .args(["verify", "--json"])
            .arg(&path)
            .ends_with(0);
        let blocks = run.one_json()["blocks"].as_u64().unwrap();
        assert!(least <= blocks && blocks <= written.load(Ordering::SeqCst));
    });

    let path = folder.path("queue.csv");
    // Rows of eight bytes never cross pages.
    let mut rows = vec!["sender,recipient,amount\na,b,100\n".to_owned()];
    rows.resize(20_000, "a,b,100\n".to_owned());
    while_it_grows(&path, &rows, |written| {
        let least = written.load(Ordering::SeqCst) - 1;
        let run = fourzero()
            .args(["mine", "--json", "--force", "--difficulty", "1", "-o"])
            .args([&folder.path("chain.json"), &path])
            .ends_with(0);
        let count = |key: &str| run.one_json()[key].as_u64().unwrap();
        let transactions = count("transactions") - count("rewards");
        assert!(least <= transactions && transactions <= written.load(Ordering::SeqCst));
    });
}
