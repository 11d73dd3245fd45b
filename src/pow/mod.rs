//! Proof of work: what is hashed ([`Rule`], [`Template`]), what counts as a
//! proof ([`Target`]), and the search for one ([`Searcher`]).
//!
//! Uses [`crate::sha256`] and nothing above it.

mod control;
mod nonce;
pub mod puzzle;
pub(crate) mod rayon_pool;
mod rule;
mod scan;
mod search;
mod target;
mod template;
mod worker_pool;

pub use control::Control;
pub use nonce::{Nonce, NonceRange};
pub use rule::{LastBlock, Rule, UnknownRule};
pub use scan::{Measurement, Shape, measurements};
pub use search::{Hit, Outcome, SearchError, Searcher};
pub use target::{Target, TargetError};
pub use template::Template;
