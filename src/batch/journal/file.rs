//! The journal's file: its name, and the lock that keeps others off it.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, TryLockError};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::writer::Store;
use crate::batch::destination::{folder_of, sync_folder};
use crate::sha256::Digest;

/// What is added to the name of the chain.
const ENDING: &str = ".journal";

/// The longest name that file systems take, in bytes.
const MOST_NAME_BYTES: usize = 255;

/// A journal that this process has locked. The lock goes with the last clone
/// of the file.
#[derive(Debug)]
pub(in crate::batch) struct JournalFile {
    path: PathBuf,
    pub(in crate::batch) file: Arc<File>,
    /// Bytes it held when it was locked.
    pub(in crate::batch) bytes: u64,
    /// Whether its name is on the disk, as far as is known.
    is_name_synced: AtomicBool,
}

/// Why a journal cannot be had.
#[derive(Debug)]
pub(in crate::batch) enum LockError {
    /// Another process, or another part of this one, holds it.
    InUse,
    Io(io::Error),
}

impl From<io::Error> for LockError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Where the journal of the chain `output` is: its name with `.journal`
/// behind it. Of a name too long for that, the start is kept, and something
/// that tells it from others with the same start.
pub(in crate::batch) fn journal_path(output: &Path) -> PathBuf {
    let name = output.file_name().unwrap_or(OsStr::new(""));
    let mut journal = OsString::new();
    if name.len() + ENDING.len() <= MOST_NAME_BYTES {
        journal.push(name);
    } else {
        let hash = Digest::of(name.as_encoded_bytes()).to_string();
        let text = name.to_string_lossy();
        let mut most = MOST_NAME_BYTES - ENDING.len() - 17;
        while !text.is_char_boundary(most.min(text.len())) {
            most -= 1;
        }
        journal.push(&text[..most.min(text.len())]);
        journal.push("-");
        journal.push(&hash[..16]);
    }
    journal.push(ENDING);
    output.with_file_name(journal)
}

impl JournalFile {
    /// Opens the journal, makes it if it is not there, and locks it.
    pub(in crate::batch) fn lock(path: PathBuf) -> Result<Self, LockError> {
        Self::lock_by(path, File::try_lock)
    }

