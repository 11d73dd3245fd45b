//! Fuzz targets: functions of bytes that panic if fourzero panics or disagrees
//! with an independent implementation.
//!
//! `targets/` runs them in libFuzzer, and `tests/corpus.rs` replays all inputs in
//! `corpus/`. Where raw bytes would rarely pass the first check, a target uses
//! them as a [recipe](recipe::Recipe) for nearly valid input.

#![allow(clippy::unwrap_used, reason = "a target that panics has found a bug")]

mod canonical;
mod chain;

mod kernels;
mod queue;
mod recipe;
mod serde_tree;
mod slow_reader;

// The integration tests' independent implementation, which uses nothing of the
// crate.
#[allow(dead_code, reason = "the integration tests use the rest")]
#[path = "../../it/naive.rs"]
mod naive;
#[allow(dead_code, reason = "the integration tests use the rest")]
#[path = "../../it/naive_chain.rs"]
mod naive_chain;

pub use canonical::{canonical, vectors};
pub use chain::{reader as chain_reader, verify};
pub use kernels::kernels;
pub use queue::queue_reader;

/// A fuzz target.
pub type Target = fn(&[u8]);

/// Every target with its name, which is also its folder in `corpus/`.
pub const TARGETS: [(&str, Target); 5] = [
    ("canonical", canonical),
    ("chain_reader", chain_reader),
    ("kernels", kernels),
    ("queue_reader", queue_reader),
    ("verify", verify),
];
