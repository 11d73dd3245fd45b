//! The memory that this process used.

/// The most memory that this process had resident so far, in bytes; `None`
/// where the system does not say (only Linux does).
pub fn peak_memory_bytes() -> Option<u64> {
    peak_in_status(&std::fs::read_to_string("/proc/self/status").ok()?)
}

/// The peak of the resident set in the text of `/proc/PID/status`.
fn peak_in_status(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_read_as_linux_writes_it() {
        let text = "VmPeak:\t  9000 kB\nVmHWM:\t    5936 kB\nVmRSS:\t  100 kB\n";
        assert_eq!(peak_in_status(text), Some(5936 * 1024));
        assert_eq!(peak_in_status("VmHWM:\tmany kB\n"), None);
    }
}
