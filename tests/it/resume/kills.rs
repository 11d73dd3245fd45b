//! Runs that are killed, whose disk is full, or that write to the same file: they
//! resume to the bytes of a run that nothing disturbed.

use std::fs::{self, File};
use std::io::Write as _;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::naive::RULES;
use crate::support::{Folder, fourzero_process, queue, wait_for_bytes};

/// Chains that are begun, killed three times, and finished.
const CHAINS: usize = 25;

/// Mines `queue.jsonl` of the folder into `name`, the same each time.
fn mine(folder: &Folder, name: &str, rule: &str) -> Command {
    let mut command = fourzero_process();
    command
        .current_dir(folder.path(""))
        .args(["mine", "queue.jsonl", "--rule", rule, "--difficulty"])
        .arg(if rule == "last-proof" { "4" } else { "3" })
        .args(["--timestamp", "1700000000.25", "--recipient", "me", "-o"])
        .arg(name)
        .args(["--format", name.rsplit('.').next().unwrap_or(name)])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

#[track_caller]
fn ends(command: &mut Command, code: i32) -> Output {
    let ended = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(code), "{stderr}");
    ended
}

fn stderr(ended: &Output) -> String {
    String::from_utf8(ended.stderr.clone()).unwrap()
}

/// Pseudo-random numbers. The seed is printed, to repeat a failure.
struct Random(u64);

impl Random {
    fn new() -> Self {
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
        let seed = now.as_nanos() as u64 | 1;
        println!("seed {seed}");
        Self(seed)
    }

    /// A duration up to `most`.
    fn up_to(&mut self, most: Duration) -> Duration {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005) + 1;
        most.mul_f64((self.0 >> 11) as f64 / (1u64 << 53) as f64)
    }
}

#[test]
fn a_killed_run_resumes_to_the_same_bytes() {
    let mut random = Random::new();
    let folder = Folder::new();
    folder.write("queue.jsonl", queue(6_000));
    let rest = folder.write("rest.jsonl", queue(1));
    let rest = || Stdio::from(File::open(&rest).unwrap());
    let mine = |name: &str, rule: &str, rest: Stdio| {
        let mut command = mine(&folder, name, rule);
        command.args(["-", "--resume"]).stdin(rest);
        command
    };
    let runs: Vec<_> = RULES
        .iter()
        .flat_map(|rule| ["json", "jsonl", "array"].map(|format| (*rule, format)))
        .map(|(rule, format)| {
            let name = format!("whole-{rule}.{format}");
            let started = Instant::now();
            ends(&mut mine(&name, rule, rest()), 0);
            (
                rule,
                format,
                fs::read(folder.path(&name)).unwrap(),
                started.elapsed(),
            )
        })
        .collect();

    let mut torn = 0;
    for (rule, format, whole, time) in runs.iter().cycle().take(CHAINS) {
        let name = format!("chain.{format}");
        let journal = folder.path(&format!("{name}.journal"));
        // The first two runs cannot end, because their queues do not. The last
        // one may end before it is killed.
        for is_endless in [true, true, false] {
            let rest = if is_endless { Stdio::piped() } else { rest() };
            let mut child = mine(&name, rule, rest).spawn().unwrap();
            if is_endless {
                wait_for_bytes(&journal, 1);
            }
            thread::sleep(random.up_to(*time));
            child.kill().unwrap();
            child.wait().unwrap();
            match fs::read(&journal) {
                Ok(left) => {
                    torn += usize::from(!(left.ends_with(b"]}") || left.ends_with(b"}\n")));
                    assert!(whole.starts_with(&left), "{rule}, {format}");
                }
                Err(error) => assert!(!is_endless, "{error}"),
            }
        }
        ends(&mut mine(&name, rule, rest()), 0);
        let chain = fs::read(folder.path(&name)).unwrap();
        assert!(chain == *whole, "{rule}, {format}: the bytes differ");
        assert!(!journal.exists());
        fs::remove_file(folder.path(&name)).unwrap();
    }
    println!("{torn} journals ended within a block");
}

/// Asserts that the journal is the start of the whole chain, and that the
/// second line of the error counts its blocks.
#[track_caller]
fn is_kept(folder: &Folder, ended: &Output, whole: &[u8]) {
    let journal = fs::read(folder.path("chain.json.journal")).unwrap();
    assert!(whole.starts_with(&journal));
    let blocks = String::from_utf8(journal).unwrap().matches("]}").count();
    let message = stderr(ended).replace(',', "");
    let kept = message
        .lines()
        .nth(1)
        .and_then(|line| line.split(' ').next());
    assert!(blocks >= 2, "{blocks} blocks are kept");
    assert_eq!(kept, Some(blocks.to_string().as_str()), "{message}");
}

