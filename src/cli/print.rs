//! Printing: results on stdout, messages on stderr, numbers for people.

use fourzero::bench::Chosen;
use std::borrow::Cow;
use std::fmt::{Display, Write as _};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

use super::color;

/// What a command says when its result cannot be printed.
pub(super) const FAILED: &str = "cannot print the result";

/// Whether `path` is a name of standard output. Where that is redirected to a
/// file, the system's names for it are that file's, which is there already.
pub(super) fn is_stdout(path: &Path) -> bool {
    ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"]
        .iter()
        .any(|name| path == Path::new(name))
}

/// Prints one line of a result.
///
/// Whoever reads may have had enough, and left a broken pipe. That is no error,
/// and nothing to stop for: the exit status may still be asked for.
///
/// # Errors
/// If stdout is closed or full.
pub(super) fn line(text: &str) -> io::Result<()> {
    raw_line(&printable(text))
}

fn raw_line(text: &str) -> io::Result<()> {
    match writeln!(io::stdout().lock(), "{text}") {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        printed => printed,
    }
}

/// Prints one JSON object as one line of the result.
///
/// # Errors
/// If stdout is closed or full.
pub(super) fn json(value: &impl Serialize) -> io::Result<()> {
    let text = serde_json::to_string(value).map_err(io::Error::other)?;
    raw_line(&text)
}

/// Prints a message. A closed stderr is nothing to stop for.
pub(super) fn message(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", printable(text));
}

/// `text` without what could steer a terminal: a file may be named anything.
/// New lines and colours stay, which are ours.
pub(super) fn printable(text: &str) -> Cow<'_, str> {
    let is_bare = |character: char| !character.is_control() || character == '\n';
    if text.chars().all(is_bare) {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let length = color_length(rest).unwrap_or(character.len_utf8());
        let (start, end) = rest.split_at(length);
        rest = end;
        if is_bare(character) || length > 1 && character == '\u{1b}' {
            out.push_str(start);
        } else {
            let _ = write!(out, "{}", character.escape_default());
        }
    }
    Cow::Owned(out)
}

/// Bytes of the change of colour that `text` starts with.
fn color_length(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let end = parameters.find(|character: char| !matches!(character, '0'..='9' | ';'))?;
    parameters[end..].starts_with('m').then_some(end + 3)
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

/// A choice by measurement, in words.
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

/// How many blocks a second, or how long one takes; `None` if there are none.
pub(super) fn block_rate(blocks_per_second: f64) -> Option<String> {
    match blocks_per_second {
        rate if rate >= 9.95 => {
            let rate = indicatif::HumanCount(rate.round() as u64);
            Some(format!("{rate} blocks/s"))
        }
        rate if rate >= 0.1 => Some(format!("{rate:.1} blocks/s")),
        rate if rate > 0.0 => Some(format!("{} a block", rough_time(1.0 / rate))),
        _ => None,
    }
}

/// A time of which two digits matter: `12 s`, `25 min`, `3 h`, `5 days`.
pub(super) fn rough_time(seconds: f64) -> String {
    const MINUTE: f64 = 60.0;
    const HOUR: f64 = 60.0 * MINUTE;
    const DAY: f64 = 24.0 * HOUR;
    match seconds {
        time if time < 1.5 * MINUTE => format!("{time:.0} s"),
        time if time < 1.5 * HOUR => format!("{:.0} min", time / MINUTE),
        time if time < 2.0 * DAY => format!("{:.0} h", time / HOUR),
        time => count((time / DAY).round() as u64, "day"),
    }
}

/// `word` as a shell takes it for one word.
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
    fn what_would_steer_a_terminal_is_shown_in_its_place() {
        let plain = "é.json: valid\nnext";
        assert!(matches!(printable(plain), Cow::Borrowed(same) if same == plain));
        for (text, shown) in [
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
        assert_eq!(hashrate(12_345_678.0).to_string(), "12.3 MH/s");
        assert_eq!(hashrate(0.0).to_string(), "0.0 H/s");
    }

    #[test]
    fn a_rate_of_blocks_has_the_digits_that_matter() {
        let shown = [
            67_846.4,
            134.6,
            9.97,
            9.94,
            0.1,
            0.083,
            0.005,
            0.0,
            f64::NAN,
        ]
        .map(block_rate);
        let expected = [
            "67,846 blocks/s",
            "135 blocks/s",
            "10 blocks/s",
            "9.9 blocks/s",
            "0.1 blocks/s",
            "12 s a block",
            "3 min a block",
        ];
        assert_eq!(shown[..7], expected.map(|rate| Some(rate.to_owned())));
        assert_eq!(shown[7..], [None, None]);
    }

    #[test]
    fn a_time_has_the_unit_that_keeps_it_readable() {
        let hour = 3600.0;
        let shown = [0.2, 89.0, 90.0, hour, 2.0 * hour, 47.0 * hour, 72.0 * hour].map(rough_time);
        let expected = ["0 s", "89 s", "2 min", "60 min", "2 h", "47 h", "3 days"];
        assert_eq!(shown, expected);
    }
}
