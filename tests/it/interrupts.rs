//! Ctrl-C: exit 130, no output, and a message that says what was kept.

use std::fs;
use std::io::Write as _;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;

use serde_json::Value;

use crate::python::has_python;
use crate::support::{
    Ends as _, Folder, PATIENCE, data, data_text, fourzero_process, wait_for_bytes, wait_until,
};

/// The command, which ends on SIGINT even where the tests ignore it: a script
/// makes its background jobs do so, and children inherit it.
fn fourzero() -> Command {
    const SIGINT: u32 = 2;
    let process = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = process
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.map_or(0, |mask| u64::from_str_radix(mask.trim(), 16).unwrap());
    if ignored >> (SIGINT - 1) & 1 == 0 {
        return fourzero_process();
    }
    let mut command = Command::new("env");
    command
        .arg("--default-signal=INT")
        .arg(fourzero_process().get_program());
    command
}

/// A running command, killed if the test fails before it ends.
struct Running(Option<Child>);

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Running {
    fn start(command: &mut Command) -> Self {
        let child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self(Some(child))
    }

    fn child(&mut self) -> &mut Child {
        self.0.as_mut().expect("it runs until it is waited for")
    }

    /// Sends a signal, which a test can do only through another program.
    fn signal(&mut self, name: &str) {
        self.signals(&[name]);
    }

    /// The same for several, one right after the other. Two of a name may
    /// become one on their way.
    fn signals(&mut self, names: &[&str]) {
        let id = self.child().id();
        let kills: Vec<_> = names
            .iter()
            .map(|name| format!("kill -{name} {id}"))
            .collect();
        let status = Command::new("sh")
            .args(["-c", &kills.join(";")])
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Writes `text` to stdin again and again, until it is closed. Returns when
    /// the command must have read some of it: then it is ready for a signal.
    fn keep_writing(&mut self, text: String) {
        let mut stdin = self.child().stdin.take().unwrap();
        let (sender, written) = mpsc::channel();
        thread::spawn(move || {
            let mut bytes = 0;
            while stdin.write_all(text.as_bytes()).is_ok() {
                bytes += text.len();
                // A pipe holds 64 KiB on Linux, less elsewhere.
                if bytes > 1 << 20 {
                    let _ = sender.send(());
                }
            }
        });
        written.recv_timeout(PATIENCE).expect("it reads its stdin");
    }

    fn wait(mut self) -> Output {
        wait_until(|| self.child().try_wait().unwrap().is_some());
        let child = self.0.take().expect("it is waited for once");
        child.wait_with_output().unwrap()
    }
}

/// The journal is made after the handler of the signal.
fn wait_for_a_file_in(folder: &Folder) {
    wait_for_a_file(folder, ".journal");
}

fn wait_for_a_file(folder: &Folder, ending: &str) {
    wait_until(|| folder.names().iter().any(|name| name.ends_with(ending)));
}

/// Asserts that a command ended as an interrupted one, and returns its message.
#[track_caller]
fn was_interrupted(ended: &Output) -> String {
    let stderr = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(130), "{stderr}");
    assert_eq!(String::from_utf8_lossy(&ended.stdout), "");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    stderr.into_owned()
}

/// The same for mining into `chain.json`: if there is a journal, it has whole
/// blocks, and the message counts them. Removes the journal.
#[track_caller]
fn mining_was_interrupted(ended: &Output, folder: &Folder) {
    let message = was_interrupted(ended);
    let journal = folder.path("chain.json.journal");
    if let Ok(text) = fs::read_to_string(&journal) {
        let mined = text.matches("\"sender\": \"0\"}]}").count();
        assert!(mined > 0 && text.ends_with("]}"), "{text}");
        let counted = format!(" {} blocks ", mined + 1);
        assert!(message.replace(',', "").contains(&counted), "{message}");
        fs::remove_file(journal).unwrap();
    }
}

