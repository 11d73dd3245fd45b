//! Reads and writes JSON like Python's `json` module.
//!
//! A block's hash is taken over `json.dumps(block, sort_keys=True)`, so every
//! byte of that text matters. [`Transcoder`] converts any JSON text to it in one
//! pass, without building a tree; `View` reads the result; and `JsonStream`
//! splits a stream of any length into values.

mod brackets;
mod canonical_scalar;
mod error;
mod number;
mod position;
mod sort_keys;
mod stream;
mod string;
mod transcode;
mod view;

pub(crate) use canonical_scalar::{canonical_number, canonical_string};
pub use error::{ForeignFormat, SyntaxError, SyntaxErrorKind};
pub(crate) use number::write_float;
pub(crate) use position::Advance;
pub use position::Position;
pub(crate) use stream::{JsonStream, StreamError, value_length};
pub(crate) use string::{read_escape, write_string, written_length};
pub use transcode::{MAX_DEPTH, Transcoder, canonical};
pub(crate) use view::{Kind, View};

/// The limit for one JSON value, as raw text in a stream and as canonical text:
/// 32 MiB. A block of the tutorial takes about one kilobyte.
pub const MAX_VALUE_BYTES: usize = 32 << 20;
