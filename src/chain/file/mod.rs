//! Chain files: reading the three shapes in which chains are exported, and
//! writing them.

mod batch;
mod error;
mod input;
mod read;
mod write;

pub(crate) use batch::{Batch, Separator};
pub use error::{ChainPlace, ReadError};
pub(crate) use input::{Input, PartedFile};
pub(crate) use read::ChainReader;
pub use read::Shape;
pub use write::{ChainWriter, Format};
