//! The output file: whole under its name, or not there at all.
//!
//! A chain is written to its [journal](super::journal), which is synced, read
//! back and verified, and only then gets the chain's name. Whatever ends the
//! program before that leaves the named file as it was, and the journal to go
//! on from.

mod error;
mod options;

use std::fs::{self, File};
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use tempfile::TempPath;

pub use self::error::{Kept, OutputError, Unfinished};
use self::options::Target;
pub use self::options::{OutputOptions, ReadBack, Resume};
use super::destination::Overwrite;
use super::journal::error::ResumeError;
use super::journal::file::{JournalFile, LockError};
use super::journal::replay::Replay;
use super::journal::writer::{JournalWriter, Kept as KeptBlocks};
use super::named::NamedQueue;
use super::options::MineOptions;
use super::pipeline::{Feed, MineError, MineSummary, mine_from};
use super::share::Hands;
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
/// While it is mined, the chain is its journal: [`journal_path`] beside the
/// named file, locked against other processes.
///
/// # Errors
/// If the file exists and may not be replaced, cannot be written, or does not
/// verify when it is read back; if there is a journal that is not to be gone
/// on with, or cannot be; or as `mine`. The named file is then as it was
/// before, and the journal keeps what was mined, if that is more than the
/// genesis block. With [`FileError::NameNotSynced`](super::FileError) alone,
/// the file is there.
pub fn mine_to_file(
    queues: Vec<NamedQueue>,
    output: &OutputOptions,
    options: &MineOptions,
    searcher: &Searcher,
    control: &Control,
) -> Result<MineSummary, Unfinished> {
    mine_to_file_with(
        queues,
        output,
        options,
        &mut Hands::Fixed(searcher),
        control,
    )
}

/// Where the journal of the chain file `path` is, if there is one.
///
/// ```
/// use std::path::Path;
/// use fourzero::batch::journal_path;
///
/// assert_eq!(journal_path(Path::new("a/chain.json")), Path::new("a/chain.json.journal"));
/// ```
pub fn journal_path(path: &Path) -> PathBuf {
    super::journal::file::journal_path(path)
}

/// As [`mine_to_file`], with hands that may change from proof to proof.
pub(super) fn mine_to_file_with(
    mut queues: Vec<NamedQueue>,
    output: &OutputOptions,
    options: &MineOptions,
    hands: &mut Hands<'_>,
    control: &Control,
) -> Result<MineSummary, Unfinished> {
    let target = Target::of(&output.path)?;
    let has_journal = fs::metadata(&target.journal).is_ok_and(|journal| journal.len() > 0);
    if target.chain.exists && output.resume != Resume::Never && !has_journal {
        match finished(queues, &target, output, options, control)? {
            Finished::Yes(summary) => return Ok(summary),
            Finished::No(unread) => queues = unread,
        }
    } else if target.chain.exists && output.overwrite == Overwrite::Never {
        return Err(OutputError::from(target.chain.exists_error()).into());
    }
    let mut work = Work {
        journal: Arc::new(lock(&target)?),
        target,
        output,
        kept: KeptBlocks::default(),
        state: State::Untouched,
    };
    work.run(queues, options, hands, control)
        .map_err(|error| work.unfinished(error))
}

/// Whether a file is what is to be mined already.
enum Finished {
    Yes(MineSummary),
    /// It is not, and may be replaced by what these queues give.
    No(Vec<NamedQueue>),
}

/// Compares the chain that is there with the queues: interrupted work may
/// have come to its end, or this chain of several was done before the others
/// were interrupted.
fn finished(
    queues: Vec<NamedQueue>,
    target: &Target,
    output: &OutputOptions,
    options: &MineOptions,
    control: &Control,
) -> Result<Finished, OutputError> {
    let again: Option<Vec<_>> = queues.iter().map(NamedQueue::again).collect();
    let (compared, unread) = match (again, output.overwrite) {
        (Some(again), _) => (again, Some(queues)),
        (None, Overwrite::Never) => (queues, None),
        (None, Overwrite::Replace) => return Ok(Finished::No(queues)),
    };
    let names = match &compared[..] {
        [queue] => queue.name.clone(),
        _ => "these queues".to_owned(),
    };
    let started = Instant::now();
    let file = File::open(&target.chain.path).map_err(|error| target.compare_error(error))?;
    let replay = Replay::new(file, output.format, options, output.resume.rewards());
    match Feed::resume(compared, options, control, replay) {
        Ok((feed, point)) if point.is_finished => Ok(Finished::Yes(MineSummary {
            blocks: point.blocks,
            resumed_blocks: point.blocks,
            transactions: point.transactions,
            proofs_searched: 0,
            hashes: 0,
            hashes_needed: 0,
            elapsed: started.elapsed(),
            last_hash: point.hash,
            text_amounts: feed.into_text_amounts(),
        })),
        // Nothing is known of the chain then.
        Err(MineError::Resume(ResumeError::Io(error))) => Err(target.compare_error(error)),
        Ok(_) | Err(MineError::Resume(_)) => match (output.overwrite, unread) {
            (Overwrite::Replace, Some(unread)) => Ok(Finished::No(unread)),
            _ => Err(target.differs_error(names)),
        },
        Err(error) => Err(OutputError::Mine(error)),
    }
}

