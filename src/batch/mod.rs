//! Batch mining: queue files ([`Queue`]), the pipeline that turns them into a
//! chain ([`mine()`]), and the output file ([`mine_to_file`]).
//!
//! Uses [`crate::chain`], [`crate::pow`] and [`crate::sha256`], nothing above.

mod budget;
mod output;
mod pipeline;
mod queue;

pub use output::{OutputError, OutputOptions, Overwrite, ReadBack, mine_to_file};
pub use pipeline::{Clock, MineError, MineOptions, MineSummary, NamedQueue, fresh_node_id, mine};
pub use queue::{Queue, QueueError};
