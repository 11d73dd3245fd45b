//! The command line, with one file per command. `args` parses the arguments,
//! the library computes, and the commands print: results to stdout, everything
//! else to stderr.

mod args;
mod bench;
mod completions;
mod convert;
mod exit;
mod explain;
mod hints;
mod input;
mod inspect;
mod interrupt;
mod man;
mod mine;
#[cfg(feature = "node")]
mod node;
mod print;
mod progress;
mod puzzle;
mod search;
mod signals;
mod stderr;
mod verify;

use std::io;
use std::process::ExitCode;
use std::time::Instant;

use clap::builder::Styles;
use clap::{CommandFactory as _, Parser, Subcommand};
use fourzero::sha256::{Kernel, Variant};

use self::exit::Exit;

/// Mine and verify the tutorial blockchain, byte for byte like its Python
/// programs
#[derive(Debug, Parser)]
#[command(
    version,
    long_version = version(),
    styles = Styles::styled(),
    max_term_width = 100,
    after_help = EXAMPLES_AND_EXIT_STATUS,
    mut_arg("color", |arg| arg.display_order(901).help("When to use colours"))
)]
struct Cli {
    #[command(subcommand)]
    command: CliCommand,
    /// Explain the choices made, and report time and memory
    #[arg(short, long, global = true, display_order = 900)]
    verbose: bool,
    #[command(flatten)]
    color: colorchoice_clap::Color,
}

/// The version, and what a report about speed needs in addition.
fn version() -> String {
    let variants = Kernel::available().into_iter().flat_map(Kernel::variants);
    let kernels: Vec<_> = variants.map(Variant::name).collect();
    format!(
        "{}\ncpu features: {}\nkernels: {}",
        env!("CARGO_PKG_VERSION"),
        fourzero::sha256::cpu_features().join(" "),
        kernels.join(", "),
    )
}

const EXAMPLES_AND_EXIT_STATUS: &str = "\
Examples:
  fourzero mine queue.csv -o chain.json
  fourzero verify chain.json
  fourzero inspect chain.json

Exit status:
  0    success
  1    the answer is no: an invalid chain, or no solution to a search or puzzle
  2    usage, input or output error
  130  interrupted";

#[derive(Debug, Subcommand)]
enum CliCommand {
    Mine(args::MineArgs),
    Verify(args::VerifyArgs),
    Search(args::SearchArgs),
    Puzzle(args::PuzzleArgs),
    Convert(args::ConvertArgs),
    Inspect(args::InspectArgs),
    Bench(args::BenchArgs),
    #[cfg(feature = "node")]
    Node(Box<node::NodeArgs>),
    Completions(args::CompletionsArgs),
    Man(args::ManArgs),
}

/// Runs the command that the arguments name.
pub(crate) fn main() -> ExitCode {
    let started = Instant::now();
    signals::outlive_file_limits();
    let cli = Cli::parse();
    cli.color.write_global();
    print::set_verbose(cli.verbose);
    let exit = match cli.command {
        CliCommand::Mine(args) => mine::run(&args),
        CliCommand::Verify(args) => verify::run(&args),
        CliCommand::Search(args) => search::run(&args),
        CliCommand::Puzzle(args) => puzzle::run(&args),
        CliCommand::Convert(args) => convert::run(&args),
        CliCommand::Inspect(args) => inspect::run(&args),
        CliCommand::Bench(args) => bench::run(&args),
        #[cfg(feature = "node")]
        CliCommand::Node(args) => node::run(*args),
        CliCommand::Completions(args) => completions::run(&args, Cli::command()),
        CliCommand::Man(args) => man::run(&args, Cli::command()),
    };
    let exit = match exit {
        Ok(exit) => exit,
        // The reader of our output has stopped reading, which is not an error.
        Err(error) if is_broken_pipe(&error) => Exit::Yes,
        Err(error) => {
            print::error(&format!("{error:#}{}", hints::advice(&error)));
            Exit::Error
        }
    };
    explain::cost(started);
    stderr::finish();
    exit.into()
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    /// The words of a shell command, up to a pipe, redirection or comment.
    fn words(line: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut quote = None;
        for character in line.chars() {
            match (quote, character) {
                (Some(open), _) if open == character => quote = None,
                (None, '\'' | '"') => quote = Some(character),
                (None, '|' | '>' | '#' | ')') => break,
                (None, ' ') => words.push(String::new()),
                _ => words.last_mut().unwrap().push(character),
            }
        }
        words.retain(|word| !word.is_empty());
        words
    }

    #[test]
    fn every_example_in_the_help_is_accepted() {
        let mut left = vec![Cli::command()];
        let mut examples = 0;
        while let Some(command) = left.pop() {
            left.extend(command.get_subcommands().cloned());
            let help = command.get_after_help().map(ToString::to_string);
            for line in help.unwrap_or_default().lines() {
                for (start, _) in line.match_indices("fourzero ") {
                    let before = &line[..start];
                    // Skip paths and addresses that contain the name.
                    if before.is_empty() || before.ends_with([' ', '(']) {
                        let words = words(&line[start..]);
                        if let Err(error) = Cli::try_parse_from(&words) {
                            panic!("{line}: {error}");
                        }
                        examples += 1;
                    }
                }
            }
        }
        assert!(examples > 20, "{examples}");
    }
}
