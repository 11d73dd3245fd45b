//! What to say about work that can be gone on with.

use std::env;

use fourzero::batch::{Kept, OutputError, Unfinished};

use crate::cli::interrupt::{InterruptFlag, WhenStuck};
use crate::cli::print;

/// The longest command that is shown.
const LONGEST: usize = 1000;

/// What an interrupt does.
pub(super) fn when_stuck() -> WhenStuck {
    WhenStuck::FinishAndWait {
        resume_command: command(),
    }
}

/// Whether it was an interrupt that left the work unfinished. The same Ctrl-C
/// may have ended whoever writes the queue, too.
pub(super) fn is_interrupted(unfinished: &Unfinished, interrupted: &InterruptFlag) -> bool {
    let may_follow = matches!(*unfinished.error, OutputError::Mine(_));
    unfinished.is_cancelled() || (interrupted.is_set() && may_follow)
}

/// What is kept, and where.
pub(super) fn kept(kept: &Kept) -> String {
    let journal = kept.journal.display();
    match kept.blocks {
        Some(1) => format!("1 block is kept in {journal}"),
        Some(blocks) => format!("{} are kept in {journal}", print::count(blocks, "block")),
        None => format!("{journal} is as it was"),
    }
}

/// The command line that goes on with this work.
pub(super) fn command() -> String {
    // Of names in no Unicode or with control characters, a terminal shows
    // something else; and a thousand names hide what else is said.
    let arguments = env::args_os().map(|argument| argument.into_string().ok());
    let command = arguments.collect::<Option<_>>().map(with_resume);
    command
        .filter(|command| command.len() <= LONGEST && !command.contains(char::is_control))
        .unwrap_or_else(|| "the same command with --resume".to_owned())
}

fn with_resume(mut arguments: Vec<String>) -> String {
    let option = "--resume".to_owned();
    // Behind `--`, it would be a queue.
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
    fn the_command_can_be_given_to_a_shell() {
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
