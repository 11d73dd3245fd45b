//! Signals that the program is to leave as they are, or never to die of.

#[cfg(unix)]
pub(super) use unix::{Ignored, outlive_file_limits};

#[cfg(unix)]
#[allow(unsafe_code, reason = "calls of the C library")]
mod unix {
    use std::{mem, ptr};

    use libc::{SIG_ERR, SIG_IGN, SIGHUP, SIGINT, SIGTERM, SIGXFSZ, c_int};

    /// Those that end a program, where whoever started it had them ignored: so
    /// `nohup` asks to go on without a terminal, and a script to leave Ctrl-C
    /// to itself.
    pub(in crate::cli) struct Ignored(Vec<c_int>);

    impl Ignored {
        /// Those that are ignored now.
        pub(in crate::cli) fn now() -> Self {
            let signals = [SIGINT, SIGTERM, SIGHUP];
            Self(signals.into_iter().filter(|it| is_ignored(*it)).collect())
        }

        /// Has them ignored again, whatever handler they got meanwhile.
        pub(in crate::cli) fn restore(&self) {
            self.0.iter().copied().for_each(ignore);
        }
    }

    /// Makes a file that may not grow (`ulimit -f`) an error like a full disk:
    /// by itself, the signal ends the program.
    pub(in crate::cli) fn outlive_file_limits() {
        ignore(SIGXFSZ);
    }

    fn is_ignored(signal: c_int) -> bool {
        // SAFETY: the structure is plain numbers, and without a new action the
        // call only fills it in.
        unsafe {
            let mut action: libc::sigaction = mem::zeroed();
            libc::sigaction(signal, ptr::null(), &raw mut action) == 0
                && action.sa_sigaction == SIG_IGN
        }
    }

    fn ignore(signal: c_int) {
        // SAFETY: to ignore a signal runs no code when it comes.
        let before = unsafe { libc::signal(signal, SIG_IGN) };
        debug_assert_ne!(before, SIG_ERR, "the signal exists");
    }
}

/// Where there are no such signals.
#[cfg(not(unix))]
pub(super) struct Ignored;

#[cfg(not(unix))]
impl Ignored {
    pub(super) const fn now() -> Self {
        Self
    }

    pub(super) const fn restore(&self) {}
}

#[cfg(not(unix))]
pub(super) const fn outlive_file_limits() {}
