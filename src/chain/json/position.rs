//! Positions in a text: lines and columns.

use std::fmt;

/// A position in a text file. Both numbers start at 1, and columns count
/// characters, not bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Position {
    /// The line.
    pub line: u64,
    /// The character in that line.
    pub column: u64,
}

impl Position {
    /// The first character of a file.
    pub const START: Self = Self { line: 1, column: 1 };

    /// The position after `text`, if `text` starts at `self`.
    ///
    /// ```
    /// use fourzero::chain::json::Position;
    ///
    /// let after = Position::START.after("[\n é".as_bytes());
    /// assert_eq!(after, Position { line: 2, column: 3 });
    /// ```
    #[must_use]
    pub fn after(self, text: &[u8]) -> Self {
        self.advanced(Advance::over(text))
    }

    pub(crate) const fn next_line(self) -> Self {
        Self {
            line: self.line + 1,
            column: 1,
        }
    }

    pub(crate) const fn advanced(self, advance: Advance) -> Self {
        Self {
            line: self.line + advance.newlines,
            column: match advance.newlines {
                0 => self.column + advance.characters,
                _ => 1 + advance.characters,
            },
        }
    }
}

/// The extent of a text: how far it moves a position.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Advance {
    newlines: u64,
    /// Characters after the last newline.
    characters: u64,
}

impl Advance {
    /// The extent of lines of ASCII with `bytes` after the last newline.
    pub(crate) const fn over_ascii(newlines: u64, bytes: usize) -> Self {
        Self {
            newlines,
            characters: bytes as u64,
        }
    }

    pub(crate) const fn over_characters(&mut self, characters: usize) {
        self.characters += characters as u64;
    }

    pub(crate) fn over_text(&mut self, text: &[u8]) {
        let next = Self::over(text);
        self.newlines += next.newlines;
        self.characters = match next.newlines {
            0 => self.characters + next.characters,
            _ => next.characters,
        };
    }

    pub(crate) fn over(text: &[u8]) -> Self {
        let newlines = memchr::memchr_iter(b'\n', text).count() as u64;
        let last_line = match memchr::memrchr(b'\n', text) {
            Some(newline) => &text[newline + 1..],
            None => text,
        };
        // In UTF-8, every byte except continuation bytes starts a character.
        let characters = last_line
            .iter()
            .filter(|byte| (**byte as i8) >= -0x40)
            .count() as u64;
        Self {
            newlines,
            characters,
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} column {}", self.line, self.column)
    }
}
