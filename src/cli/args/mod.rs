//! The arguments of each command. Parsing validates values; it opens no file
//! and starts no thread.

mod bench;
pub(super) mod common;
mod completions;
mod convert;
mod inspect;
mod leading_hyphens;
mod man;
mod mine;
mod puzzle;
mod search;
pub(super) mod values;
mod verify;

pub(super) use self::bench::BenchArgs;
pub(super) use self::completions::CompletionsArgs;
pub(super) use self::convert::ConvertArgs;
pub(super) use self::inspect::InspectArgs;
pub(super) use self::leading_hyphens::{with_negative_values, with_right_tip};
pub(super) use self::man::ManArgs;
pub(super) use self::mine::MineArgs;
pub(super) use self::puzzle::PuzzleArgs;
pub(super) use self::search::SearchArgs;
pub(super) use self::verify::VerifyArgs;
