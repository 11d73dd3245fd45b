//! Nodes as processes, and a small HTTP client.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// The time after which a test counts as hung. No test depends on speed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A running program that listens; killed with the test.
pub(crate) struct Server {
    child: Child,
    /// `host:port`.
    pub(crate) address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The node's command, on a free port, with its data in `data`.
pub(crate) fn node_command(data: &Path) -> Command {
    node_command_on("127.0.0.1:0", data)
}

pub(crate) fn node_command_on(address: &str, data: &Path) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("fourzero"));
    command
        .args(["node", "--listen", address, "--threads", "1", "--json"])
        .arg("--data")
        .arg(data)
        .env_remove("FOURZERO_TOKEN");
    command
}

impl Server {
    /// Starts a node and reads its address.
    pub(crate) fn node(command: &mut Command) -> Self {
        Self::with_log_level("error", command)
    }

    pub(crate) fn with_log_level(level: &str, command: &mut Command) -> Self {
        let (child, line) = start(command.args(["--log-level", level]));
        let said: Value = serde_json::from_str(&line).expect("the node prints JSON");
        let address = said["address"].as_str().unwrap();
        Self {
            child,
            address: address.strip_prefix("http://").unwrap().to_owned(),
        }
    }

    /// The Flask stand-in; `None` where there is no Python with Flask.
    pub(crate) fn flask(rule: &str) -> Option<Self> {
        let python = std::env::var("FLASK_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let has_flask = Command::new(&python)
            .args(["-c", "import flask, requests"])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        if !has_flask {
            eprintln!("skipped: {python} has no Flask (FLASK_PYTHON names one that has)");
            return None;
        }
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/flask_node.py");
        let mut command = Command::new(python);
        command
            .args([script, "0", "--difficulty", "3", "--rule", rule])
            .stderr(Stdio::null());
        let (child, line) = start(&mut command);
        let address = line.trim().strip_prefix("ready http://").unwrap();
        Some(Self {
            child,
            address: address.to_owned(),
        })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends a signal, through a shell because std cannot.
    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.id());
        let status = Command::new("sh").arg("-c").arg(kill).status().unwrap();
        assert!(status.success());
    }

    /// Waits for the process to end, and returns its exit code.
    pub(crate) fn wait(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    /// Repeats a request until `is_wanted` accepts the answer.
    pub(crate) fn wait_until(&self, path: &str, is_wanted: impl Fn(&Answer) -> bool) -> Answer {
        let started = Instant::now();
        loop {
            let answer = self.get(path);
            if is_wanted(&answer) {
                return answer;
            }
            assert!(started.elapsed() < PATIENCE, "{answer:?}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        request(&self.address, "GET", path, &[], "").unwrap()
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> Answer {
        post(&self.address, path, body).unwrap()
    }
}

fn start(command: &mut Command) -> (Child, String) {
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert!(!line.is_empty(), "no address was printed");
    (child, line)
}

/// A complete answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// Asserts the status and returns the JSON.
    #[track_caller]
    pub(crate) fn ok(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        self.json()
    }
}

pub(crate) fn post(address: &str, path: &str, body: &str) -> io::Result<Answer> {
    let headers = ["Content-Type: application/json"];
    request(address, "POST", path, &headers, body)
}

/// One request on a new connection.
pub(crate) fn request(
    address: &str,
    method: &str,
    path: &str,
    headers: &[&str],
    body: &str,
) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let headers: String = headers
        .iter()
        .map(|header| format!("{header}\r\n"))
        .collect();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Content-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    )?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    parse(&bytes).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

/// Parses a complete answer; `None` if its end is missing.
fn parse(bytes: &[u8]) -> Option<Answer> {
    let text = String::from_utf8(bytes.to_vec()).ok()?;
    let (head, rest) = text.split_once("\r\n\r\n")?;
    let head = head.to_ascii_lowercase();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map(|length| length.trim().parse::<usize>());
    let body = if head.contains("transfer-encoding: chunked") {
        let mut body = String::new();
        let mut rest = rest;
        loop {
            let (size, after) = rest.split_once("\r\n")?;
            let size = usize::from_str_radix(size.trim(), 16).ok()?;
            if size == 0 {
                break body;
            }
            body.push_str(after.get(..size)?);
            rest = after.get(size..)?.strip_prefix("\r\n")?;
        }
    } else {
        let length = length?.ok()?;
        (rest.len() == length).then(|| rest.to_owned())?
    };
    Some(Answer { status, head, body })
}

/// `fourzero verify` of a chain's text, under a rule and difficulty.
#[track_caller]
pub(crate) fn assert_verifies(chain: &str, rule: &str, zeros: &str) {
    let mut command = assert_cmd::cargo::cargo_bin_cmd!("fourzero");
    command
        .args(["verify", "-", "--rule", rule, "--difficulty", zeros])
        .write_stdin(chain.to_owned())
        .timeout(PATIENCE)
        .assert()
        .success();
}
