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

use std::env;
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
    mut_arg("color", |arg| {
        let arg = arg.display_order(901).help("When to use colours");
        arg.allow_negative_numbers(true)
    }),
    mut_subcommands(args::with_negative_values)
)]
struct Cli {
    #[command(subcommand)]
    command: CliCommand,
    /// Explain the choices made, and report time and memory
    #[arg(short, long, global = true, display_order = 900)]
    verbose: bool,
    /// Print only results and errors: no progress and no warnings
    #[arg(short, long, global = true, display_order = 899)]
    quiet: bool,
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
    let cli = Cli::try_parse().unwrap_or_else(|error| {
        let arguments: Vec<_> = env::args_os().collect();
        args::with_right_tip(error, Cli::command(), &arguments).exit()
    });
    cli.color.write_global();
    print::set_verbosity(cli.verbose, cli.quiet);
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
    use clap::Arg;
    use clap::error::ErrorKind;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    /// Calls `check` with the words that run each command, and each of its options
    /// that takes a value.
    fn each_option(mut check: impl FnMut(&[String], &Arg)) {
        let mut root = Cli::command();
        root.build();
        let mut left = vec![(vec!["fourzero".to_owned()], root)];
        while let Some((words, command)) = left.pop() {
            for option in command.get_opts() {
                check(&words, option);
            }
            left.extend(command.get_subcommands().map(|command| {
                let name = command.get_name().to_owned();
                ([words.as_slice(), &[name]].concat(), command.clone())
            }));
        }
    }

    /// What is wrong with the option `given` to a command, arguments that are
    /// missing aside.
    fn problem(words: &[String], given: &[String]) -> Option<ErrorKind> {
        let error = Cli::try_parse_from([words, given].concat()).err()?;
        let kinds = [
            ErrorKind::MissingRequiredArgument,
            ErrorKind::MissingSubcommand,
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
        ];
        (!kinds.contains(&error.kind())).then(|| error.kind())
    }

    #[test]
    fn every_default_in_the_help_can_be_given() {
        let mut defaults = 0;
        each_option(|words, option| {
            let help = option.get_help().map(ToString::to_string);
            let described = help.as_deref().and_then(|help| {
                let (default, _) = help.split_once("[default: ")?.1.split_once(']')?;
                // Others say in words what is chosen.
                (!default.contains(' ')).then(|| default.to_owned())
            });
            let values = option.get_default_values().iter();
            let values = values.map(|value| value.to_str().unwrap().to_owned());
            for value in values.chain(described) {
                let given = format!("--{}={value}", option.get_long().unwrap());
                let problem = problem(words, std::slice::from_ref(&given));
                assert_eq!(problem, None, "{words:?} {given}");
                defaults += 1;
            }
        });
        assert!(defaults > 30, "{defaults}");
    }

    #[test]
    fn a_value_with_a_leading_minus_is_no_unknown_option() {
        each_option(|words, option| {
            for value in ["-5", "-0.5"] {
                let given = [
                    format!("--{}", option.get_long().unwrap()),
                    value.to_owned(),
                ];
                let problem = problem(words, &given);
                let is_understood = matches!(
                    problem,
                    None | Some(ErrorKind::InvalidValue | ErrorKind::ValueValidation)
                );
                assert!(is_understood, "{words:?} {given:?}: {problem:?}");
            }
        });
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
