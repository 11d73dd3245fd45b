//! The arguments of `fourzero completions` and `fourzero man`.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

/// Print a script that completes commands and options with Tab
///
/// bash can evaluate the script as it starts; zsh and fish look for it in a
/// folder. A new shell then completes `fourzero`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  eval \"$(fourzero completions bash)\"    # in ~/.bashrc
  fourzero completions zsh > \"${fpath[1]}/_fourzero\"
  fourzero completions fish > ~/.config/fish/completions/fourzero.fish")]
pub(in crate::cli) struct CompletionsArgs {
    /// The shell
    pub(in crate::cli) shell: Shell,
}

/// Print the manual page, or write one for every command
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fourzero man | man -l -
  fourzero man --out-dir ~/.local/share/man/man1")]
pub(in crate::cli) struct ManArgs {
    /// Write fourzero.1, fourzero-mine.1 and so on into this folder; they
    /// replace what has their names
    #[arg(long, visible_alias = "out", value_name = "DIR")]
    pub(in crate::cli) out_dir: Option<PathBuf>,
}
