//! The journal's file: its name, and the lock that keeps other processes off it.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, TryLockError};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::writer::Storage;
use crate::batch::destination::{folder_of, sync_folder};
use crate::sha256::Digest;

/// Added to the name of the chain.
const EXTENSION: &str = ".journal";

/// The longest name that file systems accept, in bytes.
const MAX_NAME_BYTES: usize = 255;

/// A journal that this process has locked. The lock is released with the last
/// clone of the file.
#[derive(Debug)]
pub(in crate::batch) struct JournalFile {
    path: PathBuf,
    pub(in crate::batch) file: Arc<File>,
    /// Bytes it held when it was locked.
    pub(in crate::batch) bytes: u64,
    is_name_synced: AtomicBool,
}

/// Where the journal of the chain file `path` is, if there is one: at the same
/// name with `.journal` added. If that is too long, the end of the chain's name
/// is replaced by its hash.
///
/// ```
/// use std::path::Path;
/// use fourzero::batch::journal_path;
///
/// assert_eq!(journal_path(Path::new("a/chain.json")), Path::new("a/chain.json.journal"));
/// ```
pub fn journal_path(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or(OsStr::new(""));
    let mut journal = OsString::new();
    if name.len() + EXTENSION.len() <= MAX_NAME_BYTES {
        journal.push(name);
    } else {
        let hash = Digest::of(name.as_encoded_bytes()).to_string();
        let text = name.to_string_lossy();
        let mut end = text.len().min(MAX_NAME_BYTES - EXTENSION.len() - 17);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        journal.push(&text[..end]);
        journal.push("-");
        journal.push(&hash[..16]);
    }
    journal.push(EXTENSION);
    path.with_file_name(journal)
}

impl JournalFile {
    /// Opens or creates the journal and locks it. The error has the kind
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if it is locked already.
    pub(in crate::batch) fn lock(path: PathBuf) -> io::Result<Self> {
        Self::lock_by(path, File::try_lock)
    }

    fn lock_by(
        path: PathBuf,
        try_lock: impl Fn(&File) -> Result<(), TryLockError>,
    ) -> io::Result<Self> {
        loop {
            // A link would be renamed instead of the file, and opening a pipe may
            // block.
            let is_new = match fs::symlink_metadata(&path) {
                Ok(found) if !found.is_file() => {
                    let problem = "it is not a plain file";
                    return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
                }
                Ok(_) => false,
                Err(error) if error.kind() == io::ErrorKind::NotFound => true,
                Err(error) => return Err(error),
            };
            let mut options = File::options();
            options.read(true).write(true).create_new(is_new);
            let file = match options.open(&path) {
                // Another process created it meanwhile, or removed it.
                Err(error) if is_new && error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) if !is_new && error.kind() == io::ErrorKind::NotFound => continue,
                opened => opened?,
            };
            if let Err(error) = try_lock(&file) {
                if let TryLockError::Error(_) = error
                    && is_new
                    && file.metadata()?.len() == 0
                {
                    // No other process can lock it either.
                    let _ = fs::remove_file(&path);
                }
                return Err(lock_problem(error.into()));
            }
            // The process that held it before may have renamed or removed it.
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
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    }

    /// The file at its start, for reading. The handle has one position, so
    /// reading must be done before writing begins. (A second handle could not
    /// read the file on Windows because of the lock.)
    pub(in crate::batch) fn reader(&self) -> io::Result<Arc<File>> {
        (&*self.file).seek(SeekFrom::Start(0))?;
        Ok(Arc::clone(&self.file))
    }

    /// Drops everything after the first `bytes` bytes, and appends there from
    /// now on.
    pub(in crate::batch) fn truncate(&self, bytes: u64) -> io::Result<()> {
        self.file.set_len(bytes)?;
        (&*self.file).seek(SeekFrom::Start(bytes)).map(|_| ())
    }

    /// Fails if the name no longer belongs to the locked file, because somebody
    /// removed, renamed or replaced it.
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

    pub(in crate::batch) fn remove(&self) -> io::Result<()> {
        self.check_name()?;
        fs::remove_file(&self.path)
    }
}

impl Storage for JournalFile {
    fn append(&self, bytes: &[u8]) -> io::Result<usize> {
        (&*self.file).write(bytes)
    }

    fn sync(&self) -> io::Result<()> {
        // Without its name, the file would be lost. A name that cannot be
        // looked up now may be back at the end.
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

/// Replaces the system's unclear error where a file system has no locks.
fn lock_problem(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::Unsupported => {
            let problem = "its file system has no locks to keep other processes off it";
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
    fn a_journal_is_named_after_its_chain_and_never_too_long() {
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
            assert!(journal.as_os_str().len() <= MAX_NAME_BYTES, "{journal:?}");
            assert!(!seen.contains(&journal));
            seen.push(journal);
        }
    }

    #[test]
    fn a_journal_is_locked_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chain.json.journal");
        let first = JournalFile::lock(path.clone()).unwrap();
        let error = JournalFile::lock(path.clone()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        first.remove().unwrap();
        assert!(!path.exists());
        assert_eq!(JournalFile::lock(path).unwrap().bytes, 0);
    }

    #[test]
    fn a_journal_that_cannot_be_locked_is_removed_only_if_it_is_new() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chain.json.journal");
        let refusal = |kind: io::ErrorKind| {
            let refuse = |_: &File| Err(TryLockError::Error(kind.into()));
            JournalFile::lock_by(path.clone(), refuse).unwrap_err()
        };
        for kind in [io::ErrorKind::Unsupported, io::ErrorKind::OutOfMemory] {
            assert_eq!(refusal(kind).kind(), kind);
            assert!(!path.exists(), "{kind}");
        }
        fs::write(&path, "").unwrap();
        refusal(io::ErrorKind::Unsupported);
        assert!(path.exists());
    }

    #[cfg(unix)]
    #[test]
    fn a_removed_or_replaced_journal_is_noticed() {
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
