//! Converts a chain to another format.

use std::io::{self, Read, Write};

use thiserror::Error;

use super::canonical::CanonicalReader;
use super::dialect::is_block;
use super::file::{CHAIN_KEYS, ChainWriter, Format, ReadError};
use super::json::{Kind, View};
use super::rename::{Rename, RenameError, Renamer};
use crate::pow::Control;
use crate::sha256::Digest;

const WRITE_BYTES: usize = 512 << 10;

/// What a conversion writes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ConvertOptions {
    /// The format.
    pub format: Format,
    /// New names for keys.
    pub renames: Vec<Rename>,
}

/// The result of a conversion.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Conversion {
    /// Blocks, the genesis block included.
    pub blocks: u64,
    /// The `"length"` of the source as JSON, if it is not the number of blocks.
    /// The output has the right length.
    pub wrong_length: Option<String>,
    /// Whether keys were renamed and block 2 quotes the hash that block 1 has
    /// under its old names. Then the new chain is not linked.
    pub links_old_names: bool,
}

/// Why a chain was not converted.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConvertError {
    /// The source cannot be read as a chain, or a block is not an object, so
    /// that another format might be read as a different chain.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The first block has a list under the key of a chain. As the first line of
    /// JSON Lines, it would be read as a whole chain.
    #[error("block 1 has a list \"{key}\", so JSON Lines would be read as that chain")]
    ReadsAsChain {
        /// The key.
        key: String,
    },
    /// The first block has no key of a block. In a file that does not call
    /// itself a chain, it would not be read as one.
    #[error(
        "block 1 has no index, proof or previous_hash, so it can only be written as {}",
        Format::Json
    )]
    ReadsAsNoBlock,
    /// Keys cannot be renamed.
    #[error(transparent)]
    Rename(#[from] RenameError),
    /// The chain cannot be written.
    #[error("cannot write the chain")]
    Write(#[source] io::Error),
    /// The [`Control`] was cancelled.
    #[error("the conversion was cancelled")]
    Cancelled,
}

/// Reads a chain in any format and writes it in another, every block as its
/// canonical text, in memory that does not grow with the chain.
///
/// Blocks keep all their keys, and thus their hashes, unless keys are renamed.
/// A hash covers the names too, so a chain whose hashes were computed from the
/// old names is not linked under the new ones. Other members beside
/// `"chain"` are dropped, and the length is corrected. The chain is not
/// verified.
///
/// `control` counts blocks and bytes, and cancels between batches. `out` need
/// not be buffered.
///
/// ```
/// use fourzero::chain::{ConvertOptions, Format, convert};
/// use fourzero::pow::Control;
///
/// let mut out = Vec::new();
/// let chain = br#"{"chain": [{"proof":100, "index":1}], "length": 1}"#;
/// let options = ConvertOptions { format: Format::JsonLines, ..Default::default() };
/// convert(&chain[..], &mut out, &options, &Control::new())?;
/// assert_eq!(out, b"{\"index\": 1, \"proof\": 100}\n");
/// # Ok::<(), fourzero::chain::ConvertError>(())
/// ```
///
/// # Errors
/// See [`ConvertError`]. A part of the chain may already be written.
pub fn convert(
    source: impl Read,
    out: impl Write,
    options: &ConvertOptions,
    control: &Control,
) -> Result<Conversion, ConvertError> {
    let mut renamer = Renamer::new(&options.renames)?;
    let mut reader = CanonicalReader::with_renamed(source, renamer.block_keys());
    let out = io::BufWriter::with_capacity(WRITE_BYTES, out);
    let mut writer = ChainWriter::new(out, options.format);
    let (mut blocks, mut bytes) = (0, 0);
    let mut link = Link::default();
    while reader.advance()? {
        if control.is_cancelled() {
            return Err(ConvertError::Cancelled);
        }
        for (text, _) in reader.blocks() {
            blocks += 1;
            let text = if renamer.is_empty() {
                text
            } else {
                let renamed = renamer.rename(text, blocks)?;
                link.add(text, renamed);
                renamed
            };
            if blocks == 1 {
                check_first(text, options.format)?;
            }
            writer.push_text(text).map_err(ConvertError::Write)?;
            control.add_blocks(1);
        }
        control.add_bytes(reader.bytes_read() - bytes);
        bytes = reader.bytes_read();
    }
    renamer.finish()?;
    writer.finish().map_err(ConvertError::Write)?;
    Ok(Conversion {
        blocks: reader.count(),
        wrong_length: reader.wrong_length(),
        links_old_names: link.quotes_old_hash == Some(true),
    })
}

/// Refuses a first block that would be read as something else.
fn check_first(block: &[u8], format: Format) -> Result<(), ConvertError> {
    let block = View::of(block);
    let is_chain = |key, value: View<'_>| CHAIN_KEYS.contains(&key) && value.kind() == Kind::Array;
    let mut chains = block
        .members()
        .filter(|(key, value)| is_chain(*key, *value));
    match (format, chains.next()) {
        (Format::Json, _) => Ok(()),
        (Format::JsonLines, Some((key, _))) => Err(ConvertError::ReadsAsChain {
            key: String::from_utf8_lossy(key).into_owned(),
        }),
        _ if is_block(block, &[]) => Ok(()),
        _ => Err(ConvertError::ReadsAsNoBlock),
    }
}

/// Finds out from which names the hashes of a renamed chain were computed.
#[derive(Default)]
struct Link {
    /// The hash, under its old names, of the first block that the new ones change.
    old_hash: Option<Digest>,
    /// Whether the block after it quotes that hash, if there is one.
    quotes_old_hash: Option<bool>,
}

impl Link {
    fn add(&mut self, old: &[u8], new: &[u8]) {
        match (self.old_hash, self.quotes_old_hash) {
            (None, _) => self.old_hash = (old != new).then(|| Digest::of(old)),
            (Some(hash), None) => {
                let [quoted] = View::of(new).fields(["previous_hash"]);
                let quoted = quoted.and_then(View::string);
                self.quotes_old_hash = Some(quoted == Some(hash.to_hex().as_slice()));
            }
            _ => {}
        }
    }
}
