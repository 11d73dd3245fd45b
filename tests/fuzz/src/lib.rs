//! Fuzz targets: each a plain function of bytes that panics where fourzero
//! and a second opinion disagree, or where fourzero itself panics.
//!
//! `targets/` hands them to libFuzzer, and `tests/corpus.rs` replays every
//! input of `corpus/`.
//! Where raw bytes would rarely come past the first check, a target takes
//! them as a [recipe](recipe::Recipe) for something nearly right.

#![allow(
    clippy::unwrap_used,
    reason = "a target that cannot go on has found something"
)]

mod canonical;
mod chain;
mod drip;
mod kernels;
mod opinion;
mod queue;
mod recipe;

// The integration tests' second opinion, which uses nothing of the crate.
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

/// A target's body.
pub type Target = fn(&[u8]);

/// Every target by its name, which is also that of its folder in `corpus/`.
pub const TARGETS: [(&str, Target); 5] = [
    ("canonical", canonical),
    ("chain_reader", chain_reader),
    ("kernels", kernels),
    ("queue_reader", queue_reader),
    ("verify", verify),
];
