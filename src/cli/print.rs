//! Printing: results to stdout, messages to stderr, numbers for people.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Style};
use fourzero::bench::Chosen;
use indicatif::{HumanCount, HumanDuration};
use serde::Serialize;

use super::stderr;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const NOTE: Style = AnsiColor::Cyan.on_default();
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
pub(super) const BAD: Style = ERROR;

/// The context of an error while printing a result.
pub(super) const FAILED: &str = "cannot print the result";

/// Whether `path` names standard output. If that is redirected to a file, the
/// `/dev` names resolve to that file, which already exists.
pub(super) fn is_stdout(path: &Path) -> bool {
    ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"]
        .iter()
        .any(|name| path == Path::new(name))
}

/// Prints one line of a result, with colours where stdout shows them.
///
/// # Errors
/// If stdout is closed or full.
pub(super) fn line(text: &str) -> io::Result<()> {
    print(|| writeln!(anstream::stdout().lock(), "{}", printable(text)))
}

/// Prints one JSON object as one line of the result.
///
/// # Errors
/// If stdout is closed or full.
pub(super) fn json(value: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_string(value).map_err(io::Error::other)?;
    print(|| writeln!(io::stdout().lock(), "{text}"))
}

/// Odd while a result is being printed.
static PRINTS: AtomicU64 = AtomicU64::new(0);

fn print(write: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    stderr::settle();
    PRINTS.fetch_add(1, Ordering::Relaxed);
    let printed = write();
    PRINTS.fetch_add(1, Ordering::Relaxed);
    match printed {
        // A reader may stop reading at any time. The command still finishes,
        // because its exit status may be wanted.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        printed => printed,
    }
}

/// Waits for `time`, and returns whether one line took all of it: stdout is not
/// read.
pub(super) fn is_stuck(time: Duration) -> bool {
    let prints = PRINTS.load(Ordering::Relaxed);
    thread::sleep(time);
    prints % 2 == 1 && prints == PRINTS.load(Ordering::Relaxed)
}

/// Prints a message to stderr. A closed stderr is ignored.
pub(super) fn message(text: &str) {
    stderr::message(printable(text) + "\n");
}

/// Escapes control characters, because a file name may contain any. Line breaks
/// and colours stay.
pub(super) fn printable(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (place, character) in text.char_indices() {
        let is_color = character == '\u{1b}' && is_color_code(&text[place + 1..]);
        if is_color || character == '\n' || !character.is_control() {
            escaped.push(character);
        } else {
            escaped.extend(character.escape_default());
        }
    }
    escaped
}

fn is_color_code(text: &str) -> bool {
    let parameters = |character: char| character.is_ascii_digit() || character == ';';
    text.strip_prefix('[')
        .is_some_and(|code| code.trim_start_matches(parameters).starts_with('m'))
}

/// Prints an error.
pub(super) fn error(text: &str) {
    message(&format!("{ERROR}error:{ERROR:#} {text}"));
}

/// Prints a warning, unless `--quiet` was given.
pub(super) fn warning(text: &str) {
    unless_quiet(&format!("{WARNING}warning:{WARNING:#} {text}"));
}

/// Prints a message, unless `--quiet` was given.
pub(super) fn unless_quiet(text: &str) {
    if !is_quiet() {
        message(text);
    }
}

/// Whether `--verbose` was given.
static IS_VERBOSE: AtomicBool = AtomicBool::new(false);

/// Whether `--quiet` was given.
static IS_QUIET: AtomicBool = AtomicBool::new(false);

/// Says whether `--verbose` and `--quiet` were given. Called once, before
/// anything is printed.
pub(super) fn set_verbosity(is_verbose: bool, is_quiet: bool) {
    IS_VERBOSE.store(is_verbose, Ordering::Relaxed);
    IS_QUIET.store(is_quiet, Ordering::Relaxed);
}

/// Whether only results and errors are wanted.
pub(super) fn is_quiet() -> bool {
    IS_QUIET.load(Ordering::Relaxed)
}

/// Prints a note if `--verbose` was given.
pub(super) fn note(text: impl FnOnce() -> String) {
    if IS_VERBOSE.load(Ordering::Relaxed) {
        message(&format!("{NOTE}note:{NOTE:#} {}", text()));
    }
}

