//! Batch mining: reads queue files ([`Queue`]), mines them into a chain
//! ([`mine()`]) and writes it to a file ([`mine_to_file`]), or does so for many
//! queues at once ([`mine_each()`]). Also writes files that exist only when they
//! are complete ([`WholeFile`]).
//!
//! Uses [`crate::chain`], [`crate::pow`] and [`crate::sha256`], nothing above.

mod background_reader;
mod commas;
mod destination;
mod journal;
mod mine_each;
mod named_queue;
mod options;
mod output;
mod pipeline;
mod queue;
mod thread_shares;
mod whole_file;

pub use commas::with_commas;
pub use destination::{FileError, Overwrite};
pub use journal::error::ResumeError;
pub use journal::file::journal_path;
pub use mine_each::{ChainJob, mine_each};
pub use named_queue::NamedQueue;
#[cfg(feature = "node")]
pub(crate) use options::unix_time;
pub use options::{Clock, MineOptions, ProofMemory, fresh_node_id};
pub use output::{
    KeptJournal, OutputError, OutputOptions, ReadBack, Resume, Unfinished, mine_to_file,
};
pub use pipeline::{MineError, MineSummary, mine};
pub use queue::{
    CsvDoubts, CsvProblem, DecimalSeparator, DoubtfulCells, OtherObject, Queue, QueueError,
};
pub use whole_file::WholeFile;
