//! SHA-256: constants, the compression function, digests, and which
//! implementation ([`Kernel`]) this CPU runs best.
//!
//! The lowest layer: it knows nothing of nonces or blocks and uses no other
//! module of this crate.

#[cfg(target_arch = "aarch64")]
mod arm_sha2;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod constants;
mod cpu;
mod digest;
mod group;
mod kernel;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
mod rounds;
pub(crate) mod scalar;
mod schedule;
mod self_test;
#[cfg(target_arch = "x86_64")]
mod sha_ni;
#[cfg(target_arch = "x86_64")]
mod sha_ni_texts;
#[cfg(target_arch = "x86_64")]
mod sse2;
#[cfg(any(target_arch = "aarch64", target_arch = "x86_64"))]
mod streams;
mod texts;
mod vector;

pub use cpu::cpu_features;
pub use digest::Digest;
pub(crate) use group::{COLUMN_PADDING, Group};
pub use kernel::{Kernel, KernelError};
pub(crate) use schedule::{ConstantBlock, FirstBlock};
pub(crate) use texts::digest_texts;
