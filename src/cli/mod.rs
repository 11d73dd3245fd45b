//! The command line: arguments, plans, printing. One file a command; all that
//! is computed is computed by the library.
//!
//! Results go to stdout, everything else to stderr. Exit codes are [`Exit`]'s
//! and nobody else's.

mod args;
mod bench;
mod color;
mod convert;
mod explain;
mod hints;
mod input;
mod inspect;
mod interrupt;
mod mine;
#[cfg(feature = "node")]
mod node;
mod print;
mod progress;
mod puzzle;
mod search;
mod shell;
mod signals;
mod verify;

use std::env;
use std::io;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser as _;

use self::args::{Cli, Command};

/// How a command ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Exit {
    /// It did what was asked; the answer is yes.
    Yes = 0,
    /// The honest answer is no.
    No = 1,
    /// Usage, input or output is at fault.
    Error = 2,
    /// Somebody interrupted it.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Runs the command that the arguments ask for.
pub(crate) fn main() -> ExitCode {
    let started = Instant::now();
    signals::outlive_file_limits();
    color::choose(color::asked_for(env::args_os()));
    let cli = Cli::parse();
    print::set_verbose(cli.global.verbose);
    let exit = match cli.command {
        Command::Mine(args) => mine::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Search(args) => search::run(&args),
        Command::Puzzle(args) => puzzle::run(&args),
        Command::Convert(args) => convert::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Bench(args) => bench::run(&args),
        #[cfg(feature = "node")]
        Command::Node(args) => node::run(*args),
        Command::Completions(args) => shell::completions(&args),
        Command::Man(args) => shell::man(&args),
    };
    let exit = match exit {
        Ok(exit) => exit,
        // Whoever read our output had enough.
        Err(error) if is_broken_pipe(&error) => Exit::Yes,
        Err(error) => {
            print::error(&format!("{error:#}{}", hints::advice(&error)));
            Exit::Error
        }
    };
    explain::cost(started);
    exit.into()
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