fn lock(target: &Target) -> Result<JournalFile, OutputError> {
    JournalFile::lock(target.journal.clone()).map_err(|error| match error {
        LockError::InUse => target.in_use_error(),
        LockError::Io(source) => target.io_error(source),
    })
}

/// A chain on its way through its journal to its name.
struct Work<'a> {
    target: Target,
    journal: Arc<JournalFile>,
    output: &'a OutputOptions,
    kept: KeptBlocks,
    state: State,
}

/// What became of the journal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// It is as it was found.
    Untouched,
    /// It is being written.
    Written,
    /// It is no more: the chain has its name.
    Renamed,
}

impl Work<'_> {
    fn run(
        &mut self,
        queues: Vec<NamedQueue>,
        options: &MineOptions,
        hands: &mut Hands<'_>,
        control: &Control,
    ) -> Result<MineSummary, OutputError> {
        let (output, bytes) = (self.output, self.journal.bytes);
        // Another process may have finished it before it was locked.
        if output.overwrite == Overwrite::Never && Target::of(&output.path)?.chain.exists {
            return Err(self.target.chain.exists_error().into());
        }
        if bytes > 0 && output.resume == Resume::Never {
            return Err(self.target.journal_error(bytes));
        }
        let (feed, point) = if bytes == 0 {
            (Feed::start(queues, options, control), None)
        } else {
            let source = self.journal.reader().map_err(|error| self.io(error))?;
            let replay = Replay::new(source, output.format, options, output.resume.rewards());
            let (feed, point) = Feed::resume(queues, options, control, replay)
                .map_err(|error| self.mine_error(error))?;
            (feed, Some(point).filter(|point| point.blocks > 0))
        };
        let mut options = options.clone();
        if let Some(recipient) = point.as_ref().and_then(|point| point.recipient.clone()) {
            options.recipient = recipient;
        }

        if output.overwrite == Overwrite::Replace {
            // The journal shows nobody more than the file that it replaces; but it
            // must be open to whoever goes on with it.
            let (chain, journal) = (&self.target.chain, &self.journal.file);
            chain
                .hand_on_permissions(journal, 0o600)
                .map_err(|error| self.io(error))?;
        }
        let whole = point.as_ref().map_or(0, |point| point.bytes);
        self.journal
            .go_on_at(whole)
            .map_err(|error| self.io(error))?;
        let mut writer = JournalWriter::new(Arc::clone(&self.journal), self.kept.clone());
        writer.go_on_after(point.as_ref().map_or(0, |point| point.blocks));
        // Only now: what is kept is counted from here on, and a journal in
        // which nothing counts is removed.
        self.state = State::Written;
        let (writer, summary) = mine_from(point, feed, writer, output.format, &options, hands)
            .map_err(|error| self.mine_error(error))?;
        let step = control.begin_next_step();
        writer
            .close()
            .and_then(|()| self.journal.file.sync_all())
            .map_err(|error| self.io(error))?;
        if output.read_back == ReadBack::Verify {
            self.verify(&options, hands.threads(), &step)?;
        }
        self.commit()?;
        Ok(summary)
    }

    fn io(&self, source: io::Error) -> OutputError {
        self.target.io_error(source)
    }

    fn mine_error(&self, error: MineError) -> OutputError {
        match error {
            MineError::Write(source) => self.io(source),
            MineError::Resume(source) => OutputError::Resume {
                journal: self.target.journal.clone(),
                source,
            },
            other => OutputError::Mine(other),
        }
    }

    fn verify(
        &self,
        options: &MineOptions,
        threads: NonZeroUsize,
        control: &Control,
    ) -> Result<(), OutputError> {
        let path = || self.target.journal.clone();
        let verify_options = VerifyOptions {
            rule: Some(options.rule),
            target: options.target,
            strictness: options.strictness,
        };
        let report = Verifier::new(threads)
            .map_err(OutputError::Threads)?
            .verify_file(&self.journal.file, &verify_options, control)
            .map_err(|source| OutputError::ReadBack {
                path: path(),
                source,
            })?;
        match report.fault {
            None => Ok(()),
            Some(fault) => Err(OutputError::Invalid {
                path: path(),
                fault,
            }),
        }
    }

    /// Gives the chain its name.
    fn commit(&mut self) -> Result<(), OutputError> {
        self.journal.check_name().map_err(|error| self.io(error))?;
        let (from, to) = (&self.target.journal, &self.target.chain.path);
        let renamed = match self.output.overwrite {
            Overwrite::Replace => {
                let chain = &self.target.chain;
                chain
                    .hand_on_permissions(&self.journal.file, 0)
                    .and_then(|()| fs::rename(from, to))
            }
            // Also refuses a file that came to be in the meantime.
            Overwrite::Never => TempPath::try_from_path(from).and_then(|from| {
                from.persist_noclobber(to).map_err(|failure| {
                    // Else it is removed.
                    let _ = failure.path.keep();
                    failure.error
                })
            }),
        };
        renamed.map_err(|error| self.target.chain.rename_error(error))?;
        self.state = State::Renamed;
        Ok(self.target.chain.sync_name()?)
    }

    /// Puts the journal away.
    fn unfinished(&self, error: OutputError) -> Unfinished {
        let blocks = match self.state {
            // The error itself says what is there.
            State::Untouched
                if self.journal.bytes > 0 && !matches!(error, OutputError::Mine(_)) =>
            {
                return error.into();
            }
            State::Untouched if self.journal.bytes > 0 => None,
            State::Untouched => Some(0),
            State::Written => Some(self.kept.blocks()),
            State::Renamed => return error.into(),
        };
        // A genesis block is no work.
        if blocks.is_some_and(|blocks| blocks <= 1) {
            let _ = self.journal.remove();
            return error.into();
        }
        if self.journal.check_name().is_err() {
            return error.into();
        }
        // If it fails, the blocks may still be there.
        let _ = self.journal.file.sync_data();
        let journal = self.target.journal.clone();
        Unfinished {
            error: Box::new(error),
            kept: Some(Kept { journal, blocks }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::mine;
    use crate::chain::Format;
    use crate::pow::Target as Difficulty;
    use crate::sha256::KernelChoice;

    const LINE: &str = "{\"sender\": \"a\", \"recipient\": \"b\", \"amount\": 1}\n";

    fn queues() -> Vec<NamedQueue> {
        let lines = io::Cursor::new(LINE.repeat(5));
        vec![NamedQueue::new("lines", lines)]
    }

    fn options() -> MineOptions {
        MineOptions {
            block_size: NonZeroUsize::MIN,
            target: Difficulty::from_hex_zeros(1).unwrap(),
            ..MineOptions::default()
        }
    }

    fn going_on(path: PathBuf) -> OutputOptions {
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
    fn a_journal_that_cannot_be_cut_is_left_as_it_was() {
        let (options, searcher, control) = (options(), searcher(), Control::new());
        let format = Format::JsonLines;
        let (chain, _) = mine(queues(), Vec::new(), format, &options, &searcher, &control).unwrap();
        let broken_off = &chain[..chain.len() - 50];
        let folder = tempfile::tempdir().unwrap();
        let output = going_on(folder.path().join("chain.jsonl"));
        let target = Target::of(&output.path).unwrap();
        fs::write(&target.journal, broken_off).unwrap();

        let mut journal = lock(&target).unwrap();
        // It can be read, but not be written.
        journal.file = Arc::new(File::open(&target.journal).unwrap());
        let mut work = Work {
            journal: Arc::new(journal),
            target,
            output: &output,
            kept: KeptBlocks::default(),
            state: State::Untouched,
        };
        let hands = &mut Hands::Fixed(&searcher);
        let error = work.run(queues(), &options, hands, &control).unwrap_err();
        assert!(matches!(error, OutputError::File(_)), "{error:?}");
        work.unfinished(error);
        assert!(fs::read(journal_path(&output.path)).unwrap() == broken_off);
    }

    /// A plain file that can be opened, but not be read.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_chain_that_cannot_be_read_is_not_said_to_differ() {
        let output = going_on(PathBuf::from("/proc/self/mem"));
        let (options, control) = (options(), Control::new());
        let unfinished =
            mine_to_file(queues(), &output, &options, &searcher(), &control).unwrap_err();
        let error = *unfinished.error;
        assert!(matches!(error, OutputError::Compare { .. }), "{error:?}");
    }
}