/// `1 block`, `1,234 blocks`, `1,234 hashes`.
pub(super) fn count(number: u64, noun: &str) -> String {
    let plural = match number {
        1 => "",
        _ if noun.ends_with("sh") => "es",
        _ => "s",
    };
    format!("{} {noun}{plural}", HumanCount(number))
}

/// `9 transactions (1 reward)`: the first number includes the second.
pub(super) fn transactions(number: u64, rewards: u64) -> String {
    let (number, rewards) = (count(number, "transaction"), count(rewards, "reward"));
    format!("{number} ({rewards})")
}

/// `1 core`, `1.5 cores`.
pub(super) fn cores(number: f64) -> String {
    // At most two decimals: kernels count microseconds.
    let number = (100.0 * number).round() / 100.0;
    let plural = if number == 1.0 { "" } else { "s" };
    format!("{number} core{plural}")
}

/// A hashrate in the largest unit that fits.
pub(super) fn hashrate(hashes_per_second: f64) -> impl Display {
    let (scaled, unit) = match hashes_per_second {
        rate if rate >= 1e9 => (rate / 1e9, "GH/s"),
        rate if rate >= 1e6 => (rate / 1e6, "MH/s"),
        rate if rate >= 1e3 => (rate / 1e3, "kH/s"),
        rate => (rate, "H/s"),
    };
    format!("{scaled:.1} {unit}")
}

/// The kernel that was measured to be the fastest, and the second fastest.
pub(super) fn chosen(chosen: &Chosen) -> String {
    format!(
        "{}: {} is the fastest ({}), then {} ({})",
        chosen.messages,
        chosen.kernel,
        hashrate(chosen.hashrate),
        chosen.runner_up,
        hashrate(chosen.runner_up_hashrate)
    )
}

/// Blocks per second, or the time per block if that is long. `None` without
/// any blocks.
pub(super) fn block_rate(blocks_per_second: f64) -> Option<String> {
    match blocks_per_second {
        rate if rate >= 9.95 => Some(format!("{} blocks/s", HumanCount(rate.round() as u64))),
        rate if rate >= 0.1 => Some(format!("{rate:.1} blocks/s")),
        rate => {
            let time = Duration::try_from_secs_f64(rate.recip()).ok()?;
            Some(format!("{:#} per block", HumanDuration(time)))
        }
    }
}

/// Quotes `word` for a shell if necessary.
pub(super) fn shell_word(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:=,+@%".contains(&byte);
    if !word.is_empty() && word.bytes().all(is_plain) {
        word.to_owned()
    } else if cfg!(windows) {
        format!("\"{word}\"")
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_escaped_and_colours_are_not() {
        for (text, shown) in [
            ("é.json: valid\nnext", "é.json: valid\nnext"),
            ("a\u{1b}[2Jb", "a\\u{1b}[2Jb"),
            ("a\u{1b}]0;title\u{7}", "a\\u{1b}]0;title\\u{7}"),
            ("\rx\t\u{9b}é\u{1b}", "\\rx\\t\\u{9b}é\\u{1b}"),
            (
                "\u{1b}[1m\u{1b}[31mred\u{1b}[0m\t",
                "\u{1b}[1m\u{1b}[31mred\u{1b}[0m\\t",
            ),
            ("\u{1b}[12", "\\u{1b}[12"),
        ] {
            assert_eq!(printable(text), shown);
        }
    }

    #[test]
    fn numbers_are_readable() {
        assert_eq!(count(1, "block"), "1 block");
        assert_eq!(count(1_234_567, "block"), "1,234,567 blocks");
        assert_eq!(count(0, "hash"), "0 hashes");
        assert_eq!(
            [1.0, 1.5, 0.333_333].map(cores),
            ["1 core", "1.5 cores", "0.33 cores"]
        );
        assert_eq!(hashrate(12_345_678.0).to_string(), "12.3 MH/s");
        assert_eq!(hashrate(0.0).to_string(), "0.0 H/s");
    }

    #[test]
    fn block_rates_show_the_digits_that_matter() {
        for (rate, shown) in [
            (67_846.4, Some("67,846 blocks/s")),
            (9.97, Some("10 blocks/s")),
            (9.94, Some("9.9 blocks/s")),
            (0.1, Some("0.1 blocks/s")),
            (0.083, Some("12s per block")),
            (0.005, Some("3m per block")),
            (0.0, None),
            (f64::NAN, None),
        ] {
            assert_eq!(block_rate(rate).as_deref(), shown, "{rate}");
        }
    }
}
