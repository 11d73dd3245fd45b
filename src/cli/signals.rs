//! What the system's signals do.

#[cfg(unix)]
pub(super) use unix::{outlive_file_limits, watch};

#[cfg(unix)]
mod unix {
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;
    use std::{fs, io, thread};

    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
    use signal_hook::flag;
    use signal_hook::iterator::Signals;

    /// Calls `handle` for each signal that asks the program to end: Ctrl-C,
    /// SIGTERM and SIGHUP. But those that are ignored stay so: `nohup` asks
    /// thereby to go on without a terminal, and a script to leave Ctrl-C to
    /// itself.
    ///
    /// # Errors
    /// If the system refuses.
    pub(in crate::cli) fn watch(mut handle: impl FnMut() + Send + 'static) -> io::Result<()> {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = ignored(&status);
        let is_heeded = |signal: &i32| ignored >> (signal - 1) & 1 == 0;
        let heeded = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(is_heeded);
        let mut signals = Signals::new(heeded)?;
        thread::Builder::new()
            .name("signals".into())
            .spawn(move || signals.forever().for_each(|_| handle()))?;
        Ok(())
    }

    /// The signals that are ignored, one bit each, by the text of Linux; other
    /// systems do not tell.
    fn ignored(status: &str) -> u64 {
        let mut lines = status.lines();
        let mask = lines.find_map(|line| line.strip_prefix("SigIgn:"));
        mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
            .unwrap_or(0)
    }

    /// Makes a file that may not grow (`ulimit -f`) an error like a full disk.
    /// Unheeded, the signal ends the program.
    pub(in crate::cli) fn outlive_file_limits() {
        // Where that cannot be had, it is as it would have been.
        let _ = flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)));
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn linux_tells_what_is_ignored() {
            let status = "Name:\tfourzero\nSigBlk:\t0000000000000002\nSigIgn:\t0000000000001001\n";
            assert_eq!(ignored(status), 1 << (SIGHUP - 1) | 1 << 12);
            assert_eq!(ignored("SigIgn:\tnone\n"), 0);
            assert_eq!(ignored(""), 0);
        }
    }
}

/// Calls `handle` for each Ctrl-C.
///
/// # Errors
/// If the system refuses.
#[cfg(not(unix))]
pub(super) fn watch(handle: impl FnMut() + Send + 'static) -> Result<(), ctrlc::Error> {
    ctrlc::set_handler(handle)
}

/// Other systems have no such limits.
#[cfg(not(unix))]
pub(super) const fn outlive_file_limits() {}
