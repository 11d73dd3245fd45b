//! The arguments of each command. Parsing validates values; it opens no file
//! and starts no thread.

mod bench;
pub(super) mod common;
mod convert;
mod inspect;
mod mine;
mod puzzle;
mod search;
mod shell;
pub(super) mod values;
mod verify;

pub(super) use self::bench::{BenchArgs, BenchCommand, FiguresArgs, SweepArgs};
pub(super) use self::convert::ConvertArgs;
pub(super) use self::inspect::InspectArgs;
pub(super) use self::mine::MineArgs;
pub(super) use self::puzzle::PuzzleArgs;
pub(super) use self::search::SearchArgs;
pub(super) use self::shell::{CompletionsArgs, ManArgs};
pub(super) use self::verify::VerifyArgs;
