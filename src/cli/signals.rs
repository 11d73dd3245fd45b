//! How the program handles signals.

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

    /// Calls `handle` for each SIGINT (Ctrl-C), SIGTERM and SIGHUP. Signals that
    /// are ignored stay ignored: that is how `nohup` keeps a program running,
    /// and how a script handles Ctrl-C itself.
    ///
    /// # Errors
    /// If the system refuses.
    pub(in crate::cli) fn watch(mut handle: impl FnMut() + Send + 'static) -> io::Result<()> {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let ignored = ignored(&status);
        let is_handled = |signal: &i32| ignored >> (signal - 1) & 1 == 0;
        let handled = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(is_handled);
        let mut signals = Signals::new(handled)?;
        thread::Builder::new()
            .name("signals".into())
            .spawn(move || signals.forever().for_each(|_| handle()))?;
        Ok(())
    }

    /// The mask of ignored signals in a Linux process status. Other systems do
    /// not provide it.
    fn ignored(status: &str) -> u64 {
        let mut lines = status.lines();
        let mask = lines.find_map(|line| line.strip_prefix("SigIgn:"));
        mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
            .unwrap_or(0)
    }

    /// Turns a file size limit (`ulimit -f`) into a write error. Unhandled, the
    /// signal would end the program.
    pub(in crate::cli) fn outlive_file_limits() {
        let _ = flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)));
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn the_mask_of_ignored_signals_is_read_from_the_process_status() {
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

/// Other systems have no such limit.
#[cfg(not(unix))]
pub(super) const fn outlive_file_limits() {}
