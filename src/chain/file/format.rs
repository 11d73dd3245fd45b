//! The formats of a chain file.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

/// The formats of a chain file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Format {
    /// `{"chain": [B, B, ...], "length": N}`: what a node's `/chain` answers.
    #[default]
    Json,
    /// JSON Lines: one block per line.
    JsonLines,
    /// A bare array of blocks: `[B, B, ...]`.
    Array,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 3] = [Self::Json, Self::JsonLines, Self::Array];

    /// The format's short name.
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

    pub(crate) const fn start(self) -> &'static str {
        match self {
            Self::Json => "{\"chain\": [",
            Self::JsonLines => "",
            Self::Array => "[",
        }
    }

    /// The text before the block that comes after `blocks` others.
    pub(crate) const fn before_block(self, blocks: u64) -> &'static str {
        match (self, blocks) {
            (_, 0) => self.start(),
            (Self::Json | Self::Array, _) => ", ",
            (Self::JsonLines, _) => "",
        }
    }

    pub(crate) const fn after_block(self) -> &'static str {
        match self {
            Self::Json | Self::Array => "",
            Self::JsonLines => "\n",
        }
    }

    pub(crate) fn end(self, blocks: u64) -> String {
        match self {
            Self::Json => format!("], \"length\": {blocks}}}"),
            Self::JsonLines => String::new(),
            Self::Array => "]".into(),
        }
    }

    /// The format that a file's extension implies: JSON Lines for `.jsonl` and
    /// `.ndjson`, in any case, and [`Self::Json`] for all others.
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
                format!("unknown format \"{name}\" (known formats: {known})")
            })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_is_found_by_its_name() {
        for format in Format::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        assert_eq!(
            "xml".parse::<Format>().unwrap_err(),
            "unknown format \"xml\" (known formats: json, jsonl, array)"
        );
    }

    #[test]
    fn the_extension_implies_the_format() {
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
