//! The terminal on stderr as indicatif draws on it. Drawings that it cannot
//! take at once are skipped, so drawing never blocks.

use std::io;
use std::sync::{Mutex, PoisonError};

use console::Term;
use indicatif::{ProgressDrawTarget, TermLike};

use crate::cli::stderr;

/// Drawings per second, as in indicatif's own target.
const MOST_DRAWINGS: u8 = 20;

/// The terminal, or a hidden target if stderr is not a terminal.
pub(in crate::cli) fn target() -> ProgressDrawTarget {
    let target = ProgressDrawTarget::stderr();
    // Escape codes move the cursor only on Unix.
    if target.is_hidden() || !cfg!(unix) {
        return target;
    }
    let terminal = Terminal {
        size: Term::stderr(),
        drawing: Mutex::default(),
    };
    ProgressDrawTarget::term_like_with_hz(Box::new(terminal), MOST_DRAWINGS)
}

#[derive(Debug)]
struct Terminal {
    /// Only its size is used.
    size: Term,
    drawing: Mutex<Drawing>,
}

/// What will be drawn.
#[derive(Debug, Default)]
struct Drawing {
    codes_and_text: String,
    has_text: bool,
}

impl Terminal {
    fn add(&self, text: &str, is_text: bool) -> io::Result<()> {
        let mut drawing = self.drawing.lock().unwrap_or_else(PoisonError::into_inner);
        drawing.codes_and_text.push_str(text);
        drawing.has_text |= is_text;
        Ok(())
    }

    fn move_cursor(&self, count: usize, direction: char) -> io::Result<()> {
        match count {
            0 => Ok(()),
            count => self.add(&format!("\x1b[{count}{direction}"), false),
        }
    }
}

impl TermLike for Terminal {
    fn width(&self) -> u16 {
        TermLike::width(&self.size)
    }

    fn height(&self) -> u16 {
        TermLike::height(&self.size)
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.move_cursor(n, 'A')
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.move_cursor(n, 'B')
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.move_cursor(n, 'C')
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.move_cursor(n, 'D')
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.add(&format!("{text}\n"), true)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.add(text, !text.is_empty())
    }

    fn clear_line(&self) -> io::Result<()> {
        self.add("\r\x1b[2K", false)
    }

    /// Fails if the drawing was skipped. Then indicatif still clears the lines
    /// of the one before.
    fn flush(&self) -> io::Result<()> {
        let mut drawing = self.drawing.lock().unwrap_or_else(PoisonError::into_inner);
        let Drawing {
            codes_and_text,
            has_text,
        } = std::mem::take(&mut *drawing);
        let is_drawn = match has_text {
            _ if codes_and_text.is_empty() => true,
            true => stderr::draw(codes_and_text),
            // Messages must not end up on the line, however long they wait.
            false => stderr::clear(codes_and_text),
        };
        match is_drawn {
            true => Ok(()),
            false => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}
