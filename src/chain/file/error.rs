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
    /// It is in a format that has to be unpacked or saved anew.
    #[error(transparent)]
    Foreign(#[from] ForeignFormat),
    /// It is not JSON, or ends too early.
    #[error("{position}: {kind}{}{}", kind.remedy(), at(*.place))]
    Syntax {
        /// Where.
        position: Position,
        /// What is wrong there.
        kind: SyntaxErrorKind,
        /// Where in the chain that is, if it is there.
        place: Option<ChainPlace>,
    },
    /// One block is larger than [`MAX_VALUE_BYTES`], as it stands or in
    /// canonical text.
    #[error(
        "{position}: this block takes more than {} MiB, as it stands or as Python writes it to be \
         hashed; larger ones are not read{}",
        MAX_VALUE_BYTES >> 20,
        at(*.place)
    )]
    TooLarge {
        /// Where it starts.
        position: Position,
        /// Which block it is, where that is known.
        place: Option<ChainPlace>,
    },
    /// The object has two members `"chain"`; which one is meant is not clear.
    #[error("{position}: a second \"chain\" in the same object")]
    SecondChain {
        /// Where its key stands.
        position: Position,
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

/// A place in a chain, by its blocks, which are counted from 1. It tells more
/// than a column where the whole chain is one line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChainPlace {
    /// Inside this block.
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

/// As it stands behind an error.
fn at(place: Option<ChainPlace>) -> String {
    place.map_or_else(String::new, |place| format!(" ({place})"))
}

impl ReadError {
    /// As a stream's error at `found` in the chain.
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
