//! Why a file cannot be read as a chain, and where.

use std::fmt;
use std::io;

use thiserror::Error;

use crate::chain::json::{ForeignFormat, MAX_VALUE_BYTES, Position, StreamError, SyntaxErrorKind};

/// Why a file cannot be read as a chain.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The source failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The file is in a format that must be unpacked or converted first.
    #[error(transparent)]
    Foreign(#[from] ForeignFormat),
    /// The text is not JSON, or ends too early.
    #[error("{position}: {kind}{}{}", kind.remedy(), at(*.place))]
    Syntax {
        /// Where.
        position: Position,
        /// What is wrong there.
        kind: SyntaxErrorKind,
        /// The place in the chain, if known.
        place: Option<ChainPlace>,
    },
    /// A block is larger than [`MAX_VALUE_BYTES`], as raw or canonical text.
    #[error(
        "{position}: this block exceeds the limit of {} MiB, for its text in the file or for the \
         text that is hashed{}",
        MAX_VALUE_BYTES >> 20,
        at(*.place)
    )]
    TooLarge {
        /// Where the block starts.
        position: Position,
        /// The place in the chain, if known.
        place: Option<ChainPlace>,
    },
    /// The object has two chains, so it is ambiguous.
    #[error("{position}: {key} is a second chain in the same object")]
    SecondChain {
        /// Where the second key is.
        position: Position,
        /// The key as JSON.
        key: String,
    },
    /// An object holds no list of blocks under a key of a chain, and is not a
    /// block itself.
    #[error("{position}: {}", not_a_chain(keys))]
    NotAChain {
        /// Where the object starts.
        position: Position,
        /// Its keys.
        keys: Vec<String>,
        /// The key of a list that looks like a chain.
        list: Option<String>,
    },
    /// A block is not an object. Verification reports this as a fault instead.
    #[error("{position}: block {index} is {found}, expected an object")]
    NotAnObject {
        /// Where the block starts.
        position: Position,
        /// Its place in the chain, counted from 1.
        index: u64,
        /// The JSON value, shortened if it is long.
        found: String,
    },
}

impl From<StreamError> for ReadError {
    fn from(error: StreamError) -> Self {
        match error {
            StreamError::Read(error) => Self::Io(error),
            StreamError::Syntax { position, kind } => Self::Syntax {
                position,
                kind,
                place: None,
            },
            StreamError::TooLarge { position } => Self::TooLarge {
                position,
                place: None,
            },
        }
    }
}

/// A place in a chain by its blocks, counted from 1. Where the whole chain is
/// one line, this says more than a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChainPlace {
    /// In this block.
    In(u64),
    /// Between this block and the next, or the end.
    After(u64),
}

impl fmt::Display for ChainPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::In(block) => write!(f, "in block {block}"),
            Self::After(block) => write!(f, "after block {block}"),
        }
    }
}

/// Keys that are listed.
const SHOWN_KEYS: usize = 8;

fn not_a_chain(keys: &[String]) -> String {
    let shown = keys.iter().take(SHOWN_KEYS);
    let mut shown: Vec<_> = shown.map(|key| format!("\"{key}\"")).collect();
    match keys.len() {
        0 => return "this object is empty, so it is not a chain or a block".to_owned(),
        1 => {
            return format!(
                "this object has only the key {}, which is not a chain",
                shown[0]
            );
        }
        count if count > SHOWN_KEYS => shown.push(format!("and {} more", count - SHOWN_KEYS)),
        _ => {}
    }
    format!(
        "this object has the keys {}; none of them is a chain",
        shown.join(", ")
    )
}

fn at(place: Option<ChainPlace>) -> String {
    place.map_or_else(String::new, |place| format!(" ({place})"))
}

impl ReadError {
    pub(in crate::chain) fn at(error: StreamError, found: ChainPlace) -> Self {
        let mut error = error.into();
        match &mut error {
            Self::Syntax { place, .. } | Self::TooLarge { place, .. } => *place = Some(found),
            _ => {}
        }
        error
    }

    /// Whether the file ends before the chain does.
    pub const fn is_unexpected_end(&self) -> bool {
        matches!(
            self,
            Self::Syntax {
                kind: SyntaxErrorKind::UnexpectedEnd { .. },
                ..
            }
        )
    }
}
