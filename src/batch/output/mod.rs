//! Mines a chain into a file, which exists only when it is complete.
//!
//! A chain is written to its [journal](super::journal), which is synced, read
//! back and verified, and then renamed to the chain's name. Whatever ends the
//! program before that leaves the named file unchanged, and the journal to
//! resume from.

mod error;
mod options;

use std::fs::{self, File};
use std::io;
use std::num::NonZeroUsize;
use std::sync::Arc;

use tempfile::TempPath;

pub use self::error::{KeptJournal, OutputError, Unfinished};
use self::options::OutputPaths;
pub use self::options::{OutputOptions, ReadBack, Resume};
use super::destination::{FileError, Overwrite};
use super::journal::error::ResumeError;
use super::journal::file::JournalFile;
use super::journal::replay::replay;
use super::journal::writer::JournalWriter;
use super::named_queue::NamedQueue;
use super::options::MineOptions;
use super::pipeline::{MineError, MineSummary, QueueBlocks, mine_from};
use super::thread_shares::SearchThreads;
use crate::chain::{Verifier, VerifyOptions};
use crate::pow::{Control, Searcher};

/// Mines `queues` into the file that `output` names; see
/// [`mine`](crate::batch::mine()).
///
/// ```
/// use std::num::NonZeroUsize;
/// use fourzero::batch::{
///     MineOptions, NamedQueue, OutputOptions, Overwrite, ReadBack, Resume, mine_to_file,
/// };
/// use fourzero::chain::Format;
/// use fourzero::pow::{Control, Searcher};
/// use fourzero::sha256::KernelChoice;
///
/// let folder = tempfile::tempdir()?;
/// let output = OutputOptions {
///     path: folder.path().join("chain.json"),
///     format: Format::Json,
///     overwrite: Overwrite::Never,
///     read_back: ReadBack::Verify,
///     resume: Resume::Never,
/// };
/// let csv = "sender,recipient,amount\nalice,bob,5\n";
/// let summary = mine_to_file(
///     vec![NamedQueue::new("example", csv.as_bytes())],
///     &output,
///     &MineOptions::default(),
///     &Searcher::new(NonZeroUsize::MIN, KernelChoice::Measured)?,
///     &Control::new(),
/// )?;
/// assert_eq!(summary.transactions, 1);
/// assert!(output.path.exists());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// While it is mined, the chain is in its journal beside the named file, locked
/// against other processes. See [`journal_path`](super::journal_path).
///
/// # Errors
/// If the file exists and must not be replaced, cannot be written, or does not
/// verify when it is read back; if there is a journal that must not, or cannot,
/// be resumed from; or if `mine` fails. The named file is then unchanged, and the
/// journal keeps the mined blocks, if there is more than the genesis block.
/// Only with [`FileError::NameNotSynced`] is the new file there.
pub fn mine_to_file(
    queues: Vec<NamedQueue>,
    output: &OutputOptions,
    options: &MineOptions,
    searcher: &Searcher,
    control: &Control,
) -> Result<MineSummary, Unfinished> {
    let threads = &mut SearchThreads::Fixed(searcher);
    mine_to_file_with(queues, output, options, threads, control)
}

/// As [`mine_to_file`], with a number of threads that may change from proof to
/// proof.
pub(super) fn mine_to_file_with(
    mut queues: Vec<NamedQueue>,
    output: &OutputOptions,
    options: &MineOptions,
    threads: &mut SearchThreads<'_>,
    control: &Control,
) -> Result<MineSummary, Unfinished> {
    let paths = OutputPaths::new(&output.path).map_err(OutputError::from)?;
    if paths.chain.exists && output.resume != Resume::Never && paths.journal_bytes() == 0 {
        let differs = OutputError::Differs {
            path: output.path.clone(),
            queues: match &queues[..] {
                [queue] => queue.name.clone(),
                _ => "these queues".to_owned(),
            },
        };
        let copies: Option<_> = queues.iter().map(NamedQueue::try_clone).collect();
        let (compared, unread) = match copies {
            Some(copies) => (copies, Some(queues)),
            None => (queues, None),
        };
        if let Some(summary) = finished_chain(compared, &paths, output, options, control)? {
            return Ok(summary);
        }
        match unread {
            Some(unread) if output.overwrite == Overwrite::Replace => queues = unread,
            _ => return Err(differs.into()),
        }
    } else if paths.chain.exists && output.overwrite == Overwrite::Never {
        return Err(OutputError::from(paths.chain.exists_error()).into());
    }
    let journal = JournalFile::lock(paths.journal.clone()).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => OutputError::InUse {
            path: output.path.clone(),
            journal: paths.journal.clone(),
        },
        _ => journal_error(&paths, error),
    })?;
    let mut work = ChainInProgress {
        journal: Arc::new(journal),
        paths,
        output,
        writer: None,
    };
    work.mine(queues, options, threads, control)
        .map_err(|error| work.unfinished(error))
}

