//! Whether messages are coloured: as `--color` asks, else as the terminal and
//! the variables `NO_COLOR`, `CLICOLOR` and `CLICOLOR_FORCE` do.
//!
//! The choice is kept where clap looks for it, too, so that its help and its
//! errors follow it.

use std::ffi::OsString;
use std::fmt::Display;
use std::io;

use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};
use clap::builder::styling::{AnsiColor, Style};

pub(super) const ERROR: Style = AnsiColor::Red.on_default().bold();
pub(super) const WARNING: Style = AnsiColor::Yellow.on_default().bold();
pub(super) const NOTE: Style = AnsiColor::Cyan.on_default();
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();

/// Makes `choice` the choice of the whole program.
pub(super) fn choose(choice: clap::ColorChoice) {
    match choice {
        clap::ColorChoice::Auto => ColorChoice::Auto,
        clap::ColorChoice::Always => ColorChoice::Always,
        clap::ColorChoice::Never => ColorChoice::Never,
    }
    .write_global();
}

/// What `--color` asks for, looked up before the arguments are parsed: what
/// is wrong with them is to be said in the right colour. The last one counts.
pub(super) fn asked_for(arguments: impl Iterator<Item = OsString>) -> clap::ColorChoice {
    let mut asked = clap::ColorChoice::Auto;
    let mut is_value = false;
    for argument in arguments.map(|argument| argument.to_string_lossy().into_owned()) {
        let value = match argument.strip_prefix("--color") {
            _ if is_value => Some(argument.as_str()),
            Some(rest) => rest.strip_prefix('='),
            None if argument == "--" => break,
            None => None,
        };
        is_value = !is_value && argument == "--color";
        if let Some(choice) = value.and_then(|value| value.parse().ok()) {
            asked = choice;
        }
    }
    asked
}

/// Whether messages on stderr are coloured.
pub(super) fn is_wanted_on_stderr() -> bool {
    is_wanted(&io::stderr())
}

fn is_wanted(stream: &impl RawStream) -> bool {
    AutoStream::choice(stream) != ColorChoice::Never
}

/// `text` as it is shown on stdout.
pub(super) fn on_stdout(style: Style, text: &str) -> String {
    paint(is_wanted(&io::stdout()), style, text)
}

/// `text` as it is shown on stderr.
pub(super) fn on_stderr(style: Style, text: &str) -> String {
    paint(is_wanted_on_stderr(), style, text)
}

fn paint(is_wanted: bool, style: Style, text: impl Display) -> String {
    if is_wanted {
        format!("{style}{text}{style:#}")
    } else {
        text.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choice_is_found_wherever_it_stands() {
        use clap::ColorChoice::{Always, Auto, Never};
        for (arguments, expected) in [
            ("", Auto),
            ("verify a.json --color always", Always),
            ("--color=never verify", Never),
            ("--color never verify --color=always", Always),
            ("verify --color", Auto),
            ("verify --color --color=always", Auto),
            ("verify --color green", Auto),
            ("verify --colored=always", Auto),
            ("verify -- --color=always", Auto),
        ] {
            let arguments = arguments.split_whitespace().map(OsString::from);
            assert_eq!(asked_for(arguments), expected);
        }
    }

    #[test]
    fn paint_is_put_on_and_taken_off() {
        assert_eq!(paint(false, BAD, "invalid"), "invalid");
        assert_eq!(paint(true, GOOD, "valid"), "\u{1b}[32mvalid\u{1b}[0m");
    }
}
