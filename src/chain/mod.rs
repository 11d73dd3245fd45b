//! The chain.

pub mod json;
