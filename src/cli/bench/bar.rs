//! The live bar of a sweep, and the line of the figures. On stderr, and only
//! on a terminal.

use std::time::Duration;

use fourzero::bench::TurnDone;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::print;

/// A bar that is drawn until it is dropped.
pub(super) struct Bar(ProgressBar);

impl Bar {
    /// A bar, unless it should be `quiet`.
    pub(super) fn start(quiet: bool) -> Self {
        Self::with_template(
            quiet,
            "{spinner} [{bar:24}] {pos}/{len} turns, {eta} left: {msg}",
        )
    }

    /// A line of text with the time since the start.
    pub(super) fn line(quiet: bool) -> Self {
        Self::with_template(quiet, "{spinner} {elapsed}: {msg}")
    }

    fn with_template(quiet: bool, template: &str) -> Self {
        let target = ProgressDrawTarget::stderr();
        if quiet || target.is_hidden() {
            return Self(ProgressBar::hidden());
        }
        let style = ProgressStyle::with_template(template)
            .expect("the templates are well formed")
            .progress_chars("=> ");
        let bar = ProgressBar::with_draw_target(Some(0), target).with_style(style);
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(bar)
    }

    /// Shows a turn that is over.
    pub(super) fn show(&self, turn: &TurnDone) {
        self.0.set_length(turn.of as u64);
        self.0.set_position(turn.done as u64);
        self.0.set_message(format!(
            "{} {}, {}: {}",
            turn.kernel,
            turn.rule,
            print::count(turn.threads.get() as u64, "thread"),
            print::hashrate(turn.hashrate)
        ));
    }

    /// Shows what is being done.
    pub(super) fn tell(&self, what: &str) {
        self.0.set_message(what.to_owned());
    }
}

impl Drop for Bar {
    /// Clears the line.
    fn drop(&mut self) {
        // First the thread that draws, lest it draw once more.
        self.0.disable_steady_tick();
        self.0.finish_and_clear();
    }
}
