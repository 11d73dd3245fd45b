//! Measures how well the engine uses the machine, next to a target for each
//! figure. The targets are for two threads.
//!
//! ```sh
//! cargo bench --bench engine                    # everything
//! cargo bench --bench engine -- verify --full   # also a chain of 1 GB
//! cargo bench --bench engine -- --help
//! ```
//!
//! Where possible, a figure is the ratio of two things measured in the same
//! round, because machines differ in speed, and each machine's speed varies. The
//! median of all rounds is compared with the target.

mod measurement;
mod mine;
mod sample;
mod sha2_rate;
mod sizes;
mod task;
mod verify;

use std::num::NonZeroUsize;
use std::path::Path;
use std::{env, fs};

use clap::{Parser, ValueEnum};
use fourzero::bench::Machine;

use measurement::{Goal, print};
use sha2_rate::sha2_bytes_per_second;

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Part {
    Mine,
    Verify,
}

#[derive(Parser)]
struct Args {
    /// What to measure [default: both]
    part: Option<Part>,
    /// Threads that search or verify; the targets are for two
    #[arg(long, default_value = "2")]
    threads: NonZeroUsize,
    /// How often to measure each figure
    #[arg(long, default_value = "7")]
    rounds: NonZeroUsize,
    /// Transactions in the chain that is compared with sha2
    #[arg(long, default_value = "1000000")]
    transactions: u64,
    /// Sizes of chains, in MB, whose rate and memory should be the same
    #[arg(long, value_delimiter = ',', default_value = "10,100")]
    sizes: Vec<u64>,
    /// Also measure a chain of 1 GB
    #[arg(long)]
    full: bool,
    /// `cargo bench` passes this
    #[arg(long, hide = true)]
    bench: bool,
}

/// What every measurement uses.
struct Bench {
    args: Args,
    /// Where sample files are written.
    folder: &'static Path,
    /// Bytes per second of `sha2` in each round, on one thread and on all.
    sha2: [Vec<f64>; 2],
}

impl Bench {
    fn rounds(&self, step: &str) -> std::ops::Range<usize> {
        eprintln!("{step}: {} rounds", self.args.rounds);
        0..self.args.rounds.get()
    }

    /// Measures `sha2` on one thread and on all, in bytes per second.
    fn sha2_round(&mut self) -> [f64; 2] {
        let rates = [NonZeroUsize::MIN, self.args.threads].map(sha2_bytes_per_second);
        for (rate, all) in rates.iter().zip(&mut self.sha2) {
            all.push(rate / 1e6);
        }
        rates
    }
}

fn main() -> anyhow::Result<()> {
    let arguments: Vec<_> = env::args().collect();
    if let [_, command, task] = &arguments[..]
        && command == task::COMMAND
    {
        return task::run(task);
    }
    let mut args = Args::parse();
    if args.full {
        args.sizes.push(1_000);
    }
    let folder = Path::new(concat!(env!("CARGO_TARGET_TMPDIR"), "/engine"));
    fs::create_dir_all(folder)?;
    let part = args.part;
    let mut bench = Bench {
        args,
        folder,
        sha2: [vec![], vec![]],
    };
    let machine = Machine::here();
    println!(
        "{}, {} physical cores, {} logical, fourzero {}",
        machine.cpu, machine.cores.physical, machine.cores.logical, machine.version
    );
    measurement::print_heading();
    if part != Some(Part::Verify) {
        mine::measure(&mut bench)?;
    }
    if part != Some(Part::Mine) {
        verify::measure(&mut bench)?;
    }
    print(
        "sha2 in this run, 1 thread",
        "MB/s",
        &bench.sha2[0],
        Goal::High,
    );
    if bench.args.threads > NonZeroUsize::MIN {
        let name = format!("sha2 in this run, {} threads", bench.args.threads);
        print(&name, "MB/s", &bench.sha2[1], Goal::High);
    }
    Ok(fs::remove_dir_all(folder)?)
}
