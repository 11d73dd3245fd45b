//! Writes to stderr on a separate thread, so that a paused terminal, or a pipe
//! that nobody reads, does not hold up the work.

use std::collections::VecDeque;
use std::io::{self, Write as _};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How long to wait for a reader.
const PATIENCE: Duration = Duration::from_secs(1);

/// Texts that may wait for a reader. Further messages are dropped.
const MOST_WAITING: usize = 1000;

static QUEUE: Mutex<Queue> = Mutex::new(Queue {
    waiting: VecDeque::new(),
    dropped: 0,
    has_thread: false,
    is_writing: false,
    written: 0,
    is_stalled: false,
});

/// Notified whenever the queue changes.
static CHANGED: Condvar = Condvar::new();

struct Queue {
    waiting: VecDeque<Text>,
    /// Messages that found no room, and were not reported yet.
    dropped: u64,
    has_thread: bool,
    is_writing: bool,
    /// Texts written so far.
    written: u64,
    /// A wait timed out, and nothing was written since.
    is_stalled: bool,
}

enum Text {
    /// Colours are removed where stderr does not show them.
    Message(String),
    /// Moves the cursor, so it is only for terminals.
    Drawing(String),
}

impl Text {
    /// Writes it. A closed stderr is ignored.
    fn write(&self) {
        let _ = match self {
            Self::Message(text) => anstream::stderr().write_all(text.as_bytes()),
            Self::Drawing(text) => io::stderr().write_all(text.as_bytes()),
        };
    }
}

impl Queue {
    fn lock() -> MutexGuard<'static, Self> {
        QUEUE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_full(&self) -> bool {
        self.waiting.len() >= MOST_WAITING
    }

    fn is_empty(&self) -> bool {
        self.waiting.is_empty() && !self.is_writing
    }

    fn push(&mut self, text: Text) {
        if !self.has_thread {
            let thread = thread::Builder::new().name("stderr".into());
            if thread.spawn(write_texts).is_err() {
                return text.write();
            }
            self.has_thread = true;
        }
        self.waiting.push_back(text);
        CHANGED.notify_all();
    }
}

/// Writes what is in the queue, one text after another.
fn write_texts() {
    let mut queue = Queue::lock();
    loop {
        let Some(text) = queue.waiting.pop_front() else {
            queue = CHANGED.wait(queue).unwrap_or_else(PoisonError::into_inner);
            continue;
        };
        queue.is_writing = true;
        drop(queue);
        text.write();
        queue = Queue::lock();
        (queue.is_writing, queue.is_stalled) = (false, false);
        queue.written += 1;
        if queue.waiting.is_empty() && queue.dropped > 0 {
            let dropped = std::mem::take(&mut queue.dropped);
            let notice = format!("messages dropped because stderr was not read: {dropped}\n");
            queue.push(Text::Message(notice));
        }
        CHANGED.notify_all();
    }
}

/// Waits while `is_blocked` holds and the reader takes a text now and then. If
/// nobody reads, only the first call waits.
fn wait_while(
    mut queue: MutexGuard<'static, Queue>,
    is_blocked: impl Fn(&Queue) -> bool,
) -> MutexGuard<'static, Queue> {
    while !queue.is_stalled && is_blocked(&queue) {
        let written = queue.written;
        let waited;
        (queue, waited) = CHANGED
            .wait_timeout_while(queue, PATIENCE, |queue| {
                queue.written == written && is_blocked(queue)
            })
            .unwrap_or_else(PoisonError::into_inner);
        queue.is_stalled = waited.timed_out();
    }
    queue
}

/// Writes a message, which ends with a line break. If a thousand wait and
/// nobody reads, it is dropped.
pub(super) fn message(text: String) {
    let mut queue = wait_while(Queue::lock(), Queue::is_full);
    if queue.is_full() {
        queue.dropped += 1;
    } else {
        queue.push(Text::Message(text));
    }
}

/// Writes a drawing to the terminal if everything before it was written.
/// Returns whether it did.
pub(super) fn draw(text: String) -> bool {
    let mut queue = Queue::lock();
    let is_free = queue.is_empty();
    if is_free {
        queue.push(Text::Drawing(text));
    }
    is_free
}

/// Clears what [`draw`] wrote, after everything that waits. Returns whether
/// there was room.
pub(super) fn clear(text: String) -> bool {
    let mut queue = Queue::lock();
    let has_room = !queue.is_full();
    if has_room {
        queue.push(Text::Drawing(text));
    }
    has_room
}

/// Waits until everything is written, so that what is printed to stdout next
/// comes after it. A second at most, and not again if nobody reads.
pub(super) fn settle() {
    drop(wait_while(Queue::lock(), |queue| !queue.is_empty()));
}

/// The same before the program ends. Waits in any case, because the reader may
/// be back.
pub(super) fn finish() {
    let mut queue = Queue::lock();
    queue.is_stalled = false;
    drop(wait_while(queue, |queue| !queue.is_empty()));
}
