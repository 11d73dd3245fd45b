//! Parallel proof-of-work mining for the tutorial blockchain, byte for byte
//! as its Python programs do it.

pub mod batch;
pub mod chain;
pub mod pow;
pub mod sha256;
