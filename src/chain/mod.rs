//! The chain: blocks, transactions, the canonical text they are hashed by,
//! chain files, and verification.
//!
//! Uses [`crate::pow`] and [`crate::sha256`], nothing above.

mod block;
mod file;
pub mod json;
mod transaction;
mod verify;

pub use block::{Block, PreviousHash, SealedBlock};
#[cfg(feature = "node")]
pub(crate) use file::{Batch, ChainReader};
pub use file::{ChainWriter, Format, ReadError, Shape};
pub(crate) use transaction::LEVELS_ABOVE;
pub use transaction::{
    Strictness, TRANSACTION_FIELDS, TransactionError, TransactionProblem, Transactions,
};
pub use verify::{Fault, FaultKind, Report, Verifier, VerifyError, VerifyOptions};
