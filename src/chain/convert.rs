//! Converts a chain to another format.

use std::io::{self, Read, Write};

use thiserror::Error;

use super::canonical::CanonicalReader;
use super::file::{ChainWriter, Format, ReadError};
use super::json::{Kind, View};
use crate::pow::Control;

const WRITE_BYTES: usize = 512 << 10;

/// The result of a conversion.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Conversion {
    /// Blocks, the genesis block included.
    pub blocks: u64,
    /// The `"length"` of the source as JSON, if it is not the number of blocks.
    /// The output has the right length.
    pub wrong_length: Option<String>,
}

/// Why a chain was not converted.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConvertError {
    /// The source cannot be read as a chain, or a block is not an object, so
    /// that another format might be read as a different chain.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The first block has a list under the key `"chain"`. As the first line of
    /// JSON Lines, it would be read as a whole chain.
    #[error("block 1 has a list \"chain\", so JSON Lines would be read as that chain")]
    ReadsAsChain,
    /// The chain cannot be written.
    #[error("cannot write the chain")]
    Write(#[source] io::Error),
    /// The [`Control`] was cancelled.
    #[error("the conversion was cancelled")]
    Cancelled,
}

/// Reads a chain in any format and writes it in `format`, every block as its
/// canonical text, in memory that does not grow with the chain.
///
/// Blocks keep all their keys, and thus their hashes. Other members beside
/// `"chain"` are dropped, and the length is corrected. The chain is not
/// verified.
///
/// `control` counts blocks and bytes, and cancels between batches. `out` need
/// not be buffered.
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
/// See [`ConvertError`]. A part of the chain may already be written.
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
        for (text, _) in reader.blocks() {
            blocks += 1;
            if blocks == 1 && format == Format::JsonLines && reads_as_chain(text) {
                return Err(ConvertError::ReadsAsChain);
            }
            writer.push_text(text).map_err(ConvertError::Write)?;
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

/// Whether the reader would read this object as a whole chain.
fn reads_as_chain(block: &[u8]) -> bool {
    let [chain] = View::of(block).fields(["chain"]);
    chain.is_some_and(|chain| chain.kind() == Kind::Array)
}
