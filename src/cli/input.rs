//! Chain files as the commands that read them name and open them.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::Context as _;

/// What messages call the file `path`, where `-` is standard input.
pub(super) fn name(path: &Path) -> String {
    if path == Path::new("-") {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    }
}

/// Opens it, and tells its size if it has one.
///
/// # Errors
/// If the system refuses.
pub(super) fn open(path: &Path) -> anyhow::Result<(Box<dyn Read>, Option<u64>)> {
    if path == Path::new("-") {
        return Ok((Box::new(io::stdin()), None));
    }
    let opened = File::open(path).and_then(|file| Ok((file.metadata()?, file)));
    let (metadata, file) = opened.with_context(|| format!("cannot open {}", path.display()))?;
    Ok((Box::new(file), metadata.is_file().then_some(metadata.len())))
}