#[test]
fn a_run_at_the_file_size_limit_can_be_resumed() {
    let folder = Folder::new();
    folder.write("queue.jsonl", queue(6_000));
    ends(&mut mine(&folder, "whole.json", "last-proof"), 0);
    let whole = fs::read(folder.path("whole.json")).unwrap();
    // A shell sets the limit, because this process must keep its own.
    let limited = |blocks: usize| {
        let plain = mine(&folder, "chain.json", "last-proof");
        let mut command = Command::new("sh");
        command
            .current_dir(folder.path(""))
            .arg("-c")
            .arg(format!("ulimit -f {blocks}; exec \"$0\" \"$@\" --resume"))
            .arg(plain.get_program())
            .args(plain.get_args());
        command
    };
    for blocks in [64, 65, 300] {
        let ended = ends(&mut limited(blocks), 2);
        is_kept(&folder, &ended, &whole);
    }
    ends(mine(&folder, "chain.json", "last-proof").arg("--resume"), 0);
    assert!(fs::read(folder.path("chain.json")).unwrap() == whole);
    assert!(!folder.path("chain.json.journal").exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_run_on_a_full_disk_can_be_resumed() {
    let folder = Folder::new();
    folder.write("queue.jsonl", queue(6_000));
    ends(&mut mine(&folder, "whole.json", "last-proof"), 0);
    let whole = fs::read(folder.path("whole.json")).unwrap();
    fs::create_dir(folder.path("small")).unwrap();
    let plain = mine(&folder, "chain.json", "last-proof");
    let script = "
        mount -t tmpfs -o size=128k tmpfs small || exit 77
        cp queue.jsonl chain.json.journal small 2>/dev/null
        rm -f small/queue.jsonl
        cd small
        ln -s ../queue.jsonl
        \"$0\" \"$@\" && exit 78
        cp chain.json.journal ..
        mount -o remount,size=16m tmpfs . || exit 77
        \"$0\" \"$@\" --resume
        code=$?
        cp chain.json ..
        exit $code";
    // In a new mount namespace, as root there.
    let mut ended = None;
    for options in [&["-rm"][..], &["-m"]] {
        let output = Command::new("unshare")
            .args(options)
            .args(["sh", "-c", script])
            .arg(plain.get_program())
            .args(plain.get_args())
            .current_dir(folder.path(""))
            .output();
        match output {
            Ok(output) if output.status.code() == Some(77) => {}
            Ok(output) if stderr(&output).starts_with("unshare: ") => {}
            Ok(output) => {
                ended = Some(output);
                break;
            }
            Err(_) => {}
        }
    }
    let Some(ended) = ended else {
        println!("skipped: no file system can be mounted here");
        return;
    };
    assert_eq!(ended.status.code(), Some(0), "{}", stderr(&ended));
    is_kept(&folder, &ended, &whole);
    assert!(fs::read(folder.path("chain.json")).unwrap() == whole);
}

/// A run that waits for more of its queue. It is killed if the test fails.
struct Waiting(Child);

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn of_two_processes_on_one_output_the_second_is_refused() {
    let folder = Folder::new();
    folder.write("queue.jsonl", queue(100));
    ends(&mut mine(&folder, "whole.json", "last-hash"), 0);
    let mut first = fourzero_process();
    first
        .current_dir(folder.path(""))
        .args(["mine", "-", "--rule", "last-hash", "--difficulty", "3"])
        .args([
            "--timestamp",
            "1700000000.25",
            "--recipient",
            "me",
            "-o",
            "chain.json",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::null());
    let mut first = Waiting(first.spawn().unwrap());
    // It is locked before it is written.
    wait_for_bytes(&folder.path("chain.json.journal"), 1);
    for option in ["--resume", "--force", "--quiet"] {
        ends(mine(&folder, "chain.json", "last-hash").arg(option), 2);
    }
    let mut stdin = first.0.stdin.take().unwrap();
    stdin.write_all(queue(100).as_bytes()).unwrap();
    drop(stdin);
    assert!(first.0.wait().unwrap().success());
    assert_eq!(folder.read("chain.json"), folder.read("whole.json"));
    assert!(!folder.path("chain.json.journal").exists());
}

#[test]
fn of_many_processes_at_once_one_mines() {
    let folder = Folder::new();
    folder.write("queue.jsonl", queue(100));
    ends(&mut mine(&folder, "whole.json", "last-hash"), 0);
    for _ in 0..10 {
        let runs: Vec<_> = (0..6)
            .map(|_| mine(&folder, "chain.json", "last-hash").spawn().unwrap())
            .collect();
        let mut done = 0;
        for run in runs {
            let ended = run.wait_with_output().unwrap();
            match ended.status.code() {
                Some(0) => done += 1,
                code => assert_eq!(code, Some(2), "{}", stderr(&ended)),
            }
        }
        assert_eq!(done, 1);
        assert_eq!(folder.read("chain.json"), folder.read("whole.json"));
        assert!(!folder.path("chain.json.journal").exists());
        fs::remove_file(folder.path("chain.json")).unwrap();
    }
}