#[test]
fn an_interrupted_search_leaves_no_file_and_exits_130() {
    for signal in ["INT", "TERM"] {
        let folder = Folder::new();
        let output = folder.path("chain.json");
        let mut running = Running::start(
            fourzero()
                .args(["mine", "--difficulty", "12", "-o"])
                .args([&output, &data("queue.jsonl")]),
        );
        wait_for_a_file_in(&folder);
        running.signal(signal);
        mining_was_interrupted(&running.wait(), &folder);
        assert!(folder.names().is_empty(), "{:?}", folder.names());
    }
}

#[test]
fn abandoned_work_leaves_no_hidden_file() {
    let signals: [&[&str]; 2] = [&["INT"], &["INT", "TERM"]];
    let commands: [&[&str]; 2] = [
        &["convert", "-", "-o", "chain.json"],
        &["bench", "--seconds", "3600", "--export", "runs.json"],
    ];
    for command in commands {
        for signals in signals {
            let folder = Folder::new();
            let mut running = Running::start(fourzero().current_dir(folder.path("")).args(command));
            wait_for_a_file(&folder, ".partial");
            // Nothing comes on stdin, which stays open.
            running.signals(signals);
            let ended = running.wait();
            assert_eq!(ended.status.code(), Some(130), "{command:?} {ended:?}");
            assert!(folder.names().is_empty(), "{:?}", folder.names());
        }
    }
}

/// Starts `bench` on a terminal of its own, presses Ctrl-C once the progress
/// counts a sample, and prints the exit code and what it wrote to stdout.
const INTERRUPT_IN_TERMINAL: &str = r#"
import os, pty, re, signal, subprocess, sys
terminal, side = pty.openpty()
running = subprocess.Popen(sys.argv[1:], stdin=side, stdout=subprocess.PIPE, stderr=side)
os.close(side)
shown = b""
while not re.search(rb" [1-9]\d*/\d+ samples", shown):
    shown += os.read(terminal, 4096)
running.send_signal(signal.SIGINT)
try:
    while os.read(terminal, 4096):
        pass
except OSError:
    pass
printed = running.stdout.read().decode()
print(running.wait())
print(printed, end="")
"#;

#[test]
fn an_interrupted_bench_keeps_what_it_measured() {
    if !has_python() {
        return;
    }
    let folder = Folder::new();
    let run = |options: &[&str]| {
        let binary = assert_cmd::cargo::cargo_bin!("fourzero");
        let run = assert_cmd::Command::new("python3")
            .args(["-c", INTERRUPT_IN_TERMINAL])
            .arg(binary)
            .args(["bench", "--seconds", "24", "--threads", "1,2"])
            .args(options)
            .env("TERM", "xterm")
            .current_dir(folder.path(""))
            .timeout(PATIENCE)
            .ends_with(0);
        let (code, printed) = run.stdout.split_once('\n').unwrap();
        assert_eq!(code, "130", "{}", run.stdout);
        printed.to_owned()
    };
    let printed = run(&["--json", "--export", "b.json", "--plot", "b.svg"]);
    assert_eq!(folder.names(), ["b.json", "b.svg"]);
    assert_eq!(folder.read("b.json"), printed);
    assert!(folder.read("b.svg").contains("partial: "));
    let report: Value = serde_json::from_str(&printed).unwrap();
    let samples = report["partial"]["samples"].as_u64().unwrap();
    assert_eq!(report["partial"]["planned_samples"], 24);
    assert!((1..24).contains(&samples), "{report}");
    let runs = report["runs"].as_array().unwrap();
    assert_eq!(runs.len() as u64, samples.min(2));
    // It can be compared with.
    let table = run(&["--baseline", "b.json"]);
    assert!(table.contains("since the baseline"), "{table}");
    assert!(table.contains("\npartial: "), "{table}");
}

