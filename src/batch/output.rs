//! The output file: whole under its name, or not there at all.
//!
//! A chain is written to a hidden file beside the one that was named, synced,
//! read back and verified, and only then renamed. Whatever ends the program
//! before that leaves the named file as it was.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use thiserror::Error;

use super::named::NamedQueue;
use super::options::MineOptions;
use super::pipeline::{MineError, MineSummary, mine_with};
use super::share::Hands;
use crate::chain::{Fault, Format, Verifier, VerifyError, VerifyOptions};
use crate::pow::{Control, Searcher};

/// What to do about a file that already has the output's name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Overwrite {
    /// Refuse.
    #[default]
    Never,
    /// Replace it, once the new file is whole.
    Replace,
}

/// Whether a finished chain is read back before it gets its name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ReadBack {
    /// Read back and verified.
    #[default]
    Verify,
    /// Trusted.
    Skip,
}

/// Where a chain is written, and how.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutputOptions {
    /// The file.
    pub path: PathBuf,
    /// Its format.
    pub format: Format,
    /// What to do if it exists.
    pub overwrite: Overwrite,
    /// Whether to verify it.
    pub read_back: ReadBack,
}

/// Why there is no output file.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OutputError {
    /// It exists, and may not be replaced.
    #[error("{} exists; --force replaces it", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Something that is not a plain file has its name.
    #[error("{} is {what}, not a plain file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// It cannot be made.
    #[error("cannot write {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Mining failed.
    #[error(transparent)]
    Mine(MineError),
    /// The file that was written cannot be read back as a chain.
    #[error("what was written to {} cannot be read back", path.display())]
    ReadBack {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: VerifyError,
    },
    /// The chain that was read back is not valid: the disk or the memory
    /// failed.
    #[error("what was written to {} does not verify: {fault}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        fault: Fault,
    },
    /// The threads that verify cannot be started.
    #[error("cannot start the threads that verify")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

impl OutputError {
    /// Whether the work was cancelled, which is nobody's fault.
    pub const fn is_cancelled(&self) -> bool {
        matches!(
            self,
            Self::Mine(MineError::Cancelled)
                | Self::ReadBack {
                    source: VerifyError::Cancelled,
                    ..
                }
        )
    }
}

/// Mines `queues` into the file that `output` names; see
/// [`mine`](crate::batch::mine()).
///
/// ```
/// use std::num::NonZeroUsize;
/// use fourzero::batch::{
///     MineOptions, NamedQueue, OutputOptions, Overwrite, ReadBack, mine_to_file,
/// };
/// use fourzero::chain::Format;
/// use fourzero::pow::{Control, Searcher};
/// use fourzero::sha256::Kernel;
///
/// let folder = tempfile::tempdir()?;
/// let output = OutputOptions {
///     path: folder.path().join("chain.json"),
///     format: Format::Json,
///     overwrite: Overwrite::Never,
///     read_back: ReadBack::Verify,
/// };
/// let csv = "sender,recipient,amount\nalice,bob,5\n";
/// let summary = mine_to_file(
///     vec![NamedQueue::new("example", csv.as_bytes())],
///     &output,
///     &MineOptions::default(),
///     &Searcher::new(NonZeroUsize::MIN, Kernel::best())?,
///     &Control::new(),
/// )?;
/// assert_eq!(summary.transactions, 1);
/// assert!(output.path.exists());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the file exists and may not be replaced, cannot be written, or does not
/// verify when it is read back; or as `mine`. The named file is then as it
/// was before.
pub fn mine_to_file(
    queues: Vec<NamedQueue>,
    output: &OutputOptions,
    options: &MineOptions,
    searcher: &Searcher,
    control: &Control,
) -> Result<MineSummary, OutputError> {
    mine_to_file_with(
        queues,
        output,
        options,
        &mut Hands::Fixed(searcher),
        control,
    )
}

/// As [`mine_to_file`], with hands that may change from proof to proof.
pub(super) fn mine_to_file_with(
    queues: Vec<NamedQueue>,
    output: &OutputOptions,
    options: &MineOptions,
    hands: &mut Hands<'_>,
    control: &Control,
) -> Result<MineSummary, OutputError> {
    let file = OutputFile::create(&output.path, output.overwrite)?;
    let writer = BufWriter::with_capacity(1 << 20, file.temporary.as_file());
    let (_, summary) =
        mine_with(queues, writer, output.format, options, hands, control).map_err(|error| {
            match error {
                MineError::Write(source) => file.io(source),
                other => OutputError::Mine(other),
            }
        })?;
    file.temporary
        .as_file()
        .sync_all()
        .map_err(|error| file.io(error))?;
    if output.read_back == ReadBack::Verify {
        file.verify(options, hands.threads(), control)?;
    }
    file.commit()?;
    Ok(summary)
}

