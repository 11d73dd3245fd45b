//! Writes a chain file block by block.

use std::io::{self, Write};

use super::Format;
use crate::chain::SealedBlock;

/// Writes blocks, in the order of the calls, as a chain.
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
    /// Starts a chain. `out` should be buffered: the writer makes many small
    /// writes.
    pub const fn new(out: W, format: Format) -> Self {
        Self {
            out,
            format,
            blocks: 0,
        }
    }

    /// Appends one block.
    ///
    /// # Errors
    /// If writing fails.
    pub fn push(&mut self, block: &SealedBlock) -> io::Result<()> {
        self.push_text(block.bytes())
    }

    pub(crate) fn push_text(&mut self, text: &[u8]) -> io::Result<()> {
        let before = self.format.before_block(self.blocks);
        self.out.write_all(before.as_bytes())?;
        self.out.write_all(text)?;
        self.out.write_all(self.format.after_block().as_bytes())?;
        self.blocks += 1;
        Ok(())
    }

    /// Ends the chain, flushes, and returns the underlying writer.
    ///
    /// # Errors
    /// If writing fails.
    pub fn finish(mut self) -> io::Result<W> {
        if self.blocks == 0 {
            self.out.write_all(self.format.start().as_bytes())?;
        }
        self.out
            .write_all(self.format.end(self.blocks).as_bytes())?;
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
        assert_eq!(written(Format::JsonLines, 0), "");
        assert_eq!(written(Format::Array, 2), format!("[{text}, {text}]"));
        assert_eq!(written(Format::Array, 0), "[]");
    }
}
