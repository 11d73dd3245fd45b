//! Threads that give way to those that answer.

use std::thread;

use super::error::NodeError;

/// How nice work in the background is. The threads that answer get about nine
/// times its share of a core they compete for.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// Lowers the priority of this thread, and of those that it starts from here
/// on. On systems other than Linux, where a priority is the whole process's,
/// it does nothing.
pub(super) fn give_way() {
    // A node that may not be nice is only less quick to answer.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, NICENESS);
}

/// Calls `make` on a thread that gives way: threads that it starts do, too.
pub(super) fn made_in_background<T: Send>(
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
