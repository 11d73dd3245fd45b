//! The arguments of `fourzero completions`.

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
