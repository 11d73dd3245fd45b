//! Values of options that start with a hyphen.

use std::ffi::OsString;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, Error};

/// Lets every option of `command` take negative numbers, as text or to say what
/// it expects. Clap would look for an option of that name.
pub(in crate::cli) fn with_negative_values(command: Command) -> Command {
    let takes_value = |arg: &Arg| arg.get_action().takes_values() && !arg.is_positional();
    command
        .mut_args(|arg| match takes_value(&arg) {
            true => arg.allow_negative_numbers(true),
            false => arg,
        })
        .mut_subcommands(with_negative_values)
}

/// Mends the tip of an error about a value that starts with a hyphen. For an
/// option's value, clap suggests `-- VALUE`, which gives it to no option; and of
/// `-abc` it mentions only `-a`.
pub(in crate::cli) fn with_right_tip(
    mut error: Error,
    command: Command,
    arguments: &[OsString],
) -> Error {
    if error.kind() == ErrorKind::UnknownArgument
        && let Some(ContextValue::String(unknown)) = error.get(ContextKind::InvalidArg)
        && error.get(ContextKind::Suggested).is_some()
        && let Some((option, value)) = unknown_value(unknown, command, arguments)
    {
        let tip = match option {
            None => format!("to pass '{value}' as a value, use '-- {value}'"),
            Some(option) => {
                let equals = if option.starts_with("--") { "=" } else { "" };
                format!("to pass '{value}' as the value of {option}, use '{option}{equals}{value}'")
            }
        };
        let tips = ContextValue::StyledStrs(vec![StyledStr::from(tip)]);
        error.insert(ContextKind::Suggested, tips);
    }
    error
}

/// The first argument that starts with `unknown`, and the option before it that
/// waits for a value, if there is one.
fn unknown_value<'a>(
    unknown: &str,
    mut command: Command,
    arguments: &'a [OsString],
) -> Option<(Option<&'a str>, &'a str)> {
    command.build();
    let mut command = &command;
    for pair in arguments.windows(2) {
        let [option, value] = [pair[0].to_str()?, pair[1].to_str()?];
        command = command.find_subcommand(option).unwrap_or(command);
        if !value.starts_with(unknown) {
            continue;
        }
        let is_it = |arg: &Arg| {
            let long = option.strip_prefix("--");
            let short = option.strip_prefix('-').and_then(|name| name.parse().ok());
            (long.is_some() && arg.get_long() == long)
                || (short.is_some() && arg.get_short() == short)
        };
        let option = command.get_opts().any(is_it).then_some(option);
        return Some((option, value));
    }
    None
}
