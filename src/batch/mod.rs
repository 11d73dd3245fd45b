//! Batch mining: queue files ([`Queue`]), the pipeline that turns them into a
//! chain ([`mine()`]), the output file ([`mine_to_file`]), and many of them at
//! once ([`mine_each`]). Also files that are whole or not there ([`WholeFile`]).
//!
//! Uses [`crate::chain`], [`crate::pow`] and [`crate::sha256`], nothing above.

mod destination;
mod detached;
mod journal;
mod many;
mod named;
mod options;
mod output;
mod pipeline;
mod queue;
mod share;
mod whole_file;

pub use destination::{FileError, Overwrite};
pub use journal::error::ResumeError;
pub use many::{ChainJob, mine_each};
pub use named::NamedQueue;
pub use options::{Clock, MineOptions, ProofMemory, fresh_node_id};
pub use output::{
    Kept, OutputError, OutputOptions, ReadBack, Resume, Unfinished, journal_path, mine_to_file,
};
pub use pipeline::{MineError, MineSummary, TextAmounts, mine};
pub use queue::{HeaderProblem, Queue, QueueError};
pub use whole_file::WholeFile;
