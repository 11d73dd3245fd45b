//! Progress on a terminal: one line on stderr, drawn from a [`Control`]'s
//! counts. Where stderr is no terminal nothing is drawn.

mod mining;

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use fourzero::pow::{Control, Target};
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

pub(super) use self::mining::mining;
use super::args::Printing;
use super::print;

/// How often the line is drawn anew.
const INTERVAL: Duration = Duration::from_millis(100);

/// A line that is drawn until it is dropped.
pub(super) struct Progress {
    bar: ProgressBar,
    stop: Option<Sender<()>>,
    drawer: Option<JoinHandle<()>>,
}

impl Progress {
    /// Draws what `describe` makes of the counts, unless `printing` asks for
    /// quiet.
    pub(super) fn start(
        printing: &Printing,
        control: &Control,
        mut describe: impl FnMut(&Control, Duration) -> String + Send + 'static,
    ) -> Self {
        let target = ProgressDrawTarget::stderr();
        if printing.quiet || target.is_hidden() {
            return Self {
                bar: ProgressBar::hidden(),
                stop: None,
                drawer: None,
            };
        }
        // Not `wide_msg`: in a full line the terminal's echo of ^C would wrap,
        // and what is above it would not be cleared.
        let style =
            ProgressStyle::with_template("{spinner} {msg}").expect("the template is well formed");
        let bar = ProgressBar::with_draw_target(None, target).with_style(style);
        let (stop, stopped) = mpsc::channel();
        let (control, drawn) = (control.clone(), bar.clone());
        let drawer = thread::Builder::new()
            .name("progress".into())
            .spawn(move || {
                let started = Instant::now();
                while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(INTERVAL) {
                    let line = describe(&control, started.elapsed());
                    drawn.set_message(print::printable(&line).into_owned());
                    drawn.tick();
                }
                drawn.finish_and_clear();
            });
        // Work goes on without a line if there is no thread to draw it.
        Self {
            bar,
            stop: Some(stop),
            drawer: drawer.ok(),
        }
    }

    /// Does something with the line out of the way: prints, that is.
    pub(super) fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }
}

impl Drop for Progress {
    /// Clears the line.
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(drawer) = self.drawer.take() {
            let _ = drawer.join();
        }
    }
}

/// The line while searching: no time left, but the chance that a nonce as
/// rare as `target` would have come up by now.
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

/// The line while something is done to `name`, a file of `size` bytes if that
/// is known.
pub(super) fn reading(
    doing: &'static str,
    name: String,
    size: Option<u64>,
) -> impl Fn(&Control, Duration) -> String + Send {
    move |control, elapsed| {
        let (blocks, read) = (
            print::count(control.blocks(), "block"),
            bytes_read(control, elapsed, size),
        );
        format!("{doing} {name}: {blocks}, {read}")
    }
}

/// How many bytes of `size` were read, how fast, and how long it will take.
fn bytes_read(control: &Control, elapsed: Duration, size: Option<u64>) -> String {
    let rate = control.bytes() as f64 / elapsed.as_secs_f64();
    let read = match size {
        Some(size) => format!("{} of {}", HumanBytes(control.bytes()), HumanBytes(size)),
        None => HumanBytes(control.bytes()).to_string(),
    };
    let left = match size {
        Some(size) if rate > 0.0 && elapsed > Duration::from_secs(1) => {
            let seconds = size.saturating_sub(control.bytes()) as f64 / rate;
            format!(", {} left", print::rough_time(seconds))
        }
        _ => String::new(),
    };
    format!("{read}, {}/s{left}", HumanBytes(rate as u64))
}

/// The line while verifying `name`, a file of `size` bytes if that is known.
pub(super) fn verifying(
    name: String,
    size: Option<u64>,
) -> impl Fn(&Control, Duration) -> String + Send {
    move |control, elapsed| {
        let seconds = elapsed.as_secs_f64();
        let rate = print::block_rate(control.blocks() as f64 / seconds);
        format!(
            "verifying {name}: {}, {}{}, {}",
            print::count(control.blocks(), "block"),
            rate.map_or_else(String::new, |rate| rate + ", "),
            print::hashrate(control.hashes() as f64 / seconds),
            bytes_read(control, elapsed, size),
        )
    }
}
