//! Reads and writes chain files, in each of the three formats.

mod block_batch;
mod error;
mod format;
mod input;
mod read;
mod write;

pub(crate) use block_batch::Batch;
pub use error::{ChainPlace, ReadError};
pub use format::Format;
pub(crate) use input::{Input, PositionalFile};
pub(in crate::chain) use read::CHAIN_KEYS;
pub(crate) use read::{ChainReader, Filled};
pub use write::ChainWriter;
