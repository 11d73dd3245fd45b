//! Lines and columns.

use std::fmt;

/// A place in a text file, both numbers counted from 1. Columns count
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

    /// The place just after `text`, if `self` is where `text` starts.
    ///
    /// ```
    /// use fourzero::chain::json::Position;
    ///
    /// let after = Position::START.after("[\n é".as_bytes());
    /// assert_eq!(after, Position { line: 2, column: 3 });
    /// ```
    #[must_use]
    pub fn after(self, text: &[u8]) -> Self {
        let newlines = memchr::memchr_iter(b'\n', text).count() as u64;
        let last_line = match memchr::memrchr(b'\n', text) {
            Some(newline) => &text[newline + 1..],
            None => text,
        };
        // Every byte of UTF-8 but a continuation byte starts a character.
        let characters = last_line
            .iter()
            .filter(|byte| (**byte as i8) >= -0x40)
            .count() as u64;
        Self {
            line: self.line + newlines,
            column: if newlines == 0 {
                self.column + characters
            } else {
                1 + characters
            },
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} column {}", self.line, self.column)
    }
}
