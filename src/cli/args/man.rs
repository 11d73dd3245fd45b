//! The arguments of `fourzero man`.

use std::path::PathBuf;

use clap::Args;

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