/// As `nohup` asks, and the `&` of a script.
#[test]
fn signals_that_were_ignored_stay_so() {
    let folder = Folder::new();
    let output = folder.path("chain.json");
    let mine = fourzero_process();
    let mut running = Running::start(
        Command::new("sh")
            .args(["-c", "trap '' HUP INT; exec \"$0\" mine - -o \"$1\""])
            .arg(mine.get_program())
            .arg(&output),
    );
    wait_for_a_file_in(&folder);
    running.signal("HUP");
    running.signal("INT");
    let mut stdin = running.child().stdin.take().unwrap();
    stdin
        .write_all(data_text("queue.jsonl").as_bytes())
        .unwrap();
    drop(stdin);
    let ended = running.wait();
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    assert!(output.exists());
}

#[test]
fn an_interrupted_search_under_every_rule_and_kernel_ends() {
    for rule in crate::naive::RULES {
        for kernel in fourzero::sha256::Kernel::available() {
            let folder = Folder::new();
            let output = folder.path("chain.json");
            let mut running = Running::start(
                fourzero()
                    .args(["mine", "--difficulty", "64", "--rule", rule])
                    .args(["--kernel", kernel.name(), "--threads", "2", "-o"])
                    .args([&output, &data("queue.jsonl")]),
            );
            wait_for_a_file_in(&folder);
            running.signal("INT");
            mining_was_interrupted(&running.wait(), &folder);
            assert!(folder.names().is_empty(), "{:?}", folder.names());
        }
    }
}

#[test]
fn an_interrupted_search_leaves_an_old_chain_unchanged() {
    let folder = Folder::new();
    let output = folder.write("chain.json", "old");
    let mut running = Running::start(
        fourzero()
            .args(["mine", "--force", "--difficulty", "12", "-o"])
            .args([&output, &data("queue.jsonl")]),
    );
    wait_for_a_file_in(&folder);
    running.signal("INT");
    mining_was_interrupted(&running.wait(), &folder);
    assert_eq!(folder.read("chain.json"), "old");
    assert_eq!(folder.names(), ["chain.json"]);
}

#[test]
fn interrupted_mining_keeps_its_blocks_and_prints_the_command_to_resume() {
    for signal in ["INT", "TERM"] {
        let folder = Folder::new();
        let line = "{\"sender\": \"it's\", \"recipient\": \"b\", \"amount\": 1}\n";
        let lines = line.repeat(4_000);
        // A pipe at first, and left open, so that no machine finishes before the signal.
        let queue = folder.path("the queue.jsonl");
        let made = Command::new("mkfifo").arg(&queue).status().unwrap();
        assert!(made.success());
        let (signalled, until_signalled) = mpsc::channel::<()>();
        let (path, text) = (queue.clone(), lines.clone());
        thread::spawn(move || {
            let mut pipe = fs::File::options().write(true).open(path).unwrap();
            // It fails if the signal ends the reader first.
            let _ = pipe.write_all(text.as_bytes());
            let _ = until_signalled.recv();
        });
        let options = [
            "mine",
            "the queue.jsonl",
            "--rule",
            "last-hash",
            "--timestamp",
            "0",
        ];
        let mine = |output: &str| {
            let mut command = fourzero();
            command.current_dir(folder.path("")).args(options).args([
                "--block-size",
                "2",
                "--recipient",
                "me",
                "-o",
                output,
            ]);
            command
        };
        let mut running = Running::start(&mut mine("chain.json"));
        let journal = folder.path("chain.json.journal");
        wait_for_bytes(&journal, 2_000);
        running.signal(signal);
        let ended = running.wait();
        drop(signalled);
        fs::remove_file(&queue).unwrap();
        fs::write(&queue, lines).unwrap();
        let stderr = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(130), "{stderr}");
        let command = stderr.split_once("to resume: ").expect("a command").1;
        let kept = fs::read(&journal).unwrap();
        assert!(kept.ends_with(b"]}"));

        let status = Command::new("sh")
            .args(["-c", command])
            .current_dir(folder.path(""))
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success(), "{command}");
        assert!(mine("whole.json").output().unwrap().status.success());
        let whole = folder.read("whole.json");
        assert!(folder.read("chain.json") == whole);
        assert!(whole.as_bytes().starts_with(&kept));
        assert!(!journal.exists());
    }
}

