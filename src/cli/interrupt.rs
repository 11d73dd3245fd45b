//! Ctrl-C and the other signals that ask the program to end: the first one
//! stops the work, the second one ends the program immediately.

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

use super::exit::Exit;
use super::{print, signals, stderr};

/// What to do if the work does not stop at once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum WhenStuck {
    /// Wait for it.
    Wait,
    /// Give it [`GRACE`] to finish the current block, then wait for it. A second
    /// signal prints the command that resumes the work.
    FinishAndWait {
        /// The command that resumes the work.
        resume_command: String,
    },
    /// End the program, because the work may be blocked in a read and loses
    /// nothing but [temporary files](removed_when_left).
    Leave,
}

/// Temporary files to remove when the program ends without finishing them.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Whether the work has passed everything that can block forever.
static IS_ENDING: AtomicBool = AtomicBool::new(false);

/// How long to wait for work that may be blocked. An interrupted command then
/// ends within a tenth of a second.
const PATIENCE: Duration = Duration::from_millis(70);

/// How long the current block may take to finish before it is given up.
const GRACE: Duration = Duration::from_millis(500);

/// How long printing one line of the result may take after a signal.
const PRINTING: Duration = Duration::from_millis(500);

/// Whether a signal has arrived.
#[derive(Clone, Debug, Default)]
pub(super) struct InterruptFlag(Arc<AtomicBool>);

impl InterruptFlag {
    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Cancels `control` on the first signal, and ends the program if nobody reads
/// its results. Ignored signals stay ignored.
///
/// # Errors
/// If the system refuses the handler.
pub(super) fn install(control: &Control, when_stuck: WhenStuck) -> anyhow::Result<InterruptFlag> {
    let control = control.clone();
    let interrupted = InterruptFlag::default();
    let flag = interrupted.clone();
    signals::watch(move || {
        if flag.0.swap(true, Ordering::Relaxed) {
            leave(&when_stuck);
        }
        let (control, when_stuck) = (control.clone(), when_stuck.clone());
        let again = control.clone();
        // On another thread, so that a second signal is handled at once.
        let thread = thread::Builder::new().name("interrupt".into());
        if thread.spawn(move || stop(&control, &when_stuck)).is_err() {
            again.cancel();
        }
    })
    .context("cannot watch for Ctrl-C")?;
    Ok(interrupted)
}

/// Stops the work, and ends the program if it is stuck.
fn stop(control: &Control, when_stuck: &WhenStuck) {
    match when_stuck {
        WhenStuck::Wait => control.cancel(),
        WhenStuck::FinishAndWait { .. } => {
            control.wind_down();
            thread::sleep(GRACE);
            control.cancel();
        }
        WhenStuck::Leave => {
            control.cancel();
            thread::sleep(PATIENCE);
            if !IS_ENDING.load(Ordering::Relaxed) {
                leave(when_stuck);
            }
        }
    }
    while !print::is_stuck(PRINTING) {}
    leave(when_stuck);
}

/// Creates a file that is removed if the program ends before it is committed.
pub(super) fn removed_when_left(
    named: &Path,
    overwrite: Overwrite,
) -> Result<WholeFile, FileError> {
    // Locked first, so that the program cannot end between creating and listing.
    let mut unfinished = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner);
    let file = WholeFile::create(named, overwrite)?;
    unfinished.push(file.hidden().to_owned());
    Ok(file)
}

/// Says that the work will now end without blocking, so that the first signal
/// waits for it.
pub(super) fn work_ends() {
    IS_ENDING.store(true, Ordering::Relaxed);
}

fn leave(when_stuck: &WhenStuck) -> ! {
    let unfinished = UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner);
    for file in unfinished.iter() {
        let _ = fs::remove_file(file);
    }
    match when_stuck {
        WhenStuck::FinishAndWait { resume_command } => {
            print::message(&format!("interrupted; to resume: {resume_command}"));
        }
        WhenStuck::Wait | WhenStuck::Leave => print::message("interrupted"),
    }
    stderr::finish();
    process::exit(Exit::Interrupted as i32)
}