/// The summary of the existing chain, if it is the chain of these queues. The
/// interrupted run may have finished it.
fn finished_chain(
    queues: Vec<NamedQueue>,
    paths: &OutputPaths,
    output: &OutputOptions,
    options: &MineOptions,
    control: &Control,
) -> Result<Option<MineSummary>, OutputError> {
    let compare_error = |source| OutputError::Compare {
        path: output.path.clone(),
        source,
    };
    let mut blocks = QueueBlocks::new(queues, options, control);
    let file = File::open(&paths.chain.path).map_err(compare_error)?;
    let recipient = output.expected_recipient(options);
    let point = match replay(file, output.format, options, recipient, &mut blocks) {
        Ok(point) => point,
        Err(ResumeError::Io(error)) => return Err(compare_error(error)),
        Err(ResumeError::Mine(error)) => return Err(OutputError::Mine(error)),
        Err(_) => return Ok(None),
    };
    let chain = point.chain.filter(|_| point.is_finished);
    Ok(chain.map(|chain| MineSummary {
        blocks: chain.tip.index,
        resumed_blocks: chain.tip.index,
        transactions: chain.transactions,
        proofs_searched: 0,
        hashes: 0,
        hashes_needed: 0,
        elapsed: blocks.started.elapsed(),
        last_hash: chain.tip.hash,
        doubts: blocks.doubts,
    }))
}

/// The journal cannot be read or written.
fn journal_error(paths: &OutputPaths, source: io::Error) -> OutputError {
    let path = paths.journal.clone();
    FileError::Io { path, source }.into()
}

/// A chain on its way through its journal to its name.
struct ChainInProgress<'a> {
    paths: OutputPaths,
    journal: Arc<JournalFile>,
    output: &'a OutputOptions,
    /// `None` while the journal is unchanged.
    writer: Option<JournalWriter<JournalFile>>,
}