#[test]
fn the_second_interrupt_ends_at_once_and_keeps_the_journal() {
    let folder = Folder::new();
    let output = folder.path("chain.json");
    let mut running = Running::start(
        fourzero()
            .args(["mine", "--difficulty", "12", "-o"])
            .args([&output, &data("queue.jsonl")]),
    );
    wait_for_a_file_in(&folder);
    // Both signals are pending when it continues: the first has no time to take effect.
    running.signals(&["STOP", "INT", "TERM", "CONT"]);
    was_interrupted(&running.wait());
    // After one interrupt it would have been removed, because nothing was mined.
    assert_eq!(folder.names(), ["chain.json.journal"]);
}

#[test]
fn mining_a_silent_stdin_can_be_interrupted() {
    let folder = Folder::new();
    let output = folder.path("chain.json");
    let mut running = Running::start(
        fourzero()
            .args(["mine", "-", "--difficulty", "1", "-o"])
            .arg(&output),
    );
    // Some transactions come, and then nothing, with the pipe open.
    let stdin = running.child().stdin.as_mut().unwrap();
    stdin
        .write_all(data_text("queue.jsonl").as_bytes())
        .unwrap();
    wait_for_a_file_in(&folder);
    running.signal("INT");
    // `wait` leaves stdin open while it waits.
    mining_was_interrupted(&running.wait(), &folder);
    assert!(folder.names().is_empty(), "{:?}", folder.names());
}

#[test]
fn mining_a_never_ending_stdin_can_be_interrupted() {
    for options in [
        &[][..],
        &["--rule", "last-hash"],
        &["--block-size", "1000000"],
    ] {
        let folder = Folder::new();
        let output = folder.path("chain.json");
        let mut running = Running::start(
            fourzero()
                .args(["mine", "-", "--difficulty", "1", "-o"])
                .arg(&output)
                .args(options),
        );
        running.keep_writing(data_text("queue.jsonl"));
        running.signal("INT");
        mining_was_interrupted(&running.wait(), &folder);
        assert!(folder.names().is_empty(), "{:?}", folder.names());
    }
}

#[test]
fn verifying_a_never_ending_stdin_can_be_interrupted() {
    let block = crate::support::exported_blocks("chain-last-hash.json")[0].canonical();
    for endless in [
        // Good blocks, a value that never ends, and white space.
        format!("{block}\n"),
        "[[[".to_owned(),
        " \n".repeat(1000),
    ] {
        let mut running = Running::start(fourzero().args(["verify", "--quiet", "-"]));
        running.keep_writing(endless.clone());
        running.signal("INT");
        was_interrupted(&running.wait());
    }
}

#[test]
fn verifying_a_silent_stdin_can_be_interrupted() {
    let mut running = Running::start(
        fourzero()
            .arg("verify")
            .arg(data("chain-last-hash.json"))
            .arg("-"),
    );
    // The first file's verdict shows that it is ready for a signal.
    let mut line = String::new();
    let stdout = running.child().stdout.as_mut().unwrap();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).unwrap();
    assert_ne!(line, "");
    running.signal("INT");
    was_interrupted(&running.wait());
}

#[cfg(feature = "node")]
#[test]
fn importing_a_silent_pipe_can_be_interrupted() {
    let folder = Folder::new();
    let pipe = folder.path("chain.json");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let mut running = Running::start(
        fourzero()
            .args(["node", "import", "--data"])
            .args([&folder.path("data"), &pipe]),
    );
    // Opens when the command does, which is ready for a signal by then.
    let _silent = fs::File::options().write(true).open(&pipe).unwrap();
    running.signal("TERM");
    was_interrupted(&running.wait());
}
