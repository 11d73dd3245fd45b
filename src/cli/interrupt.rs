//! Ctrl-C (and SIGTERM): the first asks the work to stop, the second stops
//! the program.

use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use fourzero::pow::Control;

use super::{Exit, print};

/// What to do if the work does not stop at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum WhenStuck {
    /// Wait for it: it has something to put away.
    Wait,
    /// Leave. The work may be stuck in a read that never returns, and has
    /// nothing to lose.
    Leave,
}

/// How long stuck work is waited for. With it an interrupted command ends
/// within a tenth of a second.
const PATIENCE: Duration = Duration::from_millis(70);

/// Whether there was an interrupt.
#[derive(Clone, Debug, Default)]
pub(super) struct Interrupted(Arc<AtomicBool>);

impl Interrupted {
    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Cancels `control` on the first interrupt.
///
/// # Errors
/// If the system refuses the handler.
pub(super) fn install(control: &Control, when_stuck: WhenStuck) -> anyhow::Result<Interrupted> {
    let control = control.clone();
    let interrupted = Interrupted::default();
    let flag = interrupted.clone();
    ctrlc::set_handler(move || {
        if flag.0.swap(true, Ordering::Relaxed) {
            leave();
        }
        control.cancel();
        if when_stuck == WhenStuck::Leave {
            thread::sleep(PATIENCE);
            leave();
        }
    })
    .context("cannot watch for Ctrl-C")?;
    Ok(interrupted)
}

fn leave() -> ! {
    print::message("interrupted");
    process::exit(Exit::Interrupted as i32)
}
