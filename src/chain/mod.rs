//! The chain: blocks, transactions, the canonical text they are hashed as,
//! chain files, verification, conversion, and statistics.
//!
//! Uses only [`crate::pow`] and [`crate::sha256`].

mod amount;
mod block;
mod canonical;
mod convert;
pub(crate) mod dialect;
mod file;
pub mod json;
pub(crate) mod read_buffer;
mod rename;
mod statistics;
mod transaction;
mod verify;

#[cfg(feature = "node")]
pub(crate) use amount::Amount;
pub use block::{Block, PreviousHash, SealedBlock};
pub use convert::{Conversion, ConvertError, ConvertOptions, convert};
pub use dialect::{BLOCK_FIELDS, Difference};
#[cfg(feature = "node")]
pub(crate) use file::{Batch, ChainReader};
pub use file::{ChainPlace, ChainWriter, Format, ReadError};
pub use rename::{Rename, RenameError};
pub use statistics::{
    Balances, Cycle, Holder, Proofs, Range, Statistics, StatisticsError, Times, statistics,
};
#[cfg(feature = "node")]
pub(crate) use transaction::TransactionView;
pub(crate) use transaction::{LEVELS_ABOVE, TransactionLayout, check_value};
pub use transaction::{
    Strictness, TRANSACTION_FIELDS, TransactionError, TransactionProblem, Transactions,
};
#[cfg(feature = "node")]
pub(crate) use verify::first_overdraft;
pub use verify::{Fault, FaultKind, Report, Verifier, VerifyError, VerifyOptions};
