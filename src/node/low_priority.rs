//! Low priority for background work, so that answering requests comes first.

use std::thread;

use super::error::NodeError;

/// The niceness of background work. A thread that answers gets about nine times
/// its share of a core that both compete for.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// Lowers the priority of this thread and of threads that it starts later.
/// Only Linux has a priority per thread; elsewhere this does nothing.
pub(super) fn give_way() {
    // If the system refuses, answers only get slower.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, NICENESS);
}

/// Calls `make` on a low-priority thread, whose threads inherit the priority.
pub(super) fn with_low_priority<T: Send>(
    make: impl FnOnce() -> Result<T, NodeError> + Send,
) -> Result<T, NodeError> {
    thread::scope(|scope| {
        let thread = thread::Builder::new()
            .name("background".to_owned())
            .spawn_scoped(scope, || {
                give_way();
                make()
            })
            .map_err(NodeError::Thread)?;
        thread
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