    fn lock_by(
        path: PathBuf,
        try_lock: impl Fn(&File) -> Result<(), TryLockError>,
    ) -> Result<Self, LockError> {
        loop {
            // A link would lead the renaming astray, and opening a pipe may
            // never end.
            let is_new = match fs::symlink_metadata(&path) {
                Ok(found) if !found.is_file() => {
                    let problem = "it is not a plain file";
                    return Err(io::Error::new(io::ErrorKind::InvalidInput, problem).into());
                }
                Ok(_) => false,
                Err(error) if error.kind() == io::ErrorKind::NotFound => true,
                Err(error) => return Err(error.into()),
            };
            let opened = File::options()
                .read(true)
                .write(true)
                .create_new(is_new)
                .open(&path);
            let file = match opened {
                // Another process made it meanwhile, or removed it.
                Err(error) if is_new && error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) if !is_new && error.kind() == io::ErrorKind::NotFound => continue,
                opened => opened?,
            };
            match try_lock(&file) {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(LockError::InUse),
                Err(TryLockError::Error(error)) => {
                    // Nobody else has use for it, either.
                    if is_new && file.metadata()?.len() == 0 {
                        let _ = fs::remove_file(&path);
                    }
                    return Err(lock_problem(error).into());
                }
            }
            // Whoever held it before may have renamed or removed it meanwhile.
            let opened = file.metadata()?;
            match fs::symlink_metadata(&path) {
                Ok(named) if is_same(&opened, &named) => {
                    return Ok(Self {
                        path,
                        file: Arc::new(file),
                        bytes: opened.len(),
                        is_name_synced: AtomicBool::new(false),
                    });
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Its bytes, from the first. It has one place for reading and writing,
    /// so the one must be done before the other. (Another handle could not
    /// read it everywhere: on Windows, the lock is against those, too.)
    pub(in crate::batch) fn reader(&self) -> io::Result<Arc<File>> {
        (&*self.file).seek(SeekFrom::Start(0))?;
        Ok(Arc::clone(&self.file))
    }

    /// Drops what comes after `bytes`, to write on from there.
    pub(in crate::batch) fn go_on_at(&self, bytes: u64) -> io::Result<()> {
        self.file.set_len(bytes)?;
        (&*self.file).seek(SeekFrom::Start(bytes)).map(|_| ())
    }

    /// An error if its name is no longer that of the file that is locked: people
    /// remove journals, and then another may have the name.
    pub(in crate::batch) fn check_name(&self) -> io::Result<()> {
        let problem = match fs::symlink_metadata(&self.path) {
            Ok(named) if is_same(&self.file.metadata()?, &named) => return Ok(()),
            Ok(_) => "somebody replaced it while it was written",
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                "somebody removed it while it was written"
            }
            Err(error) => return Err(error),
        };
        Err(io::Error::new(io::ErrorKind::NotFound, problem))
    }

    /// Removes it.
    pub(in crate::batch) fn remove(&self) -> io::Result<()> {
        self.check_name()?;
        fs::remove_file(&self.path)
    }
}

impl Store for JournalFile {
    fn append(&self, bytes: &[u8]) -> io::Result<usize> {
        (&*self.file).write(bytes)
    }

    fn sync(&self) -> io::Result<()> {
        // What is mined from now on would be lost with its name. One that cannot
        // be looked up now may be there again at the end.
        if let Err(error) = self.check_name()
            && error.kind() == io::ErrorKind::NotFound
        {
            return Err(error);
        }
        self.file.sync_data()?;
        if !self.is_name_synced.load(Ordering::Relaxed) {
            sync_folder(folder_of(&self.path))?;
            self.is_name_synced.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Why it cannot be locked, where that does not say it.
fn lock_problem(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::Unsupported => {
            let problem = "its file system has no locks, which keep others off it";
            io::Error::new(error.kind(), problem)
        }
        _ => error,
    }
}

#[cfg(unix)]
fn is_same(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Other systems do not rename or remove a file that is open.
#[cfg(not(unix))]
fn is_same(_one: &fs::Metadata, _other: &fs::Metadata) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_the_chains_with_an_ending_and_never_too_long() {
        for (chain, journal) in [
            ("chain.json", "chain.json.journal"),
            ("a/chain", "a/chain.journal"),
            ("/a/.b", "/a/.b.journal"),
        ] {
            assert_eq!(journal_path(Path::new(chain)), Path::new(journal));
        }
        let mut seen = Vec::new();
        for (letter, count) in [("x", 248), ("x", 255), ("é", 127), ("é", 124), ("語", 85)] {
            let chain = letter.repeat(count);
            let journal = journal_path(Path::new(&chain));
            assert!(journal.as_os_str().len() <= MOST_NAME_BYTES, "{journal:?}");
            assert!(!seen.contains(&journal));
            seen.push(journal);
        }
    }

    #[test]
    fn a_journal_is_locked_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chain.json.journal");
        let first = JournalFile::lock(path.clone()).unwrap();
        assert!(matches!(
            JournalFile::lock(path.clone()),
            Err(LockError::InUse)
        ));
        first.remove().unwrap();
        assert!(!path.exists());
        assert_eq!(JournalFile::lock(path).unwrap().bytes, 0);
    }

    #[test]
    fn a_journal_that_cannot_be_locked_is_left_only_if_it_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chain.json.journal");
        let refusal = |kind: io::ErrorKind| {
            let refuse = |_: &File| Err(TryLockError::Error(kind.into()));
            JournalFile::lock_by(path.clone(), refuse).unwrap_err()
        };
        for kind in [io::ErrorKind::Unsupported, io::ErrorKind::OutOfMemory] {
            let LockError::Io(error) = refusal(kind) else {
                panic!("nobody has it");
            };
            assert_eq!(error.kind(), kind);
            assert!(!path.exists(), "{kind}");
        }
        fs::write(&path, "").unwrap();
        refusal(io::ErrorKind::Unsupported);
        assert!(path.exists());
    }

    #[cfg(unix)]
    #[test]
    fn a_journal_of_somebody_else_under_its_name_is_not_taken_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chain.json.journal");
        let journal = JournalFile::lock(path.clone()).unwrap();
        journal.check_name().unwrap();
        journal.sync().unwrap();
        fs::remove_file(&path).unwrap();
        assert!(journal.sync().unwrap_err().to_string().contains("removed"));
        let problem = journal.check_name().unwrap_err().to_string();
        assert!(problem.contains("removed"), "{problem}");
        fs::write(&path, "another's").unwrap();
        let problem = journal.check_name().unwrap_err().to_string();
        assert!(problem.contains("replaced"), "{problem}");
        assert!(journal.remove().is_err());
        assert_eq!(fs::read(&path).unwrap(), b"another's");
    }
}
