//! The same chain in another shape.

use std::io::{self, Read, Write};

use thiserror::Error;

use super::canonical::{BlockError, CanonicalReader};
use super::file::{ChainWriter, Format, ReadError};
use super::json::{Kind, Position, View};
use crate::pow::Control;

/// What was converted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Conversion {
    /// Blocks, the genesis block included.
    pub blocks: u64,
    /// The `"length"` that the source states, as JSON, where that is not the
    /// number of its blocks. It is not handed on: what is written states the
    /// true one.
    pub wrong_length: Option<String>,
}

/// Why a chain was not converted.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConvertError {
    /// The source cannot be read as a chain.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// One of its blocks is no object; in another shape it might not be read
    /// as the same chain.
    #[error("{position}: block {index} is {found}, expected an object")]
    NotAnObject {
        /// Where it stands.
        position: Position,
        /// Its place in the chain, counted from 1.
        index: u64,
        /// The JSON value it is, shortened if it is long.
        found: String,
    },
    /// The first block has a list under the key `"chain"`, so that as the
    /// first of JSON Lines it would be read as a whole chain.
    #[error("block 1 holds a list \"chain\" and would be read as a whole chain in JSON Lines")]
    ReadsAsChain,
    /// The chain cannot be written.
    #[error("cannot write the chain")]
    Write(#[source] io::Error),
    /// The [`Control`] was cancelled.
    #[error("the conversion was cancelled")]
    Cancelled,
}

impl From<BlockError> for ConvertError {
    fn from(error: BlockError) -> Self {
        match error {
            BlockError::Read(error) => Self::Read(error),
            BlockError::NotAnObject {
                position,
                index,
                found,
            } => Self::NotAnObject {
                position,
                index,
                found,
            },
        }
    }
}

/// Reads a chain of any shape and writes it in `format`, every block in its
/// canonical text, in memory that does not grow with the chain.
///
/// Blocks keep all their keys, and so their hashes; what stands beside
/// `"chain"` in an object is left out, but for the length. Whether the chain
/// is valid is not looked at.
///
/// `control` counts blocks and bytes, and cancels between batches. `out` gets
/// large pieces and need not be buffered.
///
/// ```
/// use fourzero::chain::{Format, convert};
/// use fourzero::pow::Control;
///
/// let mut out = Vec::new();
/// let chain = br#"{"chain": [{"proof":100, "index":1}], "length": 1}"#;
/// convert(&chain[..], &mut out, Format::JsonLines, &Control::new())?;
/// assert_eq!(out, b"{\"index\": 1, \"proof\": 100}\n");
/// # Ok::<(), fourzero::chain::ConvertError>(())
/// ```
///
/// # Errors
/// See [`ConvertError`]. A part of the chain may have been written by then.
pub fn convert(
    source: impl Read,
    out: impl Write,
    format: Format,
    control: &Control,
) -> Result<Conversion, ConvertError> {
    let mut reader = CanonicalReader::new(source);
    let out = io::BufWriter::with_capacity(WRITE_BYTES, out);
    let mut writer = ChainWriter::new(out, format);
    let (mut blocks, mut bytes) = (0, 0);
    while reader.advance()? {
        if control.is_cancelled() {
            return Err(ConvertError::Cancelled);
        }
        for block in reader.blocks() {
            blocks += 1;
            if blocks == 1 && format == Format::JsonLines && reads_as_chain(block.text) {
                return Err(ConvertError::ReadsAsChain);
            }
            writer.push_text(block.text).map_err(ConvertError::Write)?;
            control.add_blocks(1);
        }
        control.add_bytes(reader.bytes_read() - bytes);
        bytes = reader.bytes_read();
    }
    writer.finish().map_err(ConvertError::Write)?;
    Ok(Conversion {
        blocks: reader.count(),
        wrong_length: reader.wrong_length(),
    })
}

/// Bytes that are written at once.
const WRITE_BYTES: usize = 512 << 10;

/// Whether the reader would take this object for a whole chain.
fn reads_as_chain(block: &[u8]) -> bool {
    View::of(block)
        .members()
        .any(|(key, value)| key == b"chain" && value.kind() == Kind::Array)
}
