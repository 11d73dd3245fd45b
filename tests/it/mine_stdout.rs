//! A chain on standard output: the same bytes as in a file, block by block, with
//! its summary on stderr. A failure leaves it visibly unfinished.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::thread;

use crate::support::{
    Ends as _, Folder, PATIENCE, Run, data, fourzero, fourzero_process, queue, shown,
};

const FIXED: [&str; 4] = ["--timestamp", "1700000000", "--recipient", "me"];

/// Mines `queue` to standard output.
#[track_caller]
fn mine(queue: &str, options: &[&str], code: i32) -> Run {
    fourzero()
        .args(["mine", "-", "-o", "-", "--difficulty", "2"])
        .args(FIXED)
        .args(options)
        .write_stdin(queue)
        .ends_with(code)
}

#[test]
fn the_bytes_are_those_of_a_file() {
    let queue = queue(500);
    for format in ["json", "jsonl", "array"] {
        let folder = Folder::new();
        let file = folder.path("chain");
        fourzero()
            .args(["mine", "-", "--difficulty", "2", "--format", format, "-o"])
            .arg(&file)
            .args(FIXED)
            .write_stdin(queue.clone())
            .ends_with(0);
        let run = mine(&queue, &["--format", format], 0);
        assert_eq!(run.stdout, folder.read("chain"));
        assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);

        let run = mine(&queue, &["--format", format, "--json"], 0);
        assert_eq!(run.stdout, folder.read("chain"));
        let summary: serde_json::Value = serde_json::from_str(&run.stderr).unwrap();
        assert_eq!(summary["output"], "-");
        assert_eq!(summary["transactions"], 550);
        assert_eq!(summary["rewards"], 50);
    }
}

#[test]
fn an_error_in_the_queue_leaves_an_unfinished_chain() {
    let queue = queue(40) + "{}\n";
    for format in ["json", "jsonl", "array"] {
        let run = mine(&queue, &["--format", format], 2);
        let blocks = run.stdout.matches("\"previous_hash\"").count();
        assert_eq!(blocks, 5, "{}", run.stdout);
        let read = fourzero()
            .args(["verify", "-", "--difficulty", "2"])
            .write_stdin(run.stdout)
            .output()
            .unwrap();
        assert!(!read.status.success(), "{format}");
    }
}

#[test]
fn a_reader_that_stops_is_an_error() {
    let mut mining = start(&["--format", "jsonl"]);
    let mut stdin = mining.stdin.take().unwrap();
    stdin.write_all(queue(40).as_bytes()).unwrap();
    drop(mining.stdout.take());
    // It may end before it has read everything.
    let _ = stdin.write_all(queue(100_000).as_bytes());
    drop(stdin);
    assert_eq!(mining.wait().unwrap().code(), Some(2));
}

#[test]
fn nothing_can_be_resumed() {
    let run = mine(&queue(1), &["--resume"], 2);
    assert_eq!(run.stdout, "");
}

/// A run that waits for its queue.
fn start(options: &[&str]) -> Child {
    fourzero_process()
        .args(["mine", "-", "-o", "-", "--difficulty", "1"])
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[cfg(unix)]
#[test]
fn blocks_come_while_the_queue_is_silent_and_an_interrupt_leaves_them_unfinished() {
    let mut mining = start(&["--format", "json"]);
    let mut stdin = mining.stdin.take().unwrap();
    stdin.write_all(queue(50).as_bytes()).unwrap();
    let mut stdout = mining.stdout.take().unwrap();
    let (sender, pieces) = mpsc::channel();
    thread::spawn(move || {
        let mut piece = [0; 4096];
        while let Ok(count @ 1..) = stdout.read(&mut piece) {
            sender.send(piece[..count].to_vec()).unwrap();
        }
    });
    let mut text = Vec::new();
    while String::from_utf8_lossy(&text)
        .matches("previous_hash")
        .count()
        < 6
    {
        text.extend(pieces.recv_timeout(PATIENCE).expect("a block comes"));
    }
    let killed = std::process::Command::new("kill")
        .args(["-TERM", &mining.id().to_string()])
        .status();
    assert!(killed.unwrap().success());
    assert_eq!(mining.wait().unwrap().code(), Some(130));
    text.extend(pieces.iter().flatten());
    assert!(serde_json::from_slice::<serde_json::Value>(&text).is_err());
}

#[cfg(target_os = "linux")]
#[test]
fn threads_are_pinned_and_have_the_given_priority() {
    use std::fs;

    let mut mining = start(&[
        "--threads",
        "2",
        "--pin",
        "--nice",
        "3",
        "--format",
        "jsonl",
    ]);
    let mut stdin = mining.stdin.take().unwrap();
    stdin.write_all(queue(20).as_bytes()).unwrap();
    let mut blocks = BufReader::new(mining.stdout.take().unwrap()).lines();
    for _ in 0..3 {
        blocks.next().unwrap().unwrap();
    }
    let mut searching = 0;
    for task in fs::read_dir(format!("/proc/{}/task", mining.id())).unwrap() {
        let folder = task.unwrap().path();
        let file = |name| fs::read_to_string(folder.join(name));
        // Some other thread may have ended meanwhile.
        let (Ok(stat), Ok(status)) = (file("stat"), file("status")) else {
            continue;
        };
        // The name, which is in brackets, may contain blanks. The niceness is
        // the 17th field after it.
        let fields = stat.rsplit_once(')').unwrap().1.split_whitespace();
        assert_eq!(fields.clone().nth(16), Some("3"), "{stat}");
        if stat.contains("(search-") {
            searching += 1;
            let cores = status
                .lines()
                .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))
                .unwrap();
            assert!(cores.trim().parse::<u32>().is_ok(), "one core: {cores}");
        }
    }
    assert_eq!(searching, 1);
    drop(stdin);
    assert!(mining.wait().unwrap().success());
}

#[test]
fn threads_that_move_between_chains_cannot_be_pinned() {
    let folder = Folder::new();
    fourzero()
        .args(["mine", "--pin", "--out-dir", &shown(&folder.path("out"))])
        .arg(data("queue.jsonl"))
        .ends_with(2);
    assert!(folder.names().is_empty());
}
