//! Starts rayon thread pools, with the system's own errors.

use std::error::Error;
use std::io;

use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

pub(crate) fn build(builder: ThreadPoolBuilder) -> io::Result<ThreadPool> {
    builder.build().map_err(system_error)
}

/// Rayon's error repeats its cause in its own text, so only the cause is kept.
fn system_error(error: ThreadPoolBuildError) -> io::Error {
    let cause = error.source().and_then(|cause| cause.downcast_ref());
    match cause.and_then(io::Error::raw_os_error) {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::other(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_does_not_repeat_its_cause() {
        let refused = ThreadPoolBuilder::new()
            .num_threads(1)
            .spawn_handler(|_| Err(io::Error::from_raw_os_error(11)))
            .build();
        let error = system_error(refused.unwrap_err());
        assert_eq!(error.raw_os_error(), Some(11));
        assert!(error.source().is_none());
    }
}
