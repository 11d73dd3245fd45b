//! Chain files: reading the three shapes in which chains are exported, and
//! writing two of them.

mod read;
mod write;

pub use read::ReadError;
pub(crate) use read::{Batch, ChainReader};
pub use write::{ChainWriter, Format};
