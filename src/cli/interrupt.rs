//! Ctrl-C (and SIGTERM): the first asks the work to stop, the second stops
//! the program at once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use fourzero::batch::{FileError, Overwrite, WholeFile};
use fourzero::pow::Control;

use super::{Exit, print, signals};

/// What to do if the work does not stop at once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum WhenStuck {
    /// Wait for it: it has something to put away.
    Wait,
    /// Wait for it, and for a moment let it finish what is under way. Whoever
    /// does not wait is told how to go on.
    FinishAndWait {
        /// The command that does.
        go_on: String,
    },
    /// Leave. The work may be stuck in a read that never returns, and has
    /// nothing to lose but [hidden files](removed_when_left).
    Leave,
}

/// Files that are good for nothing once the program leaves its work.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Whether the work is past all that may never return.
static IS_ENDING: AtomicBool = AtomicBool::new(false);

/// How long stuck work is waited for. With it an interrupted command ends
/// within a tenth of a second.
const PATIENCE: Duration = Duration::from_millis(70);

/// How long work is given to finish what is under way: a block that takes
/// longer is given up.
const GRACE: Duration = Duration::from_millis(500);

/// Whether there was an interrupt.
#[derive(Clone, Debug, Default)]
pub(super) struct Interrupted(Arc<AtomicBool>);

impl Interrupted {
    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Cancels `control` on the first interrupt. Signals that are ignored stay so.
///
/// # Errors
/// If the system refuses the handler.
pub(super) fn install(control: &Control, when_stuck: WhenStuck) -> anyhow::Result<Interrupted> {
    let control = control.clone();
    let interrupted = Interrupted::default();
    let flag = interrupted.clone();
    signals::watch(move || {
        if flag.0.swap(true, Ordering::Relaxed) {
            leave(&when_stuck);
        }
        match when_stuck {
            WhenStuck::Wait => control.cancel(),
            WhenStuck::FinishAndWait { .. } => {
                control.wind_down();
                // Not here: the second interrupt would have to wait.
                let later = control.clone();
                let cancel = move || {
                    thread::sleep(GRACE);
                    later.cancel();
                };
                if thread::Builder::new().spawn(cancel).is_err() {
                    control.cancel();
                }
            }
            WhenStuck::Leave => {
                control.cancel();
                thread::sleep(PATIENCE);
                if !IS_ENDING.load(Ordering::Relaxed) {
                    leave(&when_stuck);
                }
            }
        }
    })
    .context("cannot watch for Ctrl-C")?;
    Ok(interrupted)
}

/// Starts a file that is removed if the program leaves before it has its name.
pub(super) fn removed_when_left(
    named: &Path,
    overwrite: Overwrite,
) -> Result<WholeFile, FileError> {
    // Locked before the file is there: nobody leaves without knowing of it.
    let mut unfinished = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner);
    let file = WholeFile::create(named, overwrite)?;
    unfinished.push(file.hidden().to_owned());
    Ok(file)
}

/// Says that the work ends by itself from here on: the first interrupt waits
/// for it.
pub(super) fn work_ends() {
    IS_ENDING.store(true, Ordering::Relaxed);
}

fn leave(when_stuck: &WhenStuck) -> ! {
    let unfinished = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner);
    for file in unfinished.iter() {
        let _ = fs::remove_file(file);
    }
    match when_stuck {
        WhenStuck::FinishAndWait { go_on } => {
            print::message(&format!("interrupted; to go on: {go_on}"));
        }
        WhenStuck::Wait | WhenStuck::Leave => print::message("interrupted"),
    }
    process::exit(Exit::Interrupted as i32)
}
