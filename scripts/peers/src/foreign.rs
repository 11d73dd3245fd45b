//! Programs outside this process: CPython, and OpenSSL's own benchmark.

use std::process::Command;
use std::time::Duration;

use crate::contender::{Contender, FIRST_NONCE, Message};
use crate::peers::Found;

/// The tutorial's loop in Python. Prints an answer, or the seconds that `count`
/// nonces took.
const LOOP: &str = r#"
import sys, time
from hashlib import sha256
prefix, suffix, first, count = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
start = time.perf_counter()
nonce, last = first, first + count if count else None
zeros = "0" * 16 if count else "0000"
while nonce != last:
    if sha256(f"{prefix}{nonce}{suffix}".encode()).hexdigest().startswith(zeros):
        break
    nonce += 1
print(time.perf_counter() - start if count else nonce)
"#;

struct Python {
    version: String,
}

/// CPython, if there is a `python3`.
pub fn python() -> Found {
    let name = "CPython hashlib".to_owned();
    match output("python3", &["--version"]) {
        Some(version) => Ok(Box::new(Python {
            version: version.trim().replace("Python ", ""),
        })),
        None => Err((name, "there is no python3".to_owned())),
    }
}

impl Python {
    fn ask(&self, message: Message, count: u64) -> f64 {
        let arguments = [
            "-c",
            LOOP,
            message.prefix(),
            message.suffix(),
            &FIRST_NONCE.to_string(),
            &count.to_string(),
        ];
        output("python3", &arguments)
            .and_then(|text| text.trim().parse().ok())
            .expect("the loop prints one number")
    }
}

impl Contender for Python {
    fn name(&self) -> String {
        format!("CPython {} hashlib", self.version)
    }

    fn takes(&self, _: Message) -> bool {
        true
    }

    fn solve(&mut self, message: Message) -> u64 {
        self.ask(message, 0) as u64
    }

    fn run(&mut self, message: Message, nonces: u64) -> Duration {
        Duration::from_secs_f64(self.ask(message, nonces))
    }
}

/// The SHA-256 rate that `openssl speed` reports.
pub struct OpensslFigure {
    pub version: String,
    /// Messages per second, each of 16 bytes and one block.
    pub messages: f64,
}

/// `None` if there is no `openssl`.
pub fn openssl_figure() -> Option<OpensslFigure> {
    let version = output("openssl", &["version"])?;
    let speed = output(
        "openssl",
        &[
            "speed", "-mr", "-seconds", "1", "-bytes", "16", "-evp", "sha256",
        ],
    )?;
    // The machine-readable line: +F:number:name:bytes per second.
    let bytes: f64 = speed
        .lines()
        .find_map(|line| line.strip_prefix("+F:")?.rsplit(':').next()?.parse().ok())?;
    Some(OpensslFigure {
        version: version
            .split_whitespace()
            .take(2)
            .collect::<Vec<_>>()
            .join(" "),
        messages: bytes / 16.0,
    })
}

/// The output of a command, or `None` if it is missing or fails.
pub fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