/// A file that is written under another name first.
struct OutputFile {
    path: PathBuf,
    temporary: NamedTempFile,
    overwrite: Overwrite,
}

impl OutputOptions {
    /// Whether the file could be made now, by all that can be told without
    /// making it.
    ///
    /// # Errors
    /// If it exists and may not be replaced, or something else has its name.
    pub fn check(&self) -> Result<(), OutputError> {
        target(&self.path, self.overwrite).map(|_| ())
    }
}

/// The file that `named` stands for.
fn target(named: &Path, overwrite: Overwrite) -> Result<PathBuf, OutputError> {
    let fail = |source| OutputError::Io {
        path: named.to_owned(),
        source,
    };
    // A link is followed: what it points to is replaced, not the link.
    match fs::metadata(named) {
        Ok(metadata) if metadata.is_dir() => {
            let path = named.to_owned();
            Err(OutputError::NotAFile {
                path,
                what: "a directory",
            })
        }
        Ok(metadata) if !metadata.is_file() => {
            let path = named.to_owned();
            Err(OutputError::NotAFile {
                path,
                what: "a device or a pipe",
            })
        }
        Ok(_) if overwrite == Overwrite::Never => Err(OutputError::Exists {
            path: named.to_owned(),
        }),
        Ok(_) => fs::canonicalize(named).map_err(fail),
        // The link is there, what it points to is not.
        Err(_) if fs::symlink_metadata(named).is_ok_and(|link| link.is_symlink()) => {
            Err(OutputError::NotAFile {
                path: named.to_owned(),
                what: "a link that leads nowhere",
            })
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(named.to_owned()),
        Err(error) => Err(fail(error)),
    }
}

impl OutputFile {
    fn create(named: &Path, overwrite: Overwrite) -> Result<Self, OutputError> {
        let fail = |source| OutputError::Io {
            path: named.to_owned(),
            source,
        };
        let path = target(named, overwrite)?;
        let ends_in_separator = named.as_os_str().as_encoded_bytes().last() == Some(&b'/');
        let Some(name) = path.file_name().filter(|_| !ends_in_separator) else {
            return Err(fail(io::Error::new(
                io::ErrorKind::InvalidInput,
                "it names no file",
            )));
        };
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        // The start of the name is enough to know it by, and leaves room for
        // the rest where names may take 255 bytes.
        let name: String = name.to_string_lossy().chars().take(32).collect();
        let prefix = format!(".{name}.");
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).suffix(".partial");
        #[cfg(unix)]
        {
            // What a plain `open` would ask for; the umask applies.
            use std::os::unix::fs::PermissionsExt as _;
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        if !directory.is_dir() {
            let problem = format!("there is no folder {}", directory.display());
            return Err(fail(io::Error::new(io::ErrorKind::NotFound, problem)));
        }
        let temporary = builder
            .tempfile_in(directory)
            // Without the name of the hidden file, which nobody gave.
            .map_err(|error| fail(error.kind().into()))?;
        Ok(Self {
            path,
            temporary,
            overwrite,
        })
    }

    fn io(&self, source: io::Error) -> OutputError {
        OutputError::Io {
            path: self.path.clone(),
            source,
        }
    }

    fn verify(
        &self,
        options: &MineOptions,
        threads: NonZeroUsize,
        control: &Control,
    ) -> Result<(), OutputError> {
        let written = File::open(self.temporary.path()).map_err(|error| self.io(error))?;
        let verify_options = VerifyOptions {
            rule: Some(options.rule),
            target: options.target,
            strictness: options.strictness,
        };
        let report = Verifier::new(threads)?
            .verify(written, &verify_options, &control.with_fresh_counts())
            .map_err(|source| OutputError::ReadBack {
                path: self.path.clone(),
                source,
            })?;
        match report.fault {
            None => Ok(()),
            Some(fault) => Err(OutputError::Invalid {
                path: self.path.clone(),
                fault,
            }),
        }
    }

    /// Gives the file its name.
    fn commit(self) -> Result<(), OutputError> {
        let Self {
            path,
            temporary,
            overwrite,
        } = self;
        let renamed = match overwrite {
            Overwrite::Replace => temporary.persist(&path),
            // Also refuses a file that came to be in the meantime.
            Overwrite::Never => temporary.persist_noclobber(&path),
        };
        match renamed {
            Ok(_) => {}
            Err(failure) if failure.error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(OutputError::Exists { path });
            }
            Err(failure) => {
                return Err(OutputError::Io {
                    path,
                    source: failure.error,
                });
            }
        }
        sync_directory(&path).map_err(|source| OutputError::Io { path, source })
    }
}

/// Makes a rename in the directory of `path` last through a power cut.
#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

/// Other systems have no such call.
#[cfg(not(unix))]
fn sync_directory(_path: &Path) -> io::Result<()> {
    Ok(())
}
