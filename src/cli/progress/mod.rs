//! Progress on a terminal: one line on stderr that shows the counts of a
//! [`Control`]. Nothing is drawn if stderr is not a terminal.

mod mining;
mod terminal;

use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fourzero::pow::{Control, Target};
use indicatif::{HumanBytes, HumanCount, HumanDuration, ProgressBar, ProgressState, ProgressStyle};

pub(super) use self::mining::mining;
pub(super) use self::terminal::target;
use super::print;

/// How often the line is redrawn.
const INTERVAL: Duration = Duration::from_millis(100);

/// A line that is redrawn until it is dropped.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// Draws the text that `describe` returns for the counts and the time since
    /// the start, unless `--quiet` was given.
    pub(super) fn start(
        control: &Control,
        describe: impl FnMut(&Control, Duration) -> String + Send + 'static,
    ) -> Self {
        let target = target();
        if print::is_quiet() || target.is_hidden() {
            return Self(ProgressBar::hidden());
        }
        let control = control.clone();
        let describe = Arc::new(Mutex::new(describe));
        let draw = move |state: &ProgressState, out: &mut dyn Write| {
            let mut describe = describe.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = out.write_str(&print::printable(&describe(&control, state.elapsed())));
        };
        let style = ProgressStyle::with_template("{spinner} {counts}")
            .expect("the template is well formed")
            .with_key("counts", draw);
        let bar = ProgressBar::with_draw_target(None, target).with_style(style);
        bar.enable_steady_tick(INTERVAL);
        Self(bar)
    }

    /// Hides the line while `print` prints.
    pub(super) fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        self.0.suspend(print)
    }
}

impl Drop for Progress {
    /// Clears the line.
    fn drop(&mut self) {
        // First the thread that draws, so that it does not draw again.
        self.0.disable_steady_tick();
        self.0.finish_and_clear();
    }
}

/// The line while searching. The time left is unknown, so it shows the chance
/// that a nonce as rare as `target` would have been found by now.
pub(super) fn searching(target: Target) -> impl Fn(&Control, Duration) -> String + Send {
    move |control, elapsed| {
        let hashes = control.hashes();
        let chance = -(-(hashes as f64) / target.expected_hashes()).exp_m1();
        format!(
            "searching: {} tried, {}, {:.1} % chance of a hit by now",
            HumanCount(hashes),
            print::hashrate(hashes as f64 / elapsed.as_secs_f64()),
            100.0 * chance,
        )
    }
}

/// The line while `name`, a file of `size` bytes if that is known, is read.
pub(super) fn reading(
    doing: &'static str,
    name: String,
    size: Option<u64>,
) -> impl Fn(&Control, Duration) -> String + Send {
    move |control, elapsed| {
        let blocks = print::count(control.blocks(), "block");
        let bytes = control.bytes();
        let rate = bytes as f64 / elapsed.as_secs_f64();
        let read = match size {
            Some(size) => format!("{} of {}", HumanBytes(bytes), HumanBytes(size)),
            None => HumanBytes(bytes).to_string(),
        };
        let left = size.unwrap_or_default().saturating_sub(bytes) as f64 / rate;
        let left = match Duration::try_from_secs_f64(left) {
            Ok(left) if size.is_some() && elapsed > Duration::from_secs(1) => {
                format!(", {:#} left", HumanDuration(left))
            }
            _ => String::new(),
        };
        let rate = HumanBytes(rate as u64);
        format!("{doing} {name}: {blocks}, {read}, {rate}/s{left}")
    }
}
