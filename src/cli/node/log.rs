//! Sets up the log on stderr.

use std::io;

use anstream::{AutoStream, ColorChoice};
use tracing_subscriber::filter::LevelFilter;

use super::args::{LogFormat, LogLevel};

/// Starts logging. Call it once.
pub(super) fn start(format: LogFormat, level: LogLevel) {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    let subscriber = tracing_subscriber::fmt()
        .with_writer(io::stderr)
        // With a closed stderr it would report that error on stderr and panic.
        .log_internal_errors(false)
        .with_max_level(level)
        .with_ansi(AutoStream::choice(&io::stderr()) != ColorChoice::Never)
        .with_target(false);
    match format {
        LogFormat::Text => subscriber.init(),
        LogFormat::Json => subscriber.json().flatten_event(true).init(),
    }
}
