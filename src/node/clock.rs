//! The time of day.

use std::time::SystemTime;

/// Seconds since the epoch, as Python's `time.time()` returns them.
pub(super) fn now() -> f64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0.0, |time| time.as_secs_f64())
}
