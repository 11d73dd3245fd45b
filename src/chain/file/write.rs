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
    /// A bare array of blocks: `[B, B, ...]`.
    Array,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::Json, Self::JsonLines, Self::Array];

    /// The name under which `--format` knows it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::JsonLines => "jsonl",
            Self::Array => "array",
        }
    }

    /// The extension of a file in this format.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Json | Self::Array => "json",
            Self::JsonLines => "jsonl",
        }
    }

    /// What stands before the first block.
    pub(crate) const fn start(self) -> &'static str {
        match self {
            Self::Json => "{\"chain\": [",
            Self::JsonLines => "",
            Self::Array => "[",
        }
    }

    /// What stands before the block that comes after `blocks` others.
    pub(crate) const fn before_block(self, blocks: u64) -> &'static str {
        match (self, blocks) {
            (_, 0) => self.start(),
            (Self::Json | Self::Array, _) => ", ",
            (Self::JsonLines, _) => "",
        }
    }

    /// What stands behind each block.
    pub(crate) const fn after_block(self) -> &'static str {
        match self {
            Self::Json | Self::Array => "",
            Self::JsonLines => "\n",
        }
    }

    /// What stands behind the last of `blocks`.
    pub(crate) fn end(self, blocks: u64) -> String {
        match self {
            Self::Json => format!("], \"length\": {blocks}}}"),
            Self::JsonLines => String::new(),
            Self::Array => "]".into(),
        }
    }

    /// The format that a file's name asks for: JSON Lines for `.jsonl` and
    /// `.ndjson`, in capitals, too, and JSON for every other. No name asks for
    /// [`Self::Array`].
    pub fn of_path(path: &Path) -> Self {
        let is_lines = path.extension().is_some_and(|extension| {
            ["jsonl", "ndjson"]
                .iter()
                .any(|lines| extension.eq_ignore_ascii_case(lines))
        });
        if is_lines {
            Self::JsonLines
        } else {
            Self::Json
        }
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|format| format.name() == name)
            .ok_or_else(|| {
                let known = Self::ALL.map(Self::name).join(", ");
                format!("there is no format \"{name}\" (there are: {known})")
            })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
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

    /// Appends one block.
    ///
    /// # Errors
    /// If writing fails.
    pub fn push(&mut self, block: &SealedBlock) -> io::Result<()> {
        self.push_text(block.bytes())
    }

    /// Appends one block by its canonical text.
    pub(crate) fn push_text(&mut self, text: &[u8]) -> io::Result<()> {
        let before = self.format.before_block(self.blocks);
        self.out.write_all(before.as_bytes())?;
        self.out.write_all(text)?;
        self.out.write_all(self.format.after_block().as_bytes())?;
        self.blocks += 1;
        Ok(())
    }

    /// Ends the chain, flushes, and gives back what was written to.
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

    #[test]
    fn a_format_has_the_name_that_it_is_asked_for_by() {
        for format in Format::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        assert_eq!(
            "xml".parse::<Format>().unwrap_err(),
            "there is no format \"xml\" (there are: json, jsonl, array)"
        );
    }

    #[test]
    fn the_name_of_a_file_tells_its_format() {
        for (name, format) in [
            ("a.json", Format::Json),
            ("a.jsonl", Format::JsonLines),
            ("a.ndjson", Format::JsonLines),
            ("A.JSONL", Format::JsonLines),
            ("chain", Format::Json),
        ] {
            assert_eq!(Format::of_path(Path::new(name)), format);
        }
    }
}
