//! What can be wrong with a JSON text.

use thiserror::Error;

use super::MAX_VALUE_BYTES;

/// A text is not JSON, or not JSON that Python would write back.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{kind}")]
pub struct SyntaxError {
    /// Where, in bytes from the start of the text.
    pub offset: usize,
    /// What was found there.
    pub kind: SyntaxErrorKind,
}

/// The ways in which a text is not JSON.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum SyntaxErrorKind {
    /// The text ends inside a value.
    #[error("the text ends here, but {expected} was expected")]
    UnexpectedEnd {
        /// What should have come.
        expected: &'static str,
    },
    /// A character that cannot stand here.
    #[error("found {found:?}, but {expected} was expected")]
    Unexpected {
        /// The character.
        found: char,
        /// What should have come.
        expected: &'static str,
    },
    /// Bytes that are not UTF-8.
    #[error("these bytes are not UTF-8")]
    InvalidUtf8,
    /// A raw control character inside a string.
    #[error("a raw control character U+{code:04X} stands in a string; JSON wants it escaped")]
    ControlCharacter {
        /// Its code point.
        code: u8,
    },
    /// A backslash that starts no escape sequence.
    #[error("this is no JSON escape sequence")]
    InvalidEscape,
    /// Half of a surrogate pair, which no UTF-8 text can hold.
    #[error("\\u{code:04x} is half of a surrogate pair; its other half is missing")]
    LoneSurrogate {
        /// The code unit.
        code: u16,
    },
    /// `NaN`, `Infinity` or `-Infinity`, which Python writes but JSON has not.
    #[error("{word} is not JSON")]
    NotANumber {
        /// The word as it stands.
        word: &'static str,
    },
    /// A number with more than a double can hold.
    #[error("this number is past the range of a double")]
    NumberOutOfRange,
    /// Arrays and objects nested too deep.
    #[error("arrays and objects are nested more than {most} deep")]
    TooDeep {
        /// How deep they may be here: [`MAX_DEPTH`](super::MAX_DEPTH), or less
        /// where the value is to stand inside another.
        most: usize,
    },
    /// The canonical text takes more than [`MAX_VALUE_BYTES`].
    #[error("up to here, Python writes this value in more than {} MiB", MAX_VALUE_BYTES >> 20)]
    TooLarge,
}

impl SyntaxErrorKind {
    /// What to do about it in a file, to follow what is wrong, if that is not
    /// plain.
    pub(crate) const fn remedy(&self) -> &'static str {
        match self {
            Self::InvalidUtf8 => "; save the file as UTF-8",
            _ => "",
        }
    }
}

/// A format that is told by the first bytes of a file and is not read here.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum ForeignFormat {
    /// Packed by gzip.
    #[error("this is gzip")]
    Gzip,
    /// An archive of zip.
    #[error("this is a zip archive")]
    Zip,
    /// Packed by bzip2.
    #[error("this is bzip2")]
    Bzip2,
    /// Packed by xz.
    #[error("this is xz")]
    Xz,
    /// Packed by zstd.
    #[error("this is zstd")]
    Zstd,
    /// Text in UTF-32, with its byte order mark.
    #[error("this is UTF-32; save the file as UTF-8")]
    Utf32,
    /// Text in UTF-16, with its byte order mark.
    #[error("this is UTF-16; save the file as UTF-8")]
    Utf16,
}

impl ForeignFormat {
    /// The format of a file that starts with `bytes`.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [b'P', b'K', 3, ..] => Some(Self::Zip),
            [b'B', b'Z', b'h', ..] => Some(Self::Bzip2),
            [0xfd, b'7', b'z', ..] => Some(Self::Xz),
            [0x28, 0xb5, 0x2f, ..] => Some(Self::Zstd),
            // In UTF-16, that would be U+0100, U+0200 and so on: no chain or queue
            // starts with one.
            [0xff, 0xfe, 0, ..] | [0, 0, 0xfe, ..] => Some(Self::Utf32),
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some(Self::Utf16),
            _ => None,
        }
    }
}
