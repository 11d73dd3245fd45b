//! SHA-256: constants, the compression function, digests, and which
//! implementation ([`Kernel`]) this CPU runs best.
//!
//! The lowest layer: it knows nothing of nonces or blocks and uses no other
//! module of this crate.

pub(crate) mod constants;
mod digest;
mod kernel;
pub(crate) mod scalar;

pub use digest::Digest;
pub(crate) use kernel::KernelKind;
pub use kernel::{Kernel, KernelError};
