//! Sets up the log on stderr. A separate thread writes it, so that a log that
//! nobody reads stops nothing.

use std::io::{self, Write};
use std::mem;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anstream::{AutoStream, ColorChoice};
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder};
use tracing_subscriber::filter::LevelFilter;

use super::args::{LogFormat, LogLevel};
use crate::cli::stderr;

/// Lines that may wait for a reader, less than a megabyte. Further ones are
/// dropped.
const MOST_WAITING: usize = 4096;

/// How long a stop waits for a reader.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often it looks.
const POLL: Duration = Duration::from_millis(5);

/// Lines that were logged, those that were dropped among them.
static LOGGED: AtomicUsize = AtomicUsize::new(0);
static DROPPED: OnceLock<ErrorCounter> = OnceLock::new();
/// Lines that were written.
static WRITTEN: AtomicUsize = AtomicUsize::new(0);

/// Lines that were dropped so far.
pub(super) fn dropped() -> usize {
    DROPPED.get().map_or(0, ErrorCounter::dropped_lines)
}

/// Waits for the last lines when it is dropped.
pub(super) struct Log;

impl Drop for Log {
    fn drop(&mut self) {
        let started = Instant::now();
        let is_written =
            || WRITTEN.load(Ordering::Acquire) + dropped() >= LOGGED.load(Ordering::Acquire);
        while !is_written() && started.elapsed() < PATIENCE {
            thread::sleep(POLL);
        }
    }
}

/// Starts logging. Call it once.
pub(super) fn start(format: LogFormat, level: LogLevel) -> Log {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    // What was printed before comes first.
    stderr::settle();
    let (queue, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(MOST_WAITING)
        .lossy(true)
        .thread_name("log")
        .finish(Stderr::default());
    // If the queue is full, dropping the guard prints to stdout, which may be
    // stalled, too. `Log` waits in its place.
    mem::forget(guard);
    DROPPED.get_or_init(|| queue.error_counter());
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || Counted(queue.clone()))
        // With a closed stderr it would report that error on stderr and panic.
        .log_internal_errors(false)
        .with_max_level(level)
        .with_ansi(AutoStream::choice(&io::stderr()) != ColorChoice::Never)
        .with_target(false);
    match format {
        LogFormat::Text => subscriber.init(),
        LogFormat::Json => subscriber.json().flatten_event(true).init(),
    }
    Log
}

/// Counts the lines on their way into the queue.
struct Counted(NonBlocking);

impl Write for Counted {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        LOGGED.fetch_add(1, Ordering::Release);
        self.0.write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Writes the lines of the queue.
#[derive(Default)]
struct Stderr {
    written: usize,
    /// Dropped lines that were reported.
    reported: usize,
}

impl Write for Stderr {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // A closed stderr is ignored.
        let _ = io::stderr().write_all(line);
        self.written += 1;
        Ok(line.len())
    }

    /// Called when the queue has become empty.
    fn flush(&mut self) -> io::Result<()> {
        let dropped = dropped();
        if dropped > self.reported {
            let lines = dropped - self.reported;
            self.reported = dropped;
            // An error, so that every log level shows it.
            tracing::error!(lines, "nobody read the log, so lines were dropped");
        }
        WRITTEN.store(self.written, Ordering::Release);
        Ok(())
    }
}
