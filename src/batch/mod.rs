//! Batch mining: queue files ([`Queue`]), the pipeline that turns them into a
//! chain ([`mine()`]), and the output file ([`mine_to_file`]).
//!
//! Uses [`crate::chain`], [`crate::pow`] and [`crate::sha256`], nothing above.

mod budget;
mod options;
mod output;
mod pipeline;
mod queue;

pub use options::{Clock, MineOptions, ProofMemory, fresh_node_id};
pub use output::{OutputError, OutputOptions, Overwrite, ReadBack, mine_to_file};
pub use pipeline::{MineError, MineSummary, NamedQueue, mine};
pub use queue::{Queue, QueueError};
