//! Files that a sweep writes: opened before it starts, whole under their
//! names when it is over, and as they were if it is not.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use tempfile::NamedTempFile;

/// A file to be written.
pub(super) struct Output {
    path: PathBuf,
    temporary: NamedTempFile,
}

impl Output {
    /// Makes sure that `path` can be written, and leaves what is there alone.
    ///
    /// # Errors
    /// If it cannot.
    pub(super) fn create(path: &Path) -> anyhow::Result<Self> {
        let name = path.display();
        if path.is_dir() {
            bail!("cannot write {name}: it is a directory");
        }
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix(".fourzero-bench.").suffix(".partial");
        #[cfg(unix)]
        {
            // What a plain `open` would ask for; the umask applies.
            use std::os::unix::fs::PermissionsExt as _;
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        let temporary = builder
            .tempfile_in(folder)
            // Without the name of the hidden file, which nobody gave.
            .map_err(|error| std::io::Error::from(error.kind()))
            .with_context(|| format!("cannot write {name}"))?;
        Ok(Self {
            // What a link points to is replaced, not the link.
            path: fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()),
            temporary,
        })
    }

    /// Gives the file its contents and its name.
    ///
    /// # Errors
    /// If the disk is full or the name cannot be given.
    pub(super) fn finish(self, contents: &str) -> anyhow::Result<()> {
        let Self {
            path,
            mut temporary,
        } = self;
        let write = temporary.write_all(contents.as_bytes());
        write
            .and_then(|()| Ok(temporary.persist(&path).map(drop)?))
            .with_context(|| format!("cannot write {}", path.display()))
    }
}
