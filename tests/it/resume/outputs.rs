//! Resuming where the chain exists already, or for several chains at once.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Instant;

use super::{SAME, end_of_block, interrupted, is_refused, mine, queue};
use crate::support::{
    Ends as _, Folder, PATIENCE, fourzero, fourzero_process, wait_for_bytes, wait_until,
};

#[test]
fn without_a_journal_resume_starts_from_nothing() {
    let (folder, chain) = interrupted(|_| 0);
    mine(&folder, &["--resume"], 0);
    assert_eq!(folder.read("chain.json"), chain);
}

#[test]
fn a_finished_chain_is_not_mined_again() {
    for options in [
        &["--resume", "--json"][..],
        &["--resume", "--json", "--force"],
    ] {
        let (folder, chain) = interrupted(str::len);
        mine(&folder, &["--resume"], 0);
        let summary = mine(&folder, options, 0).one_json();
        assert_eq!(summary["resumed_blocks"], 5);
        assert_eq!(summary["hashes"], 0);
        assert_eq!(folder.read("chain.json"), chain);
        assert_eq!(folder.names(), ["chain.json", "queue.jsonl"]);
    }
}

#[test]
fn a_finished_chain_of_another_queue_is_kept_without_force() {
    for (queue, precious) in [(queue(34), false), (queue(36), false), (queue(35), true)] {
        let (folder, chain) = interrupted(str::len);
        mine(&folder, &["--resume"], 0);
        folder.write("queue.jsonl", queue);
        if precious {
            folder.write("chain.json", "precious");
        }
        let before = folder.read("chain.json");
        mine(&folder, &["--resume"], 2);
        assert_eq!(folder.read("chain.json"), before);
        assert_eq!(folder.names(), ["chain.json", "queue.jsonl"]);
        mine(&folder, &["--resume", "--force"], 0);
        assert_eq!(folder.read("chain.json") == chain, precious);
    }
}

#[test]
fn an_output_beside_its_journal_is_kept_without_force() {
    let (folder, chain) = interrupted(end_of_block(4));
    folder.write("chain.json", "precious");
    is_refused(&folder, &["--resume"]);
    is_refused(&folder, &[]);
    assert_eq!(folder.read("chain.json"), "precious");
    mine(&folder, &["--resume", "--force"], 0);
    assert_eq!(folder.read("chain.json"), chain);
    assert_eq!(folder.names(), ["chain.json", "queue.jsonl"]);
}

#[test]
fn several_chains_resume_at_different_blocks() {
    let folder = Folder::new();
    let names: Vec<_> = (0..5).map(|number| format!("q{number}.jsonl")).collect();
    for (number, name) in names.iter().enumerate() {
        folder.write(name, queue(20 + 10 * number));
    }
    let mine = |options: &[&str], code| {
        fourzero()
            .current_dir(folder.path(""))
            .arg("mine")
            .args(&names)
            .args(SAME)
            .args(["--out-dir", "chains"])
            .args(options)
            .ends_with(code)
    };
    mine(&[], 0);
    let path = |number: usize| format!("chains/q{number}.json");
    let chains: Vec<_> = (0..5).map(|number| folder.read(&path(number))).collect();
    // The first is finished, the second nearly, the third and fourth are
    // under way, the last was not begun.
    for (number, blocks) in [(1, 4), (2, 3), (3, 1), (4, 0)] {
        std::fs::remove_file(folder.path(&path(number))).unwrap();
        if blocks > 0 {
            let bytes = end_of_block(blocks)(&chains[number]);
            folder.write(&(path(number) + ".journal"), &chains[number][..bytes]);
        }
    }
    mine(&[], 2);
    let run = mine(&["--resume", "--json"], 0);
    let mut there: Vec<_> = run
        .json()
        .iter()
        .map(|summary| {
            let name = summary["output"].as_str().unwrap().to_owned();
            (name, summary["resumed_blocks"].as_u64().unwrap())
        })
        .collect();
    there.sort();
    let expected = [3, 4, 3, 1, 0];
    for (number, (name, blocks)) in there.iter().enumerate() {
        assert_eq!(Path::new(name), Path::new(&path(number)));
        assert_eq!(*blocks, expected[number], "{name}");
        assert_eq!(folder.read(name), chains[number]);
    }
    assert_eq!(std::fs::read_dir(folder.path("chains")).unwrap().count(), 5);
}

/// Mines stdin, and returns when the journal has its first block.
#[cfg(unix)]
fn mine_stdin(folder: &Folder) -> Child {
    let mining = fourzero_process()
        .current_dir(folder.path("."))
        .args(["mine", "-", "-o", "chain.json", "--difficulty", "1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_for_bytes(&folder.path("chain.json.journal"), 1);
    mining
}

#[cfg(unix)]
#[test]
fn a_journal_that_somebody_replaces_does_not_get_the_name_of_the_chain() {
    let folder = Folder::new();
    let journal = folder.path("chain.json.journal");
    let mut mining = mine_stdin(&folder);
    let mut stdin = mining.stdin.take().unwrap();
    std::fs::rename(folder.write("another", "another's"), &journal).unwrap();
    // It may have seen that by itself, and be gone.
    let _ = stdin.write_all(queue(35).as_bytes());
    drop(stdin);
    assert_eq!(mining.wait().unwrap().code(), Some(2));
    assert_eq!(folder.names(), ["chain.json.journal"]);
    assert_eq!(folder.read("chain.json.journal"), "another's");
}

#[cfg(unix)]
#[test]
fn a_journal_that_somebody_removes_ends_the_mining_soon() {
    let folder = Folder::new();
    let journal = folder.path("chain.json.journal");
    let mut mining = mine_stdin(&folder);
    let mut stdin = mining.stdin.take().unwrap();
    std::fs::remove_file(&journal).unwrap();
    // Its queue does not end.
    let _ = stdin.write_all(queue(35).as_bytes());
    let removed = Instant::now();
    wait_until(|| {
        if removed.elapsed() > PATIENCE / 2 {
            mining.kill().unwrap();
        }
        mining.try_wait().unwrap().is_some()
    });
    drop(stdin);
    assert_eq!(mining.wait().unwrap().code(), Some(2));
    assert_eq!(folder.names(), [""; 0]);
}