impl ChainInProgress<'_> {
    fn mine(
        &mut self,
        queues: Vec<NamedQueue>,
        options: &MineOptions,
        threads: &mut SearchThreads<'_>,
        control: &Control,
    ) -> Result<MineSummary, OutputError> {
        let output = self.output;
        // Another process may have finished the chain before this one locked it.
        if output.overwrite == Overwrite::Never && OutputPaths::new(&output.path)?.chain.exists {
            return Err(self.paths.chain.exists_error().into());
        }
        output.check_journal(&self.paths, self.journal.bytes)?;
        let mut blocks = QueueBlocks::new(queues, options, control);
        let mut options = options.clone();
        let (mut start, mut bytes) = (None, 0);
        if self.journal.bytes > 0 {
            let source = self.journal.reader().map_err(|error| self.io(error))?;
            let recipient = output.expected_recipient(&options);
            let point = replay(source, output.format, &options, recipient, &mut blocks).map_err(
                |error| match error {
                    ResumeError::Mine(error) => OutputError::Mine(error),
                    error => OutputError::Resume {
                        journal: self.paths.journal.clone(),
                        source: Box::new(error),
                    },
                },
            )?;
            options.recipient = point.recipient.unwrap_or(options.recipient);
            (start, bytes) = (point.chain, point.bytes);
        }
        if output.overwrite == Overwrite::Replace {
            // The journal must be as private as the file that it replaces. But
            // its owner must be able to resume from it.
            self.paths
                .chain
                .copy_permissions(&self.journal.file, 0o600)
                .map_err(|error| self.io(error))?;
        }
        self.journal
            .truncate(bytes)
            .map_err(|error| self.io(error))?;
        let resumed_blocks = start.as_ref().map_or(0, |start| start.tip.index);
        let writer = JournalWriter::new(Arc::clone(&self.journal), resumed_blocks);
        let writer = self.writer.insert(writer);
        let summary = mine_from(start, blocks, writer, output.format, &options, threads).map_err(
            |error| match error {
                MineError::Write(source) => journal_error(&self.paths, source),
                other => OutputError::Mine(other),
            },
        )?;
        let step = control.begin_next_step();
        writer
            .finish_sync()
            .and_then(|()| self.journal.file.sync_all())
            .map_err(|error| self.io(error))?;
        if output.read_back == ReadBack::Verify {
            self.verify(&options, threads.count(), &step)?;
        }
        self.rename()?;
        Ok(summary)
    }

    fn io(&self, source: io::Error) -> OutputError {
        journal_error(&self.paths, source)
    }

    fn verify(
        &self,
        options: &MineOptions,
        threads: NonZeroUsize,
        control: &Control,
    ) -> Result<(), OutputError> {
        let path = self.paths.journal.clone();
        let verify_options = VerifyOptions {
            rule: Some(options.rule),
            target: options.target,
            strictness: options.strictness,
        };
        let verifier = Verifier::new(threads).map_err(OutputError::Threads)?;
        match verifier.verify_file(&self.journal.file, &verify_options, control) {
            Err(source) => Err(OutputError::ReadBack { path, source }),
            Ok(report) => match report.fault {
                Some(fault) => Err(OutputError::Invalid { path, fault }),
                None => Ok(()),
            },
        }
    }

    /// Renames the journal to the chain.
    fn rename(&self) -> Result<(), OutputError> {
        self.journal.check_name().map_err(|error| self.io(error))?;
        let (from, chain) = (&self.paths.journal, &self.paths.chain);
        let renamed = match self.output.overwrite {
            Overwrite::Replace => chain
                .copy_permissions(&self.journal.file, 0)
                .and_then(|()| fs::rename(from, &chain.path)),
            // Refuses a file that was created meanwhile.
            Overwrite::Never => TempPath::try_from_path(from).and_then(|from| {
                from.persist_noclobber(&chain.path).map_err(|failure| {
                    // Otherwise dropping it would remove the journal.
                    let _ = failure.path.keep();
                    failure.error
                })
            }),
        };
        renamed.map_err(|error| chain.rename_error(error))?;
        Ok(chain.sync_name()?)
    }

    /// Adds to `error` what the journal holds. Removes a journal that holds no
    /// more than the genesis block.
    fn unfinished(&mut self, error: OutputError) -> Unfinished {
        let blocks = match &mut self.writer {
            Some(writer) => Some(writer.stored_blocks()),
            None if self.journal.bytes == 0 => Some(0),
            None => None,
        };
        if blocks.is_some_and(|blocks| blocks <= 1) {
            let _ = self.journal.remove();
            return error.into();
        }
        // Other errors say themselves that there is a journal.
        let is_known = blocks.is_none() && !matches!(error, OutputError::Mine(_));
        // Without its name, it is the finished chain, or somebody removed it.
        if is_known || self.journal.check_name().is_err() {
            return error.into();
        }
        // Even if this fails, the blocks may be kept.
        let _ = self.journal.file.sync_data();
        let journal = self.paths.journal.clone();
        Unfinished {
            error: Box::new(error),
            kept: Some(KeptJournal { journal, blocks }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::batch::mine;
    use crate::chain::Format;
    use crate::pow::Target;
    use crate::sha256::KernelChoice;

    const LINE: &str = "{\"sender\": \"a\", \"recipient\": \"b\", \"amount\": 1}\n";

    fn queues() -> Vec<NamedQueue> {
        let lines = io::Cursor::new(LINE.repeat(5));
        vec![NamedQueue::new("lines", lines)]
    }

    fn options() -> MineOptions {
        MineOptions {
            block_size: NonZeroUsize::MIN,
            target: Target::from_hex_zeros(1).unwrap(),
            ..MineOptions::default()
        }
    }

    fn resuming(path: PathBuf) -> OutputOptions {
        OutputOptions {
            path,
            format: Format::JsonLines,
            overwrite: Overwrite::Never,
            read_back: ReadBack::Verify,
            resume: Resume::JournalsRecipient,
        }
    }

    fn searcher() -> Searcher {
        Searcher::new(NonZeroUsize::MIN, KernelChoice::Measured).unwrap()
    }

    #[test]
    fn a_journal_that_cannot_be_truncated_is_left_unchanged() {
        let (options, searcher, control) = (options(), searcher(), Control::new());
        let format = Format::JsonLines;
        let (chain, _) = mine(queues(), Vec::new(), format, &options, &searcher, &control).unwrap();
        let cut = &chain[..chain.len() - 50];
        let folder = tempfile::tempdir().unwrap();
        let output = resuming(folder.path().join("chain.jsonl"));
        let paths = OutputPaths::new(&output.path).unwrap();
        fs::write(&paths.journal, cut).unwrap();

        let mut journal = JournalFile::lock(paths.journal.clone()).unwrap();
        // This handle can be read but not written.
        journal.file = Arc::new(File::open(&paths.journal).unwrap());
        let mut work = ChainInProgress {
            journal: Arc::new(journal),
            paths,
            output: &output,
            writer: None,
        };
        let threads = &mut SearchThreads::Fixed(&searcher);
        let error = work
            .mine(queues(), &options, threads, &control)
            .unwrap_err();
        assert!(matches!(error, OutputError::File(_)), "{error:?}");
        work.unfinished(error);
        assert!(fs::read(&work.paths.journal).unwrap() == cut);
    }

    /// Uses a plain file that can be opened but not read.
    #[cfg(target_os = "linux")]
    #[test]
    fn an_unreadable_chain_is_not_reported_as_different() {
        let output = resuming(PathBuf::from("/proc/self/mem"));
        let (options, control) = (options(), Control::new());
        let unfinished =
            mine_to_file(queues(), &output, &options, &searcher(), &control).unwrap_err();
        let error = *unfinished.error;
        assert!(matches!(error, OutputError::Compare { .. }), "{error:?}");
    }
}
