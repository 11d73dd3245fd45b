//! Messages about runs that can be resumed.

use std::env;

use fourzero::batch::{KeptJournal, OutputError, Unfinished};

use crate::cli::interrupt::{InterruptFlag, WhenStuck};
use crate::cli::print;

/// The longest command that is shown.
const MAX_COMMAND_BYTES: usize = 1000;

/// What an interrupt does.
pub(super) fn when_stuck() -> WhenStuck {
    WhenStuck::FinishAndWait {
        resume_command: command(),
    }
}

/// Whether an interrupt ended the run. The same Ctrl-C may have ended the
/// program that writes the queue, which looks like a failure of the queue.
pub(super) fn is_interrupted(unfinished: &Unfinished, interrupted: &InterruptFlag) -> bool {
    let may_follow = matches!(*unfinished.error, OutputError::Mine(_));
    unfinished.is_cancelled() || (interrupted.is_set() && may_follow)
}

/// Says how many blocks are kept, and where.
pub(super) fn kept(kept: &KeptJournal) -> String {
    let journal = kept.journal.display();
    match kept.blocks {
        Some(1) => format!("1 block is kept in {journal}"),
        Some(blocks) => format!("{} are kept in {journal}", print::count(blocks, "block")),
        None => format!("{journal} is unchanged"),
    }
}

/// Says how to resume after an error.
pub(super) fn after_failure() -> String {
    format!("fix the error, then resume: {}", command())
}

/// The command line that resumes this run.
pub(super) fn command() -> String {
    // A terminal cannot show every name so that it can be copied, and a thousand
    // names would hide the message.
    let arguments = env::args_os().map(|argument| argument.into_string().ok());
    let command = arguments.collect::<Option<_>>().map(with_resume);
    command
        .filter(|command| command.len() <= MAX_COMMAND_BYTES && !command.contains(char::is_control))
        .unwrap_or_else(|| "the same command with --resume".to_owned())
}

fn with_resume(mut arguments: Vec<String>) -> String {
    let option = "--resume".to_owned();
    // After `--` it would be a queue.
    let options_end = arguments.iter().position(|argument| argument == "--");
    let end = options_end.unwrap_or(arguments.len());
    if !arguments[..end].contains(&option) {
        arguments.insert(end, option);
    }
    let words: Vec<_> = arguments
        .iter()
        .map(|argument| print::shell_word(argument))
        .collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_understands_the_command() {
        let command = |arguments: &[&str]| {
            let arguments = arguments.iter().map(|argument| (*argument).to_owned());
            with_resume(arguments.collect())
        };
        assert_eq!(
            command(&["fourzero", "mine", "a.csv", "-o", "b.json"]),
            "fourzero mine a.csv -o b.json --resume"
        );
        assert_eq!(
            command(&["fourzero", "mine", "--resume", "-o", "b", "--", "-a"]),
            "fourzero mine --resume -o b -- -a"
        );
        assert_eq!(
            command(&["fourzero", "mine", "-o", "b", "--", "-a"]),
            "fourzero mine -o b --resume -- -a"
        );
        if cfg!(unix) {
            assert_eq!(
                command(&["fourzero", "mine", "it's $1", ""]),
                r"fourzero mine 'it'\''s $1' '' --resume"
            );
        }
    }
}
