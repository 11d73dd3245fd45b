//! Verifies a chain file and reports progress while it works.
//!
//! ```sh
//! cargo run --release --locked --example verify_progress -- tests/data/chain-last-hash.json
//! ```

use std::env;
use std::fs::File;
use std::process::ExitCode;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use fourzero::chain::{Verifier, VerifyOptions};
use fourzero::pow::Control;

fn main() -> anyhow::Result<ExitCode> {
    let path = env::args().nth(1).context("usage: verify_progress CHAIN")?;
    let file = File::open(&path).with_context(|| format!("cannot open {path}"))?;
    let size = file.metadata()?.len();
    let verifier = Verifier::new(thread::available_parallelism()?)?;

    // The verifier counts into the control; the other thread reads the counts.
    let control = Control::new();
    let (done, waiting) = mpsc::channel::<()>();
    let report = thread::scope(|scope| {
        let control = &control;
        scope.spawn(move || {
            let interval = Duration::from_millis(100);
            while waiting.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                let (bytes, blocks) = (control.bytes(), control.blocks());
                eprintln!("{bytes} of {size} bytes, {blocks} blocks");
            }
        });
        let report = verifier.verify_file(&file, &VerifyOptions::default(), control);
        // Dropping the sender ends the other thread.
        drop(done);
        report
    })?;

    match &report.fault {
        None => {
            println!("{path}: valid, {} blocks", report.blocks);
            Ok(ExitCode::SUCCESS)
        }
        Some(fault) => {
            println!("{path}: invalid: {fault}");
            Ok(ExitCode::FAILURE)
        }
    }
}
