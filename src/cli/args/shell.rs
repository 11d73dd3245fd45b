//! The arguments of `fourzero completions` and `fourzero man`.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

/// Print a shell completion script
///
/// bash can evaluate the script when it starts; zsh and fish load it from a
/// folder. Start a new shell afterwards.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  eval \"$(fourzero completions bash)\"    # in ~/.bashrc
  fourzero completions zsh > \"${fpath[1]}/_fourzero\"
  fourzero completions fish > ~/.config/fish/completions/fourzero.fish")]
pub(in crate::cli) struct CompletionsArgs {
    /// Shell to complete in
    pub(in crate::cli) shell: Shell,
}

/// Print the manual page, or write the pages of all commands
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fourzero man | man -l -
  fourzero man --out-dir ~/.local/share/man/man1")]
pub(in crate::cli) struct ManArgs {
    /// Write fourzero.1, fourzero-mine.1 and so on to this folder, replacing
    /// existing files
    #[arg(long, visible_alias = "out", value_name = "DIR")]
    pub(in crate::cli) out_dir: Option<PathBuf>,
}
