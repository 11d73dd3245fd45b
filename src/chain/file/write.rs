//! Writing a chain block by block.

use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use std::str::FromStr;

use crate::chain::SealedBlock;

/// The shapes in which a chain is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Format {
    /// `{"chain": [B, B, ...], "length": N}`: what a node's `/chain` answers.
    #[default]
    Json,
    /// JSON Lines: one block a line.
    JsonLines,
}

impl Format {
    /// The format that a file's name asks for: JSON Lines for `.jsonl` and
    /// `.ndjson`, JSON for every other.
    pub fn of_path(path: &Path) -> Self {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("jsonl" | "ndjson") => Self::JsonLines,
            _ => Self::Json,
        }
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "json" => Ok(Self::Json),
            "jsonl" => Ok(Self::JsonLines),
            _ => Err(format!(
                "there is no format \"{name}\" (there are: json, jsonl)"
            )),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Json => "json",
            Self::JsonLines => "jsonl",
        })
    }
}

/// Writes blocks, in the order in which they are pushed, as a chain.
///
/// ```
/// use fourzero::chain::{Block, ChainWriter, Format};
///
/// let mut writer = ChainWriter::new(Vec::new(), Format::Json);
/// let genesis = Block::genesis(0.0).seal();
/// writer.push(&genesis)?;
/// let text = writer.finish()?;
/// assert_eq!(text, format!(r#"{{"chain": [{}], "length": 1}}"#, genesis.text()).into_bytes());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct ChainWriter<W> {
    out: W,
    format: Format,
    blocks: u64,
}

impl<W: Write> ChainWriter<W> {
    /// A writer that has written nothing yet. It writes in small pieces, so
    /// `out` should be buffered.
    pub const fn new(out: W, format: Format) -> Self {
        Self {
            out,
            format,
            blocks: 0,
        }
    }

    /// A writer that goes on after `blocks` blocks, which stand before what
    /// it writes to `out`.
    pub(crate) const fn go_on(out: W, format: Format, blocks: u64) -> Self {
        Self {
            out,
            format,
            blocks,
        }
    }

    /// Blocks that were written.
    pub(crate) const fn blocks(&self) -> u64 {
        self.blocks
    }

    /// What is written to.
    pub(crate) const fn out_mut(&mut self) -> &mut W {
        &mut self.out
    }

    /// Appends one block.
    ///
    /// # Errors
    /// If writing fails.
    pub fn push(&mut self, block: &SealedBlock) -> io::Result<()> {
        self.push_text(block.bytes())
    }

    /// Appends one block by its canonical text.
    pub(crate) fn push_text(&mut self, text: &[u8]) -> io::Result<()> {
        match self.format {
            Format::Json => {
                let before: &[u8] = if self.blocks == 0 {
                    b"{\"chain\": ["
                } else {
                    b", "
                };
                self.out.write_all(before)?;
                self.out.write_all(text)?;
            }
            Format::JsonLines => {
                self.out.write_all(text)?;
                self.out.write_all(b"\n")?;
            }
        }
        self.blocks += 1;
        Ok(())
    }

    /// Ends the chain, flushes, and gives back what was written to.
    ///
    /// # Errors
    /// If writing fails.
    pub fn finish(mut self) -> io::Result<W> {
        if self.format == Format::Json {
            if self.blocks == 0 {
                self.out.write_all(b"{\"chain\": [")?;
            }
            write!(self.out, "], \"length\": {}}}", self.blocks)?;
        }
        self.out.flush()?;
        Ok(self.out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::Block;

    fn written(format: Format, blocks: usize) -> String {
        let mut writer = ChainWriter::new(Vec::new(), format);
        for _ in 0..blocks {
            writer.push(&Block::genesis(0.5).seal()).unwrap();
        }
        String::from_utf8(writer.finish().unwrap()).unwrap()
    }

    #[test]
    fn each_format_is_exactly_as_documented() {
        let block = Block::genesis(0.5).seal();
        let text = block.text();
        assert_eq!(
            written(Format::Json, 2),
            format!("{{\"chain\": [{text}, {text}], \"length\": 2}}")
        );
        assert_eq!(written(Format::Json, 0), r#"{"chain": [], "length": 0}"#);
        assert_eq!(written(Format::JsonLines, 2), format!("{text}\n{text}\n"));
    }

    #[test]
    fn the_name_of_a_file_tells_its_format() {
        for (name, format) in [
            ("a.json", Format::Json),
            ("a.jsonl", Format::JsonLines),
            ("a.ndjson", Format::JsonLines),
            ("chain", Format::Json),
        ] {
            assert_eq!(Format::of_path(Path::new(name)), format);
        }
    }
}
