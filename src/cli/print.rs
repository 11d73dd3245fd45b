//! Printing: results on stdout, messages on stderr, numbers for people.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

use super::color;

/// What a command says when its result cannot be printed.
pub(super) const FAILED: &str = "cannot print the result";

/// Prints one line of a result.
///
/// # Errors
/// If stdout is closed or full.
pub(super) fn line(text: &str) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{text}")
}

/// Prints one JSON object as one line of the result.
///
/// # Errors
/// If stdout is closed or full.
pub(super) fn json(value: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_string(value).map_err(io::Error::other)?;
    line(&text)
}

/// Prints a message. A closed stderr is nothing to stop for.
pub(super) fn message(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Prints an error.
pub(super) fn error(text: &str) {
    message(&format!(
        "{} {text}",
        color::on_stderr(color::ERROR, "error:")
    ));
}

/// Prints a warning.
pub(super) fn warning(text: &str) {
    message(&format!(
        "{} {text}",
        color::on_stderr(color::WARNING, "warning:")
    ));
}

/// Whether `--verbose` was given: set once, before anything is printed.
static IS_VERBOSE: AtomicBool = AtomicBool::new(false);

pub(super) fn set_verbose(is_verbose: bool) {
    IS_VERBOSE.store(is_verbose, Ordering::Relaxed);
}

/// Prints what `--verbose` asks for.
pub(super) fn note(text: impl FnOnce() -> String) {
    if IS_VERBOSE.load(Ordering::Relaxed) {
        let label = color::on_stderr(color::NOTE, "note:");
        message(&format!("{label} {}", text()));
    }
}

/// `1 block`, `1,234 blocks`, `1,234 hashes`.
pub(super) fn count(number: u64, noun: &str) -> String {
    let plural = match number {
        1 => "",
        _ if noun.ends_with("sh") => "es",
        _ => "s",
    };
    format!("{} {noun}{plural}", indicatif::HumanCount(number))
}

/// A hashrate with the unit that keeps it readable.
pub(super) fn hashrate(hashes_per_second: f64) -> impl Display {
    let (scaled, unit) = match hashes_per_second {
        rate if rate >= 1e9 => (rate / 1e9, "GH/s"),
        rate if rate >= 1e6 => (rate / 1e6, "MH/s"),
        rate if rate >= 1e3 => (rate / 1e3, "kH/s"),
        rate => (rate, "H/s"),
    };
    format!("{scaled:.1} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        assert_eq!(count(1, "block"), "1 block");
        assert_eq!(count(1_234_567, "block"), "1,234,567 blocks");
        assert_eq!(count(0, "hash"), "0 hashes");
        assert_eq!(hashrate(12_345_678.0).to_string(), "12.3 MH/s");
        assert_eq!(hashrate(0.0).to_string(), "0.0 H/s");
    }
}
