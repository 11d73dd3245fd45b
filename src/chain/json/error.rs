//! The errors of a JSON text.

use thiserror::Error;

use super::MAX_VALUE_BYTES;

/// A text is not JSON, or Python cannot write it back as JSON.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[error("{kind}")]
pub struct SyntaxError {
    /// The offset in bytes from the start of the text.
    pub offset: usize,
    /// What is wrong there.
    pub kind: SyntaxErrorKind,
}

/// The ways in which a text is not JSON.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum SyntaxErrorKind {
    /// The text ends inside a value.
    #[error("the text ends here, but {expected} was expected")]
    UnexpectedEnd {
        /// What was expected.
        expected: &'static str,
    },
    /// A character that is not allowed here.
    #[error("found {found:?}, but {expected} was expected")]
    Unexpected {
        /// The character.
        found: char,
        /// What was expected.
        expected: &'static str,
    },
    /// Bytes that are not UTF-8.
    #[error("these bytes are not UTF-8")]
    InvalidUtf8,
    /// A raw control character inside a string.
    #[error("the control character U+{code:04X} in a string must be escaped")]
    ControlCharacter {
        /// Its code point.
        code: u8,
    },
    /// A backslash that does not start an escape sequence.
    #[error("this is not a JSON escape sequence")]
    InvalidEscape,
    /// Half of a surrogate pair, which UTF-8 cannot represent.
    #[error("\\u{code:04x} is half of a surrogate pair; its other half is missing")]
    LoneSurrogate {
        /// The code unit.
        code: u16,
    },
    /// `NaN`, `Infinity` or `-Infinity`, which Python writes but JSON does not have.
    #[error("{word} is not JSON")]
    NotANumber {
        /// The word.
        word: &'static str,
    },
    /// A number that a double cannot hold.
    #[error("this number is past the range of a double")]
    NumberOutOfRange,
    /// Arrays and objects are nested too deeply.
    #[error("arrays and objects are nested more than {most} deep")]
    TooDeep {
        /// The limit: [`MAX_DEPTH`](super::MAX_DEPTH), or less for a value that will
        /// be inside another.
        most: usize,
    },
    /// The canonical text is longer than [`MAX_VALUE_BYTES`].
    #[error("the canonical text of this value exceeds {} MiB here", MAX_VALUE_BYTES >> 20)]
    TooLarge,
}

impl SyntaxErrorKind {
    /// What to do about it in a file, as the end of a message.
    pub(crate) const fn remedy(&self) -> &'static str {
        match self {
            Self::InvalidUtf8 => "; save the file as UTF-8",
            _ => "",
        }
    }
}

/// A format that is recognized by the first bytes of a file but not supported.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[non_exhaustive]
pub enum ForeignFormat {
    /// Compressed by gzip.
    #[error("this is gzip")]
    Gzip,
    /// A zip archive.
    #[error("this is a zip archive")]
    Zip,
    /// A spreadsheet or the like: a zip archive with a known first file, or in the
    /// older format of such programs.
    #[error("this is an Office document, such as .xlsx")]
    OfficeDocument,
    /// Compressed by bzip2.
    #[error("this is bzip2")]
    Bzip2,
    /// Compressed by xz.
    #[error("this is xz")]
    Xz,
    /// Compressed by zstd.
    #[error("this is zstd")]
    Zstd,
    /// Text in UTF-32, with its byte order mark.
    #[error("this is UTF-32; save the file as UTF-8")]
    Utf32,
    /// Text in UTF-16, with a byte order mark or ASCII characters at its start.
    #[error("this is UTF-16; save the file as UTF-8")]
    Utf16,
    /// A web page.
    #[error("this is HTML, not JSON")]
    Html,
    /// A whole HTTP response, headers first.
    #[error("this starts with the headers of an HTTP response")]
    HttpResponse,
}

impl ForeignFormat {
    /// With this much of a zip archive, [`Self::of`] knows its first file.
    pub(super) const TELLING_ZIP_BYTES: usize = 64;

    /// The format of a file that starts with `bytes`, if it is one of these.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [b'P', b'K', 3, ..] => {
                let first_file = bytes.get(30..).unwrap_or_default();
                let office = [
                    "[Content_Types].xml",
                    "_rels/",
                    "docProps/",
                    "xl/",
                    "mimetype",
                ];
                let is_office = office
                    .iter()
                    .any(|it| first_file.starts_with(it.as_bytes()));
                Some(if is_office {
                    Self::OfficeDocument
                } else {
                    Self::Zip
                })
            }
            [0xd0, 0xcf, 0x11, ..] => Some(Self::OfficeDocument),
            [b'B', b'Z', b'h', ..] => Some(Self::Bzip2),
            [0xfd, b'7', b'z', ..] => Some(Self::Xz),
            [0x28, 0xb5, 0x2f, ..] => Some(Self::Zstd),
            // In UTF-16, the first character would be U+0100, U+0200 or the like, with
            // which no chain or queue starts.
            [0xff, 0xfe, 0, ..] | [0, 0, 0xfe, ..] => Some(Self::Utf32),
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some(Self::Utf16),
            // Without a mark. No text file contains NUL.
            [1..0x80, 0, 1..=0xff, ..] | [0, 1..0x80, 0, ..] => Some(Self::Utf16),
            _ => None,
        }
    }

    /// The same for the first bytes of a text that are not white space.
    pub(super) fn of_text(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [b'<', ..] => Some(Self::Html),
            [b'H', b'T', b'T', b'P', b'/', ..] => Some(Self::HttpResponse),
            _ => None,
        }
    }
}
