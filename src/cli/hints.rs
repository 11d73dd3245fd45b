//! Advice to print after errors about output files, queues, journals and
//! kernels. The library does not know the command's options.

use std::error::Error;

use fourzero::batch::{
    CsvProblem, FileError, MineError, OtherObject, OutputError, QueueError, ResumeError, Unfinished,
};
use fourzero::pow::SearchError;
use fourzero::sha256::KernelError;

use super::input;

/// Advice to print after `error`. Empty if there is nothing to add.
pub(super) fn advice(error: &anyhow::Error) -> String {
    error.chain().map(about).collect()
}

fn about(cause: &(dyn Error + 'static)) -> String {
    if let Some(unfinished) = cause.downcast_ref::<Unfinished>() {
        output(&unfinished.error)
    } else if let Some(error) = cause.downcast_ref::<OutputError>() {
        output(error)
    } else if let Some(FileError::Exists { .. }) = cause.downcast_ref() {
        FORCE.to_owned()
    } else if let Some(error) = cause.downcast_ref() {
        search(error).to_owned()
    } else {
        String::new()
    }
}

const FORCE: &str = "; --force replaces it";

fn output(error: &OutputError) -> String {
    match error {
        OutputError::File(FileError::Exists { .. }) | OutputError::Differs { .. } => {
            FORCE.to_owned()
        }
        OutputError::JournalExists { .. } => {
            "; --resume continues it; to start over, delete the journal".to_owned()
        }
        OutputError::Resume { source, .. } => format!(
            "{} (the journal is unchanged; to start over, delete it)",
            resume(source)
        ),
        OutputError::Mine(MineError::Search(error)) => search(error).to_owned(),
        OutputError::Mine(MineError::Queue { name, source }) => match source {
            QueueError::Foreign(format) => input::unpack(*format, name, "mine"),
            QueueError::BlockTooLarge { .. } => {
                "; use fewer transactions per block (--block-size), or smaller ones".to_owned()
            }
            QueueError::OtherObject {
                found: OtherObject::Chain | OtherObject::Block,
                ..
            } => "; fourzero verify and inspect read chains".to_owned(),
            QueueError::Csv {
                problem: CsvProblem::DecimalComma { number, .. },
                ..
            } => format!("; --decimal-comma reads it as {number}"),
            _ => String::new(),
        },
        _ => String::new(),
    }
}

pub(super) fn search(error: &SearchError) -> &'static str {
    match error {
        SearchError::Kernel(KernelError::Faulty { .. }) | SearchError::KernelFault { .. } => {
            "; try --kernel sha2"
        }
        _ => "",
    }
}

/// The option that probably differs from the interrupted run.
fn resume(error: &ResumeError) -> String {
    let options = match error {
        ResumeError::Format { found, .. } => return format!("; use --format {found}"),
        ResumeError::EvenTimes { first, .. } => {
            return format!("; was it mined with --timestamp {first:?}?");
        }
        ResumeError::BlockSize { .. } => "; was the queue or --block-size changed?",
        ResumeError::Transaction { found, mined, .. }
            if has_text_amount(found) != has_text_amount(mined) =>
        {
            "; was --decimal-comma the same?"
        }
        ResumeError::Proof { .. } => "; were --rule and --difficulty the same?",
        ResumeError::Difficulty { .. } => "; was --difficulty the same?",
        ResumeError::Timestamp { .. } => "; was --timestamp the same?",
        ResumeError::Recipient { .. } => "; was --recipient the same?",
        _ => "",
    };
    options.to_owned()
}

/// Whether the amount in the canonical text of a transaction is a string.
fn has_text_amount(transaction: &str) -> bool {
    transaction.starts_with("{\"amount\": \"")
}
