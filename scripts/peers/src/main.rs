//! Compares fourzero with other programs that search decimal nonces. All take
//! turns on one thread. The result is the table in `docs/measurements`.
//!
//! `cargo run --release --locked --manifest-path scripts/peers/Cargo.toml`
//! prints it as Markdown; `-- --json FILE` also writes the figures as JSON.
//! Each program's answer is checked with the `sha2` crate before it is timed.
//! Programs that cannot run here are listed with the reason.

mod contender;
mod foreign;
mod machine;
mod peers;
mod report;

use std::time::Duration;

use contender::{Contender, Message};

// With AVX-512, the compiler would put wide moves between the SHA instructions
// of pow-buster and the `sha2` crate. On Intel CPUs, each of these instructions
// then costs about 440 cycles. All programs here detect AVX-512 at run time.
// (AVX2 makes pow-buster faster on Zen 3: see
// docs/measurements/amd-epyc-25-1-1.md.)
#[cfg(target_feature = "avx512f")]
compile_error!("build without AVX-512: no `-C target-cpu=native` in RUSTFLAGS or Cargo's settings");

/// Turns of each program with each message. Other load slows whole turns, so the
/// programs alternate and the best turn counts.
const TURNS: usize = 12;

/// How long one turn should take.
const TURN: Duration = Duration::from_millis(100);

fn main() {
    let mut arguments = std::env::args().skip(1);
    let json = match (arguments.next().as_deref(), arguments.next()) {
        (None, _) => None,
        (Some("--json"), Some(file)) => Some(file),
        _ => {
            eprintln!("usage: fourzero-peers [--json FILE]");
            std::process::exit(2);
        }
    };

    let (mut contenders, absent) = contenders();
    let mut results: Vec<report::Result> = Vec::new();
    for contender in &mut contenders {
        for message in Message::ALL {
            if !contender.takes(message) {
                continue;
            }
            if let Err(fault) = contender.check(message) {
                eprintln!(
                    "{} is wrong about {}: {fault}",
                    contender.name(),
                    message.name()
                );
                std::process::exit(1);
            }
            let nonces = nonces_for_a_turn(contender.as_mut(), message);
            results.push(report::Result::new(contender.name(), message, nonces));
        }
    }
    for turn in 1..=TURNS {
        eprintln!("turn {turn} of {TURNS}");
        // Each turn starts with a different program. Otherwise the same one would
        // always run after CPython, whose separate process may disturb it.
        let begin = (turn - 1) * results.len() / TURNS;
        let (end, beginning) = results.split_at_mut(begin);
        for result in beginning.iter_mut().chain(end) {
            let contender = contenders
                .iter_mut()
                .find(|contender| contender.name() == result.contender)
                .expect("each result has a contender");
            let seconds = contender.run(result.message, result.nonces).as_secs_f64();
            result.rates.push(result.nonces as f64 / seconds);
        }
    }

    let report = report::Report {
        machine: machine::describe(),
        results,
        openssl: foreign::openssl_figure(),
        absent,
    };
    print!("{}", report.table());
    if let Some(file) = json {
        let text = format!("{:#}\n", report.json());
        if let Err(error) = std::fs::write(&file, text) {
            eprintln!("cannot write {file}: {error}");
            std::process::exit(2);
        }
    }
}

/// The programs that run here, and the names of the others with the reason.
fn contenders() -> (Vec<Box<dyn Contender>>, Vec<peers::Missing>) {
    let mut present: Vec<Box<dyn Contender>> = Vec::new();
    let mut absent = Vec::new();
    for found in peers::all().into_iter().chain([foreign::python()]) {
        match found {
            Ok(contender) => present.push(contender),
            Err(missing) => absent.push(missing),
        }
    }
    (present, absent)
}

/// The number of nonces that take about a turn, measured in a shorter run.
fn nonces_for_a_turn(contender: &mut dyn Contender, message: Message) -> u64 {
    let mut nonces = 10_000;
    loop {
        let taken = contender.run(message, nonces);
        if taken > TURN / 50 {
            let ratio = TURN.as_secs_f64() / taken.as_secs_f64();
            return (nonces as f64 * ratio) as u64;
        }
        nonces *= 4;
    }
}
