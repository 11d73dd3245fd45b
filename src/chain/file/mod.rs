//! Chain files: reading the three shapes in which chains are exported, and
//! writing two of them.

mod batch;
mod read;
mod write;

pub(crate) use batch::{Batch, Separator};
pub(crate) use read::ChainReader;
pub use read::{ReadError, Shape};
pub use write::{ChainWriter, Format};
